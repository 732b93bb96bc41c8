package callback

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestDraftNamesEveryFault lays drafts over a stored callback: what is wrong with
// a mask hides nothing that is wrong with a value.
func TestDraftNamesEveryFault(t *testing.T) {
	t.Parallel()
	seal := func(clear string) Secret { return NewSecret(clear, []byte("k")) }
	stored := Callback{
		Name: "crm", URL: "http://a/", Auth: Auth{AuthHeader, seal("old")}, SigningSecret: seal("whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"),
		Headers: []Param{{"X-Token", "t"}, {"X-Area", "b"}},
	}
	p := func(s string) *string { return &s }
	for _, c := range []struct {
		name string
		d    Draft
		want []string
	}{
		{"nothing", Draft{}, nil},
		{"masks of what is stored", Draft{AuthKey: p(stored.Auth.Key.String()), SigningSecret: p(stored.SigningSecret.String()), Headers: &[]Param{{"x-token", MaskedHeader}}}, nil},
		{"a mask of nothing stored and a value", Draft{URL: p("ftp://a"), AuthKey: p(MaskPrefix + "000000")}, []string{"auth.key", "url"}},
		{"headers", Draft{Headers: &[]Param{{"X-Area", MaskedHeader}, {"X-Other", MaskedHeader}, {"X-Token", MaskPrefix}, {"Host", "a"}}}, []string{"headers.Host", "headers.X-Other", "headers.X-Token"}},
		{"two headers of one name", Draft{Headers: &[]Param{{"Host", MaskedHeader}, {"Host", "a"}}}, []string{"headers.Host"}},
		{"out of order", Draft{Name: p(""), Email: p("nobody"), PreviousSecret: p("x")}, []string{"email", "name", "previousSigningSecret"}},
	} {
		cb := stored
		err := c.d.Apply(&cb, seal)
		var got []string
		if e, ok := errors.AsType[*Error](err); ok && e.Code == CodeInvalid {
			for _, f := range e.Fields {
				got = append(got, f.Field)
			}
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	cb := stored
	wanted := []Param{{"x-token", MaskedHeader}}
	if err := (&Draft{Headers: &wanted}).Apply(&cb, seal); err != nil || cb.Headers[0].Value != "t" {
		t.Errorf("a header by its mask: %v, %v", cb.Headers, err)
	}
	if wanted[0].Value != MaskedHeader {
		t.Error("the draft was changed")
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	var many []FieldError
	for i := range 2 * MaxFaults {
		many = append(many, FieldError{fmt.Sprintf("f%03d", i), "m"})
	}
	e, ok := errors.AsType[*Error](Invalid("it", many, nil))
	if !ok || len(e.Fields) != MaxFaults {
		t.Errorf("many: %v", e)
	}
	both := Invalid("it", []FieldError{{"b", "shape"}, {"a", "shape"}}, &Error{Code: CodeInvalid, Fields: []FieldError{{"b", "value"}, {"aa", "value"}}})
	if want := "it is not valid: a: shape; aa: value; b: shape"; both == nil || both.Error() != want {
		t.Errorf("got %v, want %s", both, want)
	}
	if err := Invalid("it", nil, nil); err != nil {
		t.Errorf("no fault: %v", err)
	}
	if err := Invalid("it", many, Errorf(CodeConflict, "other")); ErrorCode(err) != CodeConflict {
		t.Errorf("another error: %v", err)
	}
}
