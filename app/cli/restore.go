package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringback/app/config"
	"ringback/queue"
)

func (c *console) restoreCommand() *cobra.Command {
	return &cobra.Command{
		Use: "restore FILE", Short: "Make a data folder out of a backup, - for standard input", Args: cobra.ExactArgs(1),
		Long: "restore reads a backup into data_dir, which must be empty or missing, and checks it; until all of it is found\n" +
			"right nothing is in place. Calls and keys are as they were when the backup was taken: what was delivered after\n" +
			"that is sent again once ringback starts, and API keys that were removed since are valid again.",
		Example: "  RINGBACK_DATA_DIR=/var/lib/ringback ringback restore ringback.backup\n  zstd -dc ringback.backup.zst | ringback restore -",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return c.restore(ctx, args[0])
		},
	}
}

// restore restores a file; "-": standard input.
func (c *console) restore(ctx context.Context, file string) error {
	cfg, src, err := c.load()
	if err != nil {
		return err
	}
	if err := supported(&cfg, src); err != nil {
		return err
	}
	in := c.in
	switch {
	case file != "-":
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }() // only read from
		in = f
	case isTerminal(c.in):
		return usagef("- stands for standard input, which is a terminal: name a file, or pipe a backup in")
	}
	sum, err := restoreData(ctx, &cfg, in)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.out, "restored %s of %s into %s, as they were at %s\n%s to be sent; what was delivered since is sent again once ringback starts\n",
		plural(sum.calls, "call"), plural(sum.callbacks, "callback"), text(cfg.DataDir, 200), sum.made.Format(time.RFC3339), waiting(sum.waiting))
	if sum.faults == nil {
		return err
	}
	for line := range strings.SplitSeq(sum.faults.Error(), "\n") {
		c.tell("%s %s", signBad, text(line, maxMessage))
	}
	return errors.Join(err, errors.New("what the backup holds is in place, and was not consistent when it was backed up"))
}

func waiting(n uint64) string {
	if n == 1 {
		return "1 call waits"
	}
	return plural(n, "call") + " wait"
}

// restored is what a restore has put in place.
type restored struct {
	made                      time.Time
	callbacks, calls, waiting uint64
	faults                    error // that Check found
}

// restoring is the folder, in the data folder, that becomes the queue when it is
// right. It is in there, and not beside it, because a data folder may be a mount,
// or its parent another user's. Where it is found nothing else is to be begun.
const restoring = "restoring"

// restoreData makes the data folder out of a backup, or leaves nothing behind. An
// earlier restore that was cut off is removed.
func restoreData(ctx context.Context, cfg *config.Config, in io.Reader) (sum restored, err error) {
	debug.SetMemoryLimit(int64(cfg.MemoryLimit))
	f := &folder{dir: cfg.DataDir}
	_, missing := os.Stat(f.dir)
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return sum, fmt.Errorf("make the data folder: %w", err)
	}
	held, err := claimVacant(f)
	if err != nil {
		return sum, err
	}
	placed := false
	defer func() {
		if !placed {
			err = errors.Join(err, os.RemoveAll(f.path(restoring)), removeIfThere(f.path("key")))
			if errors.Is(missing, fs.ErrNotExist) {
				err = errors.Join(err, os.Remove(f.dir))
			}
		}
		err = errors.Join(err, held.Close())
	}()
	opt := queue.Options{Dir: f.path(restoring), Now: time.Now().UTC().Truncate(time.Millisecond), Policy: policy(cfg), Secret: f.secret}
	head, err := queue.Restore(ctx, opt, in)
	if err != nil {
		return sum, err
	}
	f.key, sum.made = head.Key, head.Made
	if err := sum.look(ctx, opt); err != nil {
		return sum, err
	}
	if err := writeDurably(f.path("key"), func(k *os.File) error { _, err := k.Write(f.key); return err }); err != nil {
		return sum, err
	}
	if err := syncTree(opt.Dir); err != nil {
		return sum, err
	}
	// os.Rename would refuse an empty folder in the place, and this one any other.
	if err := syscall.Rename(opt.Dir, f.path("queue")); err != nil {
		return sum, fmt.Errorf("put what was restored in place: %w", err)
	}
	placed = true
	return sum, errors.Join(syncPath(f.dir), syncPath(filepath.Dir(f.dir)))
}

// claimVacant makes sure that nothing is in the folder but what an earlier restore
// left, which it removes, and that no other restore is at work until the file is
// closed.
func claimVacant(f *folder) (held *os.File, err error) {
	if held, err = os.Open(f.dir); err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, held.Close())
		}
	}()
	if err := syscall.Flock(int(held.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return held, fmt.Errorf("another restore into %s runs: %w", f.dir, err)
	}
	names, err := held.Readdirnames(-1)
	if err != nil {
		return held, fmt.Errorf("read the data folder: %w", err)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "lost+found" }) // of a file system of its own
	slices.Sort(names)
	if slices.Contains(names, restoring) && !slices.ContainsFunc(names, func(name string) bool { return name != restoring && name != "key" }) {
		return held, errors.Join(os.RemoveAll(f.path(restoring)), removeIfThere(f.path("key")))
	}
	if len(names) == 0 {
		return held, nil
	}
	err = queue.InUse(f.path("queue"))
	if err == nil {
		err = fmt.Errorf("the data folder %s is not empty", text(f.dir, 200))
	}
	return held, fmt.Errorf("%w: it holds %s; a backup is restored into an empty folder: move this one away, or name another in data_dir",
		err, text(strings.Join(names, ", "), 200))
}

// look opens what was restored, once, and tells what is in it.
func (r *restored) look(ctx context.Context, opt queue.Options) error {
	e, err := queue.Open(opt)
	if err != nil {
		return err
	}
	for _, h := range e.Callbacks() {
		if !h.Live.Deleted {
			r.callbacks++
		}
		r.calls += h.Live.Counts.Sum()
		r.waiting += h.Live.Counts.Waiting()
	}
	r.faults = e.Check(ctx)
	return errors.Join(ctx.Err(), e.Close())
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncTree makes a folder, and all in it, outlast a power cut.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncPath(path)
	})
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
