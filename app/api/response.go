package api

import (
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// response reads one response and the callback that it names, "" where it
// names none. A response that has neither a responseMessage nor a messageId is
// refused: it would be accepted for good and delivered with nothing in it, and
// what it is most likely is a misunderstanding, such as a body one level too deep.
func (b *binder) response(n *node) (r callback.NewResponse) {
	kids := b.members("", n)
	tells := func(k node) bool {
		return k.name == "responseMessage" && k.kind != null || k.name == "messageId" && k.value != ""
	}
	if len(b.faults) == 0 && !slices.ContainsFunc(kids, tells) {
		b.fail("responseMessage", "is required where there is no messageId: what was answered, or that it could not be delivered")
	}
	for i := range kids {
		k := &kids[i]
		path := under("", k.name)
		switch k.name {
		case "callbackId":
			b.into(&r.Ref, path, k)
		case "id":
			b.into(&r.Response.Key, path, k)
		case "messageId":
			b.into(&r.Response.MessageID, path, k)
		case "messageLocation":
			b.into(&r.Response.MessageLocation, path, k)
		case "from":
			b.from(&r.Response.From, path, k)
		case "responseMessage":
			b.message(&r.Response.Message, path, k)
		case "customParameters", "callbackParameters":
			b.addParams(&r.Response.Params, path, k)
		case "deliverAt":
			r.Response.DeliverAt = b.time(path, k)
		case "link", "status", "state":
		default:
			b.unknown(path)
		}
	}
	return r
}

func (b *binder) from(f *callback.From, path string, n *node) {
	kids := b.members(path, n)
	for i := range kids {
		k := &kids[i]
		at := under(path, k.name)
		switch k.name {
		case "name":
			b.into(&f.Name, at, k)
		case "mri":
			b.into(&f.MRI, at, k)
		case "mobile":
			b.into(&f.Mobile, at, k)
		case "email":
			b.into(&f.Email, at, k)
		case "voice":
			b.into(&f.Voice, at, k)
		default:
			b.unknown(at)
		}
	}
}

func (b *binder) message(m *callback.Message, path string, n *node) {
	kids := b.members(path, n)
	for i := range kids {
		k := &kids[i]
		at := under(path, k.name)
		switch k.name {
		case "channel":
			b.into(&m.Channel, at, k)
		case "acknowledged":
			b.into(&m.Acknowledged, at, k)
		case "undeliverable":
			b.into(&m.Undeliverable, at, k)
		case "content":
			b.into(&m.Content, at, k)
		default:
			b.unknown(at)
		}
	}
}

// addParams adds the parameters of one of the two fields that may hold them.
func (b *binder) addParams(dst *[]callback.Param, path string, n *node) {
	for _, p := range b.params(path, n, callback.MaxParams) {
		if slices.ContainsFunc(*dst, func(q callback.Param) bool { return q.Key == p.Key }) {
			b.fail(under(path, p.Key), "is in customParameters and in callbackParameters")
			continue
		}
		*dst = append(*dst, p)
	}
}

// readResponse reads one response with every fault that it has.
func readResponse(n *node, now time.Time) (callback.NewResponse, error) {
	var b binder
	r := b.response(n)
	if len(b.faults) == 0 {
		return r, nil // its values are the service's to check
	}
	if err, ok := r.Response.Validate(now).(*callback.Error); ok {
		for _, f := range err.Fields {
			b.fail(f.Field, "%s", f.Message)
		}
	}
	return r, b.err("the response")
}

// keyHeader makes an enqueue idempotent.
const keyHeader = "Idempotency-Key"

// headerKey takes the key of the request's header over into r.
func (q *request) headerKey(r *callback.NewResponse) error {
	values := q.r.Header.Values(keyHeader)
	if len(values) == 0 {
		return nil
	}
	// The draft standard has the key as a quoted string; most clients send it bare.
	key := strings.TrimSpace(values[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	var b binder
	switch {
	case len(values) > 1:
		b.fail(keyHeader, "is given %d times", len(values))
	case key == "" || len(key) > callback.MaxKey:
		b.fail(keyHeader, "must have 1 to %d bytes", callback.MaxKey)
	case r.Response.Key != "" && r.Response.Key != key:
		b.fail(keyHeader, "differs from the id in the body")
	}
	r.Response.Key = key
	return b.err("the request")
}
