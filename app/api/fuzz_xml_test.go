package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzXML has documents that no request wants, and some that one does: what is
// read is written and read as the same, and no document is an error of ours.
func FuzzXML(f *testing.F) {
	for _, c := range append(badXML(), badFieldsXML()...) {
		if len(c.body) < 4096 {
			f.Add(c.body)
		}
	}
	for _, name := range []string{"callback", "delivery", "resolve"} {
		f.Add(sample(f, name))
	}
	f.Add(callbackXML + "<a>\r\n&#13;&#9;<![CDATA[<&]]></a><b><c/><c>1</c></b><bs><b>1</b><b/></bs>" + callbackEnd)
	f.Fuzz(func(t *testing.T, doc string) {
		if n, err := parseXML([]byte(doc), room{left: 1000}); err == nil && plainTree(&n) {
			var w xmlWriter
			root := n.name
			n.name = ""
			w.root("ns2:"+root[strings.Index(root, "}")+1:], `xmlns:ns2="`+spaceAPI+`"`, &n)
			again, err := parseXML(w.Bytes(), room{left: 1000})
			again.name = ""
			if diff := cmp.Diff(n, again, cmp.AllowUnexported(node{})); err != nil || diff != "" {
				t.Fatalf("%q was written as %q, %v (-want +got):\n%s", doc, w.Bytes(), err, diff)
			}
		}
		h := New(Options{Service: newFixed()})
		for _, to := range []string{"POST /callbacks", "PUT /callbacks/crm-prod", "POST /callbacks/crm-prod/responses", "POST /responses"} {
			method, target, _ := strings.Cut(to, " ")
			w := askAlone(h, method, target, doc, asXML, wantXML)
			if w.Code >= 500 || w.Code < 200 {
				t.Fatalf("%s %q: %d %s", to, doc, w.Code, w.Body)
			}
			wellFormed(t, w.Body.String())
		}
	})
}

// plainTree reports whether a tree read from XML is one that encodeXML makes: it
// leaves out what is nil, writes links as no other list, and data under names
// that are fit for fields only.
func plainTree(n *node) bool {
	if n.kind == null || n.kind == list && n.name == "link" || n.kind == object && (xmlMaps[n.name] || !n.namesFields()) {
		return false
	}
	for i := range n.kids {
		if !plainTree(&n.kids[i]) {
			return false
		}
	}
	return true
}

// FuzzJSON holds the reader of JSON against the standard library's, and writes
// what it read as XML, whatever the names are.
func FuzzJSON(f *testing.F) {
	for _, c := range badSyntax()[:200] {
		if len(c.body) < 4096 {
			f.Add(c.body)
		}
	}
	f.Add(`{"a b":[1,null,{"":[]}],"link":[{"uri":"\u0000"}],"headers":{"<":"\ud83d\ude00"},"as":{"a":[[],[true]]}}`)
	f.Fuzz(func(t *testing.T, body string) {
		n, err := parseJSON([]byte(body), room{left: 1000})
		if err != nil {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatalf("%q is read, and is no JSON", body)
		}
		if again, err := treeOf([]byte(body)); err != nil || !cmp.Equal(n, again, cmp.AllowUnexported(node{})) {
			t.Fatalf("%q reads as %+v, and in an answer as %+v, %v", body, n, again, err)
		}
		var w xmlWriter
		w.root("ns2:result", `xmlns:ns2="`+spaceDAP+`"`, &n)
		if _, err := parseXML(w.Bytes(), room{left: 100000}); err != nil && !strings.Contains(err.Error(), errDeep.Error()) {
			t.Fatalf("%q is written as %q, which is refused: %v", body, w.Bytes(), err)
		}
	})
}
