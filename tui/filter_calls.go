package tui

import (
	"slices"
	"strings"

	"ringback/callback"
)

// filter is what selects the calls of a list: what the service is asked for,
// and what of its answer is left out.
type filter struct {
	query callback.ListQuery
	keep  test[callback.CallView] // nil: all
	words []string                // how the terms read

	// low and high bound the ids, where they are not 0.
	low, high callback.CallID
	// beyond are the terms that this screen selects by, for the service cannot.
	beyond []string
}

// rare reports whether f may select so few calls that they have to be searched
// for: by more than what the service counts.
func (f *filter) rare() bool { return f.keep != nil || !f.query.Plain() }

// times says of what time the bounds of f are, where it has some: rows show another.
func (f *filter) times() string {
	if f.query.From.IsZero() && f.query.To.IsZero() {
		return ""
	}
	return "last try"
}

// refuse says why the service cannot do something to all that f selects, or "".
func (f *filter) refuse() string {
	if len(f.beyond) == 0 {
		return ""
	}
	return "the server cannot select by " + strings.Join(f.beyond, " ") + ": take it out, or mark calls"
}

const allCalls = callback.ListSuccess | callback.ListFailed | callback.ListPending

// statusTerm is what a word after status: selects.
type statusTerm struct {
	word   string
	status callback.CallStatus
	state  callback.CallState
	open   bool // not finished
}

// statusTerms are the words after status:.
var statusTerms = []statusTerm{
	{word: "failed", status: callback.ListFailed},
	{word: "retrying", status: callback.ListFailed, state: callback.StateRetrying},
	{word: "queued", status: callback.ListPending},
	{word: "success", status: callback.ListSuccess},
	{word: "resolved", status: callback.ListSuccess, state: callback.StateResolved},
	{word: "open", status: callback.ListFailed | callback.ListPending, open: true},
	{word: "gaveup", status: callback.ListFailed, state: callback.StateGaveUp},
	{word: "held", status: callback.ListFailed | callback.ListPending, state: callback.StateHeld},
	{word: "pending", status: callback.ListPending},
	{word: "all", status: allCalls},
}

// holds reports whether a call is so.
func (t *statusTerm) holds(v *callback.CallView) bool {
	return v.Listed()&t.status != 0 && (t.state == "" || v.State == t.state) && (!t.open || v.Entry.Status == callback.Ready)
}

func statusWords() []string {
	words := make([]string, len(statusTerms))
	for i := range statusTerms {
		words[i] = statusTerms[i].word
	}
	return words
}

// callLanguage is the language of lists of calls.
var callLanguage = &language{[]filterKey{
	{"status", false, offered(statusWords()...)},
	{"cb", false, callbackNames},
	{"since", true, offered("15m", "1h", "6h", "24h", "7d", "30d")},
	{"until", true, offered("15m", "1h", "6h", "24h", "7d")},
	{"code", false, offered(codeWords...)},
	{"id", false, offered()},
	{"msg", false, offered()},
	{"channel", false, offered("SMS", "EMAIL", "VOICE", "WEB")},
	{"tries", false, offered(">1", ">10", ">100")},
}}

// callReader makes a filter of what was read.
type callReader struct {
	d     *desk
	only  callback.CallbackID // the list is of this callback; 0: of all
	f     filter
	tests []test[callback.CallView]
}

// parseFilter reads a filter of calls. only is the callback of the list, or 0;
// status is the word that holds where the filter has no status: of its own.
func (d *desk) parseFilter(s string, only callback.CallbackID, status string) (filter, *filterError) {
	r := callReader{d: d, only: only, f: filter{query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}}}
	all, text, fault := callLanguage.split(s)
	if fault != nil {
		return r.f, fault
	}
	r.f.words, r.f.query.Text = wordsOf(all, text), text
	if only != 0 {
		r.f.query.Ref = only.String()
	}
	read := map[string]func([]clause) *filterError{
		"status": r.status, "cb": r.callback, "code": r.code, "id": r.id, "msg": r.message, "channel": r.channel, "tries": r.tries,
	}
	hasStatus := false
	for _, cs := range all {
		hasStatus = hasStatus || cs[0].key == "status"
		if by := read[cs[0].key]; by != nil && fault == nil {
			fault = by(cs)
		}
	}
	if !hasStatus && fault == nil {
		fault = r.status([]clause{{key: "status", value: status}})
	}
	if fault == nil {
		fault = r.times(all)
	}
	if len(r.tests) > 0 {
		r.f.keep = allOf(r.tests)
	}
	return r.f, fault
}

// test adds a condition that the service cannot check.
func (r *callReader) test(cs []clause, tests ...test[callback.CallView]) {
	r.tests = append(r.tests, anyOf(tests))
	for _, c := range cs {
		word := c.raw
		if word == "" {
			word = c.key + ":" + c.value
		}
		r.f.beyond = append(r.f.beyond, word)
	}
}

func (r *callReader) status(cs []clause) *filterError {
	var set callback.CallStatus
	var tests []test[callback.CallView]
	var some []statusTerm
	for i := range cs {
		at := slices.IndexFunc(statusTerms, func(t statusTerm) bool { return t.word == cs[i].value })
		if at < 0 {
			return cs[i].wrong(strings.Join(statusWords(), " "))
		}
		t := &statusTerms[at]
		set |= t.status
		tests, some = append(tests, t.holds), append(some, *t)
	}
	states, exact := statesOf(some, set)
	if r.f.query.Status, r.f.query.State = set, states; !exact {
		r.f.query.State = ""
		r.test(cs, tests...)
	}
	return nil
}

// statesOf returns the states of calls that terms select, "" for any, and whether a
// call with one of the statuses in set and one of these states is always selected.
func statesOf(terms []statusTerm, set callback.CallStatus) (_ callback.CallState, exact bool) {
	var states []callback.CallState
	open := callback.AnyState(callback.StateScheduled, callback.StateHeld, callback.StateDelivering, callback.StateRetrying)
	selects := func(status callback.CallStatus, state callback.CallState) bool {
		return slices.ContainsFunc(terms, func(t statusTerm) bool {
			return t.status&status != 0 && (t.state == "" || t.state == state) && (!t.open || open.Has(state))
		})
	}
	exact, all := true, true
	for _, state := range callback.CallStates {
		listed := state.Listed() & set
		if listed == 0 {
			continue
		}
		if !selects(listed, state) {
			all = false
			continue
		}
		states = append(states, state)
		for _, one := range []callback.CallStatus{callback.ListSuccess, callback.ListFailed, callback.ListPending} {
			exact = exact && (listed&one == 0 || selects(one, state))
		}
	}
	if all {
		return "", exact
	}
	return callback.AnyState(states...), exact
}

func (r *callReader) callback(cs []clause) *filterError {
	ids, name := map[callback.CallbackID]bool{}, ""
	for i := range cs {
		found, fault := r.d.called(&cs[i])
		if fault != nil {
			return fault
		}
		n := len(ids)
		for _, h := range found {
			if r.only == 0 || h.ID == r.only {
				ids[h.ID], name = true, h.Name
			}
		}
		if r.only != 0 && n == len(ids) && !ids[r.only] {
			return cs[i].wrong("only one callback's calls are here; 2 shows all")
		}
	}
	switch {
	case r.only != 0:
		return nil
	case len(ids) == 1:
		r.f.query.Ref = name
		return nil
	}
	r.test(cs, func(v *callback.CallView) bool { return ids[v.CallbackID] })
	return nil
}

func (r *callReader) code(cs []clause) *filterError {
	var tests []test[callback.CallView]
	q := &r.f.query
	single := len(cs) == 1
	for i := range cs {
		t, fault := causeOf(&cs[i])
		switch {
		case fault != nil:
			return fault
		case single && len(t.classes) == 1:
			q.Class = t.classes[0].String()
			return nil
		case single && t.classes == nil && t.low == t.high:
			if q.Code = t.low; t.low == 0 {
				q.Code = callback.NoAnswer
			}
			return nil
		}
		tests = append(tests, func(v *callback.CallView) bool {
			a := last(v)
			return a != nil && t.holds(a.Code, a.Class)
		})
	}
	r.test(cs, tests...)
	return nil
}

func (r *callReader) id(cs []clause) *filterError {
	var tests []test[callback.CallView]
	f := &r.f
	for i := range cs {
		low, high, fault := idsOf(&cs[i])
		if fault != nil {
			return fault
		}
		if i == 0 {
			f.low = low
		}
		f.low, f.high = min(f.low, low), max(f.high, high)
		tests = append(tests, func(v *callback.CallView) bool { return v.ID >= low && v.ID <= high })
	}
	f.low, f.high = max(f.low, 1), max(f.high, 1) // 0: no bound
	r.test(cs, tests...)
	return nil
}

func (r *callReader) message(cs []clause) *filterError {
	var tests []test[callback.CallView]
	for i := range cs {
		want := cs[i].value
		if want == "" {
			return cs[i].wrong("the id of a message, all of it")
		}
		tests = append(tests, func(v *callback.CallView) bool { return v.Response.MessageID == want })
	}
	if len(cs) == 1 {
		r.f.query.MessageID = cs[0].value
		return nil
	}
	r.test(cs, tests...)
	return nil
}

func (r *callReader) channel(cs []clause) *filterError {
	var tests []test[callback.CallView]
	for i := range cs {
		want := cs[i].value
		if want == "" {
			return cs[i].wrong("a channel, such as SMS")
		}
		tests = append(tests, func(v *callback.CallView) bool { return strings.EqualFold(v.Response.Message.Channel, want) })
	}
	r.test(cs, tests...)
	return nil
}

func (r *callReader) tries(cs []clause) *filterError {
	var tests []test[callback.CallView]
	for i := range cs {
		low, high, fault := triesOf(&cs[i])
		if fault != nil {
			return fault
		}
		tests = append(tests, func(v *callback.CallView) bool { return v.Entry.Attempts >= low && v.Entry.Attempts <= high })
	}
	r.test(cs, tests...)
	return nil
}

// times bounds when the last attempt began, as the service's from and to do.
func (r *callReader) times(all [][]clause) (fault *filterError) {
	q := &r.f.query
	q.From, q.To, fault = r.d.between(all)
	if fault != nil || q.From.IsZero() && q.To.IsZero() || q.Status != callback.ListPending {
		return fault
	}
	for _, cs := range all {
		if c := &cs[0]; c.key == "since" || c.key == "until" {
			return c.wrong("is of the last try, and these have none; @ goes to a time")
		}
	}
	return nil
}
