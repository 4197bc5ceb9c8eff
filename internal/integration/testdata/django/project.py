# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in a directory of its own, made and asked by the tests.

Usage: project.py <directory> default|custom

Steps are read from standard input, one JSON object a line, and each is answered
by one line on standard output.
"""

import datetime
import hashlib
import json
import os
import secrets
import sys
import uuid

import django
from django.conf import settings

directory, variant = sys.argv[1], sys.argv[2]

LIBRARY = """
from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
    cover = models.TextField(blank=True)
    score = models.FloatField(null=True)
"""

# A user model with an e-mail address for a name, a UUID for a key, no name, and
# links that an import does not know.
ACCOUNTS = """
import uuid

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models


class Manager(BaseUserManager):
    def create_user(self, email, **fields):
        user = self.model(email=email, **fields)
        user.save()
        return user


class Member(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    mentor = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)
    USERNAME_FIELD = "email"
    objects = Manager()
"""

# What django-rest-knox and django-rest-durin store, which Debian does not have.
KNOX = """
from django.conf import settings
from django.db import models


class AuthToken(models.Model):
    digest = models.CharField(max_length=128, primary_key=True)
    token_key = models.CharField(max_length=25, db_index=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="knox_tokens", on_delete=models.CASCADE)
    created = models.DateTimeField(auto_now_add=True)
    expiry = models.DateTimeField(null=True, blank=True)
"""

DURIN = """
import datetime

from django.conf import settings
from django.db import models


class Client(models.Model):
    name = models.CharField(max_length=64, unique=True)
    token_ttl = models.DurationField(default=datetime.timedelta(days=1))
    throttle_rate = models.CharField(max_length=64, default="", blank=True)


class AuthToken(models.Model):
    token = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, related_name="durin_tokens", on_delete=models.CASCADE)
    client = models.ForeignKey(Client, on_delete=models.CASCADE)
    created = models.DateTimeField(auto_now_add=True)
    expiry = models.DateTimeField()
"""

for app, models in (("library", LIBRARY), ("accounts", ACCOUNTS), ("knox", KNOX), ("durin", DURIN)):
    os.makedirs(os.path.join(directory, app), exist_ok=True)
    for name, text in (("__init__.py", ""), ("models.py", models)):
        with open(os.path.join(directory, app, name), "w") as file:
            file.write(text)
sys.path.insert(0, directory)

HASHERS = [
    "PBKDF2PasswordHasher", "PBKDF2SHA1PasswordHasher", "Argon2PasswordHasher", "BCryptSHA256PasswordHasher",
    "BCryptPasswordHasher", "ScryptPasswordHasher", "SHA1PasswordHasher", "MD5PasswordHasher",
    "UnsaltedSHA1PasswordHasher", "UnsaltedMD5PasswordHasher",
]
from django.contrib.auth import hashers  # noqa: E402

HASHERS = [name for name in HASHERS if hasattr(hashers, name)]
# The formats are what is tested, not the patience.
hashers.PBKDF2PasswordHasher.iterations = 5000
hashers.BCryptSHA256PasswordHasher.rounds = 5
hashers.Argon2PasswordHasher.memory_cost = 1024

settings.configure(
    SECRET_KEY="no secret: this project serves nobody",
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(directory, "db.sqlite3")}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers." + name for name in HASHERS],
    AUTH_USER_MODEL="accounts.Member" if variant == "custom" else "auth.User",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "rest_framework", "rest_framework.authtoken", "library", "knox", "durin"]
    + (["accounts"] if variant == "custom" else []),
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware"],
)
django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.contrib.auth.hashers import make_password  # noqa: E402
from django.contrib.auth.models import Group, Permission  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils import timezone  # noqa: E402
from durin import models as durin_models  # noqa: E402
from knox.models import AuthToken as KnoxToken  # noqa: E402
from library.models import Book  # noqa: E402
from rest_framework import authentication, permissions  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402

User = get_user_model()


def view(authenticators, permission):
    def answer(self, request, *args, **kwargs):
        return Response({"user": str(request.user)})

    methods = {m: answer for m in ("get", "head", "post", "put", "patch", "delete", "options")}
    return type("View", (APIView,), dict(
        methods, authentication_classes=authenticators, permission_classes=[permission], queryset=Book.objects.all(),
    )).as_view()


BASIC, TOKEN = authentication.BasicAuthentication, authentication.TokenAuthentication
urlpatterns = [
    path("basic/", view([BASIC], permissions.IsAuthenticated)),
    path("token/", view([TOKEN], permissions.IsAuthenticated)),
    path("both/", view([TOKEN, BASIC], permissions.IsAuthenticated)),
    path("admin/", view([TOKEN, BASIC], permissions.IsAdminUser)),
    path("books/", view([TOKEN], permissions.DjangoModelPermissions)),
    path("session/", view([authentication.SessionAuthentication], permissions.IsAuthenticated)),
    path("public/", view([TOKEN], permissions.DjangoModelPermissionsOrAnonReadOnly)),
]


def user_name(name):
    return name + "@example.com" if variant == "custom" else name


def make(name, hasher="pbkdf2_sha256", **fields):
    if variant != "custom":
        fields["email"] = name + "@example.com"
    return User.objects.create_user(user_name(name), password=make_password("password of " + name, hasher=hasher), **fields)


def create(step):
    call_command("migrate", run_syncdb=True, verbosity=0)
    permission = lambda codename: Permission.objects.get(codename=codename)  # noqa: E731
    editors, interns = Group.objects.create(name="editors"), Group.objects.create(name="interns of Łódź")
    editors.permissions.set([permission("add_book"), permission("change_book")])
    if variant != "custom":
        # create_user hashes again what it is given.
        User.objects.create_user = lambda name, **fields: User.objects.create(username=name, **fields)
    people = {hasher().algorithm: make(hasher().algorithm, hasher().algorithm) for hasher in (getattr(hashers, n) for n in HASHERS[:2 if variant == "custom" else None])}
    people["editor"] = make("editor")
    people["editor"].groups.set([editors, interns])
    people["deleter"] = make("deleter")
    people["deleter"].user_permissions.set([permission("delete_book")])
    people["staff"] = make("staff", is_staff=True)
    people["root"] = make("root", is_superuser=True)
    people["gone"] = make("gone", is_active=False)
    people["gone"].groups.set([editors])
    people["nobody"] = make("nobody")
    people["nobody"].set_unusable_password()
    people["nobody"].save()
    Book.objects.create(title="A title with \u2028 and \U0001f4da", score=float("inf"))
    tokens = {name: Token.objects.create(user=user).key for name, user in people.items()}
    return {"tokens": tokens, "users": {name: user.get_username() for name, user in people.items()}}


def ask(step):
    client = Client(raise_request_exception=False)
    answers = []
    for request in step["requests"]:
        headers = {"HTTP_AUTHORIZATION": request["authorization"]} if request["authorization"] else {}
        response = client.generic(request["method"], request["path"], **headers)
        answers.append({
            "status": response.status_code,
            "challenge": response.headers.get("WWW-Authenticate", ""),
            "body": response.content.decode(),
        })
    return answers


def dump(step):
    call_command("dumpdata", *step["args"], output=step["file"], verbosity=0)


def password(step):
    user = User.objects.get_by_natural_key(user_name(step["user"]))
    user.set_password(step["password"])
    user.save()


def delete(step):
    User.objects.get_by_natural_key(user_name(step["user"])).delete()


def new_token(step):
    user = User.objects.get_by_natural_key(user_name(step["user"]))
    Token.objects.filter(user=user).delete()
    return Token.objects.create(user=user).key


def login(step):
    """Logs in a browser, and returns its cookie. Without a user it only visits."""
    serializer = "PickleSerializer" if step.get("pickled") else "JSONSerializer"
    with override_settings(
        SESSION_SERIALIZER="django.contrib.sessions.serializers." + serializer,
        DEFAULT_HASHING_ALGORITHM=step.get("algorithm") or "sha256",
    ):
        client = Client()
        if step["user"] and not client.login(username=user_name(step["user"]), password=step["password"]):
            raise ValueError("nobody is logged in")
        session = client.session
        session["cart"] = {"price": float("nan"), "\u00fc": "\U0001f4da" * step.get("size", 1)}
        if step.get("seconds"):
            session.set_expiry(step["seconds"])
        session.save()
        return session.session_key


def visit(step):
    client = Client()
    client.cookies["sessionid"] = step["cookie"]
    return client.get("/session/").status_code


def knox(step):
    token = step.get("prefix", "") + secrets.token_hex(32)
    hashed = bytes.fromhex(token) if step.get("older") else token.encode()
    KnoxToken.objects.create(
        digest=hashlib.sha512(hashed).hexdigest(), token_key=token[:8 if step.get("older") else 15],
        user=User.objects.get_by_natural_key(user_name(step["user"])),
        expiry=timezone.now() + datetime.timedelta(seconds=step["seconds"]) if step.get("seconds") else None,
    )
    return token


def durin(step):
    client, _ = durin_models.Client.objects.get_or_create(name=step["client"], defaults={"token_ttl": datetime.timedelta(days=10, microseconds=5)})
    return durin_models.AuthToken.objects.create(
        token=secrets.token_hex(32), user=User.objects.get_by_natural_key(user_name(step["user"])), client=client,
        expiry=timezone.now() + client.token_ttl,
    ).token


STEPS = {f.__name__: f for f in (create, ask, dump, password, delete, new_token, login, visit, knox, durin)}

if __name__ == "__main__":
    for line in sys.stdin:
        step = json.loads(line)
        print(json.dumps(STEPS[step["do"]](step)), flush=True)
