// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package auth

import "net/http"

// A Noticer is an Authenticator that reads what the handler is about to forget
// or to remove: what handlers before it have said of the user, as
// {http.auth.user.id}, and headers that are removed from each request.
//
// Notice is called once for each request and handler, before anything else,
// for requests that the handler's matcher leaves out too. It keeps what it reads
// in the variables of the request, and leaves the request as it is. Authenticate
// is not always called afterwards, and has to do without Notice, as in tests.
type Noticer interface {
	Notice(r *http.Request)
}

// A HeaderReader is an Authenticator that believes what some peers say in a
// header, as the proxy before Caddy, and nobody else.
//
// InputHeader returns its canonical name, or the empty string. The handler
// removes that header from each request once the authenticators were asked,
// whoever sent it and however it is spelled: an upstream might believe it too.
// A Noticer alone still knows it in handlers that come later.
type HeaderReader interface {
	InputHeader() string
}

// A QueryReader is an Authenticator that finds credentials in the query of a
// request.
//
// InputQuery returns the parameter that has them, or the empty string. The
// handler removes it from each request once the authenticators were asked, so
// that no upstream logs it or believes it.
type QueryReader interface {
	InputQuery() string
}

// An Owner is an Authenticator with users of its own beside those of the
// store, as those of a file, whose names mean them alone in its handler.
//
// Owns reports whether one of them has that name now. It is asked for each
// request of a user of the store or of another source, who is refused if it is
// so, whichever authenticator vouches for the user and whatever is remembered:
// `require user` could not tell the two apart. It must be fast.
type Owner interface {
	Owns(name string) bool
}
