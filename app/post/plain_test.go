package post

import (
	"strings"
	"testing"
)

// TestPlain has every byte stand at every place of texts of several lengths.
func TestPlain(t *testing.T) {
	t.Parallel()
	for c := range 256 {
		asIs := c >= ' ' && c < 0x80 && c != '"' && c != '\\'
		for size := 1; size <= 25; size++ {
			for at := range size {
				for _, fill := range []string{" ", "~", "!", "#", "[", "]", "a"} {
					s := []byte(strings.Repeat(fill, size))
					s[at] = byte(c)
					want := at
					if asIs {
						want = size
					}
					if got := plain(string(s)); got != want {
						t.Fatalf("%q: got %d, want %d", s, got, want)
					}
				}
			}
		}
	}
	if got := plain(""); got != 0 {
		t.Errorf("of nothing: got %d", got)
	}
}
