package api

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryFaultOfACallbackIsNamed sends callbacks with fields that cannot be
// read and others that can and are wrong: all are named in one answer, each
// once, the same in both forms.
func TestEveryFaultOfACallbackIsNamed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, json, xml string
		post, put       []string
	}{
		{
			"shapes and values",
			`{"removeHTML":"yes","name":"a/b","nmae":"x","url":"ftp://a","auth":{"key":"k","type":"magic"},"email":"nobody","maxInFlight":1.5,"connectTimeout":"1h"}`,
			`<removeHTML>yes</removeHTML><name>a/b</name><nmae>x</nmae><url>ftp://a</url><auth><key>k</key><type>magic</type></auth>` +
				`<email>nobody</email><maxInFlight>1.5</maxInFlight><connectTimeout>1h</connectTimeout>`,
			[]string{"auth.type", "connectTimeout", "email", "maxInFlight", "name", "nmae", "removeHTML", "url"},
			[]string{"auth.type", "connectTimeout", "email", "maxInFlight", "name", "nmae", "removeHTML", "url"},
		},
		{
			"what is missing is missed where nothing is stored",
			`{"retriesEnabled":"perhaps","url":{}}`, `<retriesEnabled>perhaps</retriesEnabled><url><a/></url>`,
			[]string{"name", "retriesEnabled", "url"},
			[]string{"retriesEnabled", "url"},
		},
		{
			"masks beside values",
			`{"name":"crm","url":"http://a/","auth":{"type":"httpheader","key":"******#000000"},"signingSecret":"x","headers":{"X-Token":"******#hidden","Host":"b"},"alerts":"loud"}`,
			`<name>crm</name><url>http://a/</url><auth><type>httpheader</type><key>******#000000</key></auth><signingSecret>x</signingSecret>` +
				`<headers><entry><key>X-Token</key><value>******#hidden</value></entry><entry><key>Host</key><value>b</value></entry></headers><alerts>loud</alerts>`,
			[]string{"alerts", "auth.key", "headers.Host", "headers.X-Token", "signingSecret"},
			[]string{"alerts", "auth.key", "headers.Host", "headers.X-Token", "signingSecret"},
		},
	} {
		f, state := newBadTarget(t)
		h, before := New(Options{Service: f}), state()
		xml := `<n:companyapicallback xmlns:n="http://schemas.api.whispir.com">` + c.xml + `</n:companyapicallback>`
		for target, want := range map[string][]string{"POST /callbacks": c.post, "PUT /callbacks/crm-prod": c.put} {
			for media, body := range map[string]string{"application/json": c.json, "application/xml": xml} {
				method, path, _ := strings.Cut(target, " ")
				w := ask(h, method, path, body, "Content-Type: "+media)
				p, err := readProblem(w.Header().Get("Content-Type"), w.Body.Bytes())
				var got []string
				for _, e := range p.Errors {
					got = append(got, e.Field)
				}
				if err != nil || w.Code != 422 || !slices.Equal(got, want) {
					t.Errorf("%s, %s in %s: %d, %v, %q\nwant %q", c.name, target, media, w.Code, err, got, want)
				}
			}
		}
		if now := state(); now != before {
			t.Errorf("%s: changed\n%s\nto\n%s", c.name, before, now)
		}
	}
	if w := ask(New(Options{Service: newFake(t)}), "PUT", "/callbacks/nobody", `{"removeHTML":"yes"}`); w.Code != 404 {
		t.Errorf("a callback that is not there: %d %s", w.Code, w.Body)
	}
}
