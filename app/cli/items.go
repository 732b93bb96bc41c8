package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"sort"
	"strings"
)

// item is one response as a file has it.
type item struct {
	line int // on which it begins, from 1
	raw  []byte
	err  error // it could not be read; raw is nil
}

// maxItem bounds one item, in bytes: what max_body can be set to at most.
const maxItem = 8 << 20

// errLong says that an item is longer than maxItem.
var errLong = fmt.Errorf("is longer than %d bytes", maxItem)

// items reads a file of responses: one JSON object, an array of them, or one on
// each line (NDJSON). Memory is bounded by one item. On separate lines one that
// is no JSON does not keep the others from being read; anywhere else it ends the
// file, for nobody can say where the next one begins.
func items(r io.Reader) iter.Seq[item] {
	b := bufio.NewReaderSize(r, 64<<10)
	return func(yield func(item) bool) {
		line, first, err := skipSpace(b)
		switch {
		case errors.Is(err, io.EOF):
		case err != nil:
			yield(item{line: line, err: err})
		case first == '[':
			values(b, line, yield)
		case first == '{' && !wholeLine(b):
			values(b, line, yield)
		default:
			lines(b, line, yield)
		}
	}
}

// skipSpace skips blanks and a byte order mark, and returns the line and the
// first byte of what follows, which stays unread.
func skipSpace(b *bufio.Reader) (line int, first byte, err error) {
	if mark, err := b.Peek(3); err == nil && string(mark) == "\ufeff" {
		_, _ = b.Discard(len(mark)) // it was peeked at
	}
	for line = 1; ; {
		first, err = b.ReadByte()
		if err != nil {
			return line, 0, err
		}
		switch first {
		case '\n':
			line++
		case ' ', '\t', '\r':
		default:
			return line, first, b.UnreadByte()
		}
	}
}

// wholeLine reports whether the line that follows is a JSON value by itself. One
// that is longer than the buffer is taken for it: who breaks lines inside a value
// does not make them that long. It waits for no more than the line.
func wholeLine(b *bufio.Reader) bool {
	for err := error(nil); ; {
		line, _ := b.Peek(b.Buffered()) // no more than there is
		if i := bytes.IndexByte(line, '\n'); i >= 0 {
			return json.Valid(line[:i])
		}
		if err != nil {
			return errors.Is(err, bufio.ErrBufferFull) || json.Valid(line)
		}
		_, err = b.Peek(len(line) + 1)
	}
}

// lines yields the item of each line; blank ones hold none.
func lines(b *bufio.Reader, n int, yield func(item) bool) {
	for ; ; n++ {
		raw, err := readLine(b)
		it := item{line: n}
		switch trimmed := bytes.TrimSpace(raw); {
		case errors.Is(err, errLong):
			it.err, err = err, nil
		case err != nil && !errors.Is(err, io.EOF):
			it.err = err
		case len(trimmed) == 0:
			if err != nil {
				return
			}
			continue
		default:
			if it.err = wrong(trimmed); it.err == nil {
				it.raw = bytes.Clone(trimmed)
			}
		}
		if !yield(it) || err != nil {
			return
		}
	}
}

// wrong says why a line is no JSON value, or nil.
func wrong(line []byte) error {
	var v json.RawMessage
	if err := json.Unmarshal(line, &v); err != nil {
		return badJSON(err)
	}
	return nil
}

// badJSON words a syntax error; another one is of the file itself.
func badJSON(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return errors.New("is not JSON: it ends too early")
	}
	e, ok := errors.AsType[*json.SyntaxError](err)
	switch {
	case !ok:
		return err
	case strings.HasPrefix(e.Error(), "unexpected end"):
		return errors.New("is not JSON: it ends too early")
	}
	return errors.New("is not JSON: " + text(e.Error(), 200))
}

// readLine returns the next line, and io.EOF with the last one. Of a line that is
// too long the rest is skipped.
func readLine(b *bufio.Reader) (line []byte, err error) {
	long := false
	for {
		part, err := b.ReadSlice('\n')
		if long = long || len(line)+len(part) > maxItem; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case long && (err == nil || errors.Is(err, io.EOF)):
			return nil, errLong
		default:
			return line, err
		}
	}
}

// values yields the values of an array, or those that stand one after the other.
func values(r *bufio.Reader, first int, yield func(item) bool) {
	head, err := r.Peek(1)
	array := err == nil && head[0] == '['
	at := &lineCounter{r: r, first: first}
	d := json.NewDecoder(at)
	if array {
		if _, err := d.Token(); err != nil {
			yield(item{line: at.line(d.InputOffset()), err: badJSON(err)})
			return
		}
	}
	for !array || d.More() {
		var v json.RawMessage
		err := d.Decode(&v)
		if errors.Is(err, io.EOF) && !array {
			return
		}
		if err != nil {
			yield(item{line: at.line(d.InputOffset()), err: badJSON(err)})
			return
		}
		if !yield(item{line: at.line(d.InputOffset() - int64(len(v))), raw: v}) {
			return
		}
	}
	end(d, at, yield)
}

// end reads the end of an array, behind which nothing may stand.
func end(d *json.Decoder, at *lineCounter, yield func(item) bool) {
	_, err := d.Token()
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return
		}
		err = errors.New("stands behind the end of the array")
	} else {
		err = badJSON(err)
	}
	yield(item{line: at.line(d.InputOffset()), err: err})
}

// lineCounter tells on which line a byte stands that was read through it.
type lineCounter struct {
	r     io.Reader
	first int     // the line of its first byte
	read  int64   // how many bytes were read
	ends  []int64 // where lines end that were not asked beyond yet
}

// Read implements io.Reader.
func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, ch := range p[:n] {
		if ch == '\n' {
			c.ends = append(c.ends, c.read+int64(i))
		}
	}
	c.read += int64(n)
	return n, err
}

// line returns the line of a byte; bytes are asked for in rising order.
func (c *lineCounter) line(offset int64) int {
	n := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] >= offset })
	c.first += n
	c.ends = c.ends[n:]
	return c.first
}
