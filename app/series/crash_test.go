package series

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("SERIES_CHILD"); dir != "" {
		if err := child(dir, os.Getenv("SERIES_FROM")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// clock is a time that goes on as the test says.
type clock struct{ now time.Time }

// openKeeper puts together what Run does, over a real store.
func openKeeper(dir string, at uint32, c *clock) (*keeper, *queue.Engine, error) {
	c.now = timeOf(at)
	e, err := queue.Open(queue.Options{Dir: filepath.Join(dir, "queue"), Now: c.now, Free: func() (uint64, error) { return 1 << 50, nil }})
	if err != nil {
		return nil, nil, err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	k := &keeper{Series: &Series{}, opened: c.now, Options: Options{
		Store: e, Dir: filepath.Join(dir, "series"), Now: func() time.Time { return c.now }, Doubtful: func() bool { return false }, Log: log,
	}}
	k.open(context.Background())
	if k.archive == nil {
		return nil, nil, fmt.Errorf("there is no archive")
	}
	return k, e, nil
}

// attempts returns how many attempts succeed and fail in a minute.
func attempts(at uint32) (ok, failed int) { return int(at % 5), int(at % 3) }

// child lets minutes go by as fast as they can be kept, and says of each when it
// is kept, until somebody kills it.
func child(dir, from string) error {
	start, err := strconv.ParseUint(from, 10, 32)
	if err != nil {
		return err
	}
	var c clock
	k, e, err := openKeeper(dir, uint32(start), &c)
	if err != nil {
		return err
	}
	if len(e.Callbacks()) == 0 {
		if _, err := e.Create(context.Background(), c.now, callback.Callback{ID: 7, Name: "a"}); err != nil {
			return err
		}
	}
	for at := uint32(start); ; at++ {
		ok, failed := attempts(at)
		for range ok {
			k.Attempt(c.now, 1, &callback.Attempt{OK: true, Code: 200, Duration: 20 * time.Millisecond})
		}
		for range failed {
			k.Attempt(c.now, 1, &callback.Attempt{})
		}
		c.now = c.now.Add(time.Minute)
		k.keep(context.Background(), c.now)
		fmt.Println(at)
	}
}

// TestKills kills a process again and again that keeps minutes: each that it
// said it had kept is there after that, with what was counted in it, once. More
// rounds: SERIES_KILLS.
func TestKills(t *testing.T) {
	rounds := 4
	if n, err := strconv.Atoi(os.Getenv("SERIES_KILLS")); err == nil {
		rounds = n
	}
	dir := t.TempDir()
	kept := map[uint32]bool{}
	maybe := map[uint32]bool{} // it was killed while it kept them
	next, partitions := first, 0
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range rounds {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "SERIES_CHILD="+dir, fmt.Sprint("SERIES_FROM=", next))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		before, most := len(kept), 1+rng.IntN(900)
		for s := bufio.NewScanner(out); s.Scan(); {
			at, err := strconv.ParseUint(s.Text(), 10, 32)
			if err != nil {
				t.Fatalf("the child says %q", s.Text())
			}
			kept[uint32(at)] = true
			next = uint32(at) + 1
			if len(kept)-before == most {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || len(kept)-before < most {
			t.Fatalf("the child ended by itself after %d minutes: %v", len(kept)-before, err)
		}
		maybe[next] = true
		next++
		var c clock
		k, e, err := openKeeper(dir, next, &c)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		verify(t, k, next, kept, maybe)
		partitions = max(partitions, len(folders(t, dir)))
		if round%2 == 0 { // as after a kill: nothing is closed that writes
			k.end(t.Context())
		} else if err := k.archive.partitions[0].db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if partitions < rounds/2 {
		t.Errorf("only %d partitions were written", partitions)
	}
	t.Logf("kills %d, minutes kept %d, partitions %d, lost 0", rounds, len(kept), partitions)
}

func folders(t *testing.T, dir string) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "series", "p-*"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// verify holds the archive and the rings together against what was kept.
func verify(t *testing.T, k *keeper, end uint32, kept, maybe map[uint32]bool) {
	t.Helper()
	for _, of := range []Subject{{}, {1, 7}} {
		for from := first; from < end; from += 600 {
			to := min(from+600, end)
			cells, err := k.Cells(t.Context(), k.Now(), of, timeOf(from), timeOf(to), int(to-from))
			if err != nil {
				t.Fatal(err)
			}
			for i, cell := range cells {
				at := from + uint32(i)
				ok, failed := attempts(at)
				right := cell.OK == uint64(ok) && cell.Failed == uint64(failed) && (ok == 0 || cell.P95 > 20*time.Millisecond)
				if !right && !(maybe[at] && cell == callback.SeriesCell{}) {
					t.Fatalf("minute %d of %+v: %+v, want %d ok and %d failed; kept: %v", at-first, of, cell, ok, failed, kept[at])
				}
			}
		}
	}
}
