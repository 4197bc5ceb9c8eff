// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

// What a mobile app does with the API of knox: it logs in once, keeps the token
// and never the password, and logs in again when the token has ended. Run:
//
//	node client.mjs http://localhost:8080 alice < password

import { readFileSync } from "node:fs";

// A Session is what the app keeps in the keychain of the device.
class Session {
	constructor(site) {
		this.site = site;
		this.token = null;
	}

	// ask sends a request with the token, if there is one, and returns the answer
	// with its body.
	async ask(method, path, body) {
		const headers = { Accept: "application/json" };
		if (this.token) headers.Authorization = `Token ${this.token}`;
		if (body) headers["Content-Type"] = "application/json";
		const answer = await fetch(this.site + path, { method, headers, body: body && JSON.stringify(body) });
		const text = await answer.text();
		// The token has ended, here or on the server: the user has to log in again.
		if (answer.status === 401) this.token = null;
		return { status: answer.status, retryAfter: answer.headers.get("Retry-After"), text };
	}

	async login(username, password) {
		const answer = await this.ask("POST", "/api/auth/login/", { username, password });
		if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
		const { token, expiry, user } = JSON.parse(answer.text);
		this.token = token;
		return { expiry, user };
	}

	async logout(everywhere = false) {
		const answer = await this.ask("POST", everywhere ? "/api/auth/logoutall/" : "/api/auth/logout/");
		if (answer.status !== 204) throw new Error(`logout: ${answer.status} ${answer.text}`);
		this.token = null;
	}
}

const [site, username] = process.argv.slice(2);
const password = readFileSync(0, "utf8").trimEnd();
const say = (...words) => console.log(...words);

const phone = new Session(site);
say("without a token:", (await phone.ask("GET", "/orders")).status);
await phone.login(username, "not " + password).catch((error) => say(error.message));

const { expiry, user } = await phone.login(username, password);
say("logged in as", user.username, "for", Math.round((new Date(expiry) - Date.now()) / 86400e3), "days");
say((await phone.ask("GET", "/orders")).text);
say("I am", JSON.parse((await phone.ask("GET", "/api/me/")).text).user.username);

const tablet = new Session(site);
await tablet.login(username, password);
await phone.logout();
phone.token = "app_" + "0".repeat(64);
say("after the logout:", (await phone.ask("GET", "/orders")).text);
say("the tablet:", (await tablet.ask("GET", "/orders")).status);

// Six devices are one too many: the oldest has to log in again.
const devices = [tablet];
while (devices.length < 6) {
	const device = new Session(site);
	await device.login(username, password);
	devices.push(device);
}
const statuses = [];
for (const device of devices) statuses.push((await device.ask("GET", "/orders")).status);
say("six devices:", statuses.join(" "));

await devices[5].logout(true);
say("after logging out everywhere:", (await devices[4].ask("GET", "/orders")).status);
