package queue

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"syscall"
)

// Badger replays its write-ahead log (a .mem file) up to the first record that
// is not right, and cuts off the rest without a word. That is what a torn last
// commit needs, which nobody was told of; in the middle of the file it would
// drop calls that were accepted.

// walHeader is the length of what precedes the first record of a .mem file, and
// the marks are bits of a record's first byte (badger v4.9.6, value.go).
const (
	walHeader = 20
	walTxn    = 1 << 6
	walFin    = 1 << 7
)

// walFinKey begins the key of the record that ends a transaction; its value is
// the transaction's version in decimal digits.
var walFinKey = []byte("!badger!txn")

// checkWAL refuses a log in which commits follow behind a damaged record: two or
// more, for one may be the torn last commit itself.
func checkWAL(path string) error {
	whole, err := mapped(path) // to read it would take its length in memory, 32 MiB each
	if err != nil {
		return fmt.Errorf("read the log %s: %w", path, err)
	}
	defer func() { _ = syscall.Munmap(whole) }() // it fails only for what is not mapped
	b := bytes.TrimRight(whole, "\x00")          // it is made longer than what is in it
	end, last := replayed(b)
	if n := commitsBehind(b, end, last); n > 1 {
		return fmt.Errorf("the log %s is damaged at byte %d, and %d commits behind it would be lost: restore a backup, "+
			"or keep a copy of the folder and move that file away to go on without what is in it; nothing was touched", path, end, n)
	}
	return nil
}

// mapped maps a file that is not empty, to be read.
func mapped(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
}

// replayed returns up to where Badger would replay a log, and the version of
// the last transaction before that.
func replayed(b []byte) (end int, last uint64) {
	at, open := walHeader, uint64(0)
	for end = min(walHeader, len(b)); ; {
		r, size := walEntry(b, at)
		if size == 0 {
			return end, last
		}
		at += size
		switch {
		case r.meta&walTxn != 0:
			if open == 0 {
				open = r.version
			}
			if open != r.version {
				return end, last
			}
		case r.meta&walFin != 0:
			if v, err := strconv.ParseUint(string(r.value), 10, 64); err != nil || v != open {
				return end, last
			}
			end, last, open = at, open, 0
		case open != 0: // moved by garbage collection, never inside a transaction
			return end, last
		default:
			end = at
		}
	}
}

// commitsBehind counts the whole records from the place from on that end a
// transaction later than last.
func commitsBehind(b []byte, from int, last uint64) (n int) {
	for at := from; at < len(b); {
		i := bytes.Index(b[at:], walFinKey)
		if i < 0 {
			break
		}
		at += i
		const head = 5 // of a record with a key this short and no expiry
		if r, size := walEntry(b, at-head); size > 0 && r.meta&walFin != 0 {
			if v, err := strconv.ParseUint(string(r.value), 10, 64); err == nil && v > last {
				n++
			}
		}
		at += len(walFinKey)
	}
	return n
}

// walRecord is one record of a log.
type walRecord struct {
	meta    byte
	version uint64
	value   []byte
}

// walEntry reads the record at a place: meta, user meta, lengths of key and
// value and expiry as varints, key (which ends with its inverted version),
// value, CRC32C. size is 0 where there is no whole record.
func walEntry(b []byte, at int) (r walRecord, size int) {
	if at < 0 || at+2 > len(b) {
		return r, 0
	}
	rest := b[at:]
	r.meta = rest[0]
	head := 2
	var fields [3]uint64 // lengths of key and value, expiry
	for i := range fields {
		v, n := binary.Uvarint(rest[head:])
		if n <= 0 {
			return r, 0
		}
		fields[i] = v
		head += n
	}
	keyLen, valueLen := fields[0], fields[1]
	if keyLen < 8 || keyLen > 1<<16 || valueLen > 1<<30 || uint64(len(rest)-head) < keyLen+valueLen {
		return r, 0
	}
	body := head + int(keyLen+valueLen)
	sum := append([]byte(nil), rest[body:min(body+4, len(rest))]...)
	for len(sum) < 4 { // zeros at the end of the file were trimmed
		sum = append(sum, 0)
	}
	if crc32.Checksum(rest[:body], castagnoli) != binary.BigEndian.Uint32(sum) {
		return r, 0
	}
	r.version = ^be64(rest[head+int(keyLen)-8:])
	r.value = rest[head+int(keyLen) : body]
	return r, body + 4
}
