// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package restauth

import (
	"slices"
	"testing"
)

func TestOnStart(t *testing.T) {
	var order []int
	app := new(App)
	for i := range 3 {
		app.OnStart(func() { order = append(order, i) })
	}
	if len(order) != 0 {
		t.Error("begun before the start")
	}
	// What begins may have something else begin.
	app.OnStart(func() { app.OnStart(func() { order = append(order, 3) }) })
	app.starts.run()
	app.OnStart(func() { order = append(order, 4) })
	if !slices.Equal(order, []int{0, 1, 2, 3, 4}) {
		t.Error(order)
	}
	app.starts.run()
	if len(order) != 5 {
		t.Error("begun twice")
	}
}
