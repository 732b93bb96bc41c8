package cli

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"ringback/callback"
)

// TestEach does a thing to several arguments: what is wrong with one keeps
// nothing from the others, what is wrong with all ends it and names the rest.
func TestEach(t *testing.T) {
	t.Parallel()
	faults := map[string]error{
		"none":    callback.Errorf(callback.CodeNotFound, "there is none"),
		"busy":    callback.Errorf(callback.CodeConflict, "it runs"),
		"wrong":   &callback.Error{Code: callback.CodeInvalid, Message: "it is not valid", Fields: []callback.FieldError{{Field: "name", Message: "is wrong"}}},
		"vague":   &callback.Error{Code: callback.CodeInvalid, Message: "it was refused"}, // as any answer of the API
		"foreign": callback.Errorf(callback.CodeForbidden, "you may not"),
		"full":    callback.Errorf(callback.CodeUnavailable, "the disk is full"),
		"lost":    errors.New("connection refused"),
	}
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"a b", exitDone, "done a|done b|", ""},
		{"none", exitFailed, "", "ringback: there is none|"},
		{"vague", exitFailed, "", "ringback: it was refused|"},
		{"wrong", exitUsage, "", "ringback: it is not valid|  name: is wrong|'ringback --help' tells more|"},
		{"a none b busy wrong c", exitFailed, "done a|done b|done c|", "ringback: none: there is none|ringback: busy: it runs|ringback: wrong: it is not valid|  name: is wrong|"},
		{"a lost b c", exitFailed, "done a|", "ringback: connection refused; not done either: b c|"},
		{"none full b", exitFailed, "", "ringback: none: there is none|ringback: the disk is full; not done either: b|"},
		{"foreign b", exitFailed, "", "ringback: you may not; not done either: b|"},
	} {
		var out, told bytes.Buffer
		con := &console{out: &out, err: &told, ran: true}
		err := each(con, strings.Fields(c.args), "done", func(arg string) error { return faults[arg] })
		code := con.ended(con.root(), err)
		said, faulted := strings.ReplaceAll(out.String(), "\n", "|"), strings.ReplaceAll(told.String(), "\n", "|")
		if code != c.code || said != c.out || faulted != c.err {
			t.Errorf("%s: code %d, %q, %q\nwant %d, %q, %q", c.args, code, said, faulted, c.code, c.out, c.err)
		}
	}
}
