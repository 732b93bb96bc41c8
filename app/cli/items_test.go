package cli

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestItems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxItem)
	for _, c := range []struct {
		name, in string
		want     []string // "line raw", or "line !error"
	}{
		{"empty", "", nil},
		{"blank", " \n\t\r\n", nil},
		{"one object", `{"a":1}`, []string{`1 {"a":1}`}},
		{"one object behind a mark", "\ufeff{\"a\":1}\n", []string{`1 {"a":1}`}},
		{"one object over lines", "\n{\n\"a\":\n1}\n", []string{"2 {\n\"a\":\n1}"}},
		{"objects over lines", "{\n\"a\":1}\n\n{\n\"b\":2}", []string{"1 {\n\"a\":1}", "4 {\n\"b\":2}"}},
		{"array", "[\n{\"a\":1},\n\n{\"b\":2}]\n", []string{`2 {"a":1}`, `4 {"b":2}`}},
		{"array on one line", `[{"a":1},2,"x"]`, []string{`1 {"a":1}`, `1 2`, `1 "x"`}},
		{"empty array", " [ ] ", nil},
		{"cut array", "[{\"a\":1},\n", []string{`1 {"a":1}`, `1 !is not JSON: it ends too early`}},
		{"array and more", "[1]\n2", []string{"1 1", "2 !stands behind the end of the array"}},
		{"lines", "{\"a\":1}\r\n\n {\"b\":2} \n", []string{`1 {"a":1}`, `3 {"b":2}`}},
		{"a bad line", "{\"a\":1}\n{\"b\":\n{\"c\":3}", []string{`1 {"a":1}`, `2 !is not JSON: it ends too early`, `3 {"c":3}`}},
		{"two on a line", "{\"a\":1}\n{\"b\":2} {\"c\":3}\n", []string{`1 {"a":1}`, `2 !is not JSON: invalid character '{' after top-level value`}},
		{"a cut object", "{\"a\":", []string{`1 !is not JSON: it ends too early`}},
		{"no JSON", "hello\n", []string{`1 !is not JSON: invalid character 'h' looking for beginning of value`}},
		{"a line too long", "{}\n" + long + "x\n{}\n", []string{"1 {}", "2 !is longer than 8388608 bytes", "3 {}"}},
		{"a last line too long", "{}\n" + long + "x", []string{"1 {}", "2 !is longer than 8388608 bytes"}},
		{"escape sequences", "\x1b[31m\n", []string{`1 !is not JSON: invalid character '\x1b' looking for beginning of value`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for it := range items(strings.NewReader(c.in)) {
				if it.err != nil {
					got = append(got, fmt.Sprintf("%d !%v", it.line, it.err))
				} else {
					got = append(got, fmt.Sprintf("%d %s", it.line, it.raw))
				}
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Fatalf("items (-want +got):\n%s", d)
			}
		})
	}
}

func TestItemsStopAtAReadError(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for _, in := range []string{"", "{}\n", "[{}", "{\n"} {
		var last error
		n := 0
		for it := range items(&failing{strings.NewReader(in), broken}) {
			last = it.err
			if n++; n > 10 {
				t.Fatalf("%q: it does not end", in)
			}
		}
		if last == nil {
			t.Fatalf("%q: the error of reading was not told", in)
		}
	}
}

func TestItemsEndWhenNoMoreAreWanted(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"{}\n{}\n{}\n", "[{},{},{}]"} {
		n := 0
		for range items(strings.NewReader(in)) {
			n++
			break
		}
		if n != 1 {
			t.Fatalf("%q: got %d items after the first", in, n-1)
		}
	}
}

// failing reads what it has and then fails.
type failing struct {
	r   *strings.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.r.Len() == 0 {
		return iotest.ErrReader(f.err).Read(p)
	}
	return f.r.Read(p)
}

func FuzzItems(f *testing.F) {
	for _, s := range []string{"", "{}", "[1,2]", "{\n}", "{}\n{", "[{}\n,", "\ufeff[]", "[[", "\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		last, lines := 0, strings.Count(string(in), "\n")+1
		for it := range items(strings.NewReader(string(in))) {
			if it.line < last || it.line > lines {
				t.Fatalf("line %d after %d, of %d", it.line, last, lines)
			}
			last = it.line
			if (it.raw == nil) == (it.err == nil) {
				t.Fatalf("an item with raw %q and error %v", it.raw, it.err)
			}
		}
	})
}
