package api

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"strings"
)

// encodeXML writes a shape. It goes by way of the tree that the shape's JSON
// has, so that both forms hold the same, and a new field is in both.
func encodeXML(shape any) ([]byte, error) {
	body, err := encodeJSON(shape)
	if err != nil {
		return nil, err
	}
	n, err := treeOf(body)
	if err != nil {
		return nil, err
	}
	var w xmlWriter
	w.WriteString(xmlHead)
	switch shape.(type) {
	case callbackShape:
		w.root("ns2:companyapicallback", `xmlns:ns2="`+spaceAPI+`"`, &n)
	case problem:
		w.item = problemItem
		w.root("problem", `xmlns="urn:ietf:rfc:7807"`, &n)
	case interface{ isPage() }:
		w.list(&n)
	default:
		w.root("ns2:"+answerRoot(shape), `xmlns:ns2="`+spaceDAP+`"`, &n)
	}
	return w.Bytes(), nil
}

const (
	xmlHead     = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	problemItem = "i" // RFC 9457, appendix B
)

type xmlWriter struct {
	bytes.Buffer
	item      string // the name of all items; "": each list has its own
	linkAttrs bool   // links are elements with attributes
}

func (w *xmlWriter) root(name, spaces string, n *node) {
	w.WriteString("<" + name + " " + spaces + ">")
	w.content(strings.TrimPrefix(name, "ns2:"), n)
	w.WriteString("</" + name + ">\n")
}

// list writes a page of a list the way the public API has it: calls stand in the
// root, others in an element of their own; a callback's links are attributes.
func (w *xmlWriter) list(n *node) {
	w.WriteString(`<ns2:return xmlns:ns2="` + spaceDAP + `" xmlns:ns3="` + spaceAPI + `">`)
	for i := range n.kids {
		kid := &n.kids[i]
		switch {
		case kid.name == "link":
			w.items("ns2:link", kid)
		case kid.name == "calls":
			w.items("ns2:call", kid)
		case kid.kind == list:
			w.linkAttrs = kid.name == "callbacks"
			w.WriteString("<ns2:" + kid.name + ">")
			w.items("ns2:"+itemName(kid.name), kid)
			w.WriteString("</ns2:" + kid.name + ">")
			w.linkAttrs = false
		default:
			w.element(kid.name, kid)
		}
	}
	w.WriteString("</ns2:return>\n")
}

// element writes n as an element; links as one for each.
func (w *xmlWriter) element(name string, n *node) {
	switch {
	case n.kind == null:
	case n.kind == list && name == "link" && w.linkAttrs:
		for i := range n.kids {
			w.linkElement(&n.kids[i])
		}
	case n.kind == list && name == "link":
		w.items(name, n)
	default:
		w.WriteString("<" + name + ">")
		w.content(strings.TrimPrefix(name, "ns2:"), n)
		w.WriteString("</" + name + ">")
	}
}

// items writes an element of that name for each item of a list.
func (w *xmlWriter) items(name string, n *node) {
	for i := range n.kids {
		w.element(name, &n.kids[i])
	}
}

// content writes what stands in the element of that name.
func (w *xmlWriter) content(name string, n *node) {
	switch {
	case n.kind == object && (xmlMaps[name] || !n.namesFields()):
		for i := range n.kids {
			w.entry(&n.kids[i])
		}
	case n.kind == object:
		for i := range n.kids {
			w.element(n.kids[i].name, &n.kids[i])
		}
	case n.kind == list:
		w.items(cmp.Or(w.item, itemName(name)), n)
	default:
		w.text(n.value)
	}
}

// entry writes a member of a map.
func (w *xmlWriter) entry(n *node) {
	w.WriteString("<" + entryName + "><key>")
	w.text(n.name)
	w.WriteString("</key>")
	w.element("value", n)
	w.WriteString("</" + entryName + ">")
}

func (w *xmlWriter) linkElement(n *node) {
	w.WriteString("<ns2:link")
	for i := range n.kids {
		w.WriteString(" " + n.kids[i].name + `="`)
		w.text(n.kids[i].value)
		w.WriteByte('"')
	}
	w.WriteString("/>")
}

// text writes character data, fit for an attribute as well. What XML cannot hold
// becomes U+FFFD.
func (w *xmlWriter) text(s string) {
	_ = xml.EscapeText(w, []byte(s)) // a buffer takes all
}

// namesFields reports whether all members of an object have names that elements
// can have.
func (n *node) namesFields() bool {
	for i := range n.kids {
		for at, c := range []byte(n.kids[i].name) {
			letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
			if !letter && (at == 0 || !(c >= '0' && c <= '9' || c == '-' || c == '.')) {
				return false
			}
		}
		if n.kids[i].name == "" {
			return false
		}
	}
	return true
}
