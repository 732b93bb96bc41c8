package api

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// plainAgrees fails unless what is read without a tree is what the tree gives.
func plainAgrees(t *testing.T, body string) (plain bool) {
	t.Helper()
	var got callback.NewResponse
	if !plainJSON([]byte(body), &got) {
		return false
	}
	n, err := parseJSON([]byte(body), room{left: 1 << 20})
	if err != nil {
		t.Fatalf("%q is read without a tree, and with one it is %v", body, err)
	}
	want, err := readResponse(&n, time.Now())
	if err != nil {
		t.Fatalf("%q is read without a tree, and with one it is %v", body, err)
	}
	if len(got.Response.Params) == 0 {
		got.Response.Params = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q (-with a tree +without):\n%s", body, diff)
	}
	return true
}

func TestPlainResponses(t *testing.T) {
	t.Parallel()
	for body, plain := range map[string]bool{
		kilobyte():                                       true,
		` {"id":"a","responseMessage":{}} `:              true,
		"\r\n\t{\"responseMessage\":{}}":                 true,
		`{"responseMessage":{},"from":null}`:             true,
		`{"responseMessage":{},"from":{}}`:               true,
		`{"responseMessage":{},"id":null}`:               true,
		`{"responseMessage":{},"link":[]}`:               false,
		`{}`:                                             false,
		`{"responseMessage":null}`:                       false,
		`{"messageId":"a"}`:                              true,
		`{"messageId":" ","from":{}}`:                    true,
		`{"messageId":"a","responseMessage":null}`:       true,
		`{"messageId":""}`:                               false,
		`{"responseMessage":{"content":null}}`:           true,
		`null`:                                           false,
		`[]`:                                             false,
		`{"responseMessage":{},"Id":"a"}`:                false,
		`{"responseMessage":{},"id":"a"}{}`:              false,
		`{"responseMessage":{},"id":"a"}x`:               false,
		"\xef\xbb\xbf{}":                                 false,
		"{\"messageId\":\"a\"}\x00":                      false,
		`{"messageId":"a",}`:                             false,
		`{"messageId":"a" "id":"b"}`:                     false,
		`{"messageId":"a"`:                               false,
		`{"messageId":"a`:                                false,
		`{"messageId":"a\`:                               false,
		`{"messageId":"a\q"}`:                            false,
		`{"messageId":nullx}`:                            false,
		`{"message\u0049d":"a"}`:                         true,
		"{\"messageId\":\"a\tb\"}":                       false,
		"{\"messageId\":\"\u00e4\u20ac\"}":               true,
		"{\"messageId\":\"\u00e4\\n\xff\"}":              false,
		`{"messageId":"a","customParameters":{"a":01}}`:  false,
		`{"messageId":"a","customParameters":{"a":nul}}`: false,
		`{"messageId":"a","customParameters":{"a":1 }}`:  true,
		`{"messageId":"a","customParameters":{"a":1 2}}`: false,
		`{"messageId":"a","customParameters":{"a":1e400,"b":12345678901234567890}}`:           true,
		`{"messageId":"\u00e4\n\ud83d\ude00","responseMessage":{"content":"\u0000"}}`:         true,
		`{"responseMessage":{},"messageId":"\ud800"}`:                                         false,
		"{\"messageId\":\"\xff\"}":                                                            false,
		`{"responseMessage":{},"id":"a","id":"a"}`:                                            false,
		`{"responseMessage":{},"from":{"name":"a","name":"a"}}`:                               false,
		`{"responseMessage":{},"from":{"nam":"a"}}`:                                           false,
		`{"responseMessage":{},"customParameters":{"a":1e9,"b":true,"c":null,"d":"x"}}`:       true,
		`{"responseMessage":{},"customParameters":{"a":-0.10,"":false}}`:                      true,
		`{"responseMessage":{},"customParameters":{"a":"x","a":"y"}}`:                         false,
		`{"responseMessage":{},"customParameters":{"a":{}}}`:                                  false,
		`{"responseMessage":{},"customParameters":{"a":[1]}}`:                                 false,
		`{"responseMessage":{},"customParameters":[{"key":"a","value":1}]}`:                   false,
		`{"responseMessage":{},"customParameters":null,"callbackParameters":{"a":"b"}}`:       true,
		`{"responseMessage":{},"customParameters":{},"callbackParameters":{"a":"b"}}`:         true,
		`{"responseMessage":{},"callbackParameters":{"a":"b"},"customParameters":{}}`:         true,
		`{"responseMessage":{},"customParameters":{"a":1},"callbackParameters":{"b":2}}`:      false,
		`{"responseMessage":{},"deliverAt":"2026-03-01T09:30:00Z"}`:                           true,
		`{"responseMessage":{},"deliverAt":"2026-03-01T09:30:00.5+10:00"}`:                    true,
		`{"responseMessage":{},"deliverAt":null}`:                                             true,
		`{"responseMessage":{},"deliverAt":""}`:                                               false,
		`{"responseMessage":{},"deliverAt":"0000-01-01T00:00:00Z"}`:                           false,
		`{"responseMessage":{},"deliverAt":7}`:                                                false,
		`{"responseMessage":{},"customParameters":{` + parameters(callback.MaxParams)[1:]:     true,
		`{"responseMessage":{},"customParameters":{` + parameters(callback.MaxParams + 1)[1:]: false,
	} {
		if got := plainAgrees(t, body); got != plain {
			t.Errorf("%.200q: read without a tree %v, want %v", body, got, plain)
		}
	}
}

// parameters returns n custom parameters, with a comma before and the brackets
// behind them.
func parameters(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"k%d":"v"`, i)
	}
	return b.String() + "}}"
}

func FuzzPlainResponse(f *testing.F) {
	for _, c := range append(badResponses(), badSyntax()[:200]...) {
		if len(c.body) < 4096 {
			f.Add(c.body)
		}
	}
	f.Add(kilobyte())
	f.Add(`{"responseMessage":{},"customParameters":{"a":1e9,"b":true,"c":null,"d":"x"},"deliverAt":"2026-03-01T09:30:00.5+10:00"}`)
	f.Fuzz(func(t *testing.T, body string) { plainAgrees(t, body) })
}

// TestAppendItem holds the fast writing of what became of a response to that of
// its shape.
func TestAppendItem(t *testing.T) {
	t.Parallel()
	id, cb := callback.CallID(0x0328BA3200000001), callback.CallbackID(0x00EDFE83DF389DFE)
	p, _, _ := problemOf(invalid("the response", "from", "is \"wrong\" \u2028<b>"))
	for _, base := range []string{"http://localhost:8480", "https://ex\"ample.com/\\\u00e4<&>\xff"} {
		q := &request{handler: &handler{public: base}}
		for _, s := range []enqueuedShape{
			{ID: &id, CallbackID: &cb, Status: "PENDING", Link: q.callLinks(cb, id)},
			{ID: &id, CallbackID: &cb, Status: "SUCCESS", Repeat: true, Link: q.callLinks(cb, id)},
			{CallbackID: &cb, Status: skipped},
			{CallbackID: &cb},
			{Error: &p},
			{Error: &p, Line: 7},
			{},
		} {
			want, err := encodeJSON(s)
			if err != nil {
				t.Fatal(err)
			}
			got, err := appendItem([]byte("x"), &s)
			if err != nil || string(got) != "x"+string(want) {
				t.Errorf("got %s, %v\nwant x%s", got, err, want)
			}
		}
	}
}

func TestSplitJSON(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct {
		body, want, field string // want: the items, or field: where it is wrong
	}{
		{`[]`, ``, ""},
		{" [ 1 , {\"a\" : [2, \"]\"]}\n,\t\"x\\\"\" ] \n", `1|{"a" : [2, "]"]}|"x\""`, ""},
		{`[1,2,3]`, `1|2|3`, ""},
		{`[1,2,3,4]`, "", "[3]"},
		{`[1,{"a":2,"a":3}]`, "", "[1].a"},
		{`[1,2`, "", ""},
		{`[1,]`, "", ""},
		{`[1 2]`, "", ""},
		{`[1]x`, "", ""},
		{`[1][2]`, "", ""},
		{"[\"\xff\"]", "", "[0]"},
		{`[1,` + nested(63) + `]`, "1|" + nested(63), ""},
		{`[1,` + nested(64) + `]`, "", "[1]" + strings.Repeat("[0]", 39)},
		{`["` + strings.Repeat("[", 100) + `"]`, `"` + strings.Repeat("[", 100) + `"`, ""},
	} {
		items, err := splitJSON([]byte(c.body), 3)
		var got []string
		for _, v := range items {
			got = append(got, string(v))
		}
		// What the tree makes of it is the measure, but for the number of items.
		if _, tree := parseJSON([]byte(c.body), room{left: 1 << 20}); (tree == nil) != (err == nil) && c.field != "[3]" {
			t.Errorf("%.80s: %v; with a tree %v", c.body, err, tree)
		}
		if err == nil {
			if strings.Join(got, "|") != c.want || c.field != "" {
				t.Errorf("%.80s: items %q", c.body, got)
			}
			continue
		}
		e, ok := err.(*callback.Error)
		if !ok || e.Code != callback.CodeMalformed || c.want != "" || c.field != "" && (len(e.Fields) == 0 || e.Fields[0].Field != c.field) {
			t.Errorf("%.80s: %+v, want it wrong at %q", c.body, err, c.field)
		}
	}
}
