package callback_test

import (
	"testing"

	"ringback/callback"
)

func TestStates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		text, want string
		listed     callback.CallStatus
	}{
		{"gaveUp", "gaveUp", callback.ListFailed},
		{"RESOLVED, held,resolved", "held,resolved", callback.ListSuccess | callback.ListFailed | callback.ListPending},
		{"scheduled", "scheduled", callback.ListPending},
		{text: ""},
		{text: "held,"},
		{text: "held;resolved"},
		{text: "lost"},
	} {
		got, ok := callback.ParseStates(tc.text)
		if string(got) != tc.want || ok != (tc.want != "") || got.Listed() != tc.listed {
			t.Errorf("%q is %q (%v), in %b; want %q in %b", tc.text, got, ok, got.Listed(), tc.want, tc.listed)
		}
	}
	some := callback.AnyState(callback.StateResolved, callback.StateHeld)
	for _, s := range callback.CallStates {
		if got := some.Has(s); got != (s == callback.StateHeld || s == callback.StateResolved) {
			t.Errorf("%s has %s: %v", some, s, got)
		}
	}
	if some.Has("") || callback.CallState("").Has(callback.StateHeld) {
		t.Error("no state is among some, or some are in none")
	}
	for state, ok := range map[callback.CallState]bool{"gaveUp,resolved": true, "held": true, "held,lost": false, "held,": false} {
		o := callback.Operation{ID: "x", Kind: callback.OperationResolve, Filter: callback.Filter{State: state}}
		if err := o.Validate(); (err == nil) != ok {
			t.Errorf("an operation on %q: %v", state, err)
		}
	}
}
