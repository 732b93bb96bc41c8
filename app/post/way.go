package post

import (
	"net/http"
	"net/url"
	"slices"
	"sync"

	"ringback/callback"
)

// way is what all requests for a callback have in common until it is changed.
// Nobody changes it: attempts that run share it.
type way struct {
	made callback.Callback // of it, what all below is made of

	url    *url.URL // with the key, where it goes into the query
	header http.Header
	keys   [][]byte // that sign
	secret secrets
	err    error // why no request can be built; fit to be shown
}

func (p *Poster) newWay(cb *callback.Callback) *way {
	w := &way{secret: p.secretsOf(cb), made: callback.Callback{ // the rest, a CA among it, may be long
		URL: cb.URL, Auth: cb.Auth, ContentType: cb.ContentType, SigningSecret: cb.SigningSecret,
		PreviousSecret: cb.PreviousSecret, Headers: slices.Clone(cb.Headers),
	}}
	if w.url, w.err = target(cb); w.err != nil {
		return w
	}
	if w.keys, w.err = signingKeys(cb); w.err != nil {
		return w
	}
	w.header, w.err = p.headers(cb, mediaType(cb.ContentType))
	return w
}

// of reports whether it is the way of cb: a draft that is tried has the id, and
// the version, of the callback that it may become.
func (w *way) of(cb *callback.Callback) bool {
	m := &w.made
	return m.URL == cb.URL && m.Auth == cb.Auth && m.ContentType == cb.ContentType && m.SigningSecret == cb.SigningSecret &&
		m.PreviousSecret == cb.PreviousSecret && slices.Equal(m.Headers, cb.Headers)
}

// maxWays bounds how many are kept.
const maxWays = 1024

// ways keeps the latest way of each callback. The zero value is ready.
type ways struct {
	mu   sync.Mutex
	byID map[callback.CallbackID]*way
}

func (ws *ways) get(id callback.CallbackID) *way {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.byID[id]
}

func (ws *ways) keep(id callback.CallbackID, w *way) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.byID == nil || len(ws.byID) >= maxWays {
		ws.byID = make(map[callback.CallbackID]*way) // they are soon made again
	}
	ws.byID[id] = w
}

// wayOf returns the way of cb.
func (p *Poster) wayOf(cb *callback.Callback) *way {
	if w := p.ways.get(cb.ID); w != nil && w.of(cb) {
		return w
	}
	w := p.newWay(cb)
	p.ways.keep(cb.ID, w)
	return w
}
