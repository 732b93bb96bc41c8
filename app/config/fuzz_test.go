package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// FuzzLoad holds every text to this: it is refused with faults that are each
// one visible line, or it gives a valid configuration that survives being
// written out and read again.
func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile(example)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data), "")
	for _, row := range badFiles {
		f.Add(row.text, "")
	}
	for _, row := range badVariables {
		f.Add("", row.env)
	}
	f.Fuzz(func(t *testing.T, text, env string) {
		cfg, _, err := build("fuzz.toml", []byte(text), []string{env})
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || len(e.Faults) == 0 {
				t.Fatalf("error %T %v", err, err)
			}
			for _, f := range e.Faults {
				if line := f.String(); line != visible(line) || f.Problem == "" || f.Want == "" {
					t.Fatalf("a fault reads %q", line)
				}
				if f.File != "" && f.Line > strings.Count(text, "\n")+1 {
					t.Fatalf("a fault is beyond the file: %v", f)
				}
			}
			return
		}
		if err := cfg.Validate(); err != nil {
			t.Fatalf("passes, and is not valid: %v", err)
		}
		again, _, err := build("again.toml", []byte(marshal(t, cfg)), nil)
		if err != nil {
			t.Fatalf("written out: %v", err)
		}
		if d := diff(cfg, again); d != "" {
			t.Fatalf("written out (-first +second):\n%s", d)
		}
	})
}
