package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// lineReader cuts a stream into lines. Blank ones are skipped.
type lineReader struct {
	in     *bufio.Reader
	number int // of the line that was read last, from 1
	max    int // bytes of a line
	long   []byte
	held   hold // for long, and for what becomes of it
}

// readAhead is how much of a stream is read ahead, in bytes.
const readAhead = 32 << 10

// lineCost is what a line of n bytes takes in memory once it is read.
func lineCost(n int) int64 { return int64(n) + 512 }

// skipAtMost bounds how much of a line that is too long is read over.
const skipAtMost = 64 << 20

func newLineReader(r io.Reader, max int, memory budget) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(r, readAhead), max: max, held: hold{budget: memory}}
}

// next returns the next line that is not blank, without what ends it; it is
// valid until the next call. A *refusal is of this line alone. A last line needs
// no end, but a line that was cut off is none.
func (l *lineReader) next() ([]byte, error) {
	for {
		l.number++
		line, err := l.line()
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return nil, err
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			return line, nil
		}
	}
}

// line returns the next line, and io.EOF with the last one.
func (l *lineReader) line() ([]byte, error) {
	l.free() // before it waits for the next
	part, err := l.in.ReadSlice('\n')
	for err == bufio.ErrBufferFull {
		if fault := l.keep(part); fault != nil {
			return nil, l.skip(fault)
		}
		part, err = l.in.ReadSlice('\n')
	}
	if len(l.long) > 0 && (err == nil || err == io.EOF) {
		if fault := l.keep(part); fault != nil {
			return nil, fault
		}
		part = l.long
	}
	if len(bytes.TrimRight(part, "\r\n")) > l.max {
		return nil, l.tooLong()
	}
	return part, err
}

// keep adds a part of a line that is longer than the buffer.
func (l *lineReader) keep(part []byte) error {
	if len(l.long)+len(part) > l.max+len("\r\n") {
		return l.tooLong()
	}
	if need := len(l.long) + len(part); need > cap(l.long) {
		size := max(need, min(2*cap(l.long), l.max+len("\r\n")))
		if err := l.held.more(lineCost(size) - l.held.n); err != nil {
			return err
		}
		l.long = append(make([]byte, 0, size), l.long...)
	}
	l.long = append(l.long, part...)
	return nil
}

// skip reads over the rest of a line and returns fault, or what keeps the stream
// from going on.
func (l *lineReader) skip(fault error) error {
	l.free()
	for skipped := 0; skipped < skipAtMost; {
		part, err := l.in.ReadSlice('\n')
		switch {
		case err == nil || err == io.EOF:
			return fault
		case err != bufio.ErrBufferFull:
			return err
		}
		skipped += len(part)
	}
	return fmt.Errorf("a line goes on for more than %d bytes", skipAtMost)
}

func (l *lineReader) tooLong() error {
	return &refusal{
		status:  http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("the line is longer than %d bytes", l.max),
	}
}

// more reports whether the next line is there already.
func (l *lineReader) more() bool {
	ahead, _ := l.in.Peek(l.in.Buffered()) // no more than there is
	return bytes.IndexByte(ahead, '\n') >= 0
}

// free gives back what a long line holds.
func (l *lineReader) free() {
	l.long = nil
	l.held.free()
}
