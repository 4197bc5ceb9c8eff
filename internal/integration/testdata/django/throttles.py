# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""What Django REST framework's throttles answer at given times.

Reads one JSON list of requests from standard input, each with `at` (seconds),
`path`, `user` and `address`, and writes one JSON object: the versions and one
answer for each request. The clock is the requests'.
"""

import json
import sys
import time

import django
from django.conf import settings

now = 0.0
# The cache of a process keeps time too.
time.time = lambda: now

settings.configure(
    SECRET_KEY="no secret: this project serves nobody",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    INSTALLED_APPS=["rest_framework"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 1000000}}},
    REST_FRAMEWORK={
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_THROTTLE_RATES": {
            "anon": "2/minute", "user": "3/min", "uploads": "2/hour", "burst": "4/m", "sustained": "6/hour", "closed": "0/minute",
            "second": "2/second",
        },
    },
)
django.setup()

import rest_framework  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework import authentication, exceptions, permissions, throttling  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

throttling.SimpleRateThrottle.timer = staticmethod(lambda: now)


class User:
    is_authenticated = True

    def __init__(self, name):
        self.pk, self.is_staff = name, name == "bob"


class Token(authentication.TokenAuthentication):
    """Tokens without a database."""

    def authenticate_credentials(self, key):
        name = key.removeprefix("token-")
        if name not in ("alice", "bob"):
            raise exceptions.AuthenticationFailed("Invalid token.")
        return User(name), key


def throttle(scope):
    return type(scope, (throttling.UserRateThrottle,), {"scope": scope})


def view(*throttles, permission=permissions.AllowAny, **fields):
    fields.update(
        get=lambda self, request: Response(), authentication_classes=[Token], permission_classes=[permission],
        throttle_classes=throttles,
    )
    return type("View", (APIView,), fields).as_view()


ANON, USER, SCOPED = throttling.AnonRateThrottle, throttling.UserRateThrottle, throttling.ScopedRateThrottle
urlpatterns = [
    path("anonymous", view(ANON)),
    path("user", view(USER)),
    path("uploads", view(SCOPED, throttle_scope="uploads")),
    path("both", view(ANON, USER)),
    path("sustained", view(throttle("burst"), throttle("sustained"))),
    path("staff", view(throttle("burst"), permission=permissions.IsAdminUser)),
    path("closed", view(throttle("closed"))),
    path("second", view(throttle("second"))),
]

answers = []
for request in json.load(sys.stdin):
    now = request["at"]
    headers = {"REMOTE_ADDR": request["address"]}
    if request["user"]:
        headers["HTTP_AUTHORIZATION"] = "Token token-" + request["user"]
    response = Client().get("/" + request["path"], **headers)
    answers.append({
        "status": response.status_code,
        "retry_after": response.headers.get("Retry-After", ""),
        "challenge": response.headers.get("WWW-Authenticate", ""),
        "body": response.content.decode() if response.status_code >= 400 else "",
    })
json.dump({"django": django.__version__, "rest_framework": rest_framework.VERSION, "answers": answers}, sys.stdout)
