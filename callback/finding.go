package callback

import (
	"net/http"
	"strconv"
	"strings"
)

// Finding is what a look beyond the form of one field of a callback showed. It
// stops nobody: an endpoint may be built after it was registered.
type Finding struct {
	Field   string // as the contract spells it
	Result  Found
	Short   string // a few words, for where there is little room
	Message string // a sentence; both are sanitised
}

// Found says how a look went.
type Found string

// The results of a look.
const (
	FoundGood    Found = "good"
	FoundWarning Found = "warning" // it will hardly work so
	FoundUnknown Found = "unknown" // nothing is known: it could not be looked at
)

// URLFinding says what an attempt to GET a callback's URL shows. That is no
// more than whether something is there: only a POST counts, and it may be
// answered otherwise.
func URLFinding(a *Attempt) Finding {
	f := Finding{Field: "url", Result: FoundWarning, Short: a.Short(), Message: a.Error}
	answered := "GET answered " + strings.TrimSpace(strconv.Itoa(a.Code)+" "+http.StatusText(a.Code))
	switch {
	case a.Class == ClassInterrupted, a.Class == ClassInternal:
		f.Result = FoundUnknown
	case a.Code == 0:
	case a.Class == ClassRedirect:
		f.Short = "redirects"
	case a.Code == http.StatusNotFound, a.Code == http.StatusGone, a.Code >= 500:
		f.Short, f.Message = "GET: "+a.Short(), answered+"; a POST may be answered otherwise"
	default:
		f.Result, f.Short, f.Message = FoundGood, "GET: "+a.Short(), "something is there: "+answered
	}
	return f
}

// mailDomains are where most people have their mail whose domain is mistyped
// now and then, and othersMeant are domains of others that look like those.
var (
	mailDomains = []string{
		"gmail.com", "googlemail.com", "hotmail.com", "outlook.com", "yahoo.com", "yahoo.com.au", "icloud.com", "bigpond.com", "bigpond.net.au",
		"optusnet.com.au", "protonmail.com", "fastmail.com",
	}
	othersMeant = []string{"mail.com", "email.com", "ymail.com", "hotmail.co", "outlook.co", "protonmail.ch", "fastmail.fm"}
)

// MeantDomain guesses which mail domain was meant by one that is a slip of the
// finger away from it: a letter too many, too few, another, or two the wrong way
// round; "" where there is no guess.
func MeantDomain(domain string) string {
	domain = strings.ToLower(domain)
	meant := ""
	for _, d := range mailDomains {
		if d == domain {
			return ""
		}
		if slip(domain, d) {
			meant = d
		}
	}
	for _, d := range othersMeant {
		if d == domain {
			return ""
		}
	}
	return meant
}

// slip reports whether one slip makes a of b.
func slip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	switch len(b) - len(a) {
	case 0:
		return i < len(a) && (a[i+1:] == b[i+1:] || i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:])
	case 1:
		return a[i:] == b[i+1:]
	}
	return false
}
