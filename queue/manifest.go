package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// Badger lists its tables in a file named MANIFEST, to which it appends whenever
// tables come and go. It takes one that was cut short for one whose last entry a
// crash did not finish, and deletes every table that is not in what is left. So
// the engine notes how long the MANIFEST was and what was in it, and looks
// before Badger does. The note may be older than the MANIFEST, for nothing is
// ever changed in that but by replacing it as a whole; it is never younger than
// what is on disk.

const (
	manifestFile = "MANIFEST"
	noteFile     = "ringback.manifest"
	noteSize     = 20 // head, size, sum and their checksum: within one sector
	manifestHead = 8  // magic and versions, before the first entry
)

// manifestNote is what is noted of a MANIFEST.
type manifestNote struct {
	head uint32 // checksum up to the end of the first entry: another in one that was replaced
	size uint64 // up to the end of the last whole entry
	sum  uint32 // checksum of that
}

// noteOf reads a MANIFEST: after its head come entries, of which each has its
// length, its checksum and as many bytes.
func noteOf(b []byte) (n manifestNote) {
	at := manifestHead
	for at+8 <= len(b) {
		size, sum := uint64(binary.BigEndian.Uint32(b[at:])), binary.BigEndian.Uint32(b[at+4:])
		if uint64(len(b)-at-8) < size || crc32.Checksum(b[at+8:at+8+int(size)], castagnoli) != sum {
			break
		}
		at += 8 + int(size)
		if n.size == 0 {
			n.head = crc32.Checksum(b[:at], castagnoli)
		}
		n.size = uint64(at)
	}
	n.sum = crc32.Checksum(b[:n.size], castagnoli)
	return n
}

func (n manifestNote) encode() []byte {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, noteSize), n.head)
	b = binary.BigEndian.AppendUint64(b, n.size)
	b = binary.BigEndian.AppendUint32(b, n.sum)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// readNote returns the note of a folder; ok is false where there is none that
// can be read, as in the folder of a ringback that wrote none.
func readNote(dir string) (n manifestNote, ok bool) {
	b, err := os.ReadFile(filepath.Join(dir, noteFile))
	if err != nil || len(b) != noteSize || crc32.Checksum(b[:noteSize-4], castagnoli) != binary.BigEndian.Uint32(b[noteSize-4:]) {
		return n, false
	}
	return manifestNote{head: binary.BigEndian.Uint32(b), size: be64(b[4:]), sum: binary.BigEndian.Uint32(b[12:])}, true
}

// checkManifest refuses a folder with tables whose MANIFEST is missing, or lost
// something of what is noted of it.
func checkManifest(dir string, tables int) error {
	if tables == 0 {
		return nil // none can be deleted
	}
	b, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the data folder %s has %d tables but no MANIFEST: restore a backup; nothing was touched", dir, tables)
	}
	if err != nil {
		return fmt.Errorf("read the MANIFEST: %w", err)
	}
	now, noted := noteOf(b), manifestNote{}
	if now.size > 0 {
		var ok bool
		if noted, ok = readNote(dir); !ok || noted.head != now.head {
			return nil
		}
		if noted.size <= now.size && crc32.Checksum(b[:noted.size], castagnoli) == noted.sum {
			return nil
		}
	}
	return fmt.Errorf("the MANIFEST in %s is damaged or was cut short, at %d bytes of at least %d, and the tables that it does not list any more would be lost: "+
		"restore a backup, or keep a copy of the folder and remove %s from it to go on without them; nothing was touched",
		dir, len(b), max(noted.size, manifestHead+8), noteFile)
}

// manifestKeeper keeps the note of an engine's folder.
type manifestKeeper struct {
	dir  string
	fail func(error) // told of what went wrong
	wake chan struct{}
	done sync.WaitGroup
	seen syscall.Stat_t // only that of the goroutine that commits
	note manifestNote   // as it was last written
}

func keepManifest(dir string, fail func(error)) *manifestKeeper {
	k := &manifestKeeper{dir: dir, fail: fail, wake: make(chan struct{}, 1)}
	k.look()
	k.done.Go(func() {
		for range k.wake {
			k.look()
		}
	})
	return k
}

// changed makes the keeper look when the MANIFEST is another than before. It
// takes a microsecond; who commits asks after each commit, and nobody else may.
func (k *manifestKeeper) changed() {
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join(k.dir, manifestFile), &st); err != nil || st.Size == k.seen.Size && st.Ino == k.seen.Ino {
		return
	}
	k.seen = st
	k.again()
}

// again makes the keeper look.
func (k *manifestKeeper) again() {
	select {
	case k.wake <- struct{}{}:
	default: // it has not looked since it was last woken
	}
}

// close ends the keeper; the caller may have a last look.
func (k *manifestKeeper) close() {
	close(k.wake)
	k.done.Wait()
}

func (k *manifestKeeper) look() {
	if err := k.write(); err != nil {
		k.fail(err)
	}
}

// write notes the MANIFEST, which is on disk before the note is. A note is
// written over the one before: it is too short to be torn, and one that is torn
// nevertheless says nothing.
func (k *manifestKeeper) write() (err error) {
	b, err := synced(filepath.Join(k.dir, manifestFile))
	if err != nil {
		return err
	}
	n := noteOf(b)
	if n == k.note {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(k.dir, noteFile), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(n.encode(), 0)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	k.note = n
	return nil
}

// synced returns what is in a file and on disk.
func synced(path string) (b []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	b, err = io.ReadAll(f)
	return b, errors.Join(err, f.Sync(), f.Close())
}
