package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// heldHook counts what it gets by message, and answers nothing while it is held.
type heldHook struct {
	mu   sync.Mutex
	got  map[string]int
	held chan struct{} // closed when it may answer
}

// ServeHTTP implements http.Handler.
func (h *heldHook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var body struct {
		MessageID string `json:"messageId"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return
	}
	h.mu.Lock()
	h.got[body.MessageID]++
	h.mu.Unlock()
	<-h.held
}

func (h *heldHook) count() (messages, requests int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.got {
		requests += n
	}
	return len(h.got), requests
}

// status asks and returns the status and the body.
func status(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// tmpfs mounts a small file system in memory, or skips. A process of its own unmounts
// it once this one lets go of a pipe: also when it is killed, and runs no Cleanup.
func tmpfs(t *testing.T, options string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("mount a tmpfs: %v; this needs root", err)
	}
	guard := exec.CommandContext(context.WithoutCancel(t.Context()), "sh", "-c", `cat; exec umount -l "$0"`, dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what ends our group must not end it
	held, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		t.Fatal(errors.Join(err, syscall.Unmount(dir, 0)))
	}
	t.Cleanup(func() {
		if err := errors.Join(held.Close(), guard.Wait()); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

// A disk that others fill: nothing more is accepted below the mark, no attempt
// starts below half of it, what runs is recorded, nothing that was accepted is
// lost, and all goes on by itself when there is space.
func TestFullDisk(t *testing.T) {
	dir := tmpfs(t, "size=160m")
	h := &heldHook{got: map[string]int{}, held: make(chan struct{})}
	srv := httptest.NewServer(h)
	defer srv.Close()
	data, other := filepath.Join(dir, "data"), filepath.Join(dir, "other")
	t.Setenv("RINGBACK_RETENTION_MIN_FREE_DISK", "24MiB")
	bin := filepath.Join(build(t), "ringback")
	p := start(t, bin, data)
	give(t, p.url+"/callbacks", fmt.Sprintf(`{"name": "crm", "url": "%s", "retriesEnabled": true}`, srv.URL), http.StatusCreated)
	content := strings.Repeat("x", 256<<10)
	accepted := 0
	add := func() (code int) {
		code, _ = status(t, "POST", p.url+"/callbacks/crm/responses", fmt.Sprintf(`{"messageId": "m%d", "responseMessage": {"content": "%s"}}`, accepted, content))
		if code == http.StatusAccepted {
			accepted++
		}
		return code
	}
	occupy := func(mib int) {
		if err := os.WriteFile(other, bytes.Repeat([]byte("x"), mib<<20), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	occupy(40)
	code := http.StatusAccepted
	for code == http.StatusAccepted {
		code = add()
	}
	if code != http.StatusServiceUnavailable || accepted < 50 {
		t.Fatalf("%d after %d that were accepted", code, accepted)
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	occupy(40 + int(fs.Bavail*uint64(fs.Bsize)>>20) - 4) // 4 MiB are left
	if code, body := status(t, "GET", p.url+"/readyz", ""); code != http.StatusServiceUnavailable || !strings.Contains(body, "disk") {
		t.Errorf("readyz: %d %s", code, body)
	}
	_, running := h.count()
	close(h.held)
	if !poll(func() bool {
		_, body := status(t, "GET", p.url+"/callbacks/crm/calls?status=SUCCESS&limit=1", "")
		return strings.Contains(body, fmt.Sprintf("of %d", running))
	}) {
		t.Errorf("%d attempts that ran are not recorded", running)
	}
	if _, now := h.count(); now != running || now == 0 {
		t.Errorf("%d attempts although there is no space, %d before", now, running)
	}
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	if code := add(); code != http.StatusAccepted {
		t.Errorf("%d although there is space again", code)
	}
	if !poll(func() bool { n, _ := h.count(); return n == accepted }) {
		n, _ := h.count()
		t.Errorf("%d of %d were delivered", n, accepted)
	}
	if n, requests := h.count(); n != requests {
		t.Errorf("%d requests for %d responses", requests, n)
	}
	p.end(t)
	check := bounded(t, bin, "check")
	check.Env = append(os.Environ(), "RINGBACK_DATA_DIR="+data)
	if out, err := check.CombinedOutput(); err != nil || !strings.Contains(string(out), "consistent") {
		t.Errorf("check: %v\n%s", err, out)
	}
}

// A process that may open few files makes fewer attempts at once, and takes fewer
// connections: nothing fails for want of a descriptor, and nothing is lost.
func TestFewDescriptors(t *testing.T) {
	h := &slowHook{takes: 100 * time.Millisecond}
	srv := httptest.NewServer(h)
	defer srv.Close()
	bin := filepath.Join(t.TempDir(), "few")
	script := "#!/bin/sh\nulimit -n 128\nexec " + filepath.Join(build(t), "ringback") + " \"$@\"\n"
	if err := os.WriteFile(bin, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("RINGBACK_RETENTION_MIN_FREE_DISK", "16MiB")
	data := t.TempDir()
	p := start(t, bin, data)
	const callbacks, each = 20, 30
	for i := range callbacks {
		give(t, p.url+"/callbacks", fmt.Sprintf(`{"name": "c%d", "url": "%s/%d"}`, i, srv.URL, i), http.StatusCreated)
	}
	var wg sync.WaitGroup
	for i := range callbacks * each { // all at once, which are more than there are descriptors
		wg.Go(func() {
			give(t, fmt.Sprintf("%s/callbacks/c%d/responses", p.url, i%callbacks), `{"responseMessage": {"content": "x"}}`, http.StatusAccepted)
		})
	}
	wg.Wait()
	if !poll(func() bool { return h.answered() == callbacks*each }) {
		t.Errorf("%d of %d were delivered", h.answered(), callbacks*each)
	}
	if _, body := status(t, "GET", p.url+"/callbacks", ""); strings.Contains(body, `"state":"down"`) || strings.Contains(body, `"state":"failing"`) {
		t.Errorf("there are outages: %s", body)
	}
	if _, body := status(t, "GET", p.url+"/system", ""); !strings.Contains(body, `"fewFiles":true`) {
		t.Errorf("nobody is told that the store may come to lack files: %s", body)
	}
	for _, runs := range []bool{true, false} {
		check := bounded(t, bin, "check")
		check.Env = append(os.Environ(), "RINGBACK_DATA_DIR="+data, "RINGBACK_HTTP_LISTEN="+strings.TrimPrefix(p.url, "http://"))
		if out, err := check.CombinedOutput(); err != nil || !strings.Contains(string(out), "raise LimitNOFILE") {
			t.Errorf("check while it runs (%v): %v\n%s", runs, err, out)
		}
		if runs {
			p.end(t)
		}
	}
}

// A folder that cannot be written, or not even read: an exit code, a sentence, and
// nothing changed.
func TestFolderThatCannotBeWritten(t *testing.T) {
	bin := filepath.Join(build(t), "ringback")
	serve := func(t *testing.T, data string, change func(*exec.Cmd)) {
		t.Helper()
		cmd := bounded(t, bin, "serve")
		cmd.Env = append(os.Environ(), "RINGBACK_DATA_DIR="+data, "RINGBACK_HTTP_LISTEN=127.0.0.1:0", "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB")
		if change != nil {
			change(cmd)
		}
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), data) || strings.Contains(string(out), "goroutine") || len(out) > 2000 {
			t.Errorf("%v:\n%s", err, out)
		}
	}
	t.Run("read-only", func(t *testing.T) {
		dir := tmpfs(t, "size=160m")
		t.Setenv("RINGBACK_RETENTION_MIN_FREE_DISK", "16MiB")
		data := filepath.Join(dir, "data")
		start(t, bin, data).end(t)
		before := tree(t, dir)
		if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		serve(t, data, nil)
		serve(t, filepath.Join(dir, "another"), nil)
		if after := tree(t, dir); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
	t.Run("of somebody else", func(t *testing.T) {
		if os.Getuid() != 0 {
			t.Skip("only root can be somebody else")
		}
		dir := t.TempDir()
		data := filepath.Join(dir, "data")
		if err := os.Mkdir(data, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, d := range []string{dir, filepath.Dir(bin)} { // which they may enter
			for ; len(d) > len(os.TempDir()); d = filepath.Dir(d) {
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
		}
		before := tree(t, dir)
		serve(t, data, func(cmd *exec.Cmd) {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		})
		if after := tree(t, dir); after != before {
			t.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
	})
}

// tree lists what is in a folder.
func tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			fmt.Fprintln(&b, path, info.Size(), info.Mode(), info.ModTime().Format(time.RFC3339Nano))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
