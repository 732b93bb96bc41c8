package callback

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// Response is what somebody answered to a message, or the word that it could
// not be delivered. It is stored once and never changed.
type Response struct {
	MessageID       string
	MessageLocation string
	From            From
	Message         Message
	Params          []Param // delivered as customParameters, in this order

	// DeliverAt delays the first attempt; zero: at once.
	DeliverAt time.Time
	// Key makes an enqueue idempotent within one callback; empty: it is not.
	Key string
}

// From tells who answered.
type From struct{ Name, MRI, Mobile, Email, Voice string }

// Message is the answer itself. Acknowledged and Undeliverable are the
// sender's own time stamps, kept as text; one of them is set.
type Message struct{ Channel, Acknowledged, Undeliverable, Content string }

// Param is one custom parameter.
type Param struct{ Key, Value string }

// Kind tells replies from notices of failed delivery.
type Kind uint8

// The kinds of response.
const (
	KindReply Kind = iota
	KindUndeliverable
)

// Kind returns the kind of the response.
func (r *Response) Kind() Kind {
	if r.Message.Undeliverable != "" {
		return KindUndeliverable
	}
	return KindReply
}

// Size returns how many bytes the texts of the response have.
func (r *Response) Size() int {
	f, m := &r.From, &r.Message
	n := len(r.Key)
	for _, s := range [...]string{
		r.MessageID, r.MessageLocation, f.Name, f.MRI, f.Mobile, f.Email, f.Voice,
		m.Channel, m.Acknowledged, m.Undeliverable, m.Content,
	} {
		n += len(s)
	}
	for _, p := range r.Params {
		n += len(p.Key) + len(p.Value)
	}
	return n
}

// Sample returns a response that says that it is a test, for a callback that
// takes replies or, where it takes those only, notices of failed delivery. id
// stands for the message's.
func (cb *Callback) Sample(id string, now time.Time) Response {
	r := Response{
		MessageID: id,
		From:      From{Name: "ringback test"},
		Message: Message{
			Channel: "TEST", Acknowledged: now.UTC().Format("02/01/06 15:04"),
			Content: "This is a test of the callback, sent by ringback. Nobody answered a message.",
		},
	}
	if cb.NoReplies && !cb.NoUndelivers {
		r.Message.Acknowledged, r.Message.Undeliverable = "", r.Message.Acknowledged
	}
	return r
}

// Limits of a response's fields, in bytes where not said otherwise. They bound
// what a list row or a mail can cost; content is bounded by the body alone.
const (
	MaxField     = 1024 // each of the short fields
	MaxParams    = 100  // custom parameters of one response
	MaxParam     = 4096 // value of one custom parameter
	MaxKey       = 255  // an idempotency key
	MaxDeliverIn = 366 * 24 * time.Hour
)

// Validate returns an *Error that names every wrong field, or nil.
func (r *Response) Validate(now time.Time) error {
	var f faults
	for _, s := range []struct{ field, value string }{
		{"messageId", r.MessageID},
		{"messageLocation", r.MessageLocation},
		{"from.name", r.From.Name},
		{"from.mri", r.From.MRI},
		{"from.mobile", r.From.Mobile},
		{"from.email", r.From.Email},
		{"from.voice", r.From.Voice},
		{"responseMessage.channel", r.Message.Channel},
		{"responseMessage.acknowledged", r.Message.Acknowledged},
		{"responseMessage.undeliverable", r.Message.Undeliverable},
	} {
		if len(s.value) > MaxField {
			f.add(s.field, "is %d bytes long; at most %d", len(s.value), MaxField)
		}
	}
	if len(r.Key) > MaxKey {
		f.add("id", "is %d bytes long; at most %d", len(r.Key), MaxKey)
	}
	if len(r.Params) > MaxParams {
		f.add("customParameters", "has %d entries; at most %d", len(r.Params), MaxParams)
	}
	for i, p := range r.Params[:min(len(r.Params), MaxParams)] {
		if p.Key == "" || len(p.Key) > MaxField {
			f.add(fmt.Sprintf("customParameters[%d]", i), "needs a name of 1 to %d bytes", MaxField)
		}
		if len(p.Value) > MaxParam {
			f.add("customParameters."+Sanitize(p.Key, 60), "is %d bytes long; at most %d", len(p.Value), MaxParam)
		}
	}
	if !utf8.ValidString(r.Message.Content) {
		f.add("responseMessage.content", "is not UTF-8")
	}
	if r.DeliverAt.Sub(now) > MaxDeliverIn {
		f.add("deliverAt", "is more than a year ahead")
	}
	return f.err("the response")
}
