package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

func (q *request) createCallback() error {
	whole, err := q.whole()
	if err != nil {
		return err
	}
	d, _, err := q.draft("")
	if err != nil {
		return err
	}
	h, err := q.svc.Create(q.ctx(), d)
	if err != nil {
		return err
	}
	q.w.Header().Set("Location", q.callbackURL(h.ID))
	return q.sendCallback(http.StatusCreated, &h, whole)
}

// draft reads what the callback ref is wanted to be, for "" a new one. Where a
// field cannot be read, those that can be read and are wrong are named as well.
func (q *request) draft(ref string) (callback.Draft, uint64, error) {
	n, err := q.body()
	if err != nil {
		return callback.Draft{}, 0, err
	}
	var b binder
	d, version := b.draft(&n)
	if len(b.faults) == 0 {
		return d, version, nil
	}
	var stored callback.Callback
	if ref != "" {
		h, err := q.svc.Callback(q.ctx(), ref)
		if err != nil {
			return d, version, err
		}
		stored = h.Callback
	}
	if n.kind == object {
		err = d.Apply(&stored, func(clear string) callback.Secret { return callback.NewSecret(clear, nil) })
	}
	return d, version, callback.Invalid("the callback", b.faults, err)
}

// whole reads the one parameter of requests for a callback: whether the answer
// is to hold how it does.
func (q *request) whole() (bool, error) {
	query, err := readQuery(q.r)
	if err != nil {
		return false, err
	}
	v := query.health()
	return v, query.done()
}

func (q *query) health() bool {
	switch q.one("health") {
	case "", "false":
		return false
	case "true":
		return true
	}
	q.fail("health", "must be true or false")
	return false
}

func (q *request) sendCallback(status int, h *callback.Health, whole bool) error {
	q.w.Header().Set("ETag", etag(h.Version))
	return q.send(status, q.callback(h, whole))
}

func etag(version uint64) string { return `"` + strconv.FormatUint(version, 10) + `"` }

func (q *request) listCallbacks() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	cq := callback.CallbackQuery{
		Name:   query.one("name"),
		Sort:   query.many("sortFields"),
		Desc:   !query.ascending(true),
		Limit:  query.int("limit", defaultLimit, 1, callback.MaxPage, ""),
		Offset: query.int("offset", 0, 0, callback.MaxOffset, "; beyond that, ask by name (there is no cursor here)"),
	}
	whole := query.health()
	if err := query.done(); err != nil {
		return err
	}
	found, total, err := q.svc.Callbacks(q.ctx(), cq)
	if err != nil {
		return err
	}
	p := page{
		pos: cq.Offset, rows: len(found), limit: cq.Limit,
		total: uint64(max(total, 0)), exact: true, more: cq.Offset+len(found) < total,
	}
	out := callbackList{Callbacks: make([]callbackShape, len(found))}
	out.listHead, out.listTail = q.list(p)
	for i := range found {
		out.Callbacks[i] = q.callback(&found[i], whole)
	}
	return q.send(http.StatusOK, out)
}

func (q *request) getCallback() error {
	whole, err := q.whole()
	if err != nil {
		return err
	}
	h, err := q.svc.Callback(q.ctx(), q.ref())
	if err != nil {
		return err
	}
	return q.sendCallback(http.StatusOK, &h, whole)
}

func (q *request) updateCallback() error {
	whole, err := q.whole()
	if err != nil {
		return err
	}
	d, version, err := q.draft(q.ref())
	if err != nil {
		return err
	}
	if version, err = q.ifMatch(version); err != nil {
		return err
	}
	h, err := q.svc.Update(q.ctx(), q.ref(), d, version)
	if err != nil {
		return err
	}
	if q.wants() {
		return q.sendCallback(http.StatusOK, &h, whole)
	}
	q.w.Header().Set("ETag", etag(h.Version))
	return q.none()
}

// ifMatch returns the version that the If-Match header demands (RFC 9110,
// 13.1.1); version, the body's, where there is no such header.
func (q *request) ifMatch(version uint64) (uint64, error) {
	line := strings.Join(q.r.Header.Values("If-Match"), ",")
	if strings.TrimSpace(line) == "" {
		return version, nil
	}
	var allowed []uint64
	for tag := range strings.SplitSeq(line, ",") {
		tag = strings.TrimSpace(tag)
		if tag == "*" {
			return 0, nil
		}
		if n := len(tag); n >= 2 && tag[0] == '"' && tag[n-1] == '"' {
			tag = tag[1 : n-1]
		}
		// A weak tag never matches, and neither does one that we did not give.
		if v, err := strconv.ParseUint(tag, 10, 64); err == nil && v > 0 {
			allowed = append(allowed, v)
		}
	}
	if len(allowed) == 1 {
		return allowed[0], nil
	}
	h, err := q.svc.Callback(q.ctx(), q.ref())
	if err != nil {
		return 0, err
	}
	if !slices.Contains(allowed, h.Version) {
		return 0, callback.Errorf(callback.CodeStale, "the callback is at version %d, which If-Match does not name", h.Version)
	}
	return h.Version, nil
}

func (q *request) deleteCallback() error {
	if err := q.svc.Delete(q.ctx(), q.ref()); err != nil {
		return err
	}
	return q.none()
}

func (q *request) suspend() error {
	if err := q.svc.Suspend(q.ctx(), q.ref(), q.by()); err != nil {
		return err
	}
	return q.none()
}

func (q *request) resume() error {
	if err := q.svc.Resume(q.ctx(), q.ref()); err != nil {
		return err
	}
	return q.none()
}

func (q *request) getHealth() error {
	h, err := q.svc.Callback(q.ctx(), q.ref())
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, healthOf(&h))
}
