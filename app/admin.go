package app

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"ringback/callback"
)

// Create implements callback.Admin.
func (a *App) Create(ctx context.Context, d callback.Draft) (callback.Health, error) {
	var b [8]byte
	a.opt.Random(b[:])
	cb := callback.Callback{ID: callback.CallbackID(binary.BigEndian.Uint64(b[:]))}
	if err := a.apply(&cb, &d); err != nil {
		return callback.Health{}, err
	}
	defer a.changed()
	cb, err := a.opt.Store.Create(ctx, a.clock.Now(), cb)
	if err != nil {
		return callback.Health{}, err
	}
	return shown(a.opt.Store.Callback(cb.Num))
}

// Update implements callback.Admin.
func (a *App) Update(ctx context.Context, ref string, d callback.Draft, version uint64) (callback.Health, error) {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return shown(h, err)
	}
	if version == 0 {
		version = h.Version // what the draft is laid over must not change underneath
	}
	cb := h.Callback
	if err := a.apply(&cb, &d); err != nil {
		return shown(h, err)
	}
	defer a.changed()
	if _, err := a.opt.Store.Update(ctx, a.clock.Now(), cb, version); err != nil {
		return shown(h, err)
	}
	return shown(a.opt.Store.Callback(h.Num))
}

// Delete implements callback.Admin.
func (a *App) Delete(ctx context.Context, ref string) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	return a.opt.Store.Delete(ctx, a.clock.Now(), h.Num)
}

// apply lays a draft over a callback and checks what comes of it.
func (a *App) apply(cb *callback.Callback, d *callback.Draft) error {
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
	err := &callback.Error{Code: callback.CodeInvalid, Message: "the callback is not valid"}
	signing := cb.SigningSecret
	for _, s := range []struct {
		field  string
		secret *callback.Secret
		value  *string
	}{
		{"auth.key", &cb.Auth.Key, d.AuthKey},
		{"signingSecret", &cb.SigningSecret, d.SigningSecret},
		{"previousSigningSecret", &cb.PreviousSecret, d.PreviousSecret},
	} {
		if s.secret == &cb.PreviousSecret && s.value != nil && callback.IsMask(*s.value) && *s.value == signing.String() {
			cb.PreviousSecret = signing // a rotation by who was never shown the old secret
			continue
		}
		if msg := a.setSecret(s.secret, s.value); msg != "" {
			err.Fields = append(err.Fields, callback.FieldError{Field: s.field, Message: msg})
		}
	}
	if d.Headers != nil {
		cb.Headers = keptHeaders(cb.Headers, *d.Headers, err)
	}
	if len(err.Fields) > 0 {
		return err
	}
	return cb.Validate()
}

// keptHeaders returns the headers wanted, with the stored value where one is
// given by its mask.
func keptHeaders(stored, wanted []callback.Param, err *callback.Error) []callback.Param {
	out := slices.Clone(wanted)
	for i, h := range out {
		if !callback.IsMask(h.Value) {
			continue
		}
		at := slices.IndexFunc(stored, func(s callback.Param) bool { return strings.EqualFold(s.Key, h.Key) })
		if h.Value != callback.MaskedHeader || at < 0 {
			err.Fields = append(err.Fields, callback.FieldError{
				Field: "headers." + callback.Sanitize(h.Key, 60), Message: "begins like a mask, and no such header is stored",
			})
			continue
		}
		out[i].Value = stored[at].Value
	}
	return out
}

// shown is a callback as front ends may have it.
func shown(h callback.Health, err error) (callback.Health, error) {
	h.Headers = callback.ShownHeaders(h.Headers)
	return h, err
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// setSecret sets a secret, unless value is the mask of the stored one. It
// returns what is wrong with value, or "".
func (a *App) setSecret(s *callback.Secret, value *string) string {
	switch {
	case value == nil || *value == s.String():
	case callback.IsMask(*value):
		return "begins like a mask, and is not that of the stored key"
	default:
		*s = a.opt.Secret(*value)
	}
	return ""
}
