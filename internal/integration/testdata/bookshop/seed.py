# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""Fills the bookshop: the password of a user is "password of <name>", the token
40 times the first letter of the name, the session key that letter 32 times."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookshop.settings")
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
editors = Group.objects.create(name="editors")
editors.permissions.set(Permission.objects.filter(codename__in=["add_book", "change_book"]))
for name, fields in {
    "alice": {},
    "bob": {"is_staff": True},
    "dave": {},
    "gone": {"is_active": False},
    "root": {"is_superuser": True},
}.items():
    user = User.objects.create_user(name, name + "@example.com", "password of " + name, **fields)
    Token.objects.create(user=user, key=40 * name[0])
    session = SessionStore(session_key=32 * name[0])
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save(must_create=True)
User.objects.get(username="alice").groups.set([editors])
