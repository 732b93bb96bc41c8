package callback

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestResponseValidate(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", MaxField+1)
	for _, c := range []struct {
		what   string
		change func(*Response)
		want   string
	}{
		{"as it is", func(*Response) {}, ""},
		{"empty", func(r *Response) { *r = Response{} }, ""},
		{"fields at their limit", func(r *Response) { r.MessageID = long[1:]; r.From.Name = long[1:] }, ""},
		{"message id", func(r *Response) { r.MessageID = long }, "messageId"},
		{"message location", func(r *Response) { r.MessageLocation = long }, "messageLocation"},
		{"name", func(r *Response) { r.From.Name = long }, "from.name"},
		{"mri", func(r *Response) { r.From.MRI = long }, "from.mri"},
		{"mobile", func(r *Response) { r.From.Mobile = long }, "from.mobile"},
		{"e-mail", func(r *Response) { r.From.Email = long }, "from.email"},
		{"voice", func(r *Response) { r.From.Voice = long }, "from.voice"},
		{"channel", func(r *Response) { r.Message.Channel = long }, "responseMessage.channel"},
		{"acknowledged", func(r *Response) { r.Message.Acknowledged = long }, "responseMessage.acknowledged"},
		{"undeliverable", func(r *Response) { r.Message.Undeliverable = long }, "responseMessage.undeliverable"},
		{"two at once", func(r *Response) { r.MessageID = long; r.From.Voice = long }, "from.voice messageId"},
		{"long content", func(r *Response) { r.Message.Content = strings.Repeat("é", 1<<18) }, ""},
		{"content that is not UTF-8", func(r *Response) { r.Message.Content = "a\xff" }, "responseMessage.content"},
		{"key at its limit", func(r *Response) { r.Key = strings.Repeat("k", MaxKey) }, ""},
		{"key too long", func(r *Response) { r.Key = strings.Repeat("k", MaxKey+1) }, "id"},
		{"100 parameters", func(r *Response) { r.Params = slices.Repeat([]Param{{"a", "b"}}, MaxParams) }, ""},
		{"101 parameters", func(r *Response) { r.Params = slices.Repeat([]Param{{"a", "b"}}, MaxParams+1) }, "customParameters"},
		{"parameter without name", func(r *Response) { r.Params = []Param{{"a", ""}, {"", "b"}} }, "customParameters[1]"},
		{"parameter with a long name", func(r *Response) { r.Params = []Param{{long, "b"}} }, "customParameters[0]"},
		{"parameter at its limit", func(r *Response) { r.Params = []Param{{"a", strings.Repeat("x", MaxParam)}} }, ""},
		{"parameter too long", func(r *Response) { r.Params = []Param{{"a\x1b[1m", strings.Repeat("x", MaxParam+1)}} }, "customParameters.a[1m"},
		{"deliverAt in the past", func(r *Response) { r.DeliverAt = noon.Add(-time.Hour) }, ""},
		{"deliverAt a year ahead", func(r *Response) { r.DeliverAt = noon.Add(MaxDeliverIn) }, ""},
		{"deliverAt later", func(r *Response) { r.DeliverAt = noon.Add(MaxDeliverIn + 1) }, "deliverAt"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r := Response{MessageID: "M1", Message: Message{Channel: "SMS", Acknowledged: "now", Content: "Yes"}}
			c.change(&r)
			same(t, "faulty fields", faultsOf(t, r.Validate(noon)), c.want)
		})
	}
}

func TestResponseKind(t *testing.T) {
	t.Parallel()
	r := Response{Message: Message{Acknowledged: "now"}}
	same(t, "kind", r.Kind(), KindReply)
	r.Message.Undeliverable = "now"
	same(t, "kind", r.Kind(), KindUndeliverable)
}
