# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0
"""A Django project in one file that has issued tokens of simplejwt, and blacklisted some.

DATABASE is the path of its database, KEY its SECRET_KEY. It writes one JSON object:
the tokens by name, and what manage.py dumpdata writes under "dump".
"""

import io
import json
import os

from django.conf import settings

import django

settings.configure(
    SECRET_KEY=os.environ["KEY"],
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["DATABASE"]}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt.token_blacklist",
    ],
    SIMPLE_JWT={"ISSUER": os.environ.get("ISSUER")},
)

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework_simplejwt.tokens import RefreshToken, SlidingToken

call_command("migrate", verbosity=0)
alice = User.objects.create_user("alice", password="pw")
gone = User.objects.create_user("gone", password="pw", is_active=False)
left = User.objects.create_user("left", password="pw")

refresh, blacklisted, inactive, deleted = (RefreshToken.for_user(user) for user in (alice, alice, gone, left))
sliding, blacklisted_sliding = SlidingToken.for_user(alice), SlidingToken.for_user(alice)
blacklisted.blacklist()
blacklisted_sliding.blacklist()
left.delete()

dump = io.StringIO()
call_command("dumpdata", "auth.user", "auth.group", "token_blacklist", natural_foreign=True, stdout=dump)
print(json.dumps({
    "refresh": str(refresh),
    "access": str(refresh.access_token),
    "blacklisted": str(blacklisted),
    "inactive": str(inactive),
    "deleted": str(deleted),
    "sliding": str(sliding),
    "blacklisted_sliding": str(blacklisted_sliding),
    "dump": dump.getvalue(),
}))
