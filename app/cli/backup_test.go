package cli

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
)

// run runs a command line on a data folder and returns what it printed. Nothing
// listens where it looks first.
func run(t *testing.T, data, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	c := &console{in: strings.NewReader(in), out: &o, err: &e, environ: []string{
		"RINGBACK_DATA_DIR=" + data, "RINGBACK_HTTP_LISTEN=127.0.0.1:0", "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB",
	}}
	code = c.run(t.Context(), args)
	return code, o.String(), e.String()
}

// must is run of what must not fail.
func must(t *testing.T, data, in string, args ...string) string {
	t.Helper()
	code, out, errs := run(t, data, in, args...)
	if code != exitDone {
		t.Fatalf("%v: exit code %d: %s", args, code, errs)
	}
	return out
}

// backed makes a data folder with a call, and a backup of it.
func backed(t *testing.T) (data, file string) {
	t.Helper()
	dir := t.TempDir()
	data, file = filepath.Join(dir, "data"), filepath.Join(dir, "one.backup")
	must(t, data, "", "callbacks", "add", "crm", "http://127.0.0.1:1/")
	must(t, data, `{"callbackId":"crm","responseMessage":{"content":"`+strings.Repeat("canary ", 100)+`"}}`, "enqueue", "-")
	must(t, data, "", "backup", file)
	return data, file
}

func TestBackupFile(t *testing.T) {
	t.Parallel()
	data, file := backed(t)
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	place := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		place("old", good[:40]): "", place("empty", nil): "", file: "",
		place("notes", []byte("mine")): "is no backup", place("word", []byte("ring")): "is no backup",
		pipe: "no regular file", dir: "no regular file", filepath.Join(dir, "none", "a"): "no such file",
	} {
		before, err := os.Stat(path)
		if err != nil && want != "no such file" {
			t.Fatal(err)
		}
		code, _, errs := run(t, data, "", "backup", path)
		if (code == exitDone) != (want == "") || !strings.Contains(errs, want) {
			t.Errorf("%s: exit code %d, %s, want %q", path, code, errs, want)
		}
		info, err := os.Stat(path)
		switch {
		case want == "" && (err != nil || info.Mode() != 0o600 || info.Size() < int64(len(good))-10):
			t.Errorf("%s: %v, %v", path, info, err)
		case want != "" && before != nil && (err != nil || !os.SameFile(before, info)):
			t.Errorf("%s was replaced: %v", path, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.[0-9]*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// An answer that a proxy cut short, and sent on as the whole, is not taken for a
// backup, and the one before stays.
func TestBackupIsReadBack(t *testing.T) {
	t.Parallel()
	data, file := backed(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			_, _ = io.WriteString(w, `{"status":"ok"}`) // the client may be gone
			return
		}
		_, _ = w.Write(good[:len(good)-32])
	}))
	defer proxy.Close()
	for _, path := range []string{file, file + ".new"} {
		if code, _, errs := run(t, data, "", "backup", path, "--addr", proxy.URL); code != exitFailed || !strings.Contains(errs, "cut short") {
			t.Errorf("exit code %d: %s", code, errs)
		}
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, good) {
		t.Errorf("the one before is another: %v", err)
	}
	if left, err := filepath.Glob(file + ".*"); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What cannot be restored leaves the place as it was.
func TestRestoreLeavesNothing(t *testing.T) {
	t.Parallel()
	data, file := backed(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	missing, empty := filepath.Join(dir, "a", "b"), filepath.Join(dir, "empty")
	if err := os.MkdirAll(filepath.Join(empty, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{missing, empty} {
		for name, in := range map[string]io.Reader{
			"cut":        bytes.NewReader(good[:len(good)-1]),
			"unreadable": io.MultiReader(bytes.NewReader(good[:200]), iotest.ErrReader(errors.New("the tape broke"))),
			"longer":     bytes.NewReader(append(bytes.Clone(good), 1)),
			"not one":    strings.NewReader("something"),
		} {
			var errs bytes.Buffer
			c := &console{in: in, out: io.Discard, err: &errs, environ: []string{"RINGBACK_DATA_DIR=" + place}}
			if code := c.run(t.Context(), []string{"restore", "-"}); code != exitFailed {
				t.Errorf("%s: exit code %d", name, code)
			}
			if files, err := os.ReadDir(place); place == missing && !errors.Is(err, fs.ErrNotExist) || place == empty && len(files) != 1 {
				t.Errorf("%s: %s holds %v, %v after: %s", name, place, files, err, &errs)
			}
		}
	}
	if out := must(t, empty, string(good), "restore", "-"); !strings.HasPrefix(out, "restored 1 call of 1 callback") || !strings.Contains(out, "\n1 call waits to be sent") {
		t.Errorf("at last: %s", out)
	}
	info, err := os.Stat(filepath.Join(empty, "key"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	want, err := os.ReadFile(filepath.Join(data, "key"))
	if got, _ := os.ReadFile(filepath.Join(empty, "key")); err != nil || !bytes.Equal(got, want) {
		t.Errorf("the key is %x, not %x: %v", got, want, err)
	}
	must(t, missing, string(good), "restore", "-")
	if info, err := os.Stat(missing); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
}

// intruder puts something in the place once the backup was read to its end.
type intruder struct {
	io.Reader
	place string
}

func (i intruder) Read(p []byte) (int, error) {
	n, err := i.Reader.Read(p)
	if err == io.EOF {
		if err := os.MkdirAll(i.place, 0o700); err != nil {
			return 0, err
		}
	}
	return n, err
}

// What came to stand in the place meanwhile is not replaced.
func TestRestoreReplacesNothing(t *testing.T) {
	t.Parallel()
	_, file := backed(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	theirs := filepath.Join(data, "queue", "theirs")
	var errs bytes.Buffer
	c := &console{in: intruder{bytes.NewReader(good), theirs}, out: io.Discard, err: &errs, environ: []string{"RINGBACK_DATA_DIR=" + data}}
	if code := c.run(t.Context(), []string{"restore", "-"}); code != exitFailed || !strings.Contains(errs.String(), "put what was restored in place") {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(data, restoring)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}

// A store that was damaged when it was backed up is in place, and that it is
// damaged is told.
func TestRestoreOfADamagedStore(t *testing.T) {
	t.Parallel()
	data, file := backed(t)
	logs, err := filepath.Glob(filepath.Join(data, "queue", "*.vlog"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := 0
	for _, path := range logs {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if i := bytes.Index(b, []byte("canary")); i >= 0 {
			b[i] ^= 1
			flipped++
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if flipped != 1 {
		t.Fatalf("%d of %v were damaged", flipped, logs)
	}
	must(t, data, "", "backup", file)
	elsewhere := filepath.Join(t.TempDir(), "data")
	code, out, errs := run(t, elsewhere, "", "restore", file)
	if code != exitFailed || !strings.HasPrefix(out, "restored 1 call of 1 callback") || !strings.Contains(errs, "\nringback: what the backup holds is in place") ||
		!strings.Contains(errs, signBad+" callback 1: call ") {
		t.Errorf("exit code %d\n%s\n%s", code, out, errs)
	}
	if list := must(t, elsewhere, "", "calls", "list", "--status", "pending"); !strings.Contains(list, "damaged") {
		t.Errorf("the call is %s", list)
	}
	files, err := os.ReadDir(elsewhere)
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.Name()
	}
	if err != nil || !slices.Equal(names, []string{"key", "queue"}) {
		t.Errorf("in place are %v, %v", names, err)
	}
}
