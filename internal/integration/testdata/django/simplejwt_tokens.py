# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file that issues the tokens of simplejwt.

DATABASE is the path of its database, SIMPLE_JWT its settings in JSON. The users
are alice, with the primary key 1, and gone, who is inactive, with 2.
"""

import json
import os

from django.conf import settings

import django

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
        "rest_framework_simplejwt.token_blacklist",
    ],
    REST_FRAMEWORK={"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]},
    SIMPLE_JWT=json.loads(os.environ["SIMPLE_JWT"]),
)

django.setup()

import rest_framework
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from rest_framework_simplejwt import views

call_command("migrate", verbosity=0)

User.objects.create_user("alice", password="pw")
User.objects.create_user("gone", password="pw", is_active=False)


def versions(request):
    return JsonResponse({"django": django.get_version(), "rest_framework": rest_framework.VERSION})


urlpatterns = [
    path("api/token/", views.token_obtain_pair),
    path("api/token/refresh/", views.token_refresh),
    path("api/token/verify/", views.token_verify),
    path("api/token/blacklist/", views.token_blacklist),
    path("api/token/sliding/", views.token_obtain_sliding),
    path("api/token/sliding/refresh/", views.token_refresh_sliding),
    path("versions", versions),
]

application = get_wsgi_application()
