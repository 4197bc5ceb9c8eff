// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package possession

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
)

// checkCertificate compares the thumbprint with the certificate of the
// connection, whose key the handshake has proved (RFC 8705 section 3). Who issued
// the certificate is the server's to judge, by its client_auth: a self-signed one
// is as good a binding.
func checkCertificate(r *http.Request, thumbprint string) error {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return errNoCertified
	}
	sum := sha256.Sum256(r.TLS.PeerCertificates[0].Raw)
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	if subtle.ConstantTimeCompare([]byte(want), []byte(thumbprint)) != 1 {
		return errCertificate
	}
	return nil
}
