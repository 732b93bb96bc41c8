package api

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// caller is who makes a request.
type caller struct {
	name  string        // of the key, or callback.LocalName; "": nobody in particular
	role  callback.Role // "": may do only what everybody may
	keyed bool          // name is a key's
}

// identify says who makes a request. It is asked again in the middle of a
// stream, for a key may be removed meanwhile.
//
// A credential that is sent decides. Without one, who comes over the unix socket
// is an admin, for the file's mode says who may open it; and so is everybody
// while no key is made and the server listens on a loopback address only, as far
// as local lets them in. A credential that cannot be right, for there is no key,
// says nothing.
//
// A web page of another origin can make its reader's browser send what needs no
// preflight: Basic credentials, which the browser attaches by itself once it
// knows them, and an ?apikey= within a URL. Requests with those are refused
// where the browser says that another origin makes them. X-Api-Key and Bearer
// are only ever sent by a script that asked for a preflight first; we answer none
// with CORS headers, so such a request never leaves a browser, and the Host need
// not be looked at: a page behind a rebound name does not know the key.
func (h *handler) identify(r *http.Request) (caller, error) {
	cred, err := credentialOf(r)
	if err != nil {
		return caller{}, err
	}
	keys := h.keys()
	open := len(keys) == 0 && !h.keyNeeded
	if cred.ambient && !sameOrigin(r) {
		return caller{}, foreignPage()
	}
	if who, ok := h.holder(keys, cred); ok {
		return who, nil
	}
	switch over := overSocket(r); {
	case over && (!cred.sent || len(keys) == 0):
		if !sameOrigin(r) { // a proxy may stand before the socket
			return caller{}, foreignPage()
		}
		return caller{name: callback.LocalName, role: callback.RoleAdmin}, nil
	case open:
		if err := local(r); err != nil {
			return caller{}, err
		}
		return caller{role: callback.RoleAdmin}, nil
	case !cred.sent:
		return caller{}, unauthorized("a key is needed: send it as X-Api-Key, as Authorization: Bearer or Basic, or as ?apikey=")
	}
	return caller{}, h.wrong(r)
}

// holder returns whose credential it is.
func (h *handler) holder(keys []callback.APIKey, cred credential) (caller, bool) {
	if !cred.sent {
		return caller{}, false
	}
	if hash := callback.HashKey(cred.key); h.localKey && subtle.ConstantTimeCompare(hash[:], h.localHash[:]) == 1 {
		return caller{name: callback.LocalName, role: callback.RoleAdmin}, true
	}
	k, ok := callback.FindKey(keys, cred.key)
	return caller{k.Name, k.Role, true}, ok
}

// wrong refuses a wrong key: with 401, or 429 once its sender sent too many.
func (h *handler) wrong(r *http.Request) error {
	peer := peerOf(r.RemoteAddr)
	wait, begins := h.throttle.wrong(peer, time.Now())
	if wait == 0 {
		return unauthorized("the key is not known here; it may have been removed")
	}
	if begins {
		h.log.LogAttrs(r.Context(), slog.LevelWarn, "api: too many wrong keys, they are answered 429 for a while", slog.String("peer", peer.String()))
	}
	return &refusal{
		status:  http.StatusTooManyRequests,
		message: "too many wrong keys came from this address",
		header:  http.Header{"Retry-After": {strconv.Itoa(int(wait/time.Second) + 1)}},
	}
}

func unauthorized(message string) error {
	return &refusal{
		status: http.StatusUnauthorized, message: message,
		header: http.Header{"Www-Authenticate": {`Bearer, Basic realm="ringback"`}},
	}
}

func foreignPage() error {
	return callback.Errorf(callback.CodeForbidden, "requests from web pages of another origin are not answered")
}

// may refuses who has not the role that is needed.
func (c *caller) may(need callback.Role) error {
	if c.role.May(need) {
		return nil
	}
	var roles []string
	for _, r := range need.With() {
		roles = append(roles, string(r))
	}
	return callback.Errorf(callback.CodeForbidden, "this needs a key of role %s; the key %q has role %s",
		strings.Join(roles, " or "), callback.Sanitize(c.name, 200), c.role)
}

// errGone ends the stream of somebody whose key was removed.
var errGone error = callback.Errorf(callback.CodeForbidden, "the key was removed")

// still reports whether the caller of a stream may go on.
func (q *request) still() bool {
	who, err := q.identify(q.r)
	return err == nil && who.role.May(q.need)
}

// by says who acts: the key's holder, and whom a front end says it acts for. The
// latter is no more than a note, and stands beside the key's name, never for it.
func (q *request) by() string { return q.behalf(q.r.Header.Get(actorHeader)) }

// behalf is by, for the person that a request names.
func (q *request) behalf(actor string) string {
	actor = callback.Sanitize(actor, 64)
	if q.caller.keyed {
		name := callback.Sanitize(q.caller.name, 60)
		if actor == "" {
			return name
		}
		return fmt.Sprintf("%s (key %s)", callback.Sanitize(actor, 40), name)
	}
	switch {
	case actor != "":
		return actor
	case q.caller.name != "":
		return q.caller.name
	}
	return "api"
}

// actorHeader names the person whom a front end acts for.
const actorHeader = "X-Ringback-Actor"

// overSocket reports whether a request came over a unix socket.
func overSocket(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}

// local refuses requests that did not come from a program on this machine: by
// the Host, so that no foreign name that resolves to loopback reaches us (DNS
// rebinding), and by what browsers say of a page's origin.
func local(r *http.Request) error {
	if !loopback(r.Host) {
		return callback.Errorf(callback.CodeForbidden,
			"while no key is made, only requests to localhost, 127.0.0.1 or [::1] are answered")
	}
	if !sameOrigin(r) {
		return foreignPage()
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

// base returns what the links of an answer begin with: nothing, for links
// relative to the server, where an old client names no Host.
func (q *request) base() string {
	if q.public != "" || q.r.Host == "" {
		return q.public
	}
	return scheme(q.r) + "://" + q.r.Host
}
