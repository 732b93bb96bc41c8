package api

import (
	"net/http"
	"slices"
	"strings"

	"ringback/callback"
)

// listCalls lists the calls of the callback in the path, or of all.
func (q *request) listCalls() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	lq, from := query.calls()
	lq.Ref = q.ref()
	all := query.attempts()
	if err := query.done(); err != nil {
		return err
	}
	found, err := q.svc.Calls(q.ctx(), lq)
	if err != nil {
		return err
	}
	if all {
		holdBack(&found)
	}
	p := page{
		pos: from.pos + found.Skipped, rows: len(found.Calls), limit: lq.Limit,
		total: found.Total, exact: found.Exact, more: found.More, cursor: from.after != 0,
	}
	if found.More && found.Next != 0 {
		p.next = cursor{after: found.Next, pos: p.pos + p.rows, skip: lq.Offset - found.Skipped}.String()
	}
	out := callList{Calls: make([]callShape, len(found.Calls)), Looked: found.Looked}
	out.listHead, out.listTail = q.list(p)
	for i := range found.Calls {
		c := &found.Calls[i]
		if all && c.Entry.Attempts > 0 && !c.Damaged { // also for one: its excerpt is not in a list
			if err := q.complete(c); err != nil {
				return err
			}
		}
		out.Calls[i] = q.callOf(c)
	}
	return q.send(http.StatusOK, out)
}

// attempts reads which attempts the rows of a list have: all, as the contract
// says, or the last one, which is faster.
func (q *query) attempts() (all bool) {
	switch q.one("attempts") {
	case "", "all":
		return true
	case "last":
		return false
	}
	q.fail("attempts", "must be all or last")
	return false
}

// holdBack ends a page before the call with whose attempts it would have too
// many: that begins the next page.
func holdBack(l *callback.CallList) {
	room := callback.MaxPageAttempts
	for i := range l.Calls {
		room -= min(l.Calls[i].Entry.Attempts, callback.MaxCallAttempts)
		if room < 0 {
			l.Calls, l.More, l.Next = l.Calls[:i], true, l.Calls[i-1].ID
			return
		}
	}
}

// complete gives a row of a list its attempts. A call that retention took
// meanwhile stays as it was listed.
func (q *request) complete(c *callback.CallView) error {
	full, err := q.svc.Call(q.ctx(), c.CallbackID.String(), c.ID)
	if callback.ErrorCode(err) == callback.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	*c = full
	c.RequestBody = ""
	return nil
}

func (q *request) getCall() error {
	id, err := q.call()
	if err != nil {
		return err
	}
	c, err := q.svc.Call(q.ctx(), q.ref(), id)
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, q.callOf(&c))
}

// maxIDs bounds how many calls one request may change.
const maxIDs = 100

// updateCalls changes the status of the calls that the query names: all or none.
func (q *request) updateCalls() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	ids := query.ids()
	if err := query.done(); err != nil {
		return err
	}
	status, err := q.newStatus()
	if err != nil {
		return err
	}
	changed, err := q.svc.SetStatus(q.ctx(), q.ref(), ids, status, q.by())
	return q.changed(changed, err)
}

// ids reads the calls that id= and id[]= name, each once.
func (q *query) ids() []callback.CallID {
	q.asked = append(q.asked, "id", "id[]")
	values := slices.Concat(q.values["id"], q.values["id[]"])
	switch {
	case len(values) == 0:
		q.fail("id", "is required: the calls to change, as id=A&id=B")
	case len(values) > maxIDs:
		q.fail("id", "is given %d times; at most %d", len(values), maxIDs)
		return nil
	}
	var ids []callback.CallID
	for _, v := range values {
		id, err := callback.ParseCallID(v)
		if err != nil {
			q.fail("id", "%q is not the id of a call", callback.Sanitize(v, 40))
		} else if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// newStatus reads the body of a change of status. Clients send whole calls
// back, so what else it holds does not matter.
func (q *request) newStatus() (callback.Status, error) {
	n, err := q.body()
	if err != nil {
		return 0, err
	}
	var b binder
	var word *string
	for i, kids := 0, b.members("", &n); i < len(kids); i++ {
		if kids[i].name == "status" {
			word = b.token("status", &kids[i])
		}
	}
	switch {
	case len(b.faults) > 0:
	case word == nil:
		b.fail("status", "is required: SUCCESS or FAILED")
	case strings.EqualFold(*word, "SUCCESS"):
		return callback.Success, nil
	case strings.EqualFold(*word, "FAILED"):
		return callback.Failed, nil
	default:
		b.fail("status", "must be SUCCESS or FAILED")
	}
	return 0, b.err("the change of status")
}

// changed answers a change of status.
func (q *request) changed(n int, err error) error {
	if err != nil {
		return err
	}
	if q.wants() {
		return q.send(http.StatusOK, changedShape{Changed: n})
	}
	return q.none()
}

// changedShape says how many calls a change of status changed.
type changedShape struct {
	Changed int `json:"changed"`
}

// updateCall changes the status of the call in the path.
func (q *request) updateCall() error {
	id, err := q.call()
	if err != nil {
		return err
	}
	status, err := q.newStatus()
	if err != nil {
		return err
	}
	changed, err := q.svc.SetStatus(q.ctx(), q.ref(), []callback.CallID{id}, status, q.by())
	if callback.ErrorCode(err) == callback.CodeInvalid {
		// In a list an unknown call makes the list wrong; here it is the resource.
		if _, found := q.svc.Call(q.ctx(), q.ref(), id); callback.ErrorCode(found) == callback.CodeNotFound {
			err = found
		}
	}
	return q.changed(changed, err)
}

// retryCall starts one attempt now.
func (q *request) retryCall() error {
	id, err := q.call()
	if err != nil {
		return err
	}
	n, err := q.optional()
	if err != nil {
		return err
	}
	var b binder
	extend := false
	for i, kids := 0, b.members("", &n); i < len(kids); i++ {
		if kids[i].name != "extend" {
			b.unknown(under("", kids[i].name))
		} else if v := b.bool("extend", &kids[i]); v != nil {
			extend = *v
		}
	}
	if err := b.err("the retry"); err != nil {
		return err
	}
	h, err := q.svc.Callback(q.ctx(), q.ref()) // a link must outlive the name
	if err != nil {
		return err
	}
	if err := q.svc.Retry(q.ctx(), q.ref(), id, extend); err != nil {
		return err
	}
	self := q.callURL(h.ID, id)
	q.w.Header().Set("Location", self)
	return q.send(http.StatusAccepted, retriedShape{ID: id, Link: []link{{self, "self", "GET"}}})
}

// retriedShape says where to see how a retry goes.
type retriedShape struct {
	ID   callback.CallID `json:"id"`
	Link []link          `json:"link"`
}
