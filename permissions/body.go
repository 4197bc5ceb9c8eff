// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package permissions

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

var errNoObject = errors.New("it must be a JSON object with at least one member")

// stringLeaves returns the JSON object with every value that is neither an
// object nor an array replaced by its text, which is how Django REST framework
// renders the details of an exception.
func stringLeaves(raw []byte) (json.RawMessage, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("decoding JSON: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("decoding JSON: more follows the object")
	}
	object, ok := value.(map[string]any)
	if !ok || len(object) == 0 {
		return nil, errNoObject
	}

	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(stringLeaf(object)); err != nil {
		return nil, fmt.Errorf("encoding JSON: %w", err)
	}
	return bytes.TrimSpace(encoded.Bytes()), nil
}

func stringLeaf(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			value[name] = stringLeaf(member)
		}
		return value
	case []any:
		for i, element := range value {
			value[i] = stringLeaf(element)
		}
		return value
	case json.Number:
		return value.String()
	case bool:
		if value {
			return "True"
		}
		return "False"
	case nil:
		return "None"
	default:
		return value
	}
}
