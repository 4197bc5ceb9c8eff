# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file whose views ask for tokens of simplejwt.

DATABASE is the path of its database, SIMPLE_JWT its settings in JSON. The users
are alice, with the primary key 1, and gone, who is inactive, with 2.
"""

import datetime
import json
import os

from django.conf import settings

import django

simplejwt = json.loads(os.environ["SIMPLE_JWT"])
for name in ("AUTH_HEADER_TYPES", "AUTH_TOKEN_CLASSES"):
    if name in simplejwt:
        simplejwt[name] = tuple(simplejwt[name])
if "LEEWAY" in simplejwt:
    simplejwt["LEEWAY"] = datetime.timedelta(seconds=simplejwt["LEEWAY"])

settings.configure(
    SECRET_KEY="only-for-tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework.authtoken",
        "rest_framework_simplejwt.token_blacklist",
    ],
    SIMPLE_JWT=simplejwt,
)

django.setup()

import rest_framework
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from rest_framework.authentication import TokenAuthentication
from rest_framework.permissions import AllowAny, DjangoModelPermissions, IsAdminUser, IsAuthenticated
from rest_framework.views import APIView
from rest_framework_simplejwt.authentication import JWTAuthentication, JWTTokenUserAuthentication
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

call_command("migrate", verbosity=0)

User.objects.create_user("alice", password="pw")
User.objects.create_user("gone", password="pw", is_active=False)
BlacklistedToken.objects.create(
    token=OutstandingToken.objects.create(jti="blacklisted", token="x", expires_at=timezone.now())
)


def view(authenticators, permission):
    def answer(self, request):
        return HttpResponse(str(request.user))

    return type("View", (APIView,), dict(
        get=answer, post=answer, authentication_classes=authenticators, permission_classes=[permission], queryset=User.objects.all(),
    )).as_view()


def versions(request):
    return JsonResponse({"django": django.get_version(), "rest_framework": rest_framework.VERSION})


urlpatterns = [
    path("protected", view([JWTAuthentication], IsAuthenticated)),
    path("public", view([JWTAuthentication], AllowAny)),
    path("both", view([TokenAuthentication, JWTAuthentication], IsAuthenticated)),
    path("stateless", view([JWTTokenUserAuthentication], IsAuthenticated)),
    path("stateless/staff", view([JWTTokenUserAuthentication], IsAdminUser)),
    path("stateless/model", view([JWTTokenUserAuthentication], DjangoModelPermissions)),
    path("versions", versions),
]

application = get_wsgi_application()
