package servicetest

import (
	"net/http"
	"slices"
	"testing"

	"ringback/callback"
)

// attemptsPage pages through the attempts of one callback and of all, both ways
// and by every kind of condition.
func attemptsPage(t *testing.T, b *bench) {
	b.callback("tried", retries)
	b.callback("other", nil)
	good := b.ended("tried", b.enqueue(response("tried", "good"))[0], 1)
	b.hook.answer(http.StatusTeapot)
	bad := b.ended("tried", b.enqueue(response("tried", "bad"))[0], 1)
	if err := b.svc.Retry(b.ctx, "tried", bad.ID, false); err != nil {
		t.Fatal(err)
	}
	b.ended("tried", bad.ID, 2)
	other := b.ended("other", b.enqueue(response("other", "strange"))[0], 1)
	key := func(c *callback.CallView, n int) callback.AttemptKey {
		c2 := b.call(c.Callback, c.ID)
		return callback.AttemptKey{At: c2.Call.Attempts[n-1].Started, ID: c.ID, Number: n}
	}
	first, second, third, last := key(&good, 1), key(&bad, 1), key(&bad, 2), key(&other, 1)
	for _, c := range []struct {
		what, ref string
		q         callback.AttemptQuery
		want      []callback.AttemptKey
	}{
		{"all", "", callback.AttemptQuery{}, []callback.AttemptKey{last, third, second, first}},
		{"of one, oldest first", "tried", callback.AttemptQuery{Oldest: true}, []callback.AttemptKey{first, second, third}},
		{"but one", "tried", callback.AttemptQuery{Offset: 1}, []callback.AttemptKey{second, first}},
		{"successes", "", callback.AttemptQuery{Filter: callback.Filter{Status: callback.ListSuccess}}, []callback.AttemptKey{first}},
		{"failures", "tried", callback.AttemptQuery{Filter: callback.Filter{Status: callback.ListFailed}}, []callback.AttemptKey{third, second}},
		{"by code", "", callback.AttemptQuery{Filter: callback.Filter{Code: http.StatusTeapot, Class: "status"}}, []callback.AttemptKey{last, third, second}},
		{"by message", "", callback.AttemptQuery{Filter: callback.Filter{MessageID: "M-bad"}}, []callback.AttemptKey{third, second}},
		{"by text", "", callback.AttemptQuery{Filter: callback.Filter{Text: "STRANGE"}}, []callback.AttemptKey{last}},
		{"by the state of the call", "", callback.AttemptQuery{Filter: callback.Filter{State: callback.StateDelivered}}, []callback.AttemptKey{first}},
		{"until an instant", "", callback.AttemptQuery{Filter: callback.Filter{To: third.At}}, before(third.At.UnixMilli(), second, first)},
	} {
		for limit := 1; limit <= 3; limit++ {
			var got []callback.AttemptKey
			for q := c.q; ; q.Offset = 0 {
				q.Limit = limit
				list, err := b.svc.Attempts(b.ctx, c.ref, q)
				if err != nil {
					t.Fatalf("%s: %v", c.what, err)
				}
				// What selects by nothing but status is counted, at any page.
				if plain := c.q.Plain(); plain && !list.Exact || list.Exact && q.After == (callback.AttemptKey{}) && list.Total != uint64(len(c.want)+c.q.Offset) {
					t.Errorf("%s, %d a page: a total of %d, exact %v", c.what, limit, list.Total, list.Exact)
				}
				for i := range list.Attempts {
					a := &list.Attempts[i]
					got = append(got, a.Key())
					if a.Callback == "" || a.CallbackID == 0 || a.MessageID == "" {
						t.Errorf("%s: %+v does not say whose it is", c.what, a)
					}
				}
				if !list.More || len(got) > 10 {
					break
				}
				q.After = list.Next
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%s, %d a page:\n got %v\nwant %v", c.what, limit, got, c.want)
			}
		}
	}
	_, err := b.svc.Attempts(b.ctx, "nobody", callback.AttemptQuery{})
	b.wantCode("attempts of nobody", err, callback.CodeNotFound)
}

// before returns those of the keys that are before a time.
func before(at int64, keys ...callback.AttemptKey) (out []callback.AttemptKey) {
	for _, k := range keys {
		if k.At.UnixMilli() < at {
			out = append(out, k)
		}
	}
	return out
}
