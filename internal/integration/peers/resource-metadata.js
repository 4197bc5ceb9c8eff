// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Reads the URL of a protected resource from standard input, finds its metadata as
// oauth4webapi, the library of openid-client, does, and prints that.
import { text } from "node:stream/consumers";
import * as oauth from "oauth4webapi";

const resource = new URL((await text(process.stdin)).trim());
const answer = await oauth.resourceDiscoveryRequest(resource, { [oauth.allowInsecureRequests]: true });
console.log(JSON.stringify(await oauth.processResourceDiscoveryResponse(resource, answer)));
