package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/callback"
)

// haystack is an appliance with a call that is the first of a thousand, and one
// that is the last.
func haystack(t *testing.T, patience time.Duration) *app.App {
	t.Helper()
	a := open(t, func(o *app.Options) { o.Patience = patience })
	name, url := "hay", "http://127.0.0.1:1/"
	if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
		t.Fatal(err)
	}
	if err := a.Suspend(t.Context(), name, "ana"); err != nil {
		t.Fatal(err)
	}
	const n = 1000
	items := make([]callback.NewResponse, n)
	for i := range items {
		items[i] = callback.NewResponse{Ref: name, Response: callback.Response{MessageID: fmt.Sprint(i), Message: callback.Message{Channel: "SMS", Content: "hay"}}}
	}
	items[0].Response.Message.Content, items[n-1].Response.Message.Content = "first needle", "last needle"
	if _, err := a.Enqueue(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	return a
}

// A filter that selects few is answered completely by who has time, and bit by
// bit, with cursors that go on, by who has not.
func TestPatience(t *testing.T) {
	t.Parallel()
	q := callback.ListQuery{Limit: 10, Filter: callback.Filter{Status: callback.ListPending, Text: "needle"}}
	list, err := haystack(t, time.Hour).Calls(t.Context(), q)
	if err != nil || len(list.Calls) != 2 || list.More || list.Total != 2 || !list.Exact || list.Looked != 1000 {
		t.Errorf("with patience: %d calls of %d (exact %v), %d looked at, more %v: %v", len(list.Calls), list.Total, list.Exact, list.Looked, list.More, err)
	}
	a := haystack(t, 1) // a nanosecond
	var found, empty int
	for pages := 0; ; pages++ {
		list, err := a.Calls(t.Context(), q)
		if err != nil || pages > 1000 {
			t.Fatalf("page %d: %v", pages, err)
		}
		if found += len(list.Calls); len(list.Calls) == 0 {
			empty++
		}
		if q.After = list.Next; !list.More {
			break
		}
	}
	if found != 2 || empty == 0 {
		t.Errorf("without patience: %d calls, %d empty pages; want 2 and some", found, empty)
	}
}

// Over HTTP a short page says that there may be more, and links to where the
// search goes on.
func TestShortPageOverHTTP(t *testing.T) {
	t.Parallel()
	h := api.New(api.Options{Service: haystack(t, 1)})
	target, got := "/callbacks/hay/calls?status=PENDING&q=needle&limit=5", ""
	for pages := 0; target != ""; pages++ {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", target, nil)
		r.Host = "127.0.0.1"
		h.ServeHTTP(w, r)
		var page struct {
			Status     string
			NextCursor string
			Calls      []struct{ MessageID string }
			Link       []struct{ URI, Rel string }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != http.StatusOK || pages > 1000 {
			t.Fatalf("page %d: %d %s %v", pages, w.Code, w.Body, err)
		}
		for _, c := range page.Calls {
			got += c.MessageID + " "
		}
		if target = ""; page.NextCursor != "" {
			if (len(page.Calls) == 0) != (page.Status == "No records found") || len(page.Calls) > 0 && !strings.HasSuffix(page.Status, "+") || len(page.Link) == 0 || page.Link[0].Rel != "next" {
				t.Fatalf("a short page does not say that it is: %s", w.Body)
			}
			_, target, _ = strings.Cut(page.Link[0].URI, "127.0.0.1")
		}
	}
	if got != "999 0 " {
		t.Errorf("found %q, want the last and the first", got)
	}
}

// A page of calls with long contents is short, however patient the question is,
// and its cursors lead to all of them.
func TestPageOfLongContents(t *testing.T) {
	t.Parallel()
	a := open(t, func(o *app.Options) { o.Patience = time.Hour })
	name, url := "long", "http://127.0.0.1:1/"
	if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
		t.Fatal(err)
	}
	if err := a.Suspend(t.Context(), name, "ana"); err != nil {
		t.Fatal(err)
	}
	const n, size = 11, 900 << 10
	for i := range n {
		r := callback.Response{MessageID: fmt.Sprint(i), Message: callback.Message{Content: strings.Repeat("x", size)}}
		if _, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: name, Response: r}}); err != nil {
			t.Fatal(err)
		}
	}
	q := callback.ListQuery{Limit: callback.MaxPage, Offset: 1, Filter: callback.Filter{Status: callback.ListPending}}
	for found, more := 0, true; more; {
		list, err := a.Calls(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if rows := len(list.Calls); rows == 0 || rows > callback.MaxPageBytes/size+1 {
			t.Fatalf("a page of %d calls of %d bytes each", rows, size)
		}
		found += len(list.Calls)
		if q.After, q.Offset, more = list.Next, q.Offset-list.Skipped, list.More; !more && found != n-1 {
			t.Errorf("found %d calls, want %d", found, n-1)
		}
	}
}
