# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file that serves obtain_auth_token, as /api-token-auth/.

DATABASE is the path of its database. KEY is the key of a session of alice.
"""

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
        "django.contrib.sessions",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
)

django.setup()

import rest_framework
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from rest_framework.authtoken.views import obtain_auth_token

call_command("migrate", verbosity=0)

alice = User.objects.create_user("alice", password="pw")
User.objects.create_user("gone", password="pw", is_active=False)
User.objects.create_user("spaced", password=" pw ")
session = SessionStore(session_key=os.environ["KEY"])
session._session_cache = {}  # nothing is loaded, which would take the key away
session[SESSION_KEY] = str(alice.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = alice.get_session_auth_hash()
session.save(must_create=True)


def versions(request):
    return JsonResponse({"django": django.get_version(), "rest_framework": rest_framework.VERSION})


urlpatterns = [
    path("api-token-auth/", obtain_auth_token),
    path("versions", versions),
]

application = get_wsgi_application()
