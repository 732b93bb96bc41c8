package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a ringback that serves a folder.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed when it ended, with err
	err   error
	url   string
	began time.Time
	took  time.Duration // until it answered
}

// spawn starts a program. What it prints is shown where the test fails, and it is
// gone when the test is over.
func spawn(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	p := &process{cmd: cmd, ended: make(chan struct{}), began: time.Now()}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

// start starts 'ringback serve' on a folder and waits until it answers.
func start(t *testing.T, bin, data string) *process {
	t.Helper()
	cmd := exec.Command(bin, "serve")
	cmd.Env = append(os.Environ(), "RINGBACK_DATA_DIR="+data, "RINGBACK_HTTP_LISTEN=127.0.0.1:0")
	return serve(t, cmd, data)
}

// serve starts a command that serves a folder and waits until it answers.
func serve(t *testing.T, cmd *exec.Cmd, data string) *process {
	t.Helper()
	_ = os.Remove(filepath.Join(data, "address")) // one that was killed left it
	p := spawn(t, cmd)
	for late := time.After(patience); p.took == 0; {
		select {
		case <-p.ended:
			t.Fatalf("it ended at once: %v", p.err)
		case <-late:
			p.dump()
			t.Fatalf("it does not answer in %v", patience)
		case <-time.After(time.Millisecond):
		}
		if p.url = noted(data); p.url == "" {
			continue
		}
		res, err := http.Get(p.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		p.took = time.Since(p.began)
	}
	return p
}

// noted returns the URL that a server noted in its folder, or nothing.
func noted(data string) string {
	b, err := os.ReadFile(filepath.Join(data, "address"))
	if err != nil {
		return ""
	}
	url, _, _ := strings.Cut(string(b), "\n") // its second line is a key
	return url
}

// end ends it with a signal, and fails where that is not in order.
func (p *process) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !poll(func() bool { return over(p.ended) }) {
		p.dump()
		t.Fatalf("it does not end in %v", patience)
	}
	if p.err != nil {
		t.Error(p.err)
	}
}

// kill ends it as kill -9 does, where it has not ended.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// dump has it print what its goroutines do, and end.
func (p *process) dump() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	poll(func() bool { return over(p.ended) })
}

// bounded is exec.Command of a program that ends by itself: where it does not, it
// is made to print what its goroutines do.
func bounded(t *testing.T, name string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGQUIT) }
	cmd.WaitDelay = patience / 4
	return cmd
}

// closedPort returns an address on which nothing listens, and nothing can while the
// test runs: a socket is bound to it.
func closedPort(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	t.Cleanup(func() {
		if err := syscall.Close(fd); err != nil {
			t.Error(err)
		}
	})
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	addr, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	in := addr.(*syscall.SockaddrInet4)
	return (&net.TCPAddr{IP: in.Addr[:], Port: in.Port}).String()
}
