package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringback/queue"
)

func (c *console) backupCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "backup FILE", Short: "Write all that is stored to a file, - for standard output", Args: cobra.ExactArgs(1),
		Long: "backup asks the running appliance for all that it stores, as it is at that moment; deliveries go on. When\n" +
			"nothing runs it reads the data folder. FILE is there only when it is whole and was read back; an older backup\n" +
			"is replaced then, and any other file is left alone. It holds the keys of callbacks in clear, so keep it as safe\n" +
			"as the data folder. It does not hold the configuration, nor the files that it names.",
		Example: "  ringback backup /var/backups/ringback.backup\n  ringback backup - | zstd > ringback.backup.zst",
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "-" && isTerminal(c.out) {
				return usagef("a backup is nothing for a terminal: name a file, or pipe it on")
			}
			ctx, stop := interruptible(cmd.Context())
			defer stop()
			return c.backup(ctx, &t, args[0])
		},
	}
	t.flags(cmd)
	return cmd
}

// interruptible ends at SIGINT and SIGTERM, so that what is half done can be
// removed.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
}

// backup writes a backup to a file; "-": standard output.
func (c *console) backup(ctx context.Context, t *target, file string) error {
	if file == "-" {
		return c.withDesk(ctx, t, false, func(d *desk) error { return d.fetch(ctx, "/backup", c.out) })
	}
	if err := replaceable(file); err != nil {
		return err
	}
	return c.withDesk(ctx, t, false, func(d *desk) error {
		var head queue.BackupHead
		var size int64
		err := writeDurably(file, func(f *os.File) (err error) {
			if err := d.fetch(ctx, "/backup", f); err != nil {
				return err
			}
			if size, err = f.Seek(0, io.SeekEnd); err == nil {
				_, err = f.Seek(0, io.SeekStart)
			}
			if err == nil {
				head, err = queue.VerifyBackup(f)
			}
			return err
		})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.out, "backed up to %s: %d bytes, as it was at %s\n", text(file, 200), size, head.Made.Format(time.RFC3339))
		return err
	})
}

// replaceable refuses a path at which something stands that is no backup.
func replaceable(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return errors.Join(err, fmt.Errorf("%s is no regular file; - writes to standard output", text(path, 200)))
	}
	head := make([]byte, 32)
	n, err := io.ReadFull(f, head)
	if n > 0 && !queue.IsBackup(head[:n]) {
		return fmt.Errorf("%s is there and is no backup of ringback: it is not replaced", text(path, 200))
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	return nil
}
