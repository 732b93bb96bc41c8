package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"ringback/queue"
)

// backupFolder is the part of the data folder where backups lie that somebody
// has the appliance write.
const backupFolder = "backups"

// ownBackup writes a backup into the data folder, unless the disk has no room for
// it, and returns where it is and how long. The file is there only when it is
// whole and was read back.
func (h *house) ownBackup(ctx context.Context) (path string, size int64, err error) {
	dir := &folder{dir: h.folder.path(backupFolder)}
	if err := os.Mkdir(dir.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", 0, fmt.Errorf("make the folder of backups: %w", err)
	}
	if s := h.store.Storage(); s.Free < s.Used+s.Refuses {
		return "", 0, fmt.Errorf("the disk has no room for another %d MiB: 'ringback backup' writes one elsewhere", s.Used>>20)
	}
	path = dir.path("ringback-" + time.Now().UTC().Format("20060102T150405Z") + ".backup")
	err = writeDurably(path, func(f *os.File) (err error) {
		if err := h.folder.backup(h.store)(ctx, f); err != nil {
			return err
		}
		if size, err = f.Seek(0, io.SeekEnd); err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
		if err == nil {
			_, err = queue.VerifyBackup(f)
		}
		return err
	})
	return path, size, err
}
