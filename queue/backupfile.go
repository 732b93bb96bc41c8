package queue

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"
)

// A backup file, docs/backup.md; integers are big-endian:
//
//	"ringback backup 1\n"
//	format of the store u32 | when it was made, Unix ms u64 | key of fingerprints, 32 bytes
//	chunks: length u32 | that many bytes, which are whole records: uvarint lengths of key and value, key, value
//	0 u32
//	SHA-256 of all of the above, and nothing behind it
const (
	backupMagic   = "ringback backup "
	backupVersion = 1
	backupKeySize = 32

	backupChunk = 1 << 20  // bytes after which a chunk is ended
	maxChunk    = 16 << 20 // bytes of one at most: it ends behind a record, of which none is that long
)

// BackupHead is what a backup says of itself.
type BackupHead struct {
	Made time.Time // in milliseconds
	Key  []byte    // by which the data folder makes fingerprints of secrets, 32 bytes
}

// IsBackup reports whether a file that begins with b is a backup, of whatever
// version.
func IsBackup(b []byte) bool { return bytes.HasPrefix(b, []byte(backupMagic)) }

// backupWriter writes a backup. What was given to add is written by flush.
type backupWriter struct {
	out   io.Writer
	sum   hash.Hash
	chunk []byte // with room for its length ahead
}

func newBackupWriter(out io.Writer, head BackupHead) (*backupWriter, error) {
	if len(head.Key) != backupKeySize {
		return nil, fmt.Errorf("the key of fingerprints is %d bytes long, not %d", len(head.Key), backupKeySize)
	}
	b := &backupWriter{out: out, sum: sha256.New(), chunk: make([]byte, 4, backupChunk+backupChunk/4)}
	line := fmt.Appendf(nil, "%s%d\n", backupMagic, backupVersion)
	return b, b.write(append(put64(put32(line, format), ms(head.Made)), head.Key...))
}

// write sends bytes, and counts them in. A hash takes them without an error.
func (b *backupWriter) write(p []byte) error {
	b.sum.Write(p)
	_, err := b.out.Write(p)
	return err
}

// add notes a record, and reports whether the chunk is long enough.
func (b *backupWriter) add(k, v []byte) (full bool) {
	b.chunk = binary.AppendUvarint(b.chunk, uint64(len(k)))
	b.chunk = binary.AppendUvarint(b.chunk, uint64(len(v)))
	b.chunk = append(append(b.chunk, k...), v...)
	return len(b.chunk) >= backupChunk
}

// flush writes a chunk of what was added.
func (b *backupWriter) flush() error {
	n := len(b.chunk) - 4
	if n == 0 {
		return nil // a chunk of no length is the end
	}
	if n > maxChunk {
		return fmt.Errorf("a chunk has %d bytes, more than %d", n, maxChunk)
	}
	binary.BigEndian.PutUint32(b.chunk, uint32(n))
	err := b.write(b.chunk)
	b.chunk = b.chunk[:4]
	return err
}

// end makes the file whole.
func (b *backupWriter) end() error {
	if err := b.write(make([]byte, 4)); err != nil {
		return err
	}
	_, err := b.out.Write(b.sum.Sum(nil))
	return err
}

// errDamagedBackup says that a backup is not what was written.
var errDamagedBackup = errors.New("the backup is damaged: its contents do not match its checksum")

// backupReader reads a backup.
type backupReader struct {
	head BackupHead
	src  *bufio.Reader
	in   io.Reader // src, counted in
	sum  hash.Hash
	read int64 // bytes, for who is told where it ends
	buf  bytes.Buffer
}

// newBackupReader reads the head of a backup, and refuses what is none that this
// version can read.
func newBackupReader(src io.Reader) (*backupReader, error) {
	b := &backupReader{src: bufio.NewReaderSize(src, 64<<10), sum: sha256.New()}
	b.in = io.TeeReader(b.src, b.sum)
	line, err := b.src.Peek(len(backupMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	if !IsBackup(line) {
		return nil, errors.New("this is no backup of ringback")
	}
	if err := b.version(); err != nil {
		return nil, err
	}
	head, err := b.take(4 + 8 + backupKeySize)
	if err != nil {
		return nil, err
	}
	if n := binary.BigEndian.Uint32(head); n != format {
		return nil, fmt.Errorf("the backup holds a store of format %d, this ringback knows %d: restore it with the ringback that wrote it, or it is damaged", n, format)
	}
	b.head = BackupHead{Made: fromMS(be64(head[4:])), Key: bytes.Clone(head[12:])}
	return b, nil
}

// version reads the first line.
func (b *backupReader) version() error {
	var line []byte
	for len(line) < len(backupMagic)+6 && !bytes.HasSuffix(line, []byte("\n")) {
		c, err := b.take(1)
		if err != nil {
			return err
		}
		line = append(line, c...)
	}
	word := strings.TrimSuffix(string(line[len(backupMagic):]), "\n")
	n, err := strconv.ParseUint(word, 10, 16)
	if err != nil || n == 0 || word != strconv.FormatUint(n, 10) {
		return errDamagedBackup
	}
	if n != backupVersion {
		return fmt.Errorf("the backup has format %d, this ringback reads %d: restore it with a newer ringback, or it is damaged", n, backupVersion)
	}
	return nil
}

// take reads n bytes, which are good until the next call. Memory grows with what
// is there, not with what a damaged length promises.
func (b *backupReader) take(n int) ([]byte, error) {
	return b.takeFrom(b.in, n)
}

func (b *backupReader) takeFrom(in io.Reader, n int) ([]byte, error) {
	b.buf.Reset()
	got, err := io.CopyN(&b.buf, in, int64(n))
	b.read += got
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the backup is cut short: it ends after %d bytes, in the middle", b.read)
	}
	if err != nil {
		return nil, fmt.Errorf("read the backup: %w", err)
	}
	return b.buf.Bytes(), nil
}

// next returns the records of the next chunk, good until the next call, and
// io.EOF once all of the file was found to be right. What it returned before may
// be wrong until then.
func (b *backupReader) next() ([]backupRecord, error) {
	size, err := b.take(4)
	if err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size)
	if n == 0 {
		return nil, b.verify()
	}
	if n > maxChunk {
		return nil, errDamagedBackup
	}
	chunk, err := b.take(int(n))
	if err != nil {
		return nil, err
	}
	var list []backupRecord
	for len(chunk) > 0 {
		r, size := readBackupRecord(chunk)
		if size == 0 {
			return nil, errDamagedBackup
		}
		list, chunk = append(list, r), chunk[size:]
	}
	return list, nil
}

// verify compares the checksum; io.EOF says that it is right.
func (b *backupReader) verify() error {
	want := b.sum.Sum(nil)
	got, err := b.takeFrom(b.src, sha256.Size)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errDamagedBackup
	}
	switch _, err := b.src.ReadByte(); {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return fmt.Errorf("read the backup: %w", err)
	}
	return errors.New("the backup is damaged: there is more behind its end")
}

// backupRecord is a key of the store with its value.
type backupRecord struct{ key, value []byte }

// readBackupRecord reads the record that b begins with; size is 0 where there is
// none that the store could hold.
func readBackupRecord(b []byte) (r backupRecord, size int) {
	k, n := binary.Uvarint(b)
	if n <= 0 {
		return r, 0
	}
	v, m := binary.Uvarint(b[n:])
	if m <= 0 {
		return r, 0
	}
	rest := b[n+m:]
	if k < 2 || k > 1<<10 || v > maxChunk || uint64(len(rest)) < k+v {
		return r, 0
	}
	r = backupRecord{rest[:k:k], rest[k : k+v : k+v]}
	if r.key[1] != kindPayload && v > maxInline {
		return r, 0
	}
	return r, n + m + int(k+v)
}
