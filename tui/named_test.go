package tui

import "testing"

// What others called their operations makes them no relatives.
func TestFamily(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"0EB2C0F94DF742D7-2":  "0EB2C0F94DF742D7",
		"0EB2C0F94DF742D7-12": "0EB2C0F94DF742D7",
		"0EB2C0F94DF742D7":    "0EB2C0F94DF742D7",
		"0EB2C0F94DF742D7-":   "0EB2C0F94DF742D7-",
		"0EB2C0F94DF742D7-a":  "0EB2C0F94DF742D7-a",
		"resolve-2026":        "resolve-2026",
		"":                    "",
	} {
		if got := family(id); got != want {
			t.Errorf("the family of %q is %q, want %q", id, got, want)
		}
	}
}
