package tui

import "ringback/callback"

// maxText is how many bytes of one text reach the screen. The widest row is a
// few hundred cells; the rest would be measured only to be cut off.
const maxText = 512

// maxCluster is how many bytes one cell may hold: a family of four joined
// emoji takes 25; stacked combining marks could go on for ever.
const maxCluster = 64

// sanitize returns s fit to be printed: one line, at most maxText bytes,
// nothing that moves a cursor or turns the direction of writing. Plain ASCII,
// which is nearly all of a frame, is passed after one look at its bytes.
func sanitize(s string) string {
	if len(s) <= maxText && printable(s) {
		return s
	}
	return callback.Sanitize(s, maxText)
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}
