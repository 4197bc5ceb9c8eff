// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// Reads keys and tokens on standard input, as JSON. Prints a token signed with
// each key, and of each token whether jose accepts it.
import { importJWK, jwtVerify, SignJWT } from "jose";

// Node.js 20 calls Ed25519 experimental.
process.removeAllListeners("warning");

let text = "";
for await (const chunk of process.stdin) text += chunk;
const { now, keys, tokens } = JSON.parse(text);

const secret = (jwk) => jwk.kty === "oct";
const publicPart = ({ d, p, q, dp, dq, qi, ...rest }) => rest;
const signed = {};
const verifying = {};
for (const [alg, jwk] of Object.entries(keys)) {
  const header = { alg, kid: jwk.kid, typ: "at+jwt" };
  signed[alg] = await new SignJWT({ scope: "orders.read", name: "Zoë 😀", nested: { list: [1, 2.5, null] } })
    .setProtectedHeader(header)
    .setIssuer("https://login.example.com")
    .setSubject("alice")
    .setAudience(["https://api.example.com"])
    .setIssuedAt(now)
    .setExpirationTime(now + 300)
    .sign(await importJWK(jwk, alg));
  verifying[alg] = await importJWK(secret(jwk) ? jwk : publicPart(jwk), alg);
}

const refused = [];
for (const { alg, token } of tokens) {
  try {
    await jwtVerify(token, verifying[alg], {
      algorithms: [alg],
      audience: "https://api.example.com",
      issuer: "https://login.example.com",
      requiredClaims: ["exp"],
      currentDate: new Date(now * 1000),
    });
    refused.push("");
  } catch (err) {
    refused.push(`${err.code ?? err.name}: ${err.message}`);
  }
}
console.log(JSON.stringify({ signed, refused }));
