// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sqlite

// raceEnabled says that tests take ten times as long.
const raceEnabled = false
