// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

const find = (id) => document.getElementById(id);
const { api } = await (await fetch("config.json")).json();

// The token that a request which changes something has to repeat. It is told by
// auth/login/, since the cookie is the API's and not to be read from here. It is
// another one after each login.
let csrf = "";

// call sends a request with the cookies of the API, and returns its status and
// what JSON it answers.
async function call(method, path, body) {
  const headers = { Accept: "application/json" };
  if (method !== "GET") headers["X-CSRFToken"] = csrf;
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(api + path, { method, headers, body: body && JSON.stringify(body), credentials: "include" });
  const answer = response.status === 204 ? {} : await response.json();
  if (answer.csrf_token) csrf = answer.csrf_token;
  return { ok: response.ok, status: response.status, answer };
}

// problem shows the text of a refusal, which is one for a field or for all.
function problem({ answer }) {
  find("problem").textContent = answer.detail ?? Object.values(answer).flat().join(" ");
}

function show(state) {
  find("problem").textContent = "";
  find("login").hidden = state.authenticated;
  find("notes").hidden = !state.authenticated;
  find("user").textContent = state.username ?? "";
  find("said").textContent = "";
}

// ask talks to the API, and goes back to the form when the session has ended.
async function ask(method, path, body) {
  const got = await call(method, path, body);
  if (got.ok) {
    find("said").textContent = got.answer.said;
    return;
  }
  show((await call("GET", "/auth/login/")).answer);
  problem(got);
}

find("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const { username, password } = event.target;
  const got = await call("POST", "/auth/login/", { username: username.value, password: password.value });
  password.value = "";
  if (!got.ok) return problem(got);
  show(got.answer);
  await ask("GET", "/notes");
});

find("write").addEventListener("click", () => ask("POST", "/notes", { text: "Hello" }));

find("logout").addEventListener("click", async () => {
  const got = await call("POST", "/auth/logout/");
  if (!got.ok) return problem(got);
  show(got.answer);
});

const { answer } = await call("GET", "/auth/login/");
show(answer);
if (answer.authenticated) await ask("GET", "/notes");
