package callback

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Apply lays d over cb and checks what comes of it: the *Error names every field
// that is wrong. secret makes a Secret of what comes in clear.
func (d *Draft) Apply(cb *Callback, secret func(string) Secret) error {
	set(&cb.Name, d.Name)
	set(&cb.URL, d.URL)
	set(&cb.Email, d.Email)
	set(&cb.Description, d.Description)
	set(&cb.Auth.Type, d.AuthType)
	set(&cb.ContentType, d.ContentType)
	set(&cb.RemoveHTML, d.RemoveHTML)
	set(&cb.Retries, d.Retries)
	set(&cb.Alerts, d.Alerts)
	set(&cb.MaxInFlight, d.MaxInFlight)
	set(&cb.RatePerSecond, d.RatePerSecond)
	set(&cb.Ordered, d.Ordered)
	set(&cb.ConnectTimeout, d.ConnectTimeout)
	set(&cb.ResponseTimeout, d.ResponseTimeout)
	set(&cb.CA, d.CA)
	if d.Reply != nil {
		cb.NoReplies = !*d.Reply
	}
	if d.Undeliverable != nil {
		cb.NoUndelivers = !*d.Undeliverable
	}
	var f faults
	d.secrets(&f, cb, secret)
	if d.Headers != nil {
		cb.Headers = keptHeaders(&f, cb.Headers, *d.Headers)
	}
	return Invalid("the callback", f, cb.Validate())
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// secrets sets the secrets, but for those that come as the mask of the stored
// one.
func (d *Draft) secrets(f *faults, cb *Callback, secret func(string) Secret) {
	signing := cb.SigningSecret
	for _, s := range []struct {
		field  string
		secret *Secret
		value  *string
	}{
		{"auth.key", &cb.Auth.Key, d.AuthKey},
		{"signingSecret", &cb.SigningSecret, d.SigningSecret},
		{"previousSigningSecret", &cb.PreviousSecret, d.PreviousSecret},
	} {
		switch {
		case s.value == nil || *s.value == s.secret.String():
		case s.secret == &cb.PreviousSecret && IsMask(*s.value) && *s.value == signing.String():
			cb.PreviousSecret = signing // a rotation by who was never shown the old secret
		case IsMask(*s.value):
			f.add(s.field, "begins like a mask, and is not that of the stored key")
		default:
			*s.secret = secret(*s.value)
		}
	}
}

// keptHeaders returns the headers wanted, with the stored value where one is
// given by its mask.
func keptHeaders(f *faults, stored, wanted []Param) []Param {
	out := slices.Clone(wanted)
	for i, h := range out {
		if !IsMask(h.Value) {
			continue
		}
		at := slices.IndexFunc(stored, func(s Param) bool { return strings.EqualFold(s.Key, h.Key) })
		if h.Value != MaskedHeader || at < 0 {
			f.add("headers."+Sanitize(h.Key, 60), "begins like a mask, and no such header is stored")
			continue
		}
		out[i].Value = stored[at].Value
	}
	return out
}

// MaxFaults bounds how many wrong fields are named at once.
const MaxFaults = 100

// Invalid returns the *Error for a thing with those fields at fault, and with
// those that err names: in their order, each once, the first message of each. It
// is nil where there are none, and names at most MaxFaults. An err that is no *Error of fields is returned.
func Invalid(what string, fields []FieldError, err error) error {
	all := slices.Clone(fields)
	if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeInvalid {
		all = append(all, e.Fields...)
	} else if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b FieldError) int { return cmp.Compare(a.Field, b.Field) })
	all = slices.CompactFunc(all, func(a, b FieldError) bool { return a.Field == b.Field })
	return faults(all[:min(len(all), MaxFaults)]).err(what)
}
