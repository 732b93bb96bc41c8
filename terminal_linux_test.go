package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// terminal is a program in a pseudo terminal of ours, which reads what the
// program writes, or, while it is stalled, does not.
type terminal struct {
	test   *testing.T
	cmd    *exec.Cmd
	master *os.File
	slave  *os.File      // kept open, to ask what is left unread and how the line is set
	ended  chan struct{} // closed when the program ended, with err
	err    error

	stalled sync.Mutex // held while nothing is read

	mu   sync.Mutex
	got  []byte
	last time.Time // when something came
}

// launch starts a program in a terminal of that size. With control it is the
// program's controlling terminal, so that its end is told by SIGHUP.
func launch(t *testing.T, cmd *exec.Cmd, cols, rows uint16, control bool) *terminal {
	t.Helper()
	tm := &terminal{test: t, cmd: cmd, ended: make(chan struct{})}
	tm.open(cols, rows)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tm.slave, tm.slave, tm.slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: control}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		tm.err = cmd.Wait()
		close(tm.ended)
	}()
	read := make(chan struct{})
	go func() {
		defer close(read)
		tm.read()
	}()
	t.Cleanup(func() {
		if !over(tm.ended) {
			_ = cmd.Process.Kill() // it may have ended just now
		}
		<-tm.ended
		_ = errors.Join(tm.master.Close(), tm.slave.Close()) // a test may have closed them
		<-read
	})
	return tm
}

// open opens both ends (pts(4)).
func (tm *terminal) open(cols, rows uint16) {
	t := tm.test
	t.Helper()
	var err error
	if tm.master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skipf("there is no pseudo terminal to be had: %v", err)
	}
	n := 0
	tm.control(tm.master, func(fd int) (err error) {
		if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		if err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: cols, Row: rows}); err != nil {
			return err
		}
		n, err = unix.IoctlGetInt(fd, unix.TIOCGPTN)
		return err
	})
	if tm.slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
}

func (tm *terminal) control(f *os.File, do func(fd int) error) {
	tm.test.Helper()
	conn, err := f.SyscallConn()
	if err == nil {
		var bad error
		err = conn.Control(func(fd uintptr) { bad = do(int(fd)) })
		err = errors.Join(err, bad)
	}
	if err != nil {
		tm.test.Fatalf("terminal: %v", err)
	}
}

func (tm *terminal) read() {
	for buf := make([]byte, 4096); ; {
		tm.stalled.Lock()
		//lint:ignore SA2001 to wait is all that is wanted
		tm.stalled.Unlock()
		n, err := tm.master.Read(buf)
		if err != nil {
			return
		}
		tm.mu.Lock()
		tm.got, tm.last = append(tm.got, buf[:n]...), time.Now()
		tm.mu.Unlock()
	}
}

// output returns what was read since it was forgotten last.
func (tm *terminal) output() string {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return string(tm.got)
}

func (tm *terminal) forget() {
	tm.mu.Lock()
	defer tm.mu.Unlock()
	tm.got = nil
}

// sees waits until the program has written a text since it was forgotten last.
func (tm *terminal) sees(text string) {
	tm.test.Helper()
	if !poll(func() bool { return strings.Contains(tm.output(), text) }) {
		tm.test.Fatalf("the terminal does not get %q:\n%q", text, tm.output())
	}
}

// types presses keys.
func (tm *terminal) types(keys string) {
	tm.test.Helper()
	if _, err := tm.master.WriteString(keys); err != nil {
		tm.test.Fatal(err)
	}
}

// unread returns how many of the keys the program has not taken.
func (tm *terminal) unread() (n int) {
	tm.control(tm.slave, func(fd int) (err error) {
		n, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	return n
}

// takes reports whether the terminal has room for output.
func (tm *terminal) takes() (yes bool) {
	tm.control(tm.slave, func(fd int) error {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
		_, err := unix.Poll(ready, 0)
		for errors.Is(err, unix.EINTR) { // Go's runtime sends signals to its own threads
			_, err = unix.Poll(ready, 0)
		}
		yes = ready[0].Revents&unix.POLLOUT != 0
		return err
	})
	return yes
}

// cooked reports whether the line is as a shell needs it: with an echo, line by
// line, Ctrl+C a signal.
func (tm *terminal) cooked() (yes bool) {
	tm.control(tm.slave, func(fd int) error {
		line, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		const want = unix.ECHO | unix.ICANON | unix.ISIG
		yes = err == nil && line.Lflag&want == want
		return err
	})
	return yes
}

// stops ends the program with a signal, and fails where that is not in order.
func (tm *terminal) stops() {
	tm.test.Helper()
	tm.signal(syscall.SIGTERM)
	tm.ends()
}

// ends waits for the program's end.
func (tm *terminal) ends() {
	tm.test.Helper()
	if !poll(func() bool { return over(tm.ended) }) {
		tm.test.Fatalf("it does not end; it wrote %q", tm.output())
	}
	if tm.err != nil {
		tm.test.Errorf("it ended with %v; it wrote %q", tm.err, tm.output())
	}
}

func (tm *terminal) signal(s os.Signal) {
	tm.test.Helper()
	if err := tm.cmd.Process.Signal(s); err != nil {
		tm.test.Fatal(err)
	}
}
