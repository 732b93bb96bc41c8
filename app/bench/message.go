package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// message is what is sent: a response of the size that was asked for, as the
// contract shows one. Its messageId says when it was sent.
type message struct {
	json     []byte // with a messageId of zeros
	at       int    // where that stands
	response callback.Response
}

// stampSize is how many digits a time in Unix nanoseconds has.
const stampSize = 19

func newMessage(size int) (message, error) {
	build := func(content int) callback.Response {
		return callback.Response{
			MessageID: strings.Repeat("0", stampSize), MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
			From:    callback.From{Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "0430984567", Email: "fred@example.com", Voice: "0430984567"},
			Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/13 13:22", Content: filler(content)},
			Params:  []callback.Param{{Key: "CustomerId", Value: "890h0ef0"}},
		}
	}
	empty, err := encode(build(0))
	if err != nil {
		return message{}, err
	}
	m := message{response: build(size - len(empty))}
	if m.json, err = encode(m.response); err != nil {
		return message{}, err
	}
	m.at = bytes.Index(m.json, idField) + len(idField)
	return m, nil
}

// filler is text of n bytes.
func filler(n int) string {
	const line = "Yes, I accept. Will I need to bring steel cap boots? "
	return strings.Repeat(line, max(n, 0)/len(line)+1)[:max(n, 0)]
}

// encode writes a response as producers send it.
func encode(r callback.Response) ([]byte, error) {
	b, err := json.Marshal(struct {
		ID       string            `json:"messageId"`
		Location string            `json:"messageLocation"`
		From     map[string]string `json:"from"`
		Message  map[string]string `json:"responseMessage"`
		Params   map[string]string `json:"customParameters"`
	}{
		r.MessageID, r.MessageLocation,
		map[string]string{"name": r.From.Name, "mri": r.From.MRI, "mobile": r.From.Mobile, "email": r.From.Email, "voice": r.From.Voice},
		map[string]string{"channel": r.Message.Channel, "acknowledged": r.Message.Acknowledged, "content": r.Message.Content},
		map[string]string{r.Params[0].Key: r.Params[0].Value},
	})
	if err != nil {
		return nil, fmt.Errorf("build the response that is sent: %w", err)
	}
	return b, nil
}

var idField = []byte(`"messageId":"`)

// stamped returns the message as it is sent now, in b's memory.
func (m *message) stamped(b []byte) []byte {
	b = append(b[:0], m.json...)
	strconv.AppendInt(b[m.at:m.at], time.Now().UnixNano(), 10)
	return b
}

// sentAt returns when a body was sent; 0 when it does not say.
func sentAt(body []byte) int64 {
	i := bytes.Index(body, idField)
	if i < 0 || len(body) < i+len(idField)+stampSize {
		return 0
	}
	i += len(idField)
	n, err := strconv.ParseInt(string(body[i:i+stampSize]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
