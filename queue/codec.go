package queue

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"time"
)

// A record is: version u8 | CRC32C of the rest u32 | fields. Numbers are
// varints, strings and lists are preceded by their length, times are Unix
// milliseconds with 0 for the zero time. Fields are only ever added at the end
// of a record: a shorter record reads as zero there, which is how an older
// version is read.
const recordVersion = 1

const recordHead = 5

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errCorrupt says that a record is not what was written.
var errCorrupt = errors.New("record is damaged: its checksum does not match")

// writer builds a record, behind what stands before it.
type writer struct {
	b    []byte
	from int // where the record begins
}

func newWriter(hint int) *writer {
	w := appendWriter(make([]byte, 0, recordHead+hint))
	return &w
}

func appendWriter(b []byte) writer {
	return writer{b: append(b, recordVersion, 0, 0, 0, 0), from: len(b)}
}

func (w *writer) uint(n uint64)        { w.b = binary.AppendUvarint(w.b, n) }
func (w *writer) int(n int)            { w.uint(uint64(n)) }
func (w *writer) time(t time.Time)     { w.uint(ms(t)) }
func (w *writer) span(d time.Duration) { w.b = binary.AppendVarint(w.b, int64(d)) }
func (w *writer) float(f float64)      { w.uint(math.Float64bits(f)) }
func (w *writer) string(s string)      { w.uint(uint64(len(s))); w.b = append(w.b, s...) }
func (w *writer) bool(v ...bool)       { w.uint(bits(v)) }

// seal returns the finished record, behind what stood before it.
func (w *writer) seal() []byte {
	r := w.b[w.from:]
	binary.BigEndian.PutUint32(r[1:], crc32.Checksum(r[recordHead:], castagnoli))
	return w.b
}

func bits(v []bool) (n uint64) {
	for i, b := range v {
		if b {
			n |= 1 << i
		}
	}
	return n
}

// reader takes a record apart. After a fault every read is zero and err says
// what was wrong.
type reader struct {
	b    []byte
	text string // of which b is the end, or ""
	err  error
}

// open checks a record's version and checksum.
func open(b []byte) *reader {
	if len(b) < recordHead || b[0] != recordVersion ||
		binary.BigEndian.Uint32(b[1:]) != crc32.Checksum(b[recordHead:], castagnoli) {
		return &reader{err: errCorrupt}
	}
	return &reader{b: b[recordHead:]}
}

func (r *reader) uint() uint64 {
	if r.err != nil || len(r.b) == 0 {
		return 0 // the end: a field that an older version did not have
	}
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.err = errCorrupt
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) int() int        { return int(r.uint()) }
func (r *reader) time() time.Time { return fromMS(r.uint()) }
func (r *reader) float() float64  { return math.Float64frombits(r.uint()) }

func (r *reader) span() time.Duration {
	if r.err != nil || len(r.b) == 0 {
		return 0
	}
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.err = errCorrupt
		return 0
	}
	r.b = r.b[size:]
	return time.Duration(n)
}

func (r *reader) string() string {
	n := r.uint()
	if r.err != nil || n > uint64(len(r.b)) {
		r.err = errors.Join(r.err, errCorrupt)
		return ""
	}
	s := r.text
	if from := len(s) - len(r.b); from >= 0 {
		s = s[from : from+int(n)]
	} else {
		s = string(r.b[:n])
	}
	r.b = r.b[n:]
	return s
}

// maxText is how long a record may be that is kept whole for the strings in it: one
// of them may be kept for long, and alone.
const maxText = 4 << 10

// share has the strings that follow share their memory.
func (r *reader) share() {
	if len(r.b) <= maxText {
		r.text = string(r.b)
	}
}

func (r *reader) bool(v ...*bool) {
	n := r.uint()
	for i, p := range v {
		*p = n&(1<<i) != 0
	}
}
