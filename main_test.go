package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// patience bounds how long a script waits for what must happen. It is no measure
// of speed.
const patience = 2 * time.Minute

// binaries is where the binaries are that the tests drive.
var binaries string

func TestMain(m *testing.M) {
	if what := os.Getenv(besideVar); what != "" {
		if err := besides(what); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	http.DefaultClient.Timeout = patience
	os.Exit(func() int {
		var err error
		if binaries, err = os.MkdirTemp("", "ringback"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(binaries) // of a test
		return m.Run()
	}())
}

// TestScripts drives the real binary by the scripts in testscript. With -race
// the binary is built so too; with GOCOVERDIR set it counts what it covers.
func TestScripts(t *testing.T) {
	bin := build(t)
	samples, err := filepath.Abs("app/cli/demo/responses.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testscript",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv("GOCOVERDIR", os.Getenv("GOCOVERDIR"))
			e.Setenv("SAMPLES", samples)
			e.Setenv("RINGBACK_HTTP_LISTEN", "127.0.0.1:0")
			e.Setenv("RINGBACK_DATA_DIR", "data")
			e.Setenv("RINGBACK_RETENTION_MIN_FREE_DISK", "16MiB")
			b := &bench{test: e.T(), dir: e.WorkDir, servers: map[string]*server{}, hooks: map[string]*hook{}}
			e.Values[benchKey{}] = b
			e.Defer(b.close)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":       cmdExits,
			"eventually":  cmdEventually,
			"serve":       cmdServe,
			"signal":      cmdSignal,
			"ended":       cmdEnded,
			"api":         cmdAPI,
			"answers":     cmdAnswers,
			"hook":        cmdHook,
			"received":    cmdReceived,
			"mailsink":    cmdMailSink,
			"mails":       cmdMails,
			"certificate": cmdCertificate,
			"presents":    cmdPresents,
			"logs":        cmdLogs,
			"setid":       cmdSetID,
		},
	})
}

// builds has what build returned, by its flags.
var builds = struct {
	sync.Mutex
	dirs map[string]string
}{dirs: map[string]string{}}

// build builds the binary, with flags of go build, into a folder, and returns the
// folder: once, whatever number of tests ask for it.
func build(t *testing.T, flags ...string) string {
	t.Helper()
	builds.Lock()
	defer builds.Unlock()
	if dir := builds.dirs[strings.Join(flags, " ")]; dir != "" {
		return dir
	}
	dir := filepath.Join(binaries, fmt.Sprint(len(builds.dirs)))
	args := append([]string{"build", "-o", filepath.Join(dir, "ringback")}, flags...)
	if raced {
		args = append(args, "-race")
	}
	if os.Getenv("GOCOVERDIR") != "" {
		args = append(args, "-cover", "-coverpkg=./...")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	builds.dirs[strings.Join(flags, " ")] = dir
	return dir
}

type benchKey struct{}

// bench is what a script has set up around the binary.
type bench struct {
	test    testscript.T
	dir     string
	servers map[string]*server
	hooks   map[string]*hook
	mail    *mailSink
}

func benchOf(ts *testscript.TestScript) *bench { return ts.Value(benchKey{}).(*bench) }

// close ends all of it, and tells what the servers wrote, which is shown where the
// script fails.
func (b *bench) close() {
	for _, h := range b.hooks {
		h.close()
	}
	for name, s := range b.servers {
		s.kill()
		log, err := os.ReadFile(filepath.Join(b.dir, name+".log"))
		b.test.Log(fmt.Sprintf("the log of %s (%v):\n%s", name, err, log))
	}
	if b.mail != nil {
		b.mail.close()
	}
}

// poll calls done until it says yes, and reports whether it did in time.
func poll(done func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// run runs a program as exec does and returns its exit code.
func run(ts *testscript.TestScript, args []string) int {
	err := ts.Exec(args[0], args[1:]...)
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return e.ExitCode()
	}
	ts.Check(err)
	return 0
}

// exits CODE PROGRAM ARGS… runs a program that must end with that code.
func cmdExits(ts *testscript.TestScript, _ bool, args []string) {
	if got := fmt.Sprint(run(ts, args[1:])); got != args[0] {
		ts.Fatalf("%v exited with %s, not %s", args[1:], got, args[0])
	}
}
