package post

import (
	"cmp"
	"encoding/base64"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

// minSecret is the length in bytes from which a secret is looked for in what an
// endpoint says. Shorter ones turn up everywhere by chance.
const minSecret = 4

// secrets are the forms in which a callback's secrets could come back, longest
// first: endpoints echo requests in error pages and point redirects at the URL
// they were asked for.
type secrets []string

func (p *Poster) secretsOf(cb *callback.Callback) secrets {
	var s secrets
	add := func(v string) {
		for _, form := range forms(v) {
			if len(form) >= minSecret && !slices.Contains(s, form) {
				s = append(s, form)
			}
		}
	}
	if key := cb.Auth.Key.Reveal(); key != "" {
		add(key)
		if b, err := base64.StdEncoding.DecodeString(key); err == nil && cb.Auth.Type == callback.AuthBasic {
			add(string(b))
			if _, password, ok := strings.Cut(string(b), ":"); ok {
				add(password)
			}
		}
	}
	for _, sign := range []callback.Secret{cb.SigningSecret, cb.PreviousSecret} {
		if v := sign.Reveal(); v != "" {
			add(strings.TrimPrefix(v, "whsec_"))
		}
	}
	for _, h := range cb.Headers {
		if callback.SecretHeader(h.Key) {
			add(h.Value)
			if _, credentials, ok := strings.Cut(h.Value, " "); ok { // as in "Bearer …"
				add(credentials)
			}
		}
	}
	if p.opt.Proxy != nil {
		if password, ok := p.opt.Proxy.User.Password(); ok {
			add(password)
		}
	}
	slices.SortFunc(s, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return s
}

var htmlNames = strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#039;")

// forms returns the ways in which endpoints write v back: as it is, in URLs, in
// JSON (also PHP's, which escapes slashes), in HTML, and in base64.
func forms(v string) []string {
	quoted := strconv.Quote(v)
	quoted = quoted[1 : len(quoted)-1]
	escaped := html.EscapeString(v)
	all := []string{
		v, url.QueryEscape(v), url.PathEscape(v), strings.ReplaceAll(v, " ", "+"), quoted, strings.ReplaceAll(quoted, "/", `\/`),
		escaped, htmlNames.Replace(escaped),
	}
	if len(v) >= minSecret {
		all = append(all, base64.StdEncoding.EncodeToString([]byte(v)))
	}
	return all
}

// hide returns text with every secret replaced by a mask.
func (s secrets) hide(text string) string {
	for _, v := range s {
		text = strings.ReplaceAll(text, v, "******")
	}
	return text
}

// clean returns foreign text ready to be kept, in at most limit bytes. Secrets
// are looked for after control characters are gone, which could hide them, and
// before the text is cut, which could leave half of one.
func (s secrets) clean(text string, limit int) string {
	return callback.Sanitize(s.hide(callback.Sanitize(text, len(text)*3)), limit)
}
