package tui

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"ringback/callback"
)

var (
	errLong  = errors.New("that is too long; nothing was pasted")
	errLines = errors.New("a key is one line, without control characters; nothing was pasted")
	errMany  = errors.New("that is more lines than there may be; nothing was pasted")
	errTaken = errors.New("text cannot be pasted here")
)

// lineEnds makes one kind of the ends that terminals paste.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// paste takes text in. says is what is to be told of it.
func (f *field) paste(text string) (says string, err error) {
	trimmed := strings.Trim(text, "\r\n")
	switch f.kind {
	case fieldSecret:
		if callback.Sanitize(trimmed, len(trimmed)) != trimmed { // a change that nobody could see
			return "", errLines
		}
	case fieldLines:
		return "", f.pasteLines(trimmed)
	case fieldPaste:
		if len(text) > callback.MaxCA {
			return "", errLong
		}
		f.whole = strings.TrimSpace(lineEnds.Replace(text))
		return "", nil
	case fieldChoice, fieldFlag:
		return "", errTaken
	}
	if !f.insert(trimmed) {
		return "", errLong
	}
	f.drop = false
	if strings.ContainsAny(trimmed, "\r\n") {
		says = "what was pasted is one line now"
	}
	return says, nil
}

// pasteLines takes each line as one of its own, all or none.
func (f *field) pasteLines(text string) error {
	first, rest, _ := strings.Cut(lineEnds.Replace(text), "\n")
	var more []string
	for line := range strings.SplitSeq(rest, "\n") {
		if strings.TrimSpace(line) != "" {
			more = append(more, line)
		}
	}
	used := len(f.rows)
	if last := used - 1; len(f.rows[last].text) == 0 && (f.row != last || first == "") {
		used--
	}
	tooLong := func(line string) bool { return utf8.RuneCountInString(line) > maxInput }
	switch {
	case used+len(more) > callback.MaxHeaders+1:
		return errMany
	case slices.ContainsFunc(more, tooLong) || !f.rows[f.row].insert(first):
		return errLong
	}
	f.grow()
	for _, line := range more {
		f.row = len(f.rows) - 1
		f.rows[f.row].insert(line)
		f.grow()
	}
	return nil
}

// certificates says in a few words what certificates a text holds.
func certificates(text string) string {
	rest, n, first := []byte(text), 0, ""
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			continue
		}
		if n++; n == 1 {
			first = cert.Subject.CommonName + ", until " + cert.NotAfter.UTC().Format(time.DateOnly)
		}
	}
	switch n {
	case 0:
		return plural(uint64(strings.Count(text, "\n")+1), "line") + ", no certificate"
	case 1:
		return first
	}
	return first + " and " + strconv.Itoa(n-1) + " more"
}
