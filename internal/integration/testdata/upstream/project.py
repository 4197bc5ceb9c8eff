# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file, whose users an edge authenticates.

DATABASE is the path of its database. MIDDLEWARE is the middleware that reads
the header: EdgeUserMiddleware or PersistentEdgeUserMiddleware.
"""

import os

from django.conf import settings

settings.configure(
    SECRET_KEY="only-for-tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "rest_framework",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        __name__ + "." + os.environ["MIDDLEWARE"],
    ],
    AUTHENTICATION_BACKENDS=[__name__ + ".EdgeUserBackend"],
)

import django

django.setup()

from django.contrib.auth.backends import RemoteUserBackend
from django.contrib.auth.middleware import PersistentRemoteUserMiddleware, RemoteUserMiddleware
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from rest_framework.authentication import RemoteUserAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView


class EdgeUserBackend(RemoteUserBackend):
    def clean_username(self, username):
        return username.encode("latin-1").decode()


class EdgeUserMiddleware(RemoteUserMiddleware):
    header = "HTTP_REMOTE_USER"


class PersistentEdgeUserMiddleware(PersistentRemoteUserMiddleware):
    header = "HTTP_REMOTE_USER"


class EdgeUserAuthentication(RemoteUserAuthentication):
    header = "HTTP_REMOTE_USER"


def page(request):
    """A plain Django view, whose user the middleware sets."""
    return JsonResponse({"user": request.user.get_username(), "users": User.objects.count()})


class Api(APIView):
    """A view of Django REST framework, whose user its authentication sets."""

    authentication_classes = [EdgeUserAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request):
        return Response({"user": request.user.get_username(), "users": User.objects.count()})


urlpatterns = [path("page/", page), path("api/", Api.as_view())]

call_command("migrate", verbosity=0)
User.objects.create_user("alice")
User.objects.create_user("former", is_active=False)

application = get_wsgi_application()
