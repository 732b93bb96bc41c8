package queue

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// TestPowerCut cuts the power POWER_CUTS times under a process that works as hard
// as it can, and checks each time that nothing it acknowledged is lost. It
// must be root: the folder lies on a file system of its own, which is ended by the
// ioctl that the tests of file systems use, with all in it that was not synced.
// First the same is done where commits are not synced, and must lose something.
//
// It does not show what a disk does that reorders, or only pretends to have
// written: that one may be trusted is said by who sells it.
func TestPowerCut(t *testing.T) {
	rounds, err := strconv.Atoi(os.Getenv("POWER_CUTS"))
	if err != nil {
		t.Skip("POWER_CUTS is no number: this mounts a file system, as root")
	}
	quiet := func(dir string) *exec.Cmd {
		cmd := child(dir)
		cmd.Stderr = io.Discard // it may see the end, and says so at length
		return cmd
	}
	t.Run("without sync", func(t *testing.T) {
		p := powered(t)
		cmd := quiet(p.Dir)
		cmd.Env = append(cmd.Env, unsyncedVar+"=1")
		all, lost := queuetest.PowerLoss(t, p, cmd, func(dir string, now time.Time) (callback.Store, error) {
			return Open(Options{Dir: dir, Now: now, Policy: queuetest.Policy(), Free: plenty})
		})
		t.Logf("acknowledged %d, lost %d", all, lost)
		if lost == 0 {
			t.Error("the rig is blind: nothing was synced, and nothing is lost")
		}
	})
	t.Run("with sync", func(t *testing.T) {
		queuetest.PowerCuts(t, rounds, powered(t), quiet, afterwards)
	})
}

// goingDown is EXT4_IOC_SHUTDOWN, with EXT4_GOING_FLAGS_NOLOGFLUSH: at once, and
// without what the journal has in memory.
const (
	goingDown  = 0x8004587d
	noLogFlush = 2
)

// powered is a machine with an ext4 disk of its own.
func powered(t *testing.T) *queuetest.Power {
	t.Helper()
	image, mount := filepath.Join(t.TempDir(), "disk"), t.TempDir()
	run := func(tb testing.TB, args ...string) {
		tb.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			tb.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	run(t, "truncate", "-s", "2G", image)
	run(t, "mkfs.ext4", "-q", "-F", image)
	run(t, "mount", "-o", "loop", image, mount)
	t.Cleanup(func() { run(t, "umount", mount) })
	return &queuetest.Power{
		Dir: filepath.Join(mount, "queue"),
		Cut: func(tb testing.TB) {
			f, err := os.Open(mount)
			if err != nil {
				tb.Error(err)
				return
			}
			defer f.Close()
			flags := uint32(noLogFlush)
			if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), goingDown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
				tb.Errorf("shut the file system down: %v", errno)
			}
		},
		Back: func(tb testing.TB) {
			run(tb, "umount", mount)
			run(tb, "mount", "-o", "loop", image, mount)
		},
	}
}
