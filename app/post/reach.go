package post

import (
	"context"
	"net/http"
	"time"

	"ringback/callback"
)

// reachTime is how long connecting, and then the answer, of a look at an
// endpoint may take, where attempts do not have less.
const reachTime = 5 * time.Second

// Reach makes one GET of the callback's URL, without its key and headers, on a
// connection of its own, and takes some seconds at most. It is bound by the same
// rules as Post.
func (p *Poster) Reach(ctx context.Context, cb *callback.Callback) callback.Attempt {
	a, _ := p.attempt(ctx, p.look(cb), 1, true)
	return a
}

// look returns the job of a GET.
func (p *Poster) look(cb *callback.Callback) *job {
	bare := &callback.Callback{ID: cb.ID, Name: cb.Name, URL: cb.URL, CA: cb.CA, ConnectTimeout: cb.ConnectTimeout, ResponseTimeout: cb.ResponseTimeout}
	j := p.prepare(bare, &callback.Claim{})
	j.method, j.body, j.id = http.MethodGet, nil, "look"
	j.connect, j.response = min(j.connect, reachTime), min(j.response, reachTime)
	return j
}
