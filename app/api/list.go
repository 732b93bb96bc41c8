package api

import (
	"fmt"
	"maps"
	"net/url"
	"strconv"

	"ringback/callback"
)

// page says which part of a list an answer holds.
type page struct {
	pos, rows, limit int
	total            uint64 // at least
	exact            bool   // total is exact
	more             bool
	next             string // cursor of the next page, where there is one
	cursor           bool   // the request had one
}

// settle makes the total agree with what is seen.
func (p page) settle() page {
	seen := uint64(p.pos + p.rows)
	if p.exact {
		return p
	}
	p.total = max(p.total, seen)
	if !p.more && p.rows > 0 {
		p.total, p.exact = seen, true
	}
	return p
}

// status returns the words that clients of the contract read. A page may be
// empty although the search goes on: then there is a link to the next.
func (p page) status() string {
	if p.rows == 0 {
		return "No records found"
	}
	plus := ""
	if !p.exact {
		plus = "+"
	}
	return fmt.Sprintf("%d to %d of %d%s", p.pos+1, p.pos+p.rows, p.total, plus)
}

// links returns the links to the pages before and after. Everything else of the
// query stays, but for the key.
func (q *request) links(p page) []link {
	out := []link{}
	to := func(rel string, set func(url.Values)) {
		v := maps.Clone(q.r.URL.Query())
		for _, name := range []string{"apikey", "offset", "cursor"} {
			v.Del(name)
		}
		v.Set("limit", strconv.Itoa(p.limit))
		set(v)
		out = append(out, link{URI: q.base() + q.r.URL.EscapedPath() + "?" + v.Encode(), Rel: rel, Method: "GET"})
	}
	offset := func(n int) func(url.Values) {
		return func(v url.Values) { v.Set("offset", strconv.Itoa(n)) }
	}
	after := p.pos + p.rows
	switch {
	case !p.more:
	case !p.cursor && after <= callback.MaxOffset && (p.rows == p.limit || p.next == ""):
		to("next", offset(after))
	case p.next != "":
		to("next", func(v url.Values) { v.Set("cursor", p.next) })
	}
	if !p.cursor && p.pos > 0 {
		last := p.pos
		if p.exact { // behind the end the page before is the last one that has rows
			last = min(last, int(p.total))
		}
		to("prev", offset(max(last-p.limit, 0)))
	}
	return out
}

// listHead and listTail are what every list has before and behind its rows.
type listHead struct {
	Status string `json:"status"`
}

// isPage tells lists from other shapes.
func (listHead) isPage() {}

type listTail struct {
	Total      uint64 `json:"total"`      // at least
	TotalExact bool   `json:"totalExact"` // total is exact
	NextCursor string `json:"nextCursor,omitempty"`
	Link       []link `json:"link"`
}

// list returns what stands around the rows of a page.
func (q *request) list(p page) (listHead, listTail) {
	p = p.settle()
	tail := listTail{Total: p.total, TotalExact: p.exact, Link: q.links(p)}
	if p.more {
		tail.NextCursor = p.next
	}
	return listHead{p.status()}, tail
}
