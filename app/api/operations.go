package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"ringback/callback"
)

// filterShape selects calls. Its names are those of the query of a list of
// calls, and so are its values: a status may be several, with commas between.
type filterShape struct {
	Status        string             `json:"status,omitempty"`
	State         callback.CallState `json:"state,omitempty"`
	MessageID     string             `json:"messageId,omitempty"`
	StatusCode    *int               `json:"statusCode,omitzero"` // 0: no answer
	StatusMessage string             `json:"statusMessage,omitempty"`
	Class         string             `json:"class,omitempty"`
	From          stamp              `json:"from,omitzero"`
	To            stamp              `json:"to,omitzero"`
	Text          string             `json:"q,omitempty"`
}

// wantedShape is what is wanted of many calls, as a Client sends it.
type wantedShape struct {
	filterShape
	IDs    []callback.CallID `json:"ids,omitzero"` // an empty list is for the server to refuse
	Extend bool              `json:"extend,omitzero"`
	Rate   int               `json:"ratePerSecond,omitzero"`
	Upto   callback.CallID   `json:"upTo,omitzero"`
	Remark string            `json:"remark,omitempty"`
	DryRun bool              `json:"dryRun,omitzero"`
}

// operationShape is a retry or resolve of many calls.
type operationShape struct {
	ID       string                  `json:"id"`
	Kind     callback.OperationKind  `json:"kind"`
	Callback namedShape              `json:"callback"`
	State    callback.OperationState `json:"state"`
	Filter   filterShape             `json:"filter"`
	Named    int                     `json:"named,omitzero"` // calls that it names
	Extend   bool                    `json:"extend,omitzero"`
	Rate     int                     `json:"ratePerSecond,omitzero"`
	UpTo     callback.CallID         `json:"upTo,omitzero"`
	By       string                  `json:"by,omitempty"`
	Remark   string                  `json:"remark,omitempty"`
	Note     string                  `json:"note,omitempty"`
	Repeat   bool                    `json:"repeat,omitzero"` // it was started before

	MissingIDs []callback.CallID `json:"missingIds,omitempty"` // only in the answer to its start

	Created   stamp `json:"createdDate,omitzero"`
	Finished  stamp `json:"finishedDate,omitzero"`
	UndoUntil stamp `json:"undoUntilDate,omitzero"`

	Total   uint64 `json:"total"` // no more calls can match
	Matched uint64 `json:"matched"`
	Changed uint64 `json:"changed"`
	Skipped uint64 `json:"skipped"`
	Undone  uint64 `json:"undone,omitzero"`
	Missed  uint64 `json:"missed,omitzero"`
	Link    []link `json:"link"`
}

type operationList struct {
	listHead
	Operations []operationShape `json:"operations"`
	listTail
}

// previewShape is what an operation would do.
type previewShape struct {
	Matched uint64       `json:"matched"`
	Changed uint64       `json:"changed"`
	Skipped uint64       `json:"skipped"`
	ByCause []causeShape `json:"byCause"`
	Other   uint64       `json:"other"`
	Oldest  stamp        `json:"oldestDate,omitzero"`
	Partial bool         `json:"partial"`
	Missing uint64       `json:"missing,omitzero"`

	UpTo callback.CallID `json:"upTo,omitzero"`

	MissingIDs []callback.CallID `json:"missingIds,omitempty"`
}

type causeShape struct {
	Class      string `json:"class"`
	StatusCode int    `json:"statusCode"`
	Count      uint64 `json:"count"`
}

// operationHeader names the operation that a request starts.
const operationHeader = "Operation-Id"

func (q *request) retryCalls() error   { return q.operate(callback.OperationRetry) }
func (q *request) resolveCalls() error { return q.operate(callback.OperationResolve) }

// operate starts an operation on the calls of the callback in the path that the
// body selects, or says what it would do.
func (q *request) operate(kind callback.OperationKind) error {
	n, err := q.optional()
	if err != nil {
		return err
	}
	want, dry, err := wanted(&n)
	if err != nil {
		return err
	}
	want.Ref, want.Kind, want.By = q.ref(), kind, q.by()
	want.ID = q.r.Header.Get(operationHeader)
	if dry {
		p, err := q.svc.Preview(q.ctx(), want)
		if err != nil {
			return err
		}
		return q.send(http.StatusOK, previewOf(&p))
	}
	o, fresh, err := q.svc.StartOperation(q.ctx(), want)
	if err != nil {
		return err
	}
	if !fresh {
		return q.sendOperation(http.StatusOK, &o, true)
	}
	return q.sendOperation(http.StatusAccepted, &o, false)
}

// wanted reads which calls are meant, just as the query of a list says it, and
// what is to be done. What is there but empty is refused: as in a template whose
// variable was not set, it was meant to select, and must not come to mean all.
func wanted(n *node) (want callback.NewOperation, dry bool, err error) {
	fields := query{values: url.Values{}}
	for i, kids := 0, fields.members("", n); i < len(kids); i++ {
		k := &kids[i]
		switch {
		case k.name == "extend" || k.name == "dryRun":
			if v := fields.bool(k.name, k); v != nil && k.name == "extend" {
				want.Extend = *v
			} else if v != nil {
				dry = *v
			}
		case k.name == "ids":
			want.IDs = fields.named(k)
		case k.kind == null:
		case k.name == "status":
			fields.statuses(k)
		case k.kind == object || k.kind == list:
			fields.fail(under("", k.name), "is %v; a plain value is needed", k.kind)
		case strings.TrimSpace(k.value) == "":
			fields.fail(under("", k.name), "is empty; leave it out where it is not to select")
		default:
			fields.values.Set(k.name, k.value)
		}
	}
	want.Filter = fields.filter()
	want.Rate = fields.int("ratePerSecond", 0, 0, callback.MaxOperationRate, "")
	want.Upto = fields.upTo()
	want.Remark = fields.one("remark")
	for name := range fields.values {
		if !slices.Contains(fields.asked, name) {
			fields.unknown(under("", name))
		}
	}
	fields.order()
	return want, dry, fields.err("the operation")
}

// statuses takes over the statuses that a body names: a text, or an array of them.
func (q *query) statuses(n *node) {
	items := n.kids
	if n.kind != list {
		items = []node{*n}
	}
	for i := range items {
		switch k := &items[i]; {
		case k.kind != text && k.kind != untyped:
			q.fail("status", "is, or holds, %v; a string is needed", k.kind)
			return
		case strings.Trim(k.value, ", \t\r\n") == "":
			q.fail("status", "is, or holds, an empty string")
			return
		default:
			q.values.Add("status", k.value)
		}
	}
	if len(items) == 0 {
		q.fail("status", "is an empty array")
	}
}

// named reads the calls that a body names by their ids: an array, or one. Unlike
// elsewhere null does not count as left out: it is what many languages write for a
// list without members, and would come to mean all that failed.
func (q *query) named(n *node) (ids []callback.CallID) {
	items := n.kids
	if n.kind != list {
		items = []node{*n}
	}
	switch {
	case n.kind == null:
		q.fail("ids", "is null; leave it out where no calls are named")
		return nil
	case len(items) == 0:
		q.fail("ids", "is an empty array")
	case len(items) > callback.MaxNamed:
		q.fail("ids", "names %d calls; at most %d, beyond that select them by what they have in common", len(items), callback.MaxNamed)
		return nil
	}
	for i := range items {
		word, ok := items[i].word(text)
		id, err := callback.ParseCallID(word)
		if !ok || err != nil || id == 0 {
			q.fail("ids", "item %d is not the id of a call: 16 hex digits", i+1)
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// upTo reads the newest call that is meant.
func (q *query) upTo() callback.CallID {
	v := q.one("upTo")
	if v == "" {
		return 0
	}
	id, err := callback.ParseCallID(v)
	if err != nil || id == 0 {
		q.fail("upTo", "must be the id of a call, or what a preview answered: 16 hex digits")
	}
	return id
}

func (q *request) operationURL(id string) string { return q.base() + "/operations/" + id }

func (q *request) sendOperation(status int, o *callback.OperationView, repeat bool) error {
	s := q.operationOf(o)
	s.Repeat = repeat
	if status == http.StatusAccepted || repeat {
		q.w.Header().Set("Location", q.operationURL(o.ID))
	}
	return q.send(status, s)
}

func (q *request) getOperation() error {
	o, err := q.svc.Operation(q.ctx(), q.r.PathValue("opId"))
	if err != nil {
		return err
	}
	return q.sendOperation(http.StatusOK, &o, false)
}

// stopOperation ends an operation where it stands, and answers what it did.
func (q *request) stopOperation() error {
	o, err := q.svc.StopOperation(q.ctx(), q.r.PathValue("opId"))
	if err != nil {
		return err
	}
	return q.sendOperation(http.StatusOK, &o, false)
}

func (q *request) undoOperation() error {
	o, err := q.svc.UndoOperation(q.ctx(), q.r.PathValue("opId"))
	if err != nil {
		return err
	}
	return q.sendOperation(http.StatusAccepted, &o, false)
}

func (q *request) listOperations() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	ref, p := query.newest()
	words := make([]string, len(callback.OperationStates))
	for i, s := range callback.OperationStates {
		words[i] = string(s)
	}
	want := callback.OperationQuery{Ref: ref, Limit: p.limit, Offset: p.pos}
	if i := query.word("state", words); i >= 0 {
		want.State = callback.OperationStates[i]
	}
	if err := query.done(); err != nil {
		return err
	}
	found, err := q.svc.Operations(q.ctx(), want)
	if err != nil {
		return err
	}
	out := operationList{Operations: make([]operationShape, len(found.Rows))}
	out.listHead, out.listTail = q.list(holding(p, &found))
	for i := range found.Rows {
		out.Operations[i] = q.operationOf(&found.Rows[i])
	}
	return q.send(http.StatusOK, out)
}

func (q *request) operationOf(o *callback.OperationView) operationShape {
	self := q.operationURL(o.ID)
	s := operationShape{
		ID: o.ID, Kind: o.Kind, Callback: namedShape{o.CallbackID, o.Callback}, State: o.State, Filter: filterOf(&o.Filter), Named: o.Named,
		Extend: o.Extend, Rate: o.Rate, UpTo: o.Upto, By: o.By, Remark: o.Remark, Note: o.Note, Created: stamp(o.Created), Finished: stamp(o.Finished), UndoUntil: stamp(o.UndoUntil),
		Total: o.Total, Matched: o.Matched, Changed: o.Changed, Skipped: o.Skipped(), Undone: o.Undone, Missed: o.Missed, MissingIDs: o.MissingIDs,
		Link: []link{{self, "self", "GET"}},
	}
	if o.Active() {
		s.Link = append(s.Link, link{self, "stop", "DELETE"})
	}
	if !o.UndoUntil.IsZero() {
		s.Link = append(s.Link, link{self + "/undo", "undo", "POST"})
	}
	return s
}

func filterOf(f *callback.Filter) filterShape {
	s := filterShape{
		State: f.State, MessageID: f.MessageID, StatusMessage: f.Reason, Class: f.Class,
		From: stamp(f.From), To: stamp(f.To), Text: f.Text,
	}
	for _, w := range statusWords {
		if f.Status&w.status == 0 {
			continue
		}
		if s.Status != "" {
			s.Status += ","
		}
		s.Status += w.word
	}
	if f.Code != 0 {
		code := max(f.Code, 0) // NoAnswer is sent as 0
		s.StatusCode = &code
	}
	return s
}

func previewOf(p *callback.Preview) previewShape {
	s := previewShape{
		Matched: p.Matched, Changed: p.Changed, Skipped: p.Matched - p.Changed, Other: p.Other,
		Oldest: stamp(p.Oldest), Partial: p.Partial, Missing: p.Missing, MissingIDs: p.MissingIDs, UpTo: p.Upto, ByCause: make([]causeShape, len(p.ByCause)),
	}
	for i, c := range p.ByCause {
		s.ByCause[i] = causeShape{c.Class, c.Code, c.Count}
	}
	return s
}
