package callback_test

import (
	"strings"
	"testing"

	"ringback/callback"
)

// TestPlain has every byte stand at every place of texts of several lengths.
func TestPlain(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		plain := c >= ' ' && c < 0x80 && c != '"' && c != '\\'
		for size := 1; size <= 25; size++ {
			for at := range size {
				for _, fill := range []string{" ", "~", "!", "#", "[", "]", "a"} {
					s := []byte(strings.Repeat(fill, size))
					s[at] = byte(c)
					want := at
					if plain {
						want = size
					}
					if got, gotText := callback.Plain(s), callback.Plain(string(s)); got != want || gotText != want {
						t.Fatalf("%q: got %d and %d, want %d", s, got, gotText, want)
					}
				}
			}
		}
	}
	if got := callback.Plain(""); got != 0 {
		t.Errorf("of nothing: got %d", got)
	}
}
