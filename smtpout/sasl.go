package smtpout

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
)

var (
	errNoAuth     = errors.New("a username is configured, but the server does not offer AUTH")
	errPlainOnly  = errors.New("the server wants the password in clear, and it is not sent without TLS")
	errNoCommon   = errors.New("the server offers neither PLAIN, LOGIN nor CRAM-MD5")
	errEndlessAsk = errors.New("the server asks for more than the sign-in has to say")
)

// mechanism picks the way to sign in out of the parameters of the server's
// AUTH extension. A mechanism that shows the password to the wire is only for
// a private one: TLS, or a connection that stays on this machine.
func mechanism(offered string, private bool, username, password string) (sasl.Client, error) {
	names := strings.Fields(strings.ToUpper(offered))
	has := func(name string) bool { return slices.Contains(names, name) }
	switch {
	case len(names) == 0:
		return nil, errNoAuth
	case private && has("PLAIN"):
		return sasl.NewPlainClient("", username, password), nil
	case private && has("LOGIN"):
		return &login{answers: []string{username, password}}, nil
	case has("CRAM-MD5"):
		return &cramMD5{username: username, password: password}, nil
	case has("PLAIN") || has("LOGIN"):
		return nil, errPlainOnly
	}
	return nil, errNoCommon
}

// login is AUTH LOGIN: the server asks twice. Servers word their two questions
// in many ways, so it goes by their order; the library's own knows one wording.
type login struct{ answers []string }

// Start implements sasl.Client.
func (l *login) Start() (string, []byte, error) { return "LOGIN", nil, nil }

// Next implements sasl.Client.
func (l *login) Next([]byte) ([]byte, error) {
	if len(l.answers) == 0 {
		return nil, errEndlessAsk
	}
	answer := l.answers[0]
	l.answers = l.answers[1:]
	return []byte(answer), nil
}

// cramMD5 is AUTH CRAM-MD5 (RFC 2195): the password stays here.
type cramMD5 struct {
	username, password string
	done               bool
}

// Start implements sasl.Client.
func (c *cramMD5) Start() (string, []byte, error) { return "CRAM-MD5", nil, nil }

// Next implements sasl.Client.
func (c *cramMD5) Next(challenge []byte) ([]byte, error) {
	if c.done {
		return nil, errEndlessAsk
	}
	c.done = true
	mac := hmac.New(md5.New, []byte(c.password))
	mac.Write(challenge)
	return []byte(c.username + " " + hex.EncodeToString(mac.Sum(nil))), nil
}
