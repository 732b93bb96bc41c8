package alert

import (
	"net/mail"
	"slices"
	"strings"

	"ringback/callback"
)

// recipient returns whom an alert goes to. why says in one sentence why it is
// not the callback's own address, or, where to is empty, why it is nobody's.
func (e *Engine) recipient(a *callback.Alert, own string) (to, why string) {
	shown := callback.Sanitize(own, callback.MaxEmail*4)
	switch {
	case own != "" && a.Tries > 0 && a.To != "" && same(a.To, e.o.Admin) && !same(own, e.o.Admin):
		why = "The mail server does not take mail for the callback's own address, " + shown + "."
	case own != "" && e.allowed(own):
		return own, ""
	case own != "":
		why = "The callback's own address, " + shown + ", is not in recipient_domains."
	default:
		why = "The callback has no e-mail address of its own."
	}
	switch {
	case e.o.Admin == "":
		return "", why + " There is no administrator's address (admin_email)."
	case !e.allowed(e.o.Admin):
		return "", why + " The administrator's address is not in recipient_domains."
	}
	return e.o.Admin, why
}

// fallback returns whom to try after the server refused to for good, or "".
func (e *Engine) fallback(to string) string {
	if e.o.Admin == "" || same(to, e.o.Admin) || !e.allowed(e.o.Admin) {
		return ""
	}
	return e.o.Admin
}

func (e *Engine) allowed(addr string) bool {
	return len(e.o.RecipientDomains) == 0 || slices.ContainsFunc(e.o.RecipientDomains, func(d string) bool {
		return strings.EqualFold(d, domain(addr))
	})
}

// same reports whether two addresses are one mailbox.
func same(a, b string) bool { return strings.EqualFold(bare(a), bare(b)) }

// bare is an address without its display name.
func bare(addr string) string {
	if p, err := mail.ParseAddress(addr); err == nil {
		return p.Address
	}
	return addr
}

func domain(addr string) string {
	addr = bare(addr)
	return addr[strings.LastIndexByte(addr, '@')+1:]
}
