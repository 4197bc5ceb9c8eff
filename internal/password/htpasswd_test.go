// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package password

import (
	"errors"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/caddy-rest-auth/caddy-rest-auth/internal/peertest"
)

// Hashes that Apache's htpasswd made, and that Passlib has for its tests.
const (
	apr1OfHorse = "$apr1$0ofpYnKl$oxOUc0C/5bnCH0peHLbMp/"
	shaOfHorse  = "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="
	horse       = "correct horse"
)

func TestHtpasswdFormats(t *testing.T) {
	verifyAll(t, []vector{
		{horse, apr1OfHorse, true},
		{"wrong", apr1OfHorse, false},
		{"", apr1OfHorse, false},
		{"myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/", true},
		{"t\u00e1\u0411\u2113\u0259", "$apr1$bzYrOHUx$a1FcpXuQDJV3vPY20CS6N1", true},
		{horse, shaOfHorse, true},
		{"helloworld", "{SHA}at+xg6SiyUovktq1redipHiJpaE=", true},
		{"wrong", shaOfHorse, false},
	})
	digest := strings.TrimPrefix(apr1OfHorse, "$apr1$0ofpYnKl$")
	for encoded, want := range map[string]error{
		apr1OfHorse:                           nil,
		"$apr1$$" + digest:                    nil,
		shaOfHorse:                            ErrWeak,
		"$apr1$0ofpYnKlx$" + digest:           ErrMalformed, // a salt of nine
		"$apr1$0ofp:nKl$" + digest:            ErrMalformed,
		"$apr1$" + digest:                     ErrMalformed,
		"$apr1$0ofpYnKl$" + digest[:21]:       ErrMalformed,
		"$apr1$0ofpYnKl$" + digest + "/":      ErrMalformed,
		"$apr1$0ofpYnKl$" + digest[:21] + "2": ErrMalformed, // bits that no digest has
		"$apr1$0ofpYnKl$" + digest[:21] + "!": ErrMalformed,
		"$1$0ofpYnKl$" + digest:               ErrMalformed,
		"$5$NYcrry0Vdm1grII4$HMZADGKZSLjfM/8VVsz4pFEP7ZfVQug4d7S2v9A3dM4": ErrMalformed,
		"8.EGQGMMmGrZ2": ErrMalformed,
		"lètmein":       ErrMalformed,
	} {
		if err := Check(encoded, nil); !errors.Is(err, want) {
			t.Errorf("Check(%s) = %v, want %v", encoded, err, want)
		}
	}
	for _, encoded := range []string{"{SHA}", "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A", shaOfHorse + "=", "{SHA}L55TUjtiq8FBorTWAZ0jy6g129B=", "{sha}L55TUjtiq8FBorTWAZ0jy6g129A="} {
		if err := Check(encoded, WeakFormats()); !errors.Is(err, ErrMalformed) {
			t.Errorf("Check(%s) = %v, want ErrMalformed", encoded, err)
		}
	}
	if !NeedsRehash(apr1OfHorse) {
		t.Error("apr1 is taken for as good as what Hash makes")
	}
}

func TestVectors_htpasswd(t *testing.T) {
	var lines []struct{ Password, Kind, Line string }
	loadVectors(t, "htpasswd", &lines)
	var vectors []vector
	for _, line := range lines {
		_, encoded, _ := strings.Cut(line.Line, ":")
		switch line.Kind {
		case "apr1", "bcrypt", "sha1":
			vectors = append(vectors, vector{line.Password, encoded, true})
		default:
			if err := Check(encoded, WeakFormats()); !errors.Is(err, ErrMalformed) {
				t.Errorf("Check(%s), %s = %v, want ErrMalformed", encoded, line.Kind, err)
			}
		}
	}
	verifyAll(t, vectors)
}

// TestHtpasswd_referee has Apache's own program hash random passwords.
func TestHtpasswd_referee(t *testing.T) {
	htpasswd := peertest.Program(t, "htpasswd", "apache2-utils")
	// A seed that stays, so that a difference can be looked into.
	random := rand.New(rand.NewPCG(3, 4))
	for length := range 40 {
		password := make([]byte, length*3)
		for i := range password {
			password[i] = byte(1 + random.IntN(255))
		}
		flag := []string{"-m", "-s", "-B"}[length%3]
		args := []string{"-n", "-i", flag, "x"}
		if flag == "-B" {
			args = append([]string{"-C", "4"}, args...)
		}
		command := exec.CommandContext(t.Context(), htpasswd, args...)
		typed := strings.NewReplacer("\n", "n", "\r", "r").Replace(string(password))
		command.Stdin = strings.NewReader(typed)
		out, err := command.Output()
		if err != nil {
			t.Fatalf("htpasswd %v: %v", args, err)
		}
		_, encoded, _ := strings.Cut(strings.TrimSpace(string(out)), ":")
		verifyAll(t, []vector{{typed, encoded, true}, {typed + "?", encoded, len(typed) >= 72 && flag == "-B"}})
	}
}

// FuzzHtpasswd is FuzzPHC with the formats of htpasswd.
func FuzzHtpasswd(f *testing.F) {
	for _, encoded := range []string{apr1OfHorse, shaOfHorse, "$apr1$$", "$apr1$a$", "{SHA}", "$1$a$b", "$5$a$b", "$6$a$b", "$y$a$b"} {
		f.Add(encoded, "password")
	}
	f.Fuzz(fuzz)
}
