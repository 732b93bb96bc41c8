package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringback/callback"
)

// tireless has calls with very many attempts each.
type tireless struct {
	*fixed
	each []int // attempts of each call, the first of which has the id 1
}

func (f *tireless) Calls(_ context.Context, q callback.ListQuery) (l callback.CallList, err error) {
	first := int(q.After)
	l.Total, l.Exact = uint64(len(f.each)), true
	for i := first; i < len(f.each) && len(l.Calls) < q.Limit; i++ {
		l.Calls = append(l.Calls, f.view(i, 1))
	}
	if n := first + len(l.Calls); n < len(f.each) {
		l.More, l.Next = true, callback.CallID(n)
	}
	return l, nil
}

func (f *tireless) Call(_ context.Context, _ string, id callback.CallID) (callback.CallView, error) {
	v := f.view(int(id)-1, callback.MaxCallAttempts)
	for i := range v.Call.Attempts {
		v.Call.Attempts[i].Excerpt = "sorry"
	}
	return v, nil
}

// view returns a call with its last attempts.
func (f *tireless) view(i, most int) callback.CallView {
	v := f.calls[0]
	v.ID, v.Entry.Attempts = callback.CallID(i+1), f.each[i]
	v.Call.Attempts = nil
	for n := max(f.each[i]-most, 0); n < f.each[i]; n++ {
		v.Call.Attempts = append(v.Call.Attempts, callback.Attempt{Number: n + 1, Reason: "connection refused", Class: callback.ClassRefused, Error: "Refused."})
	}
	return v
}

// TestPagesOfManyAttempts lists calls with more attempts than a page has room
// for: pages end early and go on with a cursor, every call comes once with its
// last attempts, and a page of last attempts is as long as it was asked for.
func TestPagesOfManyAttempts(t *testing.T) {
	t.Parallel()
	f := &tireless{fixed: newFixed()}
	for i := range 40 {
		f.each = append(f.each, 100*max(i-1, 0)+min(i, 1)) // 0, 1, 101, up to 3801, of which 1000 come
	}
	h := New(Options{Service: f})
	type answer struct {
		Calls []struct {
			ID           callback.CallID `json:"id"`
			AttemptCount int             `json:"attemptCount"`
			Attempts     []struct {
				Number  int    `json:"number"`
				Excerpt string `json:"responseExcerpt"`
			} `json:"attempts"`
		} `json:"calls"`
		Total uint64 `json:"total"`
		Next  string `json:"nextCursor"`
	}
	var got, want []callback.CallID
	target := "/callbacks/crm-prod/calls?limit=39"
	for pages := 0; ; pages++ {
		var a answer
		if w := ask(h, "GET", target, ""); w.Code != 200 || decodeJSON(w.Body.Bytes(), &a) != nil || a.Total != 40 || len(a.Calls) == 0 || pages > 10 {
			t.Fatalf("%s: %d %.300s", target, w.Code, w.Body)
		}
		sum := 0
		for _, c := range a.Calls {
			n := len(c.Attempts)
			sum += n
			got = append(got, c.ID)
			if c.AttemptCount != f.each[c.ID-1] || n != min(c.AttemptCount, callback.MaxCallAttempts) || n > 0 && c.Attempts[n-1].Number != c.AttemptCount {
				t.Errorf("call %v: %d attempts of %d", c.ID, n, c.AttemptCount)
			}
			if n > 0 && c.Attempts[0].Excerpt != "sorry" {
				t.Errorf("call %v: the answers are not told of %d attempts", c.ID, n)
			}
		}
		if sum > callback.MaxPageAttempts {
			t.Errorf("page %d has %d attempts", pages, sum)
		}
		if a.Next == "" {
			break
		}
		if pages < 3 && sum < callback.MaxPageAttempts-callback.MaxCallAttempts {
			t.Errorf("page %d has %d attempts only", pages, sum)
		}
		target = fmt.Sprintf("/callbacks/crm-prod/calls?limit=39&cursor=%s", a.Next)
	}
	for i := range f.each {
		want = append(want, callback.CallID(i+1))
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
	var a answer
	if w := ask(h, "GET", "/callbacks/crm-prod/calls?limit=39&attempts=last", ""); decodeJSON(w.Body.Bytes(), &a) != nil || len(a.Calls) != 39 {
		t.Errorf("last attempts: %d rows", len(a.Calls))
	}
	once := New(Options{Service: &tireless{fixed: newFixed(), each: []int{1}}})
	if w := ask(once, "GET", "/callbacks/crm-prod/calls.ndjson", ""); !strings.Contains(w.Body.String(), `"responseExcerpt":"sorry"`) {
		t.Errorf("an export of a call with one attempt: %s", w.Body)
	}
}
