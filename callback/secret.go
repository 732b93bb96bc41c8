package callback

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unique"
)

// MaskPrefix begins the form in which a secret is shown. No key may begin so.
const MaskPrefix = "******#"

// Secret is a key or password. Every way of printing it (fmt, slog, JSON, text)
// gives its mask: MaskPrefix and six hex digits of a keyed fingerprint, so that
// people can tell which key was used without learning it. The zero Secret is
// "no secret" and prints as "".
type Secret struct {
	// A handle, because fmt does not ask Format everywhere: %p, %w and fields
	// that are not exported are printed by reflection, which sees an address.
	value unique.Handle[string]
	print string // six hex digits
}

// NewSecret returns value as a Secret whose fingerprint is keyed with key, so
// that short secrets cannot be guessed from their masks.
func NewSecret(value string, key []byte) Secret {
	if value == "" {
		return Secret{}
	}
	m := hmac.New(sha256.New, key)
	m.Write([]byte(value)) // a hash never fails
	return Secret{value: unique.Make(value), print: hex.EncodeToString(m.Sum(nil)[:3])}
}

// MaskedSecret returns a Secret of which only the mask is known, as a client
// gets it; it reveals nothing.
func MaskedSecret(mask string) Secret {
	return Secret{print: strings.TrimPrefix(mask, MaskPrefix)}
}

// Reveal returns the secret itself. Only what builds a request, signs it, or
// stores it may call this.
func (s Secret) Reveal() string {
	if s.value == (unique.Handle[string]{}) {
		return ""
	}
	return s.value.Value()
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.print == "" }

// String returns the mask.
func (s Secret) String() string {
	if s.print == "" {
		return ""
	}
	return MaskPrefix + s.print
}

// Format implements fmt.Formatter, so that no verb, not even %#v, reveals it.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.String()) }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler, and so JSON and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// IsMask reports whether v is the shown form of a secret, and not a key.
func IsMask(v string) bool { return strings.HasPrefix(v, MaskPrefix) }
