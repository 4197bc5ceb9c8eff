// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// An OpenID provider, npm's oidc-provider, that issues JWTs for the API named by
// the first argument, and a client of it, npm's openid-client, that gets them and
// calls the API. Prints {"issuer": …}, then answers each line of JSON on standard
// input by one:
//
//	{"do": "client_credentials", "client": "daemon", "scope": "orders.read"}
//	{"do": "code", "account": "alice", "scope": "openid orders.read"}
//	{"do": "call", "url": …, "method": …, "token": …, "dpop": true}
//	{"do": "rotate"}    a new key signs, and is published beside the old one
//	{"do": "retire"}    the old key is no longer published
import http from "node:http";
import readline from "node:readline";
import { exportJWK, generateKeyPair } from "jose";
import * as client from "openid-client";
import Provider from "oidc-provider";

const api = process.argv[2];
const scopes = "orders.read orders.write";
const secret = "a secret of the daemon that is long enough";

async function newKey(kid) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "ES256" };
}

const server = http.createServer((request, response) => handler(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

let keys = [await newKey("first")];
let handler;
function restart() {
  handler = new Provider(issuer, {
    jwks: { keys },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    clients: [
      { client_id: "daemon", client_secret: secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
      {
        client_id: "holder", client_secret: secret, grant_types: ["client_credentials"], redirect_uris: [], response_types: [],
        dpop_bound_access_tokens: true,
      },
      {
        client_id: "app", token_endpoint_auth_method: "none", application_type: "native",
        redirect_uris: ["http://127.0.0.1/callback"], grant_types: ["authorization_code"],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => api,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: scopes, audience: api, accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    cookies: { keys: ["a key for cookies of tests"] },
    ttl: { ClientCredentials: 3600, AccessToken: 3600, Interaction: 600, Grant: 600, Session: 600 },
  }).callback();
}
restart();

const options = { execute: [client.allowInsecureRequests] };
const configured = {};
async function configuration(name) {
  configured[name] ??= await client.discovery(
    new URL(issuer), name, name === "app" ? undefined : secret,
    name === "app" ? client.None() : undefined, options,
  );
  return configured[name];
}
const proofKeys = await client.randomDPoPKeyPair("ES256");

// browse follows redirects as a browser does, and answers the provider's forms,
// until it is sent to the redirect URI.
async function browse(location, account) {
  const cookies = new Map();
  let request = { method: "GET" };
  for (let step = 0; step < 20; step++) {
    if (location.startsWith("http://127.0.0.1/callback")) return new URL(location);
    const answer = await fetch(location, {
      ...request, redirect: "manual",
      headers: { ...request.headers, cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    request = { method: "GET" };
    if (answer.headers.has("location")) {
      location = new URL(answer.headers.get("location"), location).href;
      continue;
    }
    const page = await answer.text();
    const [, prompt] = /name="prompt" value="([^"]+)"/.exec(page) ?? [];
    if (!prompt) throw new Error(`a page that asks for nothing: ${answer.status} ${page}`);
    request = { method: "POST", body: new URLSearchParams({ prompt, login: account, password: "any" }) };
    const [, action] = /action="([^"]+)"/.exec(page);
    location = new URL(action, location).href;
  }
  throw new Error("too many redirects");
}

const actions = {
  async client_credentials({ client: name, scope }) {
    const config = await configuration(name);
    const DPoP = name === "holder" ? client.getDPoPHandle(config, proofKeys) : undefined;
    return client.clientCredentialsGrant(config, { scope, resource: api }, { DPoP });
  },
  async code({ account, scope }) {
    const config = await configuration("app");
    const verifier = client.randomPKCECodeVerifier();
    const state = client.randomState();
    const nonce = client.randomNonce();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: "http://127.0.0.1/callback", scope, resource: api, state, nonce,
      code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    });
    const back = await browse(url.href, account);
    return client.authorizationCodeGrant(config, back, {
      pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce,
    }, { resource: api });
  },
  async call({ url, method = "GET", token, dpop }) {
    const config = await configuration(dpop ? "holder" : "daemon");
    const DPoP = dpop ? client.getDPoPHandle(config, proofKeys) : undefined;
    try {
      const answer = await client.fetchProtectedResource(config, token, new URL(url), method, null, undefined, { DPoP });
      return { status: answer.status, body: await answer.text() };
    } catch (problem) {
      // A challenge, as the client understands it.
      if (!(problem instanceof client.WWWAuthenticateChallengeError)) throw problem;
      return { status: problem.status, challenges: problem.cause };
    }
  },
  async rotate() {
    keys = [await newKey(`key-${keys.length + 1}`), ...keys];
    restart();
    return {};
  },
  async retire() {
    keys = keys.slice(0, 1);
    restart();
    return {};
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
