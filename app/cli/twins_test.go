package cli

import (
	"os"
	"strings"
	"testing"

	"ringback/tui"
)

// TestTwinsAreCommands runs the command lines that the palette of the screen
// names far enough to see that they are understood.
func TestTwinsAreCommands(t *testing.T) {
	t.Parallel()
	if len(tui.Twins()) < 15 {
		t.Fatalf("the palette names %q", tui.Twins())
	}
	for _, line := range tui.Twins() {
		words := strings.Fields(line)
		if words[0] != "ringback" {
			continue // a request
		}
		c := console{out: os.Stdout}
		root := c.root()
		cmd, rest, err := root.Find(words[1:])
		if err != nil || cmd == root {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := cmd.ParseFlags(rest); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
