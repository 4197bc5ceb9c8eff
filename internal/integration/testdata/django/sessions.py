# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file, whose API takes sessions and tokens.

DATABASE is the path of its database. KEY is the key of a session of alice, GONE
one of an inactive user, STALE one from before alice's last password.
"""

import os

from django.conf import settings

import django

# Origins were hosts before Django 4.0.
trusted = ["https://app.example.com", "https://*.example.org"]
if django.VERSION < (4, 0):
    trusted = ["app.example.com", ".example.org"]

settings.configure(
    SECRET_KEY="only-for-tests",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    CSRF_TRUSTED_ORIGINS=trusted,
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
from django.urls import path
from rest_framework.authentication import SessionAuthentication, TokenAuthentication
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny, IsAdminUser
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

call_command("migrate", verbosity=0)


def begin(key, user):
    session = SessionStore(session_key=key)
    session._session_cache = {}  # nothing is loaded, which would take the key away
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save(must_create=True)


alice = User.objects.create_user("alice", password="old")
begin(os.environ["STALE"], alice)
alice.set_password("pw")
alice.save()
begin(os.environ["KEY"], alice)
gone = User.objects.create_user("gone", password="pw", is_active=False)
begin(os.environ["GONE"], gone)
Token.objects.create(key="token-alice", user=alice)


class Api(APIView):
    permission_classes = [AllowAny]
    renderer_classes = [JSONRenderer]

    def answer(self, request):
        return Response({"user": request.user.get_username()})

    get = head = post = put = patch = delete = answer


class Versions(APIView):
    authentication_classes = []

    def get(self, request):
        return Response({"django": django.get_version(), "rest_framework": rest_framework.VERSION})


def api(*authenticators, permission=AllowAny):
    return Api.as_view(authentication_classes=authenticators, permission_classes=[permission])


urlpatterns = [
    path("session", api(SessionAuthentication)),
    path("session-token", api(SessionAuthentication, TokenAuthentication)),
    path("token-session", api(TokenAuthentication, SessionAuthentication)),
    path("staff", api(SessionAuthentication, permission=IsAdminUser)),
    path("versions", Versions.as_view()),
]

application = get_wsgi_application()
