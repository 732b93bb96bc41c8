package app_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue/memq"
)

// deaf is an endpoint that never answers.
type deaf struct{ nobody }

func (deaf) Reach(ctx context.Context, _ *callback.Callback) callback.Attempt {
	<-ctx.Done()
	return callback.Attempt{Class: callback.ClassInterrupted, Error: "Interrupted"}
}

// Looks at drafts are few at once, and each ends in time.
func TestLooksAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := app.New(app.Options{Store: memq.New(policy()), Poster: deaf{}, Policy: policy()})
		target := "http://deaf.example/"
		look := func() ([]callback.Finding, error) {
			return a.CheckDraft(t.Context(), "", callback.Draft{URL: &target})
		}
		began := time.Now()
		done := make(chan error, 4)
		for range cap(done) {
			go func() {
				found, err := look()
				if err == nil && (len(found) != 1 || found[0].Result != callback.FoundUnknown) {
					t.Errorf("found %+v", found)
				}
				done <- err
			}()
		}
		synctest.Wait()
		if _, err := look(); callback.ErrorCode(err) != callback.CodeUnavailable {
			t.Errorf("a fifth look: %v", err)
		}
		for range cap(done) {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("looks took %v", took)
		}
		if _, err := look(); err != nil {
			t.Errorf("a look after those: %v", err)
		}
	})
}
