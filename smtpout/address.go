package smtpout

import (
	"errors"
	"fmt"
	"net/mail"
	"net/netip"
	"strings"
	"unicode/utf8"

	"ringback/callback"
)

// Lengths in bytes, RFC 5321 4.5.3.1 with its erratum 1690.
const (
	maxLocal   = 64
	maxAddress = 254
	maxName    = 64 // of a display name; ours to choose
)

// address is one mailbox that is safe to put into an SMTP command and a header
// as it stands: its local part is a dot-atom, so it needs no quotes and cannot
// end the brackets around it.
type address struct {
	name string // display name, or empty
	addr string // local@domain
}

// parseAddress reads an RFC 5322 mailbox. Quoted local parts are refused: no
// real mailbox needs one, and every way to smuggle a parameter into MAIL or
// RCPT does.
func parseAddress(s string) (address, error) {
	if s == "" {
		return address{}, errors.New("there is no address")
	}
	shown := callback.Sanitize(s, 80)
	if len(s) > 1000 {
		return address{}, fmt.Errorf("%q… is too long for an address", shown)
	}
	if callback.Sanitize(s, len(s)) != s {
		return address{}, fmt.Errorf("%q has control characters", shown)
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return address{}, fmt.Errorf("%q is not an e-mail address", shown)
	}
	local, domain := split(a.Address)
	switch {
	case len(local) > maxLocal || len(a.Address) > maxAddress:
		return address{}, fmt.Errorf("%q is too long for an address", shown)
	case !dotAtom(local):
		return address{}, fmt.Errorf("%q has characters before the @ that cannot be sent", shown)
	case !validDomain(domain):
		return address{}, fmt.Errorf("%q has no usable domain", shown)
	}
	// An encoded word may hold what the raw text did not.
	return address{name: strings.TrimSpace(callback.Sanitize(a.Name, maxName)), addr: a.Address}, nil
}

func split(addr string) (local, domain string) {
	i := strings.LastIndexByte(addr, '@')
	if i < 0 {
		return "", ""
	}
	return addr[:i], addr[i+1:]
}

func (a address) ascii() bool { return isASCII(a.addr) }

func (a address) domain() string {
	_, d := split(a.addr)
	return d
}

// String is the form for a header.
func (a address) String() string {
	switch {
	case a.name == "":
		return "<" + a.addr + ">"
	case plainText(a.name):
		quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.name)
		return `"` + quoted + `" <` + a.addr + ">"
	}
	return encodeWords(a.name) + " <" + a.addr + ">"
}

// dotAtom tells whether s is an RFC 5322 dot-atom, RFC 6531's characters
// beyond ASCII included.
func dotAtom(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !atext(r) && r != '.' }) &&
		s[0] != '.' && s[len(s)-1] != '.' && !strings.Contains(s, "..")
}

func atext(r rune) bool {
	return letterOrDigit(r) || r >= utf8.RuneSelf && r != utf8.RuneError ||
		r < utf8.RuneSelf && strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
}

func validDomain(s string) bool {
	if literal, ok := strings.CutPrefix(s, "["); ok {
		literal, ok = strings.CutSuffix(literal, "]")
		ip, err := netip.ParseAddr(literal)
		return ok && err == nil && ip.Is4() // net/mail does not know SMTP's form for IPv6
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool {
			return !letterOrDigit(r) && r != '-' && r != '_' && (r < utf8.RuneSelf || r == utf8.RuneError)
		}) {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}
