package app_test

import (
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// What was for a callback that is deleted can be read by its id, which links
// lead to, and not by its name, which is free.
func TestCallsOfADeletedCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, nil)
		ctx, name, url := t.Context(), "gone", "http://127.0.0.1:9/"
		old, err := a.Create(ctx, callback.Draft{Name: &name, URL: &url})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Suspend(ctx, name, "ann"); err != nil {
			t.Fatal(err)
		}
		done, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: name, Response: callback.Response{MessageID: "held"}}})
		if err != nil || done[0].Err != nil {
			t.Fatal(err, done[0].Err)
		}
		if err := a.Delete(ctx, name); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		ref := old.ID.String()
		if c, err := a.Call(ctx, ref, done[0].ID); err != nil || c.State != callback.StateCancelled {
			t.Errorf("the call: %s, %v", c.State, err)
		}
		if list, err := a.Calls(ctx, callback.ListQuery{Ref: ref}); err != nil || len(list.Calls) != 1 {
			t.Errorf("its calls: %d, %v", len(list.Calls), err)
		}
		if _, err := a.Call(ctx, name, done[0].ID); callback.ErrorCode(err) != callback.CodeNotFound {
			t.Errorf("by the free name: %v", err)
		}
		if _, err := a.Callback(ctx, ref); callback.ErrorCode(err) != callback.CodeNotFound {
			t.Errorf("the callback itself: %v", err)
		}
	})
}

// The secret that is known by its mask alone can become the previous one.
func TestRotateByTheMask(t *testing.T) {
	t.Parallel()
	a := open(t, nil)
	name, url := "signed", "http://127.0.0.1:9/"
	secret, next := "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	made, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url, SigningSecret: &secret})
	if err != nil {
		t.Fatal(err)
	}
	mask := made.SigningSecret.String()
	h, err := a.Update(t.Context(), name, callback.Draft{SigningSecret: &next, PreviousSecret: &mask}, 0)
	if err != nil || h.PreviousSecret.Reveal() != secret || h.SigningSecret.Reveal() != next {
		t.Fatalf("rotated to %v and %v, %v", h.SigningSecret, h.PreviousSecret, err)
	}
	if _, err = a.Update(t.Context(), name, callback.Draft{SigningSecret: &mask}, 0); callback.ErrorCode(err) != callback.CodeInvalid {
		t.Errorf("the mask of the previous secret as the present one: %v", err)
	}
}
