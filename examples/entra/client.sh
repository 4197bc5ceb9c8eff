#!/bin/sh
# A daemon that calls the API for itself: client credentials for a token, and the
# token for the API.
#
#   TENANT_ID=… CLIENT_ID=… sh client.sh <file with the client secret> <url of the API>
#
# The secret comes from a file: the arguments of a program are for everybody to see.
set -eu

authority=${AUTHORITY:-https://login.microsoftonline.com}
audience=${AUDIENCE:-api://orders}

token=$(curl --silent --show-error --fail \
	--data-urlencode grant_type=client_credentials \
	--data-urlencode "client_id=$CLIENT_ID" \
	--data-urlencode "client_secret@$1" \
	--data-urlencode "scope=$audience/.default" \
	"$authority/$TENANT_ID/oauth2/v2.0/token" |
	sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')

printf 'header = "Authorization: Bearer %s"\n' "$token" |
	curl --silent --show-error --fail --config - "$2"
