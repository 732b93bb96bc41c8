package smtpout_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
)

// The points of a conversation at which a scripted server can misbehave.
const (
	atGreeting = "greeting" // instead of 220
	atEHLO     = "EHLO"     // the first one
	atHELO     = "HELO"
	atStartTLS = "STARTTLS"
	atEHLO2    = "EHLO in TLS"
	atAuth     = "AUTH"
	atAnswer   = "answer" // what the client said to a 334
	atMail     = "MAIL"
	atRcpt     = "RCPT"
	atData     = "DATA"
	atBody     = "body" // after the lone dot
	atQuit     = "QUIT"
	atGiveUp   = "*" // the client leaves AUTH
)

// What a server does after what it said.
const (
	goOn   = ""
	closes = "close"
	resets = "reset" // closes with a TCP reset
	hangs  = "hang"  // neither reads nor writes from then on
	floods = "flood" // says the same for ever
)

// script is a server's behaviour: a sound one but for what it says at one
// point, byte for byte, and what it does then. also changes further points.
type script struct {
	at, say, then string
	also          map[string]string
	ehlo          string           // extensions, a line each; "" offers STARTTLS where the mode wants it
	cert          *tls.Certificate // nil: a good one
	tls           uint16           // newest version spoken, 0 for any
}

// stage is one scripted server for one connection.
type stage struct {
	script
	mode    string
	port    int
	reached chan struct{} // closed when a server that hangs has come to it
	over    chan struct{} // closed at the end of the test

	mu    sync.Mutex
	heard []string // the client's commands, outside and inside TLS
}

func play(t *testing.T, mode string, sc script) *stage {
	t.Helper()
	ln := must(net.Listen("tcp", "127.0.0.1:0"))
	s := &stage{
		script: sc, mode: mode, port: ln.Addr().(*net.TCPAddr).Port,
		reached: make(chan struct{}), over: make(chan struct{}),
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetReadBuffer(4096) // so that a mail can be too much for it
		s.serve(conn)
	})
	t.Cleanup(func() {
		close(s.over)
		_ = ln.Close()
		wg.Wait()
	})
	return s
}

func (s *stage) config() *tls.Config {
	cert := goodCert()
	if s.cert != nil {
		cert = *s.cert
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: s.tls, MinVersion: tls.VersionTLS10}
}

// serve leads one conversation.
func (s *stage) serve(raw net.Conn) {
	conn, secure := raw, false
	if s.mode == "implicit" {
		conn, secure = tls.Server(raw, s.config()), true
	}
	if !s.answer(raw, conn, atGreeting, "220 mail.test ESMTP") {
		return
	}
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		s.hear(line)
		point, sound := s.sound(line, secure)
		if !s.answer(raw, conn, point, sound) {
			return
		}
		switch point {
		case atStartTLS:
			conn, secure = tls.Server(raw, s.config()), true
			r = bufio.NewReader(conn)
		case atData:
			if s.at == atData && !strings.HasPrefix(s.say, "354") {
				continue
			}
			if !s.body(r) || !s.answer(raw, conn, atBody, "250 2.0.0 Ok: queued as 4XyZ") {
				return
			}
		}
	}
}

// sound is the point of the conversation that a command stands for, and how a
// sound server answers it.
func (s *stage) sound(line string, secure bool) (point, answer string) {
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		ext := strings.TrimSpace(s.ehlo)
		if s.mode == "starttls" && !secure && s.ehlo == "" {
			ext = "STARTTLS"
		}
		answer = "250 mail.test"
		if ext != "" {
			lines := strings.Split(ext, "\n")
			lines[len(lines)-1] = "250 " + lines[len(lines)-1]
			for i := range len(lines) - 1 {
				lines[i] = "250-" + lines[i]
			}
			answer = "250-mail.test\r\n" + strings.Join(lines, "\r\n")
		}
		if secure && s.mode == "starttls" {
			return atEHLO2, answer
		}
		return atEHLO, answer
	case "HELO":
		return atHELO, "250 mail.test"
	case "STARTTLS":
		return atStartTLS, "220 2.0.0 go ahead"
	case "AUTH":
		return atAuth, "235 2.7.0 Accepted"
	case "MAIL":
		return atMail, "250 2.1.0 Ok"
	case "RCPT":
		return atRcpt, "250 2.1.5 Ok"
	case "DATA":
		return atData, "354 go ahead"
	case "QUIT":
		return atQuit, "221 2.0.0 Bye"
	case "NOOP", "RSET":
		return verb, "250 2.0.0 Ok"
	case atGiveUp:
		return atGiveUp, "501 5.7.0 Sign-in cancelled"
	}
	return atAnswer, "235 2.7.0 Accepted"
}

// answer says what belongs to point; false ends the conversation.
func (s *stage) answer(raw, conn net.Conn, point, sound string) bool {
	say := sound + "\r\n"
	if other, ok := s.also[point]; ok {
		say = other
	}
	if point == s.at {
		say = s.say
	}
	if _, err := conn.Write([]byte(say)); err != nil {
		return false
	}
	if point != s.at {
		return point != atQuit
	}
	switch s.then {
	case closes:
		return false
	case resets:
		_ = raw.(*net.TCPConn).SetLinger(0)
		return false
	case hangs:
		close(s.reached)
		<-s.over
		return false
	case floods:
		for {
			if _, err := conn.Write([]byte(say)); err != nil {
				return false
			}
		}
	}
	return point != atQuit
}

// body reads a mail up to its lone dot.
func (s *stage) body(r *bufio.Reader) bool {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			return true
		}
	}
}

func (s *stage) hear(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heard = append(s.heard, line)
}

func (s *stage) commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.heard...)
}
