package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// printShape prints what is our own as JSON.
func (c *console) printShape(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.printJSON(b)
}

// printJSON prints a JSON document, indented, with every character escaped that
// could steer a terminal.
func (c *console) printJSON(b []byte) error {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	out.WriteByte('\n')
	_, err := c.out.Write(safeJSON(out.Bytes()))
	return err
}

// safeJSON escapes what JSON allows inside strings in clear and a terminal, or a
// reader's eye, may take for something else: DEL, the C1 controls, line and
// paragraph separators, and what turns the direction of text. The document means
// the same as before.
func safeJSON(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			out = append(out, `\ufffd`...)
		case r >= 0x7f && r <= 0x9f, r == '\u2028', r == '\u2029', unicode.Is(unicode.Bidi_Control, r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, b[:n]...)
		}
		b = b[n:]
	}
	return out
}

// table is rows of cells that stand in columns. The first row is the heading.
type table struct{ rows [][]string }

// maxCell bounds a cell, in bytes.
const maxCell = 120

// add adds a row of what may have come from outside.
func (t *table) add(cells ...string) {
	for i, s := range cells {
		cells[i] = text(s, maxCell)
	}
	t.rows = append(t.rows, cells)
}

// print writes the rows, columns two blanks apart as a terminal measures them.
func (t *table) print(w io.Writer) error {
	var widths []int
	for _, row := range t.rows {
		for i, s := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(s))
		}
	}
	var b strings.Builder
	for _, row := range t.rows {
		var line strings.Builder
		for i, s := range row {
			line.WriteString(s)
			line.WriteString(strings.Repeat(" ", widths[i]-width(s)+2))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// width returns how many columns a terminal gives s: none to marks that stand on
// the letter before them, two to ideographs, kana, hangul and emoji.
func width(s string) (n int) {
	for _, r := range s {
		switch {
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case r >= 0x1100 && unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana),
			r >= 0x3000 && r <= 0x303e, r >= 0xff01 && r <= 0xff60, r >= 0x1f300 && r <= 0x1faff:
			n += 2
		default:
			n++
		}
	}
	return n
}

// card is a list of facts, each on a line with its name.
type card struct{ table }

// add adds a fact; one that is empty is left out.
func (k *card) add(name, value string) {
	if value != "" {
		k.rows = append(k.rows, []string{name, text(value, maxMessage)})
	}
}

// when spells a time for a person; "" for none.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// dash stands for nothing in a column.
func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func count[T int | uint64 | uint32](n T) string { return strconv.FormatUint(uint64(n), 10) }

// plural returns n with its noun.
func plural[T int | uint64](n T, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
