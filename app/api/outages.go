package api

import (
	"net/http"
	"slices"
	"strings"

	"ringback/callback"
)

// newest reads what the lists without a cursor take: of which callback, and
// which page.
func (q *query) newest() (ref string, p page) {
	ref = q.one("callback")
	if v := q.one("callbackId"); ref == "" { // as a response names it
		ref = v
	} else if v != "" {
		q.fail("callbackId", "cannot stand beside callback")
	}
	return ref, page{
		limit: q.int("limit", defaultLimit, 1, callback.MaxPage, ""),
		pos:   q.int("offset", 0, 0, callback.MaxOffset, "; beyond that, ask by callback or state (there is no cursor here)"),
	}
}

// word returns which of words a parameter is, in any case; -1 without one.
func (q *query) word(name string, words []string) int {
	s := q.one(name)
	i := slices.IndexFunc(words, func(w string) bool { return strings.EqualFold(w, s) })
	if s != "" && i < 0 {
		q.fail(name, "must be one of %s", strings.Join(words, ", "))
	}
	return i
}

// holding returns p with what a page of a list says of itself.
func holding[T any](p page, l *callback.Listing[T]) page {
	p.rows, p.total, p.exact, p.more = len(l.Rows), l.Total, l.Exact, l.More
	return p
}

func (q *request) listOutages() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	ref, p := query.newest()
	want := callback.OutageQuery{Ref: ref, Limit: p.limit, Offset: p.pos}
	if i := query.word("state", phaseWords); i >= 0 {
		phase := callback.OutagePhase(i)
		want.Phase = &phase
	}
	if err := query.done(); err != nil {
		return err
	}
	found, err := q.svc.Outages(q.ctx(), want)
	if err != nil {
		return err
	}
	out := outageList{Outages: make([]outageShape, len(found.Rows))}
	out.listHead, out.listTail = q.list(holding(p, &found))
	for i := range out.Outages {
		out.Outages[i] = outageOf(&found.Rows[i])
	}
	return q.send(http.StatusOK, out)
}

// acknowledge notes who knows of the outage in the path: whom the body names as
// by, beside the key's name, or else who asks.
func (q *request) acknowledge() error {
	ref, n, ok := callback.ParseOutageID(q.ref())
	if !ok {
		return callback.Errorf(callback.CodeNotFound, "no outage has the id %q", callback.Sanitize(q.ref(), 80))
	}
	body, err := q.optional()
	if err != nil {
		return err
	}
	var b binder
	by := q.by()
	for i, kids := 0, b.members("", &body); i < len(kids); i++ {
		if kids[i].name != "by" {
			b.unknown(under("", kids[i].name))
		} else if v := b.string("by", &kids[i]); v != nil && strings.TrimSpace(*v) == "" {
			b.fail("by", "must name somebody")
		} else if v != nil {
			by = q.behalf(*v)
		}
	}
	if err := b.err("the acknowledgement"); err != nil {
		return err
	}
	if err := q.svc.Acknowledge(q.ctx(), ref, n, by); err != nil {
		return err
	}
	return q.none()
}
