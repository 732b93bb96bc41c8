package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"ringback/callback"
)

// local refuses requests that did not come from a program on this machine: by
// the Host, so that no foreign name that resolves to loopback reaches us (DNS
// rebinding), and by what browsers say of a page's origin.
func local(r *http.Request) error {
	if !loopback(r.Host) {
		return callback.Errorf(callback.CodeForbidden,
			"while no key is made, only requests to localhost, 127.0.0.1 or [::1] are answered")
	}
	if !sameOrigin(r) {
		return callback.Errorf(callback.CodeForbidden, "requests from web pages of another origin are not answered")
	}
	return nil
}

// loopback reports whether host, with or without a port, names this machine.
func loopback(host string) bool {
	name := host
	if h, port, err := net.SplitHostPort(host); err == nil {
		if !digits(port) {
			return false
		}
		name = h
	} else {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	}
	if strings.EqualFold(name, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.Zone() == "" && addr.Unmap().IsLoopback()
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == "" && len(s) <= 5
}

// sameOrigin reports whether no browser says that the page is another's
// (Origin: RFC 6454; Sec-Fetch-Site: W3C Fetch Metadata).
func sameOrigin(r *http.Request) bool {
	for _, site := range r.Header.Values("Sec-Fetch-Site") {
		if site != "same-origin" && site != "none" {
			return false
		}
	}
	for _, origin := range r.Header.Values("Origin") {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme != scheme(r) || !strings.EqualFold(u.Host, r.Host) {
			return false
		}
	}
	return true
}

func scheme(r *http.Request) string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// base returns what the links of an answer begin with. The Host was checked by
// local.
func (q *request) base() string {
	if q.public != "" {
		return q.public
	}
	return scheme(q.r) + "://" + q.r.Host
}
