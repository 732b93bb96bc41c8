package api

import "strings"

// around is what stands around the items of an answer to an array, and how each
// is written. It stands beside encode so that a long answer is never whole in
// memory.
type around struct {
	head, between, tail string
	item                func(b []byte, s *enqueuedShape) ([]byte, error) // adds to b
}

// aroundJSON is around for an array, or for the problem that it has.
func aroundJSON(p *problem) (around, error) {
	if p == nil {
		return around{"[", ",", "]", appendItem}, nil
	}
	head, err := encodeJSON(p)
	if err != nil {
		return around{}, err
	}
	return around{string(head[:len(head)-1]) + `,"items":[`, ",", "]}", appendItem}, nil
}

// aroundXML writes what encodeXML writes, an item at a time.
func aroundXML(p *problem) (around, error) {
	if p == nil {
		root := "ns2:" + answerRoot([]enqueuedShape{})
		head := xmlHead + "<" + root + ` xmlns:ns2="` + spaceDAP + `">`
		return around{head, "", "</" + root + ">\n", itemXML("response", "")}, nil
	}
	body, err := encodeXML(*p)
	if err != nil {
		return around{}, err
	}
	const end = "</problem>\n"
	return around{strings.TrimSuffix(string(body), end) + "<items>", "", "</items>" + end, itemXML(problemItem, problemItem)}, nil
}

// itemXML returns what writes an item as an element of that name; items is the
// name of those in lists within it, "" for each its own.
func itemXML(name, items string) func([]byte, *enqueuedShape) ([]byte, error) {
	return func(b []byte, s *enqueuedShape) ([]byte, error) {
		body, err := encodeJSON(s)
		if err != nil {
			return b, err
		}
		n, err := treeOf(body)
		if err != nil {
			return b, err
		}
		w := xmlWriter{item: items}
		w.element(name, &n)
		return append(b, w.Bytes()...), nil
	}
}
