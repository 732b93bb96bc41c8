package app

import (
	"testing"

	"ringback/callback"
)

func TestTrialsAreFew(t *testing.T) {
	t.Parallel()
	var run trials
	for num := callback.Num(1); num <= maxTrials; num++ {
		if err := run.begin(num); err != nil {
			t.Fatalf("test %d: %v", num, err)
		}
	}
	for num, want := range map[callback.Num]callback.Code{1: callback.CodeConflict, maxTrials + 1: callback.CodeUnavailable} {
		if err := run.begin(num); callback.ErrorCode(err) != want {
			t.Errorf("test of callback %d beside %d others: %v, want %s", num, maxTrials, err, want)
		}
	}
	var drafts trials
	for _, want := range []callback.Code{"", callback.CodeConflict} {
		if err := drafts.begin(0); callback.ErrorCode(err) != want {
			t.Errorf("test of the draft of a new one: %v, want %q", err, want)
		}
	}
	run.end(2)
	if err := run.begin(maxTrials + 1); err != nil {
		t.Errorf("after one ended: %v", err)
	}
}
