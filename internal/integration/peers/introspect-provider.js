// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// An authorization server, npm's oidc-provider, that issues opaque tokens for the
// API named by the first argument, and says what they are worth to resource servers
// that authenticate in each way: rs-basic, rs-post, and rs-key by the public key of
// the second argument, a JWK. Prints {"issuer": …}, then answers each line of JSON on
// standard input by one:
//
//	{"do": "issue", "client": "daemon", "scope": "orders.read", "dpop": true}
//	{"do": "revoke", "token": …}
import http from "node:http";
import readline from "node:readline";
import * as client from "openid-client";
import Provider from "oidc-provider";

const api = process.argv[2];
const secret = "a secret: of a client/that is + long & enough";
const machine = { grant_types: ["client_credentials"], redirect_uris: [], response_types: [] };
const none = { grant_types: [], redirect_uris: [], response_types: [] };

const server = http.createServer((request, response) => provider.callback()(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    { client_id: "daemon", client_secret: secret, ...machine },
    { client_id: "rs-basic", client_secret: secret, token_endpoint_auth_method: "client_secret_basic", ...none },
    { client_id: "rs-post", client_secret: secret, token_endpoint_auth_method: "client_secret_post", ...none },
    {
      client_id: "rs-key", token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256",
      jwks: { keys: [JSON.parse(process.argv[3])] }, ...none,
    },
  ],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    introspection: { enabled: true, allowedPolicy: (_, client) => client.clientId.startsWith("rs-") },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => api,
      useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: "orders.read orders.write", audience: api, accessTokenFormat: "opaque", accessTokenTTL: 3600 }),
    },
  },
  ttl: { ClientCredentials: 3600 },
});

const config = await client.discovery(new URL(issuer), "daemon", secret, undefined, { execute: [client.allowInsecureRequests] });
const proofKeys = await client.randomDPoPKeyPair("ES256");

const actions = {
  async issue({ scope, dpop }) {
    const DPoP = dpop ? client.getDPoPHandle(config, proofKeys) : undefined;
    return client.clientCredentialsGrant(config, { scope, resource: api }, { DPoP });
  },
  async revoke({ token }) {
    await client.tokenRevocation(config, token);
    return {};
  },
  async call({ url, token }) {
    const DPoP = client.getDPoPHandle(config, proofKeys);
    const answer = await client.fetchProtectedResource(config, token, new URL(url), "GET", null, undefined, { DPoP });
    return { status: answer.status, body: await answer.text() };
  },
};

console.log(JSON.stringify({ issuer }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  try {
    console.log(JSON.stringify(await actions[command.do](command)));
  } catch (problem) {
    console.log(JSON.stringify({ problem: `${problem} ${JSON.stringify(problem.cause)}` }));
  }
}
process.exit(0);
