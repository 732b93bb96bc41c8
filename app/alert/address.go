package alert

import (
	"context"
	"errors"
	"net"
	"net/mail"
	"strings"

	"ringback/callback"
)

// Address says whether alerts can get to an address, as far as its domain tells.
// Where they go by a mail server that knows other ways than DNS does, it may be
// wrong: that is why it only warns. It returns soon after ctx is done.
func (e *Engine) Address(ctx context.Context, addr string) callback.Finding {
	f := callback.Finding{Field: "email", Result: callback.FoundWarning}
	host := callback.Sanitize(domain(addr), callback.MaxEmail)
	beyond := func(r rune) bool { return r > '~' || r == '[' } // what DNS is not asked in, and a literal address
	if _, err := mail.ParseAddress(addr); err != nil || strings.ContainsFunc(host, beyond) {
		f.Result, f.Short, f.Message = callback.FoundUnknown, "not looked up", "its domain cannot be looked up"
		return f
	}
	if !e.allowed(addr) {
		f.Short, f.Message = "gets no mail", host+" is not among recipient_domains: alerts do not go there"
		return f
	}
	server, err := mailServer(ctx, e.o.Resolver, host)
	switch {
	case err == nil:
		f.Result, f.Short, f.Message = callback.FoundGood, "has mail server", "mail for "+host+" goes to "+callback.Sanitize(server, 255)
	case errors.Is(err, errNoServer):
		f.Short, f.Message = "no mail server", host+" has no mail server (MX)"
	default:
		f.Result, f.Short, f.Message = callback.FoundUnknown, "not known", "DNS does not say whether "+host+" has a mail server"
	}
	if meant := callback.MeantDomain(host); meant != "" {
		f.Result, f.Short, f.Message = callback.FoundWarning, meant+"?", "did you mean "+meant+"? "+f.Message
	}
	return f
}

var errNoServer = errors.New("no mail server")

// mailServer returns where mail for a domain goes (RFC 5321 section 5.1): to its
// MX of the lowest preference, without one to the domain's own address, and
// nowhere where its MX is a dot (RFC 7505).
func mailServer(ctx context.Context, r *net.Resolver, domain string) (string, error) {
	name := strings.TrimSuffix(domain, ".") + "." // whole: no search list of ours is put behind it
	found, err := r.LookupMX(ctx, name)
	switch {
	case len(found) > 0 && found[0].Host == ".":
		return "", errNoServer
	case len(found) > 0:
		return strings.TrimSuffix(found[0].Host, "."), nil
	case err != nil && !notFound(err):
		return "", err
	}
	addrs, err := r.LookupNetIP(ctx, "ip", name)
	switch {
	case len(addrs) > 0:
		return domain + " itself", nil
	case err != nil && !notFound(err):
		return "", err
	}
	// A name server of a closed network has no names but its own, and not the root
	// either: then nothing follows from its knowing none.
	if _, err := r.LookupNS(ctx, "."); err != nil {
		return "", err
	}
	return "", errNoServer
}

func notFound(err error) bool {
	d, ok := errors.AsType[*net.DNSError](err)
	return ok && d.IsNotFound
}
