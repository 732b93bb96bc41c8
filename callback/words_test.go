package callback

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second:                                  "0.0s",
		99 * time.Millisecond:                         "0.0s",
		990 * time.Millisecond:                        "0.9s",
		59*time.Second + 999999999:                    "59s",
		14*time.Minute + 8*time.Second:                "14m08s",
		14*time.Minute + 8*time.Second - 1:            "14m07s",
		4*time.Hour + 51*time.Minute + 59*time.Second: "4h51m",
		51 * time.Hour:                                "2d03h",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	t.Parallel()
	for n, want := range map[uint64]string{
		0: "0 calls", 1: "1 call", 2: "2 calls", 999: "999 calls", 1000: "1,000 calls", 1204000: "1,204,000 calls",
		1<<64 - 1: "18,446,744,073,709,551,615 calls",
	} {
		if got := Plural(n, "call"); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
