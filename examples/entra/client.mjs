// A daemon that calls the API for itself, with Microsoft's library
// (npm install @azure/msal-node):
//
//   TENANT_ID=… CLIENT_ID=… CLIENT_SECRET=… node client.mjs <url of the API>
import { ConfidentialClientApplication } from "@azure/msal-node";

const authority = process.env.AUTHORITY ?? "https://login.microsoftonline.com";
const audience = process.env.AUDIENCE ?? "api://orders";

const daemon = new ConfidentialClientApplication({
  auth: {
    clientId: process.env.CLIENT_ID,
    clientSecret: process.env.CLIENT_SECRET,
    authority: `${authority}/${process.env.TENANT_ID}`,
    knownAuthorities: [new URL(authority).host],
  },
});

const { accessToken } = await daemon.acquireTokenByClientCredential({ scopes: [`${audience}/.default`] });
const answer = await fetch(process.argv[2], { headers: { Authorization: `Bearer ${accessToken}` } });
console.log(answer.status, await answer.text());
