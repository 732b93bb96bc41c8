package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"ringback/callback"
)

func TestSafeJSON(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"plain ä 陳 😀"`:                `"plain ä 陳 😀"`,
		"\"\u009b2J\x7f\u2028\u202e\"": `"\u009b2J\u007f\u2028\u202e"`,
		"\"a\xffb\"":                   `"a\ufffdb"`,
	} {
		got := safeJSON([]byte(in))
		if string(got) != want {
			t.Errorf("safeJSON(%q) = %q, want %q", in, got, want)
		}
		if text(string(got), len(got)) != string(got) {
			t.Errorf("safeJSON(%q) = %q can steer a terminal", in, got)
		}
	}
	var before, after string
	doc := []byte("\"\u009b\u2067x\"")
	if err := errors.Join(json.Unmarshal(doc, &before), json.Unmarshal(safeJSON(doc), &after)); err != nil || before != after {
		t.Errorf("got %q (%v), want %q: the document changed", after, err, before)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var rows table
	rows.add("NAME", "STATE", "URL")
	rows.add("crm", "healthy", "http://a/")
	rows.add("陳大文", "down\x1b[31m", "")
	rows.add("Zoe\u0308", "x", "y")
	var b bytes.Buffer
	if err := rows.print(&b); err != nil {
		t.Fatal(err)
	}
	want := "NAME    STATE     URL\n" +
		"crm     healthy   http://a/\n" +
		"陳大文  down[31m\n" +
		"Zoe\u0308     x         y\n"
	if got := b.String(); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	err := &callback.Error{Message: "it is not\x1b valid", Fields: []callback.FieldError{{Field: "name", Message: "is bad\nreally"}, {Field: "url", Message: "is worse"}}}
	if got, want := explain(err), "it is not valid\n  name: is bad really\n  url: is worse"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := explain(errors.New("a\x1b]0;b\x07")), "a]0;b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := explain(errors.New(strings.Repeat("x", 2*maxMessage))); len(got) > maxMessage {
		t.Errorf("got %d bytes, want at most %d", len(got), maxMessage)
	}
}

// A callback's own authorities are told, and nothing of what is not set.
func TestPrintCallback(t *testing.T) {
	t.Parallel()
	for ca, want := range map[string]bool{"": false, "-----BEGIN CERTIFICATE-----": true} {
		var out bytes.Buffer
		h := &callback.Health{Callback: callback.Callback{Name: "crm", CA: ca}}
		if err := (&console{out: &out}).printCallback(h); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "authorities of its own"); got != want {
			t.Errorf("CA %q: told %v, want %v", ca, got, want)
		}
		for _, unset := range []string{"rate", "max in flight", "timeout", "BEGIN"} {
			if strings.Contains(out.String(), unset) {
				t.Errorf("it tells of %s:\n%s", unset, out.String())
			}
		}
	}
}
