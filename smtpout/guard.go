package smtpout

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/textproto"
	"strings"
	"time"
)

const (
	maxReply = 64 << 10 // bytes of one answer, all its lines together
	maxLine  = 2000     // bytes of one line; RFC 5321 4.5.3.1.5 allows 512
)

var (
	errLongReply = errors.New("the server's answer does not end: more than 64 KiB")
	errLongLine  = errors.New("the server's answer does not end: a line of more than 2000 bytes")
	errCutReply  = errors.New("the connection was closed in the middle of an answer")
	errMixed     = errors.New("the server's answer changes its code half-way")
)

// notSMTP is a line that is no part of an SMTP answer.
type notSMTP string

// Error implements error; the line is not sanitised.
func (line notSMTP) Error() string { return "not an answer of a mail server: " + string(line) }

// guard stands between the SMTP library and the connection, above TLS where
// there is TLS. The library gathers an answer without limit and lifts the
// deadline after every command; the guard ends an answer that does not end and
// keeps a deadline that cannot be lifted.
//
// It hands out one line a Read, so that what a server sent too early stays
// visible here instead of vanishing in somebody's buffer.
type guard struct {
	net.Conn
	end   time.Time // no read or write goes on beyond it
	r     *bufio.Reader
	line  []byte // what was read of the connection and not yet handed out
	reply int    // bytes of the present answer
	more  string // code of the answer whose next line is awaited, or empty
	wrote bool   // something was sent: the greeting is over
}

func newGuard(conn net.Conn, end time.Time) *guard {
	return &guard{Conn: conn, end: end, r: bufio.NewReaderSize(conn, maxLine)}
}

// Read implements io.Reader.
func (g *guard) Read(p []byte) (int, error) {
	if len(g.line) == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, g.line)
	g.line = g.line[n:]
	return n, nil
}

// next reads one whole line. A line cut short is no answer: "250" may have
// been on its way to become "250-".
func (g *guard) next() error {
	line, err := g.r.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return errLongLine
	case err != nil && len(line) > 0 && !timeout(err):
		return errCutReply
	case err != nil:
		return err
	}
	if g.reply += len(line); g.reply > maxReply {
		return errLongReply
	}
	return g.take(line)
}

// take checks the form of a line, because at a malformed one the library waits
// for an end that need not come (an SSH banner is one).
func (g *guard) take(line []byte) error {
	text := trimEOL(line)
	if len(text) < 3 || strings.Trim(string(text[:3]), "0123456789") != "" ||
		len(text) > 3 && text[3] != ' ' && text[3] != '-' {
		return notSMTP(text)
	}
	code := string(text[:3])
	if g.more != "" && g.more != code {
		return errMixed
	}
	g.more = ""
	if len(text) > 3 && text[3] == '-' {
		g.more = code
	}
	// A code alone is a whole answer (RFC 5321 4.2), but the library refuses
	// it; after DATA that would send the mail again and again.
	if len(text) == 3 {
		line = append(text[:3:3], " \r\n"...)
	}
	g.line = line
	return nil
}

func trimEOL(line []byte) []byte { return bytes.TrimSuffix(line[:len(line)-1], []byte("\r")) }

// Write implements io.Writer. What comes after it is a new answer.
func (g *guard) Write(p []byte) (int, error) {
	g.reply, g.wrote = 0, true
	return g.Conn.Write(p)
}

// early tells whether the server has sent something nobody asked for yet.
func (g *guard) early() bool { return len(g.line) > 0 || g.r.Buffered() > 0 }

// ask sends one command and wants one code in return.
func (g *guard) ask(command string, code int, wait time.Duration) error {
	if err := g.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	if _, err := g.Write([]byte(command + "\r\n")); err != nil {
		return err
	}
	_, _, err := textproto.NewReader(bufio.NewReader(g)).ReadResponse(code)
	return err
}

// SetDeadline implements net.Conn; no deadline, or one beyond the end, is the end.
func (g *guard) SetDeadline(t time.Time) error { return g.Conn.SetDeadline(g.clamp(t)) }

// SetReadDeadline implements net.Conn as SetDeadline does.
func (g *guard) SetReadDeadline(t time.Time) error { return g.Conn.SetReadDeadline(g.clamp(t)) }

// SetWriteDeadline implements net.Conn as SetDeadline does.
func (g *guard) SetWriteDeadline(t time.Time) error { return g.Conn.SetWriteDeadline(g.clamp(t)) }

func (g *guard) clamp(t time.Time) time.Time {
	if t.IsZero() || t.After(g.end) {
		return g.end
	}
	return t
}
