// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// An OpenID provider, npm's oidc-provider, at which people log in by any name,
// for the site whose origin is the first argument and whose endpoint is mounted
// at /auth/ with the provider's name from the second. It uses its own pages, in
// place of those that load fonts from elsewhere. Prints {"issuer": …}, then answers each line
// {"do": "rotate"} on standard input by {}, with another key from then on, and
// serves until the input ends.
import http from "node:http";
import readline from "node:readline";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const [origin, name] = process.argv.slice(2);

async function newKey(kid) {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)), kid, use: "sig", alg: "ES256" };
}

const server = http.createServer((request, response) => handle(request, response));
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const shown = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html><html lang="en"><title>${title}</title><h1>${title}</h1>${body}`;

let provider;
let generation = 0;
async function start() {
  provider = new Provider(issuer, {
    jwks: { keys: [await newKey(`key-${++generation}`)] },
    clientDefaults: { id_token_signed_response_alg: "ES256" },
    clients: [{
      client_id: "site", client_secret: "a secret of the site that is long enough",
      redirect_uris: [`${origin}/auth/callback/${name}/`], post_logout_redirect_uris: [`${origin}/auth/logout/`],
      grant_types: ["authorization_code"], response_types: ["code"],
      backchannel_logout_uri: `${origin}/auth/backchannel-logout/${name}/`, backchannel_logout_session_required: true,
    }],
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = page("Log out at the provider?", `${form}<button autofocus type="submit" form="op.logoutForm" value="yes" name="logout">Yes</button>`);
        },
        postLogoutSuccessSource: (ctx) => { ctx.body = page("Logged out at the provider", ""); },
      },
    },
    claims: { openid: ["sub"], profile: ["name", "preferred_username"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, accountId) => ({
      accountId,
      claims: () => ({
        sub: `sub-${accountId}`, name: `The ${accountId}`, preferred_username: accountId, email: `${accountId}@example.com`, email_verified: true,
      }),
    }),
    // Its own refuses hosts on loopback.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    cookies: { keys: ["a key for cookies of tests"] },
    renderError: (ctx, out) => { ctx.body = page("Error of the provider", `<p id="error">${shown(out.error)}: ${shown(out.error_description)}</p>`); },
    ttl: { AccessToken: 60, AuthorizationCode: 60, IdToken: 600, Interaction: 600, Grant: 600, Session: 600 },
  });
}
await start();

async function interact(request, response) {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (request.method === "GET") {
    const field = prompt.name === "login" ? '<input name="login" aria-label="Name" autofocus>' : "<p>May the site know who you are?</p>";
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(page(prompt.name === "login" ? "Log in at the provider" : "Consent",
      `<form method="post">${field}<button autofocus name="ok" value="1">Go on</button><button name="ok" value="">Cancel</button></form>`));
    return;
  }
  let body = "";
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  if (!form.get("ok")) {
    await provider.interactionFinished(request, response, { error: "access_denied", error_description: "<script>alert(1)</script>" });
    return;
  }
  if (prompt.name === "login") {
    await provider.interactionFinished(request, response, { login: { accountId: form.get("login") } });
    return;
  }
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(prompt.details.missingOIDCScope?.join(" ") ?? "");
  grant.addOIDCClaims(prompt.details.missingOIDCClaims ?? []);
  await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true });
}

function handle(request, response) {
  if (request.url.startsWith("/interaction/")) {
    interact(request, response).catch((error) => { response.statusCode = 500; response.end(String(error)); });
    return;
  }
  provider.callback()(request, response);
}

console.log(JSON.stringify({ issuer }));
for await (const line of readline.createInterface({ input: process.stdin })) {
  if (JSON.parse(line).do === "rotate") await start();
  console.log("{}");
}
process.exit(0);
