package callback

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// canary is a secret of which no output may have a part.
const canary = "hunter2-canary"

// holder keeps a secret in a field that fmt may not ask how to print itself.
type holder struct {
	key Secret
	ptr *Secret
}

// TestSecretPrinting proves that no way of printing gives a secret away.
func TestSecretPrinting(t *testing.T) {
	t.Parallel()
	s := NewSecret(canary, []byte("key"))
	cb := Callback{Name: "crm", Auth: Auth{Type: AuthBearer, Key: s}, SigningSecret: s, PreviousSecret: s}
	hidden := holder{s, &s}
	var out []string
	for _, v := range []any{s, &s, cb, &cb, cb.Auth, hidden, &hidden, []Secret{s}, map[Secret]Secret{s: s}, any(s)} {
		for verb := ' '; verb <= '~'; verb++ {
			if verb != '%' {
				for _, flag := range []string{"", "+", "#", "-", " ", "0", "3", ".2", "+#"} {
					out = append(out, fmt.Sprintf("%"+flag+string(verb), v))
				}
			}
		}
		out = append(out, fmt.Sprint(v), fmt.Sprintln(v))
		for _, wrong := range []string{"%[5]v", "%*d", "%w", "x", "%"} { // variables, for vet knows better
			out = append(out, fmt.Sprintf(wrong, v, 1))
		}
		wrap := "bad: %w"
		out = append(out, fmt.Errorf(wrap, v).Error(), errors.Join(fmt.Errorf(wrap, v)).Error())
		var log bytes.Buffer
		for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
			slog.New(h).With("with", v).WithGroup("g").Info("m", "v", v, "group", slog.GroupValue(slog.Any("in", v)))
		}
		out = append(out, log.String())
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		if b, err := xml.Marshal(v); err == nil {
			out = append(out, string(b))
		}
	}
	for _, text := range out {
		if strings.Contains(text, "hunter") || strings.Contains(text, fmt.Sprintf("%x", "hunter")) || strings.Contains(text, fmt.Sprintf("%X", "hunter")) {
			t.Fatalf("the secret is in %q", text)
		}
	}
}

func TestSecret(t *testing.T) {
	t.Parallel()
	a, b := NewSecret(canary, []byte("k1")), NewSecret(canary, []byte("k1"))
	same(t, "revealed", a.Reveal(), canary)
	same(t, "equal", a == b, true)
	same(t, "equal to another", a == NewSecret("other", []byte("k1")), false)
	same(t, "mask under another key", a.String() == NewSecret(canary, []byte("k2")).String(), false)
	if m := a.String(); !IsMask(m) || len(m) != len(MaskPrefix)+6 {
		t.Fatalf("mask is %q", m)
	}
	masked := MaskedSecret(a.String())
	same(t, "mask of a mask", masked.String(), a.String())
	same(t, "revealed by a mask", masked.Reveal(), "")
	same(t, "a mask is no secret", masked.IsZero(), false)
	for _, zero := range []Secret{{}, NewSecret("", []byte("k"))} {
		same(t, "zero", zero.IsZero() && zero.Reveal() == "" && zero.String() == "", true)
		same(t, "printed", fmt.Sprintf("%v%s%q", zero, zero, zero), "")
	}
	same(t, "is a mask", IsMask("hunter2"), false)
}

func TestMaskedURL(t *testing.T) {
	t.Parallel()
	key := NewSecret(canary, nil)
	for _, c := range []struct {
		cb   Callback
		want string
	}{
		{Callback{URL: "https://a/b"}, "https://a/b"},
		{Callback{URL: "https://a/b", Auth: Auth{AuthHeader, key}}, "https://a/b"},
		{Callback{URL: "https://a/b", Auth: Auth{AuthQuery, Secret{}}}, "https://a/b"},
		{Callback{URL: "https://a/b", Auth: Auth{AuthQuery, key}}, "https://a/b?auth=" + key.String()},
		{Callback{URL: "https://a/b?", Auth: Auth{AuthQuery, key}}, "https://a/b?auth=" + key.String()},
		{Callback{URL: "https://a/b?c=d", Auth: Auth{AuthQuery, key}}, "https://a/b?c=d&auth=" + key.String()},
	} {
		same(t, "masked URL", c.cb.MaskedURL(), c.want)
	}
}
