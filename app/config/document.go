package config

import (
	"bytes"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// document reads one TOML file into a Config. The library's decoder stops at
// the first wrong type and does not say where a good value stood; this walks
// the parsed expressions instead, goes on after each fault, and remembers the
// place of every key for the faults that validation finds later.
type document struct {
	*reading
	parser  unstable.Parser
	starts  []int          // offset of each line's first byte
	base    int            // offset of the part that the parser holds
	section string         // the table being read
	skip    bool           // the table being read is not known
	tables  map[string]int // sections met, and their line
}

func readDocument(r *reading, data []byte) {
	d := &document{reading: r, tables: map[string]int{}}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	d.starts = []int{0}
	for n, c := range data {
		if c == '\n' {
			d.starts = append(d.starts, n+1)
		}
	}
	if n := invalid(data); n >= 0 {
		d.fault(d.locate(n), "", "the file is not UTF-8", "a text file in UTF-8")
		return
	}
	d.walk(data)
	if len(d.faults) > 0 {
		return
	}
	// What is left are rules about tables defined in two ways at once, which
	// only the whole document shows.
	var all map[string]any
	var broken *toml.DecodeError
	if err := toml.Unmarshal(data, &all); errors.As(err, &broken) {
		line, col := broken.Position()
		d.fault(place{line: line, col: col}, "", sentence(broken.Error()), "each section and key once")
	} else if err != nil {
		d.fault(place{}, "", sentence(err.Error()), "TOML")
	}
}

// walk reads expression by expression. After a line that is no TOML it goes on
// with the next one, if it can tell that the fault does not reach there.
func (d *document) walk(data []byte) {
	for {
		d.parser.Reset(data)
		for d.parser.NextExpression() {
			d.expression(d.parser.Expression())
		}
		var broken *unstable.ParserError
		if !errors.As(d.parser.Error(), &broken) {
			return
		}
		offset := int(d.parser.Range(broken.Highlight).Offset)
		start := bytes.LastIndexByte(data[:offset], '\n') + 1
		end := len(data)
		if n := bytes.IndexByte(data[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		line := string(data[start:end])
		first := complete(data[:start])
		d.syntax(d.locate(d.base+offset), line, first, broken.Message)
		if end == len(data) || !first || !single(line) {
			return
		}
		d.base += end
		data = data[end:]
	}
}

// syntax records a line that is no TOML. If an expression begins with it (first),
// a key that is known makes a better sentence than the parser's.
func (d *document) syntax(at place, line string, first bool, message string) {
	name, _, _ := strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if d.section != "" {
		name = d.section + "." + name
	}
	want := `a line such as interval = "5m", or a section such as [retry]`
	if k, ok := byName[name]; ok && first && !d.skip {
		d.bad[name] = true
		want = limits[k.name].want
	} else {
		name = ""
	}
	d.fault(at, name, "cannot be read: "+sentence(message), want)
}

// single tells whether a broken line can only be one "key = value" of its own.
func single(line string) bool {
	name, rest, ok := strings.Cut(line, "=")
	name, rest = strings.TrimSpace(name), strings.TrimSpace(rest)
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool { return r != '.' && !bare(r) }) {
		return false
	}
	return !strings.HasPrefix(rest, "[") && !strings.HasPrefix(rest, "{") &&
		!strings.Contains(rest, `"""`) && !strings.Contains(rest, "'''")
}

// complete tells whether data ends between two expressions.
func complete(data []byte) bool {
	var p unstable.Parser
	p.Reset(data)
	for p.NextExpression() {
	}
	return p.Error() == nil
}

func (d *document) expression(n *unstable.Node) {
	at := d.place(n.Key())
	name := path(n.Key())
	switch n.Kind {
	case unstable.Table:
		d.table(at, name)
	case unstable.ArrayTable:
		d.section, d.skip = name, true
		d.fault(at, name, "is a list of tables", "a section in single brackets")
	case unstable.KeyValue:
		if d.skip {
			return
		}
		if d.section != "" {
			name = d.section + "." + name
		}
		d.pair(at, name, n.Value())
	}
}

func (d *document) table(at place, name string) {
	d.section, d.skip = name, true
	if !isSection(name) {
		d.fault(at, name, "is not a section", known("section", nearest(name, sections)))
		return
	}
	d.skip = false
	d.open(at, name)
}

// open notes that a section begins, which it may do once.
func (d *document) open(at place, name string) {
	if first, ok := d.tables[name]; ok {
		d.fault(at, name, "is opened twice, first in line "+strconv.Itoa(first), "each section once")
		return
	}
	d.tables[name] = at.line
}

// pair gives a value to the key name; an inline table does so for a section.
func (d *document) pair(at place, name string, n *unstable.Node) {
	if isSection(name) {
		if n.Kind != unstable.InlineTable {
			d.fault(at, name, "is "+d.value(n, at).kind.String(), "a section, ["+name+"]")
			return
		}
		d.open(at, name)
		for it := n.Children(); it.Next(); {
			kv := it.Node()
			d.pair(d.place(kv.Key()), name+"."+path(kv.Key()), kv.Value())
		}
		return
	}
	k, ok := byName[name]
	if !ok {
		d.fault(at, name, "is not a key", known("key", nearestKey(name)))
		return
	}
	if first, ok := d.set[name]; ok {
		d.fault(at, name, "is set twice, first in line "+strconv.Itoa(first.line), "each key once")
		return
	}
	d.give(k, at, d.value(n, at))
}

// value copies a parsed value; the parser's own memory is reused.
func (d *document) value(n *unstable.Node, at place) value {
	v := value{text: string(n.Data), at: at}
	switch n.Kind {
	case unstable.String:
		v.kind = textual
	case unstable.Integer:
		v.kind = whole
	case unstable.Float:
		v.kind = fraction
	case unstable.Bool:
		v.kind = boolean
	case unstable.InlineTable:
		v.kind = table
	case unstable.Array:
		v.kind = list
		for it := n.Children(); it.Next(); {
			item := it.Node()
			where := at
			if item.Raw.Length > 0 {
				where = d.position(item.Raw)
			}
			v.items = append(v.items, d.value(item, where))
		}
	default:
		v.kind = date
	}
	return v
}

func (d *document) place(it unstable.Iterator) place {
	it.Next()
	return d.position(it.Node().Raw)
}

func (d *document) position(r unstable.Range) place {
	return d.locate(d.base + int(r.Offset))
}

// locate returns the place of a byte of the file.
func (d *document) locate(offset int) place {
	n, exact := slices.BinarySearch(d.starts, offset)
	if !exact {
		n--
	}
	return place{line: n + 1, col: offset - d.starts[n] + 1}
}

// fault records one fault of the file.
func (d *document) fault(at place, name, problem, want string) {
	d.faults = append(d.faults, Fault{
		File: d.file, Line: at.line, Col: at.col, Key: name, Problem: problem, Want: want,
	})
}

// path joins the parts of a key. A part that needs quotes keeps them, so that
// it is never taken for a dotted name.
func path(it unstable.Iterator) string {
	var parts []string
	for it.Next() {
		part := string(it.Node().Data)
		if part == "" || strings.ContainsFunc(part, func(r rune) bool { return !bare(r) }) {
			part = quote(part)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ".")
}

func bare(r rune) bool {
	return r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func isSection(name string) bool {
	return slices.Contains(sections, name)
}

// invalid returns the offset of the first byte that is not UTF-8, or -1.
func invalid(data []byte) int {
	for n := 0; n < len(data); {
		r, size := utf8.DecodeRune(data[n:])
		if r == utf8.RuneError && size == 1 {
			return n
		}
		n += size
	}
	return -1
}

// sentence cleans a message of the library for one line of ours.
func sentence(message string) string {
	return visible(strings.TrimPrefix(message, "toml: "))
}
