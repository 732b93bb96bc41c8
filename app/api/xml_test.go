package api

import (
	"bytes"
	"encoding/xml"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/app/post"
	"ringback/callback"
)

const (
	asXML       = "Content-Type: application/xml"
	wantXML     = "Accept: application/xml"
	callbackXML = `<ns2:companyapicallback xmlns:ns2="http://schemas.api.whispir.com">`
	callbackEnd = `</ns2:companyapicallback>`
	deliveryXML = `<ns2:deliveryResponse xmlns:ns2="http://schemas.api.whispir.com">`
	deliveryEnd = `</ns2:deliveryResponse>`
)

func sample(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".xml")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGoldenXML(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Version: "1.2.3", PublicURL: "https://ringback.example.com/"})
	for _, c := range []struct{ name, method, target, body, accept string }{
		{"callback", "GET", "/callbacks/crm-prod", "", "application/vnd.whispir.api-callback-v1+xml"},
		{"callbacks", "GET", "/callbacks?limit=1", "", "application/vnd.whispir.api-callback-v1+xml"},
		{"callbacks-none", "GET", "/callbacks?name=nobody", "", "application/xml"},
		{"calls", "GET", "/callbacks/crm-prod/calls?limit=2", "", "application/vnd.whispir.api-call-v1+xml"},
		{"call", "GET", "/callbacks/crm-prod/calls/0328BA3200000001", "", "application/vnd.whispir.api-call-v1+xml"},
		{"attempts", "GET", "/callbacks/crm-prod/attempts?limit=3", "", "text/xml"},
		{"enqueued", "POST", "/callbacks/crm-prod/responses", sample(t, "delivery"), "application/xml"},
		{"outages", "GET", "/outages", "", "application/xml"},
		{"problem-fields", "POST", "/callbacks", callbackXML + `<nam>x</nam><url/><auth><type>magic</type></auth>` + callbackEnd, "application/xml"},
		{"problem-syntax", "POST", "/callbacks", callbackXML + `<auth><type>a</type><type>b</type></auth>` + callbackEnd, "application/vnd.whispir.api-callback-v1+xml, */*;q=0.1"},
	} {
		w := ask(h, c.method, c.target, c.body, asXML, "Accept: "+c.accept)
		golden(t, "xml-"+c.name, w)
		wellFormed(t, w.Body.String())
	}
}

// wellFormed fails when a document is none for a parser that is not ours.
func wellFormed(t *testing.T, doc string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(doc)); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v:\n%s", err, doc)
		}
	}
}

// TestEveryAnswerHasAnXMLName walks the table of routes.
func TestEveryAnswerHasAnXMLName(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	bodies := map[string]string{
		"POST /responses":                `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}`,
		"POST /callbacks/{id}/responses": `{"messageId":"stored","responseMessage":{}}`,
		"PUT /callbacks/{id}/calls":      `{"status":"SUCCESS"}`, "PUT /callbacks/{id}/calls/{callId}": `{"status":"SUCCESS"}`,
		"POST /keys": `{"name":"a"}`,
	}
	for _, rt := range routes {
		if ownMedia(rt.pattern) || rt.method == "DELETE" {
			continue
		}
		target := strings.NewReplacer("outages/{id}", "outages/crm-prod-3", "{id}", "crm-prod", "{callId}", "0328BA3200000001", "{opId}", "resolve-2026-03-01").Replace(rt.pattern)
		body := bodies[rt.method+" "+rt.pattern]
		switch {
		case strings.HasSuffix(target, "/calls") && rt.method == "PUT":
			target += "?id=0328BA3200000001"
		case body == "" && rt.method != "GET":
			body = `{}`
		}
		w := ask(h, rt.method, target, body, wantXML, "Prefer: return=representation")
		kind := w.Header().Get("Content-Type")
		if w.Code > 299 || kind != "application/xml" && (w.Code != 204 || kind != "") {
			t.Errorf("%s %s: %d %s %s", rt.method, rt.pattern, w.Code, kind, w.Body)
		}
		if strings.Contains(w.Body.String(), "<ns2:result") {
			t.Errorf("%s %s: answerRoot does not know what it answers: %s", rt.method, rt.pattern, w.Body)
		}
		wellFormed(t, w.Body.String())
	}
}

func TestXMLSamples(t *testing.T) {
	t.Parallel()
	s, h := newSpy()
	if w := ask(h, "POST", "/callbacks", sample(t, "callback"), "Content-Type: application/vnd.whispir.api-callback-v1+xml"); w.Code != 201 {
		t.Fatalf("callback: %d %s", w.Code, w.Body)
	}
	want := callback.Draft{
		Name: ptr("airport-ops"), URL: ptr("http://127.0.0.1:9000/hook"), AuthType: ptr(callback.AuthQuery), AuthKey: ptr("MY_AUTH_KEY"),
		ContentType: ptr(callback.XML), RemoveHTML: ptr(true), Retries: ptr(true), Email: ptr("ops@example.com"),
		Reply: ptr(true), Undeliverable: ptr(false),
	}
	if diff := cmp.Diff(want, s.draft); diff != "" {
		t.Errorf("callback (-want +got):\n%s", diff)
	}
	w := ask(h, "PUT", "/callbacks/x/calls?id=0328BA3200000001", sample(t, "resolve"), "Content-Type: application/vnd.whispir.api-call-v1+xml")
	if w.Code != 204 || s.status != callback.Success || len(s.ids) != 1 {
		t.Errorf("resolve: %d %s, %v of %v", w.Code, w.Body, s.status, s.ids)
	}
}

// TestDeliveryGoesInAndOut enqueues what an XML callback is sent, and compares
// what is then sent, byte for byte.
func TestDeliveryGoesInAndOut(t *testing.T) {
	t.Parallel()
	cb := callback.Callback{ContentType: callback.XML}
	odd := callback.Response{
		MessageID: "a&b", From: callback.From{Name: "<i>"}, Message: callback.Message{Undeliverable: "\r\n", Content: " ]]>\r\"'\t\u2028😀 "},
		Params: []callback.Param{{Key: "z z", Value: ""}, {Key: "a", Value: " <![CDATA[ "}},
	}
	_, oddBody := post.Body(&cb, &odd)
	for name, doc := range map[string]string{"sample": sample(t, "delivery"), "odd": string(oddBody)} {
		s, h := newSpy()
		if w := ask(h, "POST", "/callbacks/crm-prod/responses", doc, asXML); w.Code != 202 {
			t.Fatalf("%s: %d %s", name, w.Code, w.Body)
		}
		if kind, got := post.Body(&cb, &s.items[0].Response); kind != "application/xml" || !bytes.Equal(got, []byte(doc)) {
			t.Errorf("%s (-in +out):\n%s", name, cmp.Diff(doc, string(got)))
		}
	}
}

func TestXMLSpellings(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string]callback.Draft{
		callbackXML + callbackEnd: {},
		`<companyapicallback xmlns="http://schemas.api.whispir.com"><name>n</name></companyapicallback>`:                               {Name: ptr("n")},
		"\ufeff<?xml version='1.0' encoding='utf-8'?>\r\n<!-- a --><a:companyapicallback xmlns:a='http://schemas.api.whispir.com'/>\n": {},
		"<?xml version=\"1.0\" encoding=\"US-ASCII\" standalone='no' ?>" + callbackXML + "<name>&#233;</name>" + callbackEnd:           {Name: ptr("é")},
		callbackXML + `<name>a<!-- x -->b<![CDATA[<c>]]>&amp;&#x64;</name>` + callbackEnd:                                              {Name: ptr("ab<c>&d")},
		callbackXML + `<ns2:name>n</ns2:name><d:url xmlns:d="http://schemas.api.whispir.com/dap">u</d:url>` + callbackEnd:              {Name: ptr("n"), URL: ptr("u")},
		callbackXML + `<email/><description></description><auth/><callbacks> </callbacks>` + callbackEnd:                               {Email: ptr(""), Description: ptr("")},
		callbackXML + "<retriesEnabled>\n TRUE </retriesEnabled><maxInFlight> 4 </maxInFlight><ratePerSecond>0.5</ratePerSecond>" + callbackEnd: {
			Retries: ptr(true), MaxInFlight: ptr(4), RatePerSecond: ptr(0.5),
		},
		callbackXML + `<connectTimeout>2s</connectTimeout><contentType> XML </contentType><auth><type> QueryParam </type></auth>` + callbackEnd: {
			ConnectTimeout: ptr(2 * time.Second), ContentType: ptr(callback.XML), AuthType: ptr(callback.AuthQuery),
		},
		callbackXML + `<headers><entry><key>z</key><value>1</value></entry><entry><key>a</key><value/></entry></headers>` + callbackEnd: {
			Headers: &[]callback.Param{{Key: "z", Value: "1"}, {Key: "a"}},
		},
		callbackXML + `<link uri="u" rel="self" method="GET"/><link><uri>v</uri></link><ns2:link/>` + callbackEnd: {},
		`<b:companyapicallback xmlns:b="http://schemas.api.whispir.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x">` +
			`<email xsi:nil="true"/><name xsi:type="string">n</name></b:companyapicallback>`: {Name: ptr("n")},
	} {
		s, h := newSpy()
		if w := ask(h, "POST", "/callbacks", doc, asXML); w.Code != 201 {
			t.Errorf("%s: %d %s", doc, w.Code, w.Body)
		}
		if diff := cmp.Diff(want, s.draft); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
	s, h := newSpy()
	if w := ask(h, "PUT", "/callbacks/crm-prod", callbackXML+`<headers/>`+callbackEnd, asXML); w.Code != 204 || s.draft.Headers == nil || len(*s.draft.Headers) > 0 {
		t.Errorf("no headers: %d, %v", w.Code, s.draft.Headers)
	}
}

// TestXMLRootsOfOtherRequests has the roots that follow from a path.
func TestXMLRootsOfOtherRequests(t *testing.T) {
	t.Parallel()
	const call = "/callbacks/crm-prod/calls/0328BA3200000001"
	for _, c := range []struct {
		method, target, body string
		status               int
	}{
		{"PUT", call, `<c:call xmlns:c="http://schemas.api.whispir.com"><status> failed </status></c:call>`, 204},
		{"PUT", call, `<call xmlns="http://schemas.api.whispir.com/dap"><status>SUCCESS</status></call>`, 204},
		{"POST", call + "/retry", `<retry xmlns="http://schemas.api.whispir.com/dap"><extend>true</extend></retry>`, 202},
		{"POST", call + "/retry", `<call xmlns="http://schemas.api.whispir.com/dap"><extend>true</extend></call>`, 400},
		{"POST", "/responses", deliveryXML + `<callbackId>crm-prod</callbackId><responseMessage/>` + deliveryEnd, 202},
		{"POST", "/responses", callbackXML + `<callbackId>crm-prod</callbackId>` + callbackEnd, 400},
	} {
		s, h := newSpy()
		if w := ask(h, c.method, c.target, c.body, asXML); w.Code != c.status || strings.HasSuffix(c.target, "retry") && c.status == 202 && !s.extend {
			t.Errorf("%s %s %s: %d %s", c.method, c.target, c.body, w.Code, w.Body)
		}
	}
}

// TestCallsCanBeSentBack has the whole of a call as the change of its status,
// which is what clients have at hand.
func TestCallsCanBeSentBack(t *testing.T) {
	t.Parallel()
	for _, media := range []string{"application/vnd.whispir.api-call-v1+json", "application/vnd.whispir.api-call-v1+xml"} {
		s, h := newSpy()
		const target = "/callbacks/crm-prod/calls/0328BA3200000001"
		doc := ask(h, "GET", target, "", "Accept: "+media).Body.String()
		if w := ask(h, "PUT", target, doc, "Content-Type: "+media); w.Code != 204 || s.status != callback.Failed || len(s.ids) != 1 {
			t.Errorf("%s: %d %s, %v of %v", media, w.Code, w.Body, s.status, s.ids)
		}
	}
}

// TestXMLWithoutAContentType is what the public API's examples send.
func TestXMLWithoutAContentType(t *testing.T) {
	t.Parallel()
	s, h := newSpy()
	if w := ask(h, "POST", "/callbacks", "\n"+callbackXML+`<name>n</name>`+callbackEnd, "Content-Type: "); w.Code != 201 || *s.draft.Name != "n" {
		t.Fatalf("got %d %s", w.Code, w.Body)
	}
}

// TestXMLHoldsAnyText has a value with what XML cannot hold.
func TestXMLHoldsAnyText(t *testing.T) {
	t.Parallel()
	f := newFixed()
	f.health.Name, f.health.Description = "<&>\x00\x1b\ufffe\xff", "\r\n\t ]]>"
	f.health.Headers = []callback.Param{{Key: "<k>", Value: "\""}, {Key: "<k>", Value: "twice"}}
	doc := ask(New(Options{Service: f}), "GET", "/callbacks/crm-prod", "", wantXML).Body.String()
	wellFormed(t, doc)
	for _, want := range []string{
		"<name>&lt;&amp;&gt;\ufffd\ufffd\ufffd\ufffd</name>", "<description>&#xD;&#xA;&#x9; ]]&gt;</description>",
		"<headers><entry><key>&lt;k&gt;</key><value>&#34;</value></entry><entry><key>&lt;k&gt;</key><value>twice</value></entry></headers>",
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("%s is not in %s", want, doc)
		}
	}
}
