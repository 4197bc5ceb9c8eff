# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0

from library.models import Book
from rest_framework import permissions
from rest_framework.response import Response
from rest_framework.views import APIView


class Me(APIView):
    """Says who asks, whatever the method."""

    def get(self, request):
        return Response({"user": request.user.get_username()})

    post = put = patch = delete = get


class Books(Me):
    queryset = Book.objects.all()
    permission_classes = [permissions.DjangoModelPermissionsOrAnonReadOnly]


class Reports(Me):
    permission_classes = [permissions.IsAdminUser]
