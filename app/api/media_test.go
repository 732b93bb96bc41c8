package api

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

func TestAccept(t *testing.T) {
	t.Parallel()
	_, h := newSpy()
	const (
		plain, xmlPlain, text = "application/json", "application/xml", "text/xml"
		vendorJSON            = "application/vnd.whispir.api-callback-v1+json"
		vendorXML             = "application/vnd.whispir.api-callback-v1+xml"
		callJSON              = "application/vnd.whispir.api-call-v1+json"
		callXML               = "application/vnd.whispir.api-call-v1+xml"
	)
	for head, want := range map[string]string{
		"": plain, "*/*": plain, "application/*": plain, plain: plain, "*": plain,
		xmlPlain: xmlPlain, text: text, "text/*": text, "APPLICATION/XML": xmlPlain,
		vendorJSON: vendorJSON, vendorXML: vendorXML, callJSON: callJSON, callXML: callXML,
		xmlPlain + "; charset=utf-8":                           xmlPlain,
		xmlPlain + ";q=0.4, " + plain + ";q=0.5":               plain,
		xmlPlain + ";q=0.6, " + plain + ";q=0.5":               xmlPlain,
		xmlPlain + ", " + plain:                                plain,
		callJSON + ", */*;q=0.1":                               callJSON,
		"application/*;q=0.2, " + callXML + ";q=0.3":           callXML,
		plain + ";q=0, */*":                                    xmlPlain,
		plain + ";q=0, " + xmlPlain + ";q=0, */*;q=0.1":        text,
		"application/*;q=0, */*":                               text,
		"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2": plain,
		"junk, ;;, " + text:                                    text,
		`text/plain;a="x, ` + plain + `, \" y", ` + xmlPlain:   xmlPlain,
		"application/problem+xml, " + xmlPlain:                 xmlPlain,
	} {
		w := ask(h, "GET", "/callbacks/crm-prod", "", "Accept: "+head)
		if w.Code != 200 || w.Header().Get("Content-Type") != want || w.Header().Get("Vary") != "Accept" {
			t.Errorf("Accept %q: %d %s, want %s; Vary %q", head, w.Code, w.Header().Get("Content-Type"), want, w.Header().Get("Vary"))
		}
	}
	for _, m := range answers {
		body := map[bool]string{false: `{"responseMessage":{}}`, true: deliveryXML + `<responseMessage/>` + deliveryEnd}[strings.HasSuffix(m.name, "xml")]
		for _, kind := range []string{m.name, m.name + "; charset=UTF-8", strings.ToUpper(m.name) + `;charset="us-ascii"`} {
			if w := ask(h, "POST", "/callbacks/crm-prod/responses", body, "Content-Type: "+kind); w.Code != 202 {
				t.Errorf("Content-Type %q: %d %s", kind, w.Code, w.Body)
			}
		}
	}
}

// TestErrorsFollowAccept has errors before and behind the choice of a form.
func TestErrorsFollowAccept(t *testing.T) {
	t.Parallel()
	_, h := newSpy()
	const asJSON, asXML = "application/problem+json", "application/problem+xml"
	for head, want := range map[string]string{
		"": asJSON, "*/*": asJSON, "application/json": asJSON, "application/xml": asXML, "text/xml": asXML, asXML: asXML,
		"application/vnd.whispir.api-callback-v1+xml": asXML, "application/xml;q=0.1, application/json;q=0.2": asJSON,
		"application/json;q=0.1, application/problem+xml": asXML, "text/html": asJSON, "application/xml;q=0": asJSON,
	} {
		for _, target := range []string{"/callbacks/nobody", "/nothing"} {
			if w := ask(h, "GET", target, "", "Accept: "+head); w.Code < 400 || w.Code >= 500 || w.Header().Get("Content-Type") != want {
				t.Errorf("%s, Accept %q: %d %s, want %s", target, head, w.Code, w.Header().Get("Content-Type"), want)
			}
		}
	}
}

// TestVendorTypesOnEveryVerb is what clients of the public API send: the type of
// the resource in both headers, with a body or without.
func TestVendorTypesOnEveryVerb(t *testing.T) {
	t.Parallel()
	f, _ := newBadTarget(t)
	addr := serve(t, New(Options{Service: f}), "tcp", "127.0.0.1:0")
	for _, c := range []struct {
		verb, body string
		status     int
	}{
		{"GET /callbacks", "", 200},
		{"GET /callbacks/crm-prod/calls", "", 200},
		{"PUT /callbacks/crm-prod", callbackXML + callbackEnd, 204},
		{"PUT /callbacks/crm-prod/calls?id=0328BA3200000001", sampleResolve, 204},
		{"PUT /callbacks/crm-prod/calls/0328BA3200000001", strings.Replace(sampleResolve, "SUCCESS", "failed", 1), 204},
		{"POST /callbacks/crm-prod/calls/0328BA3200000001/retry", "", 202},
		{"POST /callbacks/crm-prod/suspend", "", 204},
		{"DELETE /callbacks/crm-prod", "", 204},
	} {
		for _, media := range []string{"application/vnd.whispir.api-callback-v1+xml", "application/vnd.whispir.api-call-v1+xml"} {
			if c.verb[:4] == "DELE" && strings.Contains(media, "callback") || strings.HasSuffix(c.verb, "retry") && strings.Contains(media, "callback") {
				continue // it can be done once
			}
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			length := "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" // some clients send so when there is nothing
			if c.body != "" {
				length = "Content-Length: " + strconv.Itoa(len(c.body)) + "\r\n\r\n" + c.body
			}
			go io.WriteString(conn, c.verb+" HTTP/1.1\r\nHost: localhost\r\nAccept: "+media+"\r\nContent-Type: "+media+"\r\n"+length)
			res, body := answer(t, conn)
			conn.Close() // a test
			want := media
			if c.status == http.StatusNoContent {
				want = ""
			}
			if kind, said := res.Header["Content-Type"]; res.StatusCode != c.status || said != (want != "") || said && kind[0] != want {
				t.Errorf("%s with %s: %d %v %s", c.verb, media, res.StatusCode, kind, body)
			}
		}
	}
}
