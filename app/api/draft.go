package api

import (
	"strconv"
	"strings"

	"ringback/callback"
)

// draft reads what a callback is wanted to be. version is the one that the
// sender saw, 0 where the body has none. Fields that only the server sets are
// accepted and ignored, so that what a GET answered can be sent back.
func (b *binder) draft(n *node) (d callback.Draft, version uint64) {
	kids := b.members("", n)
	for i := range kids {
		k := &kids[i]
		switch k.name {
		case "name":
			d.Name = b.string(k.name, k)
		case "url":
			d.URL = b.string(k.name, k)
		case "email":
			d.Email = b.string(k.name, k)
		case "description":
			d.Description = b.string(k.name, k)
		case "auth":
			b.auth(&d, k)
		case "contentType":
			d.ContentType = b.contentType(k)
		case "removeHTML":
			d.RemoveHTML = b.enabled(k.name, k)
		case "retriesEnabled":
			d.Retries = b.bool(k.name, k)
		case "callbacks":
			b.kinds(&d, k)
		case "version":
			version = b.version(k)
		case "id", "link", "state", "stateSince", "createdAt", "updatedAt", "health":
		default:
			if !b.more(&d, k) {
				b.unknown(under("", k.name))
			}
		}
	}
	return d, version
}

// more reads the fields beyond the public contract, and reports whether k is
// one of them.
func (b *binder) more(d *callback.Draft, k *node) bool {
	switch k.name {
	case "alerts":
		if s := b.token(k.name, k); s != nil {
			mode := callback.AlertMode(*s) // an unknown one is named by the service
			d.Alerts = &mode
		}
	case "signingSecret":
		d.SigningSecret = b.string(k.name, k)
	case "previousSigningSecret":
		d.PreviousSecret = b.string(k.name, k)
	case "maxInFlight":
		d.MaxInFlight = b.int(k.name, k)
	case "ratePerSecond":
		d.RatePerSecond = b.float(k.name, k)
	case "ordered":
		d.Ordered = b.bool(k.name, k)
	case "connectTimeout":
		d.ConnectTimeout = b.duration(k.name, k)
	case "responseTimeout":
		d.ResponseTimeout = b.duration(k.name, k)
	case "ca":
		d.CA = b.string(k.name, k)
	case "headers":
		if k.kind != null {
			headers := b.params(k.name, k, callback.MaxHeaders)
			d.Headers = &headers
		}
	default:
		return false
	}
	return true
}

func (b *binder) auth(d *callback.Draft, n *node) {
	kids := b.members(n.name, n)
	for i := range kids {
		k := &kids[i]
		switch k.name {
		case "type":
			s := b.token("auth.type", k)
			if s == nil {
				continue
			}
			t, ok := callback.ParseAuthType(*s)
			if !ok {
				b.fail("auth.type", "must be queryparam (or querystring), httpheader, basicauth or bearertoken")
				continue
			}
			d.AuthType = &t
		case "key":
			d.AuthKey = b.string("auth.key", k)
		default:
			b.unknown(under("auth", k.name))
		}
	}
}

func (b *binder) contentType(n *node) *callback.ContentType {
	if n.kind == null {
		return nil
	}
	if word, ok := n.word(text); ok {
		for _, t := range []callback.ContentType{callback.JSON, callback.XML} {
			if strings.EqualFold(word, t.String()) {
				return &t
			}
		}
	}
	b.fail(n.name, `must be "json" or "xml"`)
	return nil
}

func (b *binder) kinds(d *callback.Draft, n *node) {
	kids := b.members(n.name, n)
	for i := range kids {
		k := &kids[i]
		switch k.name {
		case "reply":
			d.Reply = b.enabled("callbacks.reply", k)
		case "undeliverable":
			d.Undeliverable = b.enabled("callbacks.undeliverable", k)
		default:
			b.unknown(under("callbacks", k.name))
		}
	}
}

func (b *binder) version(n *node) uint64 {
	if n.kind == null {
		return 0
	}
	word, ok := n.word(number)
	v, err := strconv.ParseUint(word, 10, 64)
	if !ok || err != nil {
		b.fail(n.name, "must be a whole number, as it was read")
	}
	return v
}
