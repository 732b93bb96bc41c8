package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/callback"
)

// counter is the HTTP interface over the real engine, as who enqueues sees it.
type counter struct {
	t   *testing.T
	app *app.App
	url string
}

// outcome is what became of one response.
type outcome struct {
	ID, CallbackID, Status string
	Repeat                 bool
	Error                  *struct {
		Status int
		Detail string
		Errors []callback.FieldError
	}
	Line int
}

// String returns the status word, or the status of the error and its field.
func (o *outcome) String() string {
	if o.Error == nil {
		return o.Status
	}
	s := fmt.Sprint(o.Error.Status)
	if len(o.Error.Errors) > 0 {
		s += " " + o.Error.Errors[0].Field
	}
	return s
}

func openCounter(t *testing.T) *counter {
	a := open(t, nil)
	srv := httptest.NewServer(api.New(api.Options{Service: a, MaxBody: 1 << 20}))
	t.Cleanup(srv.Close)
	return &counter{t, a, srv.URL}
}

// callback registers a callback whose endpoint takes everything.
func (c *counter) callback(name string, change func(*callback.Draft)) {
	c.t.Helper()
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the sender may have left
	}))
	c.t.Cleanup(sink.Close)
	d := callback.Draft{Name: &name, URL: &sink.URL}
	if change != nil {
		change(&d)
	}
	if _, err := c.app.Create(c.t.Context(), d); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counter) post(path, kind, body string, head ...string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), "POST", c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return res.StatusCode, answer
}

// one enqueues one response; the outcome is empty where it is refused.
func (c *counter) one(ref, body string, head ...string) (int, outcome) {
	c.t.Helper()
	status, answer := c.post("/callbacks/"+ref+"/responses", "application/json", body, head...)
	var o outcome
	if status >= 300 {
		return status, o
	}
	if err := json.Unmarshal(answer, &o); err != nil {
		c.t.Fatalf("%s: %v", answer, err)
	}
	return status, o
}

// array and lines enqueue many, and return what became of each.
func (c *counter) array(items ...string) (int, []outcome) {
	c.t.Helper()
	status, answer := c.post("/responses", "application/json", "["+strings.Join(items, ",")+"]")
	var list []outcome
	if status >= 300 {
		var p struct{ Items []outcome }
		if err := json.Unmarshal(answer, &p); err != nil {
			c.t.Fatalf("%s: %v", answer, err)
		}
		return status, p.Items
	}
	if err := json.Unmarshal(answer, &list); err != nil {
		c.t.Fatalf("%s: %v", answer, err)
	}
	return status, list
}

func (c *counter) lines(items ...string) (int, []outcome) {
	c.t.Helper()
	status, answer := c.post("/responses", "application/x-ndjson", strings.Join(items, "\n"))
	var list []outcome
	for l := range bytes.Lines(answer) {
		var o outcome
		if err := json.Unmarshal(l, &o); err != nil {
			c.t.Fatalf("%s: %v", l, err)
		}
		list = append(list, o)
	}
	return status, list
}

// counts returns how many calls a callback accepted and skipped.
func (c *counter) counts(ref string) (accepted, skipped uint64) {
	c.t.Helper()
	h, err := c.app.Callback(c.t.Context(), ref)
	if err != nil {
		c.t.Fatal(err)
	}
	return h.Live.Counts.Accepted, h.Live.Counts.Skipped
}

func words(list []outcome) string {
	s := make([]string, len(list))
	for i := range list {
		s[i] = list[i].String()
	}
	return strings.Join(s, "|")
}

const reply = `"responseMessage":{"channel":"SMS","acknowledged":"09/01/26 13:22","content":"yes"}`

func TestEnqueueKeys(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.callback("crm", nil)
	c.callback("other", nil)
	body := `{"messageId":"M",` + reply + `}`
	status, first := c.one("crm", body, "Idempotency-Key", "k1")
	if status != 202 || first.Status != "PENDING" {
		t.Fatalf("first: %d %+v", status, first)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	delivered(ctx, t, c.app)
	for _, again := range []struct{ body, key string }{
		{body, "k1"},
		{body, `"k1"`},
		{`{"id":"k1","messageId":"M",` + reply + `}`, "k1"},
		{`{"id":"k1",` + reply + `,"messageId":"M","callbackId":"crm"}`, ""},
	} {
		var head []string
		if again.key != "" {
			head = []string{"Idempotency-Key", again.key}
		}
		if status, o := c.one("crm", again.body, head...); status != 200 || o.ID != first.ID || o.Status != "SUCCESS" || !o.Repeat {
			t.Errorf("repeat %+v: %d %+v, want the first call, delivered", again, status, o)
		}
	}
	if status, _ := c.one("crm", `{"messageId":"N",`+reply+`}`, "Idempotency-Key", "k1"); status != 422 {
		t.Errorf("the key with another body: %d, want 422", status)
	}
	for _, named := range []struct {
		field, body string
		head        []string
	}{
		{"Idempotency-Key", `{"messageId":"N",` + reply + `}`, []string{"Idempotency-Key", "k1"}},
		{"id", `{"id":"k1","messageId":"N",` + reply + `}`, nil},
	} {
		_, answer := c.post("/callbacks/crm/responses", "application/json", named.body, named.head...)
		if !strings.Contains(string(answer), `"field":"`+named.field+`"`) {
			t.Errorf("the fault is not named %s: %s", named.field, answer)
		}
	}
	if status, o := c.one("other", body, "Idempotency-Key", "k1"); status != 202 || o.ID == first.ID {
		t.Errorf("the key at another callback: %d %+v", status, o)
	}
	if n, _ := c.counts("crm"); n != 1 {
		t.Errorf("%d calls were accepted, want 1", n)
	}
}

// TestEnqueueKeyTwiceAtOnce has one key several times in one array, in one
// stream, and in requests that meet in one commit.
func TestEnqueueKeyTwiceAtOnce(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.callback("crm", nil)
	item := func(key, content string) string {
		return fmt.Sprintf(`{"id":%q,"callbackId":"crm","responseMessage":{"content":%q}}`, key, content)
	}
	for name, send := range map[string]func(...string) (int, []outcome){"array": c.array, "lines": c.lines} {
		status, list := send(item(name, "a"), item(name, "a"), item(name, "b"), item(name+"2", "b"))
		if status != 202 || len(list) != 4 || !list[1].Repeat || list[1].ID != list[0].ID || list[2].String() != "422 id" || list[3].Status != "PENDING" || list[3].Repeat {
			t.Errorf("%s: %d %+v", name, status, list)
		}
	}
	if status, list := c.array(item("array", "a"), item("lines", "a")); status != 200 || !list[0].Repeat || !list[1].Repeat {
		t.Errorf("nothing but repeats: %d %+v", status, list)
	}
	before, _ := c.counts("crm")
	var wg sync.WaitGroup
	ids := make([]string, 50)
	for i := range ids {
		wg.Go(func() { _, o := c.one("crm", item("meet", "a")); ids[i] = o.ID })
	}
	wg.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("one key became several calls: %v", ids)
		}
	}
	if n, _ := c.counts("crm"); n != before+1 {
		t.Errorf("%d calls were accepted, want 1", n-before)
	}
}

func TestEnqueueSkipped(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	no := false
	c.callback("replies", func(d *callback.Draft) { d.Undeliverable = &no })
	const bounce = `{"id":"b","callbackId":"replies","responseMessage":{"undeliverable":"09/01/26 13:22"}}`
	if status, o := c.one("replies", bounce); status != 200 || o.Status != "SKIPPED" || o.ID != "" || o.CallbackID == "" {
		t.Fatalf("one: %d %+v", status, o)
	}
	if status, list := c.array(bounce, bounce); status != 200 || words(list) != "SKIPPED|SKIPPED" {
		t.Fatalf("array: %d %s", status, words(list))
	}
	if status, list := c.lines(bounce); status != 202 || words(list) != "SKIPPED" {
		t.Fatalf("lines: %d %s", status, words(list))
	}
	if accepted, skipped := c.counts("replies"); accepted != 0 || skipped != 4 {
		t.Fatalf("%d accepted, %d skipped", accepted, skipped)
	}
	// Skipped ones are not remembered: their key is free.
	yes := true
	if _, err := c.app.Update(t.Context(), "replies", callback.Draft{Undeliverable: &yes}, 0); err != nil {
		t.Fatal(err)
	}
	if status, o := c.one("replies", `{"id":"b",`+reply+`}`); status != 202 || o.Repeat {
		t.Fatalf("with the key of a skipped one: %d %+v", status, o)
	}
}

func TestEnqueueHeld(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.callback("paused", nil)
	c.callback("later", nil)
	if err := c.app.Suspend(t.Context(), "paused", "me"); err != nil {
		t.Fatal(err)
	}
	state := func(ref, id string) callback.CallView {
		call, err := callback.ParseCallID(id)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.app.Call(t.Context(), ref, call)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	status, o := c.one("paused", `{`+reply+`}`)
	if status != 202 || state("paused", o.ID).State != callback.StateHeld {
		t.Fatalf("suspended: %d %+v", status, o)
	}
	at := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	status, list := c.lines(fmt.Sprintf(`{"callbackId":"later","deliverAt":%q,%s}`, at.Format(time.RFC3339), reply))
	if status != 202 || words(list) != "PENDING" {
		t.Fatalf("deliverAt: %d %s", status, words(list))
	}
	if v := state("later", list[0].ID); v.State != callback.StateScheduled || !v.Due.Equal(at) || len(v.Attempts) != 0 {
		t.Fatalf("deliverAt: %v, due %v, want %v", v.State, v.Due, at)
	}
	_, list = c.lines(fmt.Sprintf(`{"callbackId":"later","deliverAt":%q,%s}`, time.Now().AddDate(1, 0, 3).Format(time.RFC3339), reply))
	if got := words(list); got != "422 deliverAt" {
		t.Fatalf("more than a year ahead: %s", got)
	}
}

func TestEnqueueParameters(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.callback("crm", nil)
	for _, item := range []string{
		`{"callbackId":"crm","customParameters":{"n":1.50,"big":12345678901234567890,"yes":true,"text":"x","none":null},` + reply + `}`,
		`{"callbackId":"crm","callbackParameters":{"n":1.50,"big":12345678901234567890,"yes":true,"text":"x","none":null},` + reply + `}`,
		`{"callbackId":"crm","customParameters":{"n":1.50,"big":12345678901234567890},"callbackParameters":{"yes":true,"text":"x","none":null},` + reply + `}`,
	} {
		_, list := c.array(item)
		id, err := callback.ParseCallID(list[0].ID)
		if err != nil {
			t.Fatalf("%s: %s", item, words(list))
		}
		v, err := c.app.Call(t.Context(), "crm", id)
		if want := `"customParameters":{"n":"1.50","big":"12345678901234567890","yes":"true","text":"x","none":""}`; err != nil || !strings.Contains(v.RequestBody, want) {
			t.Errorf("%s\nis POSTed as %s\nwant %s", item, v.RequestBody, want)
		}
	}
	_, list := c.lines(`{"callbackId":"crm","customParameters":{"a":{"b":1}},`+reply+`}`, `{"callbackId":"crm","callbackParameters":{"a":[1]},`+reply+`}`)
	if got := words(list); got != "422 customParameters.a|422 callbackParameters.a" {
		t.Errorf("nested: %s", got)
	}
}

func TestEnqueueUnknown(t *testing.T) {
	t.Parallel()
	c := openCounter(t)
	c.callback("crm", nil)
	c.callback("gone", nil)
	if err := c.app.Delete(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	to := func(ref string) string { return `{"callbackId":"` + ref + `",` + reply + `}` }
	for _, ref := range []string{"nobody", "gone", "0123456789ABCDEF"} {
		if status, _ := c.one(ref, "{"+reply+"}"); status != 404 {
			t.Errorf("one for %s: %d", ref, status)
		}
		if status, _ := c.post("/callbacks/"+ref+"/responses", "application/x-ndjson", "{"+reply+"}"); status != 404 {
			t.Errorf("lines for %s: %d", ref, status)
		}
		for name, send := range map[string]func(...string) (int, []outcome){"array": c.array, "lines": c.lines} {
			if status, list := send(to(ref), to("crm"), to(ref)); status != 202 || words(list) != "404|PENDING|404" {
				t.Errorf("%s for %s: %d %s", name, ref, status, words(list))
			}
		}
		if status, list := c.array(to(ref), to(ref)); status != 422 || words(list) != "404|404" {
			t.Errorf("nothing but unknown ones: %d %s", status, words(list))
		}
	}
}
