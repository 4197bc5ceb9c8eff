// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

// fewNames is how many names are compared one by one.
const fewNames = 32

// names is what is known of the names of an object that is being read. Whoever
// sends hundreds of them does not make it dear: from fewNames on they are in a
// map.
type names struct {
	// marks has a bit for each name, by its length and two of its letters: most
	// names are known to be new by it.
	marks uint64
	many  map[string]struct{}
}

// twice reports whether the name is one of those before it.
func (n *names) twice(name string, before object) bool {
	if len(before) >= fewNames {
		return n.twiceOfMany(name, before)
	}
	mark := uint64(1)
	if len(name) > 0 {
		mark <<= (uint(len(name)) ^ uint(name[0])<<1 ^ uint(name[len(name)-1])<<2) % 64
	}
	known := n.marks&mark != 0
	n.marks |= mark
	return known && before.find(name) != nil
}

func (n *names) twiceOfMany(name string, before object) bool {
	if n.many == nil {
		n.many = make(map[string]struct{}, 2*fewNames)
		for i := range before {
			n.many[before[i].name] = struct{}{}
		}
	}
	_, known := n.many[name]
	n.many[name] = struct{}{}
	return known
}
