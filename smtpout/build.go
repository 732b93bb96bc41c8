package smtpout

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message"

	"ringback/callback"
)

const (
	maxSubject = 60  // characters: with "Subject: " it stays one line of less than 78
	maxID      = 200 // bytes of a message or list id
	wordBytes  = 33  // text in one encoded word, which is then 56 characters; RFC 2047 allows 75
)

// build makes the RFC 5322 message of m, with CRLF line ends and no line over
// 998 bytes. The same m gives the same bytes, so a mail sent again is the same
// mail. No text of m can end a header or a part.
func build(m callback.Mail, from, to address) ([]byte, error) {
	text, html := bodyText(m.Text), bodyText(m.HTML)
	var h message.Header
	var b bytes.Buffer
	if html == "" {
		textType(&h, "text/plain")
		addFields(&h, m, from, to)
		w, err := message.CreateWriter(&b, h)
		if err == nil {
			err = finish(w, text)
		}
		if err != nil {
			return nil, fmt.Errorf("build mail: %w", err)
		}
		return b.Bytes(), nil
	}
	h.SetContentType("multipart/alternative", map[string]string{"boundary": boundary(m)})
	addFields(&h, m, from, to)
	w, err := message.CreateWriter(&b, h)
	if err != nil {
		return nil, fmt.Errorf("build mail: %w", err)
	}
	// The best form comes last (RFC 2046 5.1.4).
	if err := writePart(w, "text/plain", text); err != nil {
		return nil, fmt.Errorf("build text of mail: %w", err)
	}
	if err := writePart(w, "text/html", html); err != nil {
		return nil, fmt.Errorf("build html of mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("build mail: %w", err)
	}
	return b.Bytes(), nil
}

// addFields puts the fields of the mail on top of those of its content.
func addFields(h *message.Header, m callback.Mail, from, to address) {
	id, parent := messageID(m.MessageID, from.domain()), ""
	if m.InReplyTo != "" {
		parent = "<" + messageID(m.InReplyTo, from.domain()) + ">"
	}
	list := idText(m.ListID)
	if list != "" {
		list = "<" + list + ">"
	}
	fields := [][2]string{
		{"Date", m.Date.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700")},
		{"From", from.String()},
		{"To", to.String()},
		{"Subject", encodeWords(subject(m.Subject))},
		{"Message-ID", "<" + id + ">"},
		{"In-Reply-To", parent},
		{"References", parent},
		{"List-Id", list},
		{"Auto-Submitted", "auto-generated"}, // RFC 3834: no out-of-office answers, please
		{"MIME-Version", "1.0"},
	}
	for _, f := range slices.Backward(fields) { // the library puts each on top
		if f[1] != "" || f[0] == "Subject" {
			h.Set(f[0], f[1])
		}
	}
}

func writePart(w *message.Writer, mediaType, body string) error {
	var h message.Header
	textType(&h, mediaType)
	part, err := w.CreatePart(h)
	if err != nil {
		return err
	}
	return finish(part, body)
}

func textType(h *message.Header, mediaType string) {
	h.Set("Content-Transfer-Encoding", "quoted-printable")
	h.SetContentType(mediaType, map[string]string{"charset": "utf-8"})
}

// finish writes body and closes w: the encoder holds back its last line until
// then.
func finish(w io.WriteCloser, body string) error {
	if _, err := io.WriteString(w, body); err != nil {
		return err
	}
	return w.Close()
}

// boundary depends on the text between the boundaries, which therefore cannot
// contain it.
func boundary(m callback.Mail) string {
	sum := sha256.Sum256([]byte(m.MessageID + "\x00" + m.Text + "\x00" + m.HTML))
	return "ringback-" + hex.EncodeToString(sum[:16])
}

// bodyText is s as UTF-8 with line feeds for line ends and without the
// controls that no mail needs.
func bodyText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
	return strings.Map(func(r rune) rune {
		if control(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// subject is s as one line of at most maxSubject characters. Longer headers
// are folded, which not every reader undoes well.
func subject(s string) string {
	s = strings.TrimSpace(callback.Sanitize(s, 8*maxSubject))
	if utf8.RuneCountInString(s) <= maxSubject {
		return s
	}
	r := []rune(s)
	return strings.TrimSpace(string(r[:maxSubject-3])) + "..."
}

// encodeWords is s for a header: as it is where that is safe, else as encoded
// words (RFC 2047). Text that merely looks like an encoded word is encoded too,
// or the reader's program would decode what an endpoint wrote there.
func encodeWords(s string) string {
	if plainText(s) {
		return s
	}
	var words []string
	for len(s) > 0 {
		n := min(wordBytes, len(s))
		for n < len(s) && !utf8.RuneStart(s[n]) {
			n--
		}
		words = append(words, "=?utf-8?b?"+base64.StdEncoding.EncodeToString([]byte(s[:n]))+"?=")
		s = s[n:]
	}
	return strings.Join(words, " ")
}

func plainText(s string) bool { return isASCII(s) && !strings.Contains(s, "=?") }

// messageID makes key a valid msg-id (RFC 5322 3.6.4) without its brackets; a
// key that is one stays as it is. One without a domain gets the sender's.
func messageID(key, domain string) string {
	left, right, found := strings.Cut(key, "@")
	left, right = idText(left), idText(right)
	if !found || right == "" {
		right = idText(domain)
	}
	if left == "" || right == "" || len(left)+len(right) > maxID {
		sum := sha256.Sum256([]byte(key))
		left, right = hex.EncodeToString(sum[:16]), cutID(right)
	}
	return left + "@" + right
}

func cutID(s string) string {
	if s == "" {
		return "localhost"
	}
	return strings.Trim(s[:min(len(s), maxID/2)], ".")
}

// idText is s as an ASCII dot-atom: what does not belong becomes "-", and
// dots stand only between other characters.
func idText(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '.' || r < utf8.RuneSelf && atext(r) {
			return r
		}
		return '-'
	}, s)
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '.' }), ".")
}
