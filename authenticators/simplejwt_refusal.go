// SPDX-FileCopyrightText: The caddy-rest-auth authors
// SPDX-License-Identifier: Apache-2.0

package authenticators

import (
	"errors"
	"strings"

	"github.com/caddy-rest-auth/caddy-rest-auth/auth"
	"github.com/caddy-rest-auth/caddy-rest-auth/internal/simplejwt"
)

// refusalBody is a refusal as simplejwt writes it, in its order.
type refusalBody struct {
	Detail   string         `json:"detail"`
	Code     string         `json:"code"`
	Messages []classMessage `json:"messages,omitempty"`
}

// classMessage says why a token is none of one class.
type classMessage struct {
	TokenClass string `json:"token_class"`
	TokenType  string `json:"token_type"`
	Message    string `json:"message"`
}

// notValid refuses a token by what each class of tokens says of it, or all of them
// alike.
func (s *SimpleJWT) notValid(wrong ...*simplejwt.Error) *auth.Failure {
	body := &refusalBody{Detail: "Given token not valid for any token type", Code: "token_not_valid"}
	causes := make([]error, len(wrong))
	for i, problem := range wrong {
		causes[i] = problem
	}
	for i, class := range s.AuthTokenClasses {
		body.Messages = append(body.Messages, classMessage{
			TokenClass: strings.ToUpper(class[:1]) + class[1:] + "Token",
			TokenType:  class,
			Message:    wrong[min(i, len(wrong)-1)].Message,
		})
	}
	return &auth.Failure{Code: body.Code, Detail: body.Detail, Body: body, Err: errors.Join(causes...)}
}

// badHeader refuses a header that is not two words.
func badHeader(cause error) *auth.Failure {
	return refuseToken("bad_authorization_header", "Authorization header must contain two space-delimited values", nil, cause)
}

func refuseToken(code, detail string, candidate *auth.Identity, cause error) *auth.Failure {
	return &auth.Failure{
		Code: code, Detail: detail, Body: &refusalBody{Detail: detail, Code: code}, Candidate: candidate, Err: cause,
	}
}
