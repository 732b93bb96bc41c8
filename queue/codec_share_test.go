package queue

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// The texts of a short payload share their memory, those of a long one do not:
// either way they are what was stored, also after the payload's own bytes changed.
func TestPayloadOfAnyLength(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 1000, maxText - 200, maxText - 1, maxText, maxText + 1, 3 * maxText} {
		want := callback.Response{
			MessageID: "A", From: callback.From{Name: "Fred", Voice: "\xff"},
			Message: callback.Message{Channel: "SMS", Content: strings.Repeat("ä", size/2)},
			Params:  []callback.Param{{Key: "k", Value: "v"}, {Key: "", Value: strings.Repeat("x", size%7)}},
		}
		b := encodePayload(&want, 7, queuetest.Start)
		got, num, _, err := decodePayload(b)
		clear(b)
		if diff := cmp.Diff(want, got); diff != "" || num != 7 || err != nil {
			t.Errorf("%d bytes: callback %d, %v (-want +got):\n%s", size, num, err, diff)
		}
	}
}
