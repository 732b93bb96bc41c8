package api

import (
	"bufio"
	"encoding/csv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ringback/callback"
)

// columns are those of an export as CSV, in this order. More may come behind
// them; none is taken away or moved.
var columns = []string{
	"id", "callbackId", "callback", "url", "messageId", "messageLocation",
	"fromName", "fromMri", "fromMobile", "fromEmail", "fromVoice",
	"channel", "acknowledged", "undeliverable", "content", "customParameters",
	"status", "state", "reason", "attempts", "attemptedDate", "statusCode", "statusMessage", "error", "errorMessage", "durationMs",
	"enqueuedDate", "firstFailedDate", "nextAttemptDate", "giveUpDate", "finishedDate", "resolvedBy",
}

// cellRows writes each call as a row, with its last attempt (RFC 4180).
func (q *request) cellRows(out *bufio.Writer) (func(*callback.CallView) error, error) {
	w := csv.NewWriter(out)
	w.UseCRLF = true
	if err := w.Write(columns); err != nil {
		return nil, err
	}
	w.Flush()
	return func(c *callback.CallView) error {
		row, err := cells(c)
		if err != nil {
			return err
		}
		if err := w.Write(row); err != nil {
			return err
		}
		w.Flush() // into out
		return w.Error()
	}, w.Error()
}

// cells returns the row of a call.
func cells(c *callback.CallView) ([]string, error) {
	r, last := &c.Response, callback.Attempt{OK: true}
	if n := len(c.Attempts); n > 0 {
		last = c.Attempts[n-1]
	}
	params := []byte{}
	if len(r.Params) > 0 {
		var err error
		if params, err = encodeJSON(paramsShape(r.Params)); err != nil {
			return nil, err
		}
	}
	code, took, next := "", "", ""
	if len(c.Attempts) > 0 {
		code, took = strconv.Itoa(last.Code), strconv.FormatFloat(float64(last.Duration.Microseconds())/1000, 'f', -1, 64)
	}
	if c.Entry.Status == callback.Ready {
		next = date(c.Due)
	}
	row := []string{
		c.ID.String(), c.CallbackID.String(), cell(c.Callback), cell(c.URL), cell(r.MessageID), cell(r.MessageLocation),
		cell(r.From.Name), cell(r.From.MRI), cell(r.From.Mobile), cell(r.From.Email), cell(r.From.Voice),
		cell(r.Message.Channel), cell(r.Message.Acknowledged), cell(r.Message.Undeliverable), cell(r.Message.Content), cell(string(params)),
		statusWord(c.Listed()), string(c.State), c.Reason.String(), strconv.Itoa(c.Entry.Attempts),
		date(last.Started), code, cell(last.Reason), cell(last.Class.String()), cell(last.Error), took,
		date(c.Enqueued), date(c.FirstFailed), next, date(c.GivesUp), date(c.Finished), cell(c.ResolvedBy),
	}
	return row, nil
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(stampForm)
}

// cell makes text from outside safe in a cell: no control character but line
// breaks and tabs within, none that turns the direction of text, and nothing
// that a spreadsheet takes for a formula (OWASP, CSV injection): a cell that
// begins like one, also behind blanks or in the full-width forms, gets an
// apostrophe in front.
func cell(s string) string {
	s = strings.Map(func(r rune) rune { // what is not UTF-8 becomes U+FFFD
		if unicode.Is(unicode.Cc, r) && r != '\n' && r != '\r' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) || r == '\ufeff' {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	text := strings.TrimLeftFunc(s, unicode.IsSpace)
	first, n := utf8.DecodeRuneInString(text)
	if n > 0 && strings.ContainsRune("=+-@＝＋－＠", first) || strings.ContainsAny(s[:len(s)-len(text)], "\t\r\n") {
		return "'" + s
	}
	return s
}
