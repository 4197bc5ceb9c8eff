# SPDX-FileCopyrightText: The caddy-rest-auth authors
# SPDX-License-Identifier: Apache-2.0

"""Answers one request per line with what Django REST framework makes of it."""

import base64
import io
import json
import logging
import platform
import sys

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={},
    INSTALLED_APPS=["rest_framework"],
    LOGGING_CONFIG=None,
    ROOT_URLCONF=__name__,
    SECRET_KEY="referee",
    TIME_ZONE="UTC",
    USE_TZ=True,
    REST_FRAMEWORK={"UNAUTHENTICATED_USER": None},
)
django.setup()
logging.disable(logging.CRITICAL)

import rest_framework
from django.core.handlers.wsgi import WSGIHandler
from django.urls import path
from rest_framework import parsers, renderers, serializers
from rest_framework.response import Response
from rest_framework.views import APIView


class Login(serializers.Serializer):
    username = serializers.CharField()
    password = serializers.CharField(trim_whitespace=False)


class All(serializers.Serializer):
    s = serializers.CharField(required=False)
    n = serializers.CharField(required=False, allow_null=True)
    b = serializers.CharField(required=False, allow_blank=True)
    m = serializers.CharField(required=False, max_length=5)
    flag = serializers.BooleanField(required=False)
    i = serializers.IntegerField(required=False, allow_null=True)
    l = serializers.ListField(child=serializers.CharField(), required=False)
    d = serializers.DateTimeField(required=False)


class Echo(APIView):
    authentication_classes = ()
    permission_classes = ()
    parser_classes = (parsers.FormParser, parsers.MultiPartParser, parsers.JSONParser)
    renderer_classes = (renderers.JSONRenderer,)
    serializer = None

    def post(self, request):
        form = self.serializer(data=request.data)
        form.is_valid(raise_exception=True)
        values = dict(form.validated_data)
        if "d" in values:
            values["d"] = serializers.DateTimeField().to_representation(values["d"])
        return Response(values)


urlpatterns = [
    path("login", Echo.as_view(serializer=Login)),
    path("all", Echo.as_view(serializer=All)),
]


def answer(app, question):
    body = base64.b64decode(question["body"])
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": question["path"],
        "QUERY_STRING": question.get("query", ""),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
    for name in ("CONTENT_TYPE", "HTTP_ACCEPT", "HTTP_CONTENT_ENCODING"):
        if name in question:
            environ[name] = base64.b64decode(question[name]).decode("latin-1")
    got = {}

    def start_response(status, headers, exc_info=None):
        got["status"] = int(status.split()[0])
        got["type"] = dict(headers).get("Content-Type", "")

    got["body"] = base64.b64encode(b"".join(app(environ, start_response))).decode()
    return got


def main():
    app = WSGIHandler()
    versions = "Python %s, Django %s, DRF %s" % (
        platform.python_version(), django.__version__, rest_framework.VERSION)
    print(json.dumps({"versions": versions}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(app, json.loads(line))), flush=True)


main()
