# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0

from django.urls import path
from library import views

urlpatterns = [
    path("api/books/", views.Books.as_view()),
    path("api/reports/", views.Reports.as_view()),
    path("api/me/", views.Me.as_view()),
]
