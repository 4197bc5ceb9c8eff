// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package htpasswd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/password"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

const (
	bcryptHash = "$2y$04$XVQSVErHqA8zV8zD6dk05OY0Olu9HjNoBA7iFRCDMoQPBiCbGLJDm"
	apr1Hash   = "$apr1$0ofpYnKl$oxOUc0C/5bnCH0peHLbMp/"
	shaHash    = "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="
	argon2Hash = "$argon2id$v=19$m=47104,t=1,p=1$ttDM/18wy1N8ZLq4ikl0qw$CwQlcykX1a/Sotj2N1ajSlmNrsD1PSbNxLxq0vQ0kgo"
	desHash    = "8.EGQGMMmGrZ2"
)

func strict(hash string) error { return password.Check(hash, nil) }

func TestParse(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"empty":                   {"", ""},
		"a comment":               {"# alice:x", ""},
		"blank lines":             {"\n \t\n\r\n", ""},
		"bcrypt":                  {"alice:" + bcryptHash, "alice"},
		"bcrypt of Caddy":         {"alice:" + strings.Replace(bcryptHash, "$2y$", "$2a$", 1) + "\n", "alice"},
		"apr1":                    {"alice:" + apr1Hash + "\n", "alice"},
		"argon2 of Caddy":         {"alice:" + argon2Hash + "\n", "alice"},
		"several":                 {"bob:" + apr1Hash + "\n#\n\nalice:" + bcryptHash + "\n", "alice bob"},
		"CRLF":                    {"alice:" + apr1Hash + "\r\nbob:" + apr1Hash + "\r\n", "alice bob"},
		"byte order mark":         {"\ufeffalice:" + apr1Hash + "\n", "alice"},
		"a field more":            {"alice:" + apr1Hash + ":Alice Liddell\n", "alice"},
		"blanks at the end":       {"alice:" + apr1Hash + " \t\n", "alice"},
		"blank within the name":   {"alice liddell:" + apr1Hash, "alice liddell"},
		"locked":                  {"alice:!" + apr1Hash, "alice"},
		"decomposed":              {"rene\u0301:" + apr1Hash, "ren\u00e9"},
		"letter case":             {"alice:" + apr1Hash + "\nAlice:" + apr1Hash, "Alice alice"},
		"no colon":                {"alice", "line 1: no name, colon and hash"},
		"no name":                 {":" + apr1Hash, "line 1: the name is empty"},
		"no hash":                 {"# 1\n\nalice:\n", "line 3: no hash"},
		"plain":                   {"alice:secret", "line 1: password hash is not understood: its format is unknown"},
		"DES":                     {"alice:" + desHash, "line 1: password hash is not understood: its format is unknown"},
		"SHA-512 crypt":           {"alice:$6$a$b", "line 1: password hash is not understood: SHA-512 crypt is not supported"},
		"SHA-1":                   {"alice:" + shaHash, "line 1: password hash is of a weak format: unsalted_sha1"},
		"costly":                  {"alice:" + strings.Replace(bcryptHash, "$04$", "$31$", 1), "line 1: password hash is too costly: a parameter is too large"},
		"cut off":                 {"alice:" + bcryptHash[:40], "line 1: password hash is not understood: bcrypt has 60 characters"},
		"twice":                   {"alice:" + apr1Hash + "\nbob:" + apr1Hash + "\n\nalice:" + apr1Hash, "line 4: the user is that of line 1"},
		"twice, in another form":  {"rene\u0301:" + apr1Hash + "\nren\u00e9:" + apr1Hash, "line 2: the user is that of line 1"},
		"a colon in disguise":     {"a\uff1ab:" + apr1Hash, "line 1: the name contains ':', which ends it in HTTP Basic authentication"},
		"control character":       {"al\x07ice:" + apr1Hash, "line 1: the name contains a control character"},
		"NUL":                     {"alice\x00:" + apr1Hash, "line 1: the name contains a control character"},
		"not UTF-8":               {"ren\xe9:" + apr1Hash, "line 1: not UTF-8"},
		"UTF-16":                  {"\xff\xfea\x00:\x00", "line 1: not UTF-8"},
		"long name":               {strings.Repeat("a", 151) + ":" + apr1Hash, "line 1: the name is longer than 150 characters"},
		"a line of a million":     {"alice:" + apr1Hash + "\n" + strings.Repeat("a", 1<<20), "line 2: longer than 4096 bytes"},
		"comment of a million":    {"#" + strings.Repeat("a", 1<<20) + "\nalice:" + apr1Hash, "alice"},
		"several faults":          {"alice\nbob:x\ncarol:" + apr1Hash + "\ncarol:" + apr1Hash, "line 1: no name, colon and hash; and 2 more"},
		"old Macintosh line ends": {"alice:" + apr1Hash + "\rbob:" + apr1Hash, "line 1: password hash is not understood: its digest is damaged"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			users, err := parse([]byte(test.text), strict)
			got := strings.Join(names(users), " ")
			if err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("parse(%.80q) = %q, want %q", test.text, got, test.want)
			}
		})
	}
}

func names(t *table) (list []string) {
	for _, place := range t.places {
		list = append(list, string(t.name(place)))
	}
	return list
}

func TestTable_find(t *testing.T) {
	users, err := parse([]byte("carol:"+bcryptHash+"\nalice:"+apr1Hash+":x\nbob:!\n"), strict)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"alice": apr1Hash, "bob": "!", "carol": bcryptHash, "": "", "a": "", "alicf": "", "dave": "", "carol:": "", "carol:" + bcryptHash: ""} {
		if got, ok := users.find(name); got != want || ok != (want != "") {
			t.Errorf("find(%q) = %q, %v, want %q", name, got, ok, want)
		}
	}
	if _, ok := new(table).find("alice"); ok {
		t.Error("an empty table has alice")
	}
}

// TestParse_vectors has a file with every format there is: what cannot be
// verified is named by its line, and the rest is read.
func TestParse_vectors(t *testing.T) {
	text, err := os.ReadFile("../password/testdata/htpasswd.mixed")
	if err != nil {
		t.Fatal(err)
	}
	lenient := func(hash string) error { return password.Check(hash, password.WeakFormats()) }
	if _, err := parse(text, lenient); err == nil || err.Error() != "line 6: password hash is not understood: its format is unknown; and 15 more" {
		t.Errorf("the whole file: %v", err)
	}
	var readable [][]byte
	for i, line := range bytes.Split(text, []byte("\n")) {
		_, err := parse(line, lenient)
		name, _, _ := bytes.Cut(line, []byte(":"))
		_, kind, _ := bytes.Cut(name, []byte("_"))
		good := slices.Contains([]string{"", "apr1", "bcrypt", "sha1"}, string(kind))
		if (err == nil) != good {
			t.Errorf("line %d, of %s: %v", i+1, kind, err)
		}
		if err == nil {
			readable = append(readable, line)
		}
	}
	users, err := parse(bytes.Join(readable, []byte("\r\n")), lenient)
	if err != nil || users.len() != 12 {
		t.Errorf("the supported lines: %d users, %v", users.len(), err)
	}
}

// TestParse_apache has a file that Apache's own program writes, line by line.
func TestParse_apache(t *testing.T) {
	program := peertest.Program(t, "htpasswd", "apache2-utils")
	path := filepath.Join(t.TempDir(), "htpasswd")
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
			t.Fatalf("htpasswd %v: %v: %s", args, err, out)
		}
	}
	run("-c", "-b", path, "default", "p:w")
	run("-b", "-m", path, "md5", "pw")
	run("-b", "-B", "-C", "4", path, "bcrypt", "pw")
	run("-b", "-s", path, "sha", "pw")
	run("-b", "-s", path, "gone", "pw")
	run("-D", path, "gone")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parse(text, strict); err == nil || err.Error() != "line 4: password hash is of a weak format: unsalted_sha1" {
		t.Errorf("the weak one: %v", err)
	}
	hasher := password.New(password.Config{Weak: []string{"unsalted_sha1"}})
	users, err := parse(text, hasher.Check)
	if err != nil {
		t.Fatal(err)
	}
	for name, pw := range map[string]string{"default": "p:w", "md5": "pw", "bcrypt": "pw", "sha": "pw"} {
		hash, _ := users.find(name)
		if ok, err := hasher.Verify(t.Context(), hash, pw); !ok || err != nil {
			t.Errorf("%s: %v, %v", name, ok, err)
		}
	}
}

// FuzzParse: no text panics, and who is read can be found with a hash that is
// in the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"", "alice:" + apr1Hash, "\ufeffa:!\r\nb:!x\n#\n", "a:b:c", "rene\u0301:!\nren\u00e9:!", ":", "\x00:!", "a\uff1a:!"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		users, err := parse(text, strict)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "line ") {
				t.Errorf("parse(%q) = %v", text, err)
			}
			return
		}
		found := names(users)
		if !slices.IsSorted(found) || len(slices.Compact(slices.Clone(found))) != len(found) {
			t.Errorf("parse(%q) has the users %q", text, found)
		}
		for _, name := range found {
			hash, ok := users.find(name)
			if !ok || hash == "" || !bytes.Contains(text, []byte(":"+hash)) {
				t.Errorf("parse(%q): find(%q) = %q, %v", text, name, hash, ok)
			}
		}
	})
}

// BenchmarkFind is what a request with a password pays for the file once the
// password is remembered, with a million users.
func BenchmarkFind(b *testing.B) {
	for _, n := range []int{100, 1_000_000} {
		users, err := parse(many(n), strict)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := users.find("user000042"); !ok {
					b.Fatal("not found")
				}
			}
		})
	}
}

// BenchmarkParse is what a change of the file costs the request that notices.
func BenchmarkParse(b *testing.B) {
	for _, n := range []int{100, 1_000_000} {
		text := many(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parse(text, strict); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// many returns a file of that many users, in no order.
func many(n int) []byte {
	var text bytes.Buffer
	for i := range n {
		fmt.Fprintf(&text, "user%06d:%s\n", (i*7919+42)%n, apr1Hash)
	}
	return text.Bytes()
}
