package bench

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errEnough = errors.New("enough")

func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, err := crowd(t.Context(), 4, time.Second, func(_ context.Context, w int) error {
			time.Sleep(time.Duration(w+1) * 100 * time.Millisecond)
			return nil
		})
		// The last of each begins before the second is over: 10, 5, 4 and 3.
		if n != 22 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		began := time.Now()
		_, err = crowd(t.Context(), 4, time.Hour, func(ctx context.Context, w int) error {
			if w == 2 {
				return errEnough
			}
			<-ctx.Done() // who waits for another is let go when one fails
			return nil
		})
		if !errors.Is(err, errEnough) || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// Calls come at their pace, whatever they take, and those that are late do not
// count what they waited.
func TestPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var starts [10]time.Duration
		took, err := paced(t.Context(), 200, 50*time.Millisecond, func(i int) error {
			starts[i] = time.Since(began)
			time.Sleep(time.Duration(i) * 20 * time.Millisecond)
			return nil
		})
		if err != nil || len(took) != 10 {
			t.Fatalf("%d calls, %v", len(took), err)
		}
		for i := range took {
			if starts[i] != time.Duration(i)*5*time.Millisecond || took[i] != time.Duration(i)*20*time.Millisecond {
				t.Errorf("call %d began after %v and took %v", i, starts[i], took[i])
			}
		}
		var calls atomic.Int64
		_, err = paced(t.Context(), 200, time.Hour, func(i int) error {
			calls.Add(1)
			if i == 3 {
				return errEnough
			}
			return nil
		})
		if n := calls.Load(); !errors.Is(err, errEnough) || n != 4 {
			t.Errorf("%d calls, %v", n, err)
		}
	})
}

func TestTurns(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	side := func(name string) func(bool) error {
		return func(warm bool) error {
			if warm {
				said.WriteString("warm ")
			}
			said.WriteString(name + " ")
			return nil
		}
	}
	if err := turns(side("A"), side("B")); err != nil {
		t.Fatal(err)
	}
	if got, want := said.String(), "warm A warm B "+strings.Repeat("A B ", Pairs); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := turns(side("A"), func(bool) error { return errEnough }); !errors.Is(err, errEnough) {
		t.Error(err)
	}
}
