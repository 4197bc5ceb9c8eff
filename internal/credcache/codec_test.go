// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package credcache

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
)

func TestCodec_roundTrip(t *testing.T) {
	text := rapid.String()
	list := rapid.SliceOfN(text, 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		want := auth.Identity{
			ID: text.Draw(t, "ID"), Key: text.Draw(t, "Key"), Source: text.Draw(t, "Source"),
			Name: text.Draw(t, "Name"), Email: text.Draw(t, "Email"),
			Staff: rapid.Bool().Draw(t, "Staff"), Superuser: rapid.Bool().Draw(t, "Superuser"),
			Method: text.Draw(t, "Method"), Credential: text.Draw(t, "Credential"),
			Client: text.Draw(t, "Client"), Family: text.Draw(t, "Family"), Proof: text.Draw(t, "Proof"),
		}
		for _, field := range lists(&want) {
			if drawn := list.Draw(t, "list"); len(drawn) > 0 {
				*field = drawn
			}
		}
		if rapid.Bool().Draw(t, "has claims") {
			want.Claims = json.RawMessage(text.Draw(t, "Claims"))
		}
		if rapid.Bool().Draw(t, "expires") {
			want.Expires = time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")).UTC()
		}
		var got auth.Identity
		if err := decode(string(encode(nil, &want)), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("decode(encode(id)) = %+v, %v, want %+v", got, err, want)
		}
	})
}

// Every field of Identity has to be remembered: a new one that is not would be
// lost on the second request.
func TestCodec_everyField(t *testing.T) {
	var want auth.Identity
	v := reflect.ValueOf(&want).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i); field.Interface().(type) {
		case string:
			field.SetString(v.Type().Field(i).Name)
		case bool:
			field.SetBool(true)
		case []string:
			field.Set(reflect.ValueOf([]string{v.Type().Field(i).Name}))
		case time.Time:
			field.Set(reflect.ValueOf(time.Unix(1, 2).UTC()))
		case json.RawMessage:
			field.SetBytes([]byte(`{}`))
		default:
			t.Fatalf("teach encode, decode and this test about %s", v.Type().Field(i).Name)
		}
	}
	var got auth.Identity
	if err := decode(string(encode(nil, &want)), &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decode(encode(id)) = %+v, %v, want %+v", got, err, want)
	}
}

func TestCodec_listsDoNotOverlap(t *testing.T) {
	var id auth.Identity
	if err := decode(string(encode(nil, &auth.Identity{Groups: []string{"a"}, Scopes: []string{"read"}})), &id); err != nil {
		t.Fatal(err)
	}
	_ = append(id.Groups, "written over the next list")
	if id.Scopes[0] != "read" {
		t.Errorf("appending to Groups changed Scopes to %q", id.Scopes)
	}
}

func TestCodec_typicalFitsOneBlock(t *testing.T) {
	if n := len(encode(nil, typical(1))); n > payload {
		t.Errorf("the identity of an API token takes %d bytes, more than a block's %d", n, payload)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(nil, typical(1)))
	f.Add(encode(nil, &auth.Identity{Claims: []byte(`{"a":1}`), Expires: time.Unix(1, 1)}))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		var id, again auth.Identity
		if decode(string(data), &id) != nil {
			if !reflect.DeepEqual(id, auth.Identity{}) {
				t.Fatalf("decode of garbage left %+v", id)
			}
			return
		}
		if err := decode(string(encode(nil, &id)), &again); err != nil || !reflect.DeepEqual(id, again) {
			t.Fatalf("decode(encode(%+v)) = %+v, %v", id, again, err)
		}
	})
}
