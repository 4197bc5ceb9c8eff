# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0

from django.db import models


class Book(models.Model):
    title = models.CharField(max_length=200)
