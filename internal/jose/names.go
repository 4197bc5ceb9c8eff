// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package jose

// fewNames is how many names are compared one by one.
const fewNames = 32

// seen is the names of one object that is being read. Whoever sends an object
// of hundreds of names does not make it dear: from fewNames on they are in a map.
type seen struct {
	*scanner
	from int // where they begin in open
	// marks has a bit for each name, by its length and two of its letters: most
	// names are known to be new by it.
	marks uint64
	many  map[string]struct{}
}

// add refuses a name that was there before.
func (n *seen) add(name string) error {
	if n.members++; n.members > maxMembers {
		return errMembers
	}
	before := n.open[n.from:]
	if len(before) >= fewNames {
		return n.addMany(name, before)
	}
	mark := uint64(1)
	if len(name) > 0 {
		mark <<= (uint(len(name)) ^ uint(name[0])<<1 ^ uint(name[len(name)-1])<<2) % 64
	}
	if n.marks&mark != 0 {
		for _, other := range before {
			if other == name {
				return errDuplicate
			}
		}
	}
	n.marks |= mark
	n.open = append(n.open, name)
	return nil
}

func (n *seen) addMany(name string, before []string) error {
	if n.many == nil {
		n.many = make(map[string]struct{}, 2*fewNames)
		for _, other := range before {
			n.many[other] = struct{}{}
		}
	}
	if _, twice := n.many[name]; twice {
		return errDuplicate
	}
	n.many[name] = struct{}{}
	return nil
}
