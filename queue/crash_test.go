package queue

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// childVar, when set, makes this test binary a child that works on the engine in
// the folder it names until it is killed.
const childVar = "QUEUE_CRASH_CHILD"

// unsyncedVar, when set, lets that child commit without fsync.
const unsyncedVar = "QUEUE_CRASH_UNSYNCED"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		e, err := Open(Options{
			Dir: dir, Now: time.Now().UTC().Truncate(time.Millisecond), Policy: queuetest.Policy(), Free: plenty, headStep: 1,
			noSync: os.Getenv(unsyncedVar) != "",
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "child:", err)
			os.Exit(1)
		}
		queuetest.Child(e)
	}
	os.Exit(m.Run())
}

func TestCrash(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 5
	}
	queuetest.Crash(t, rounds, child, afterwards)
}

// child works on the engine in a folder until it is killed.
func child(dir string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	return cmd
}

// afterwards opens what a child left.
func afterwards(tb testing.TB, dir string, now time.Time) callback.Store {
	e, err := Open(Options{Dir: dir, Now: now, Policy: queuetest.Policy(), Free: plenty, headStep: 1})
	if err != nil {
		tb.Fatalf("Open after a kill: %v", err)
	}
	return e
}
