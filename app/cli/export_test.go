package cli

import (
	"bytes"
	"testing"
)

// However the bytes come, no character is cut and none steers a terminal.
func TestSafeWriter(t *testing.T) {
	t.Parallel()
	const in, want = "{\"a\":\"é👍\u202e\u009b\"}\n\xe2\x82", "{\"a\":\"é👍\\u202e\\u009b\"}\n\\ufffd\\ufffd"
	for size := 1; size <= len(in); size++ {
		var out bytes.Buffer
		w := &safeWriter{out: &out, json: true}
		for b := []byte(in); len(b) > 0; b = b[min(size, len(b)):] {
			part := b[:min(size, len(b))]
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Fatalf("wrote %d of %d, %v", n, len(part), err)
			}
		}
		if err := w.flush(); err != nil || out.String() != want {
			t.Errorf("in parts of %d: %q, %v, want %q", size, &out, err, want)
		}
	}
}
