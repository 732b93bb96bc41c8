package config

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxList bounds the lists, which are walked for each dial or alert.
const maxList = 1000

func checkNetworks(list []netip.Prefix) string {
	if len(list) > maxList {
		return fmt.Sprintf("has %d items", len(list))
	}
	if slices.ContainsFunc(list, func(p netip.Prefix) bool { return !p.IsValid() }) {
		return "has an item that is no network"
	}
	return ""
}

func checkCodes(c Codes) string {
	if c == (Codes{}) {
		return errEmpty.Error()
	}
	return ""
}

func checkListen(s string) string {
	if s == "" {
		return "is empty"
	}
	if strings.Contains(s, "/") {
		return quote(s) + " is a URL or a path"
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return quote(s) + " has no port, or an IPv6 address without brackets"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Sprintf("%s has the port %s, outside of 0 to 65535", quote(s), quote(port))
	} else if strconv.FormatUint(n, 10) != port {
		return quote(s) + " has a port with leading zeros"
	}
	if host != "" && checkHost(host) != "" {
		return quote(s) + " has no usable address"
	}
	return ""
}

// checkSocket keeps to the shortest sun_path there is, less its NUL.
func checkSocket(s string) string {
	if len(s) > 103 {
		return fmt.Sprintf("is %d bytes long", len(s))
	}
	return ""
}

// checkURL never repeats the URL, which may hold a password.
func checkURL(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme != "http" && u.Scheme != "https":
		return "does not begin with http:// or https://"
	case u.User != nil:
		return "has a user or a password in it"
	case u.Hostname() == "" || checkHost(u.Hostname()) != "":
		return "has no usable host"
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		return "has a query or a fragment"
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 {
			return "has a port outside of 1 to 65535"
		}
	}
	return ""
}

func checkProxy(s string) string {
	if problem := checkURL(s); problem != "" {
		return problem
	}
	if u, err := url.Parse(s); err == nil && strings.Trim(u.Path, "/") != "" {
		return "has a path"
	}
	return ""
}

// checkHost takes an IP address, or a name as RFC 1123 writes it; underscores
// pass because internal names have them.
func checkHost(s string) string {
	if a, err := netip.ParseAddr(s); err == nil {
		if a.Zone() != "" && !name(a.Zone()) {
			return quote(s) + " has no usable zone"
		}
		return ""
	}
	if strings.ContainsAny(s, ":/") {
		return quote(s) + " has a port or a scheme"
	}
	if !name(s) {
		return quote(s) + " is not a host name"
	}
	labels := strings.Split(s, ".")
	if strings.Trim(labels[len(labels)-1], "0123456789") == "" { // 1.2.3, 300.1.1.1
		return quote(s) + " is not an IP address"
	}
	return ""
}

// name tells whether s is a domain name of at most 253 bytes.
func name(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return !bare(r) }) {
			return false
		}
	}
	return true
}

// ours are the headers that ringback writes itself, that belong to the
// connection, or that make net/http send a POST again without telling anybody
// (idempotency-key, x-idempotency-key).
var ours = []string{
	"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "date", "expect",
	"host", "idempotency-key", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent",
	"webhook-id", "webhook-signature", "webhook-timestamp", "x-idempotency-key", "x-ringback-attempt",
}

func checkHeader(s string) string {
	lower := strings.ToLower(s)
	switch {
	case s == "":
		return "is empty"
	case len(s) > 64:
		return "is longer than 64 bytes"
	case strings.ContainsFunc(s, func(r rune) bool { return !token(r) }):
		return quote(s) + " is not the name of a header"
	case slices.Contains(ours, lower), strings.HasPrefix(lower, "proxy-"):
		return quote(s) + " may not carry a key"
	}
	return ""
}

// token is the tchar of RFC 9110, section 5.6.2.
func token(r rune) bool {
	return r != '_' && bare(r) || strings.ContainsRune("!#$%&'*+.^_`|~", r)
}

// checkMail takes an address that a mail server can be given as it is. Angle
// brackets and blanks inside a quoted local part are legal, and a way to smuggle
// a second command; nobody has them.
func checkMail(s string) string {
	if s == "" {
		return "is empty"
	}
	a, err := mail.ParseAddress(s)
	if err != nil {
		return quote(s) + " is not one e-mail address"
	}
	at := strings.LastIndexByte(a.Address, '@')
	switch {
	case len(a.Address) > 254 || at > 64:
		return "is longer than a mail server takes"
	case strings.ContainsFunc(a.Address[:at], func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"\`, r) }):
		return quote(s) + " has characters that mail servers refuse"
	case !name(a.Address[at+1:]):
		return quote(s) + " has no usable domain"
	}
	return ""
}

func checkDomains(list []string) string {
	if len(list) > maxList {
		return fmt.Sprintf("has %d items", len(list))
	}
	seen := map[string]bool{}
	for _, d := range list {
		lower := strings.ToLower(d)
		switch {
		case strings.Contains(d, "@"):
			return quote(d) + " is an address"
		case !name(d):
			return quote(d) + " is not a domain"
		case seen[lower]:
			return quote(d) + " is there twice"
		}
		seen[lower] = true
	}
	return ""
}

func checkUser(s string) string {
	if len(s) > 255 {
		return fmt.Sprintf("is %d bytes long", len(s))
	}
	return ""
}
