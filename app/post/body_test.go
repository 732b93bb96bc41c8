package post

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func with(change func(*callback.Response)) callback.Response {
	r := sample()
	change(&r)
	return r
}

func TestBody(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		strip bool
		r     callback.Response
	}{
		{"contract", false, sample()},
		{"sample", false, callback.Response{
			MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
			From:    callback.From{Name: "Ana Souza", MRI: "Ana_Souza.528798.Sandbox@contact.example.com", Mobile: "0430000111", Email: "ana@example.com", Voice: "0430000111"},
			Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/26 13:22", Content: "Yes & on my way"},
			Params:  []callback.Param{{Key: "CustomerId", Value: "890h0ef0"}},
		}},
		{"empty", false, callback.Response{}},
		{"undeliverable", false, with(func(r *callback.Response) {
			r.Message = callback.Message{Channel: "SMS", Undeliverable: "09/01/13 13:22", Acknowledged: "never told", Content: "Number not in service"}
			r.Params = nil
		})},
		{"emoji", false, with(func(r *callback.Response) {
			r.From.Name, r.Message.Content = "陳大文 Zoë", "👍🏽 👩‍👩‍👧 नमस्ते \u2028 שלום \U0010ffff"
		})},
		{"markup", false, with(func(r *callback.Response) {
			r.Message.Content = "<p>Yes, <b>confirmed</b> & \"quoted\" 'too'.<br>]]> <!-- c --></p>"
		})},
		{"stripped", true, with(func(r *callback.Response) {
			r.From.Name = "<b>kept</b>"
			r.Message.Content = "<p>Yes, <b>confirmed</b>.<br>Regards &amp; thanks,<br/>Fred</p><script>alert(1)</script>"
		})},
		{"controls", false, with(func(r *callback.Response) {
			r.Message.Content = "a\x00b\x01c\bd\te\nf\rg\r\nh\x1b[31m\x7f\u0085\u009b\ufffe\uffff\ufdd0\\/"
		})},
		{"not utf-8", false, with(func(r *callback.Response) {
			r.MessageID, r.Message.Content = "\xff", "a\xc0\x80b\xed\xa0\x80c\xf5d"
		})},
		{"params", false, with(func(r *callback.Response) {
			r.Params = []callback.Param{{Key: "z", Value: "1"}, {Key: "a <b>", Value: ""}, {Key: `q"\`, Value: "\n"}, {Key: "z", Value: "last"}, {Key: "名", Value: "值"}}
		})},
	} {
		for _, ct := range []callback.ContentType{callback.JSON, callback.XML} {
			cb := &callback.Callback{ContentType: ct, RemoveHTML: row.strip}
			typ, got := Body(cb, &row.r)
			if want := "application/" + ct.String(); typ != want {
				t.Errorf("%s: got media type %s, want %s", row.name, typ, want)
			}
			if _, again := Body(cb, &row.r); !bytes.Equal(got, again) {
				t.Errorf("%s: differs from one time to the next", row.name)
			}
			golden(t, strings.ReplaceAll(row.name, " ", "-")+"."+ct.String(), got)
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

// The JSON body is the one printed in the contract, byte for byte.
func TestBodyContract(t *testing.T) {
	t.Parallel()
	r := sample()
	const want = `{"messageId":"ABC4857BCCF484575FCA","messageLocation":"https://api.example.com/messages/ABC4857BCCF484575FCA",` +
		`"from":{"name":"Fred Waters","mri":"Fred_Waters.528798.Sandbox@contact.example.com","mobile":"0430984567","email":"fred@example.com","voice":"0430984567"},` +
		`"responseMessage":{"channel":"SMS","acknowledged":"09/01/13 13:22","content":"Yes, I accept. Will I need to bring steel cap boots?"},` +
		`"customParameters":{"CustomerId":"890h0ef0"}}`
	if _, got := Body(&callback.Callback{}, &r); string(got) != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
}

// wire is a body as a receiver reads it.
type wire struct {
	XMLName         xml.Name `json:"-"`
	MessageID       string   `json:"messageId" xml:"messageId"`
	MessageLocation string   `json:"messageLocation" xml:"messageLocation"`
	From            struct {
		Name   string `json:"name" xml:"name"`
		MRI    string `json:"mri" xml:"mri"`
		Mobile string `json:"mobile" xml:"mobile"`
		Email  string `json:"email" xml:"email"`
		Voice  string `json:"voice" xml:"voice"`
	} `json:"from" xml:"from"`
	Message struct {
		Channel       string  `json:"channel" xml:"channel"`
		Acknowledged  *string `json:"acknowledged" xml:"acknowledged"`
		Undeliverable *string `json:"undeliverable" xml:"undeliverable"`
		Content       string  `json:"content" xml:"content"`
	} `json:"responseMessage" xml:"responseMessage"`
	Params  map[string]string `json:"customParameters" xml:"-"`
	Entries []struct {
		Key   string `xml:"key"`
		Value string `xml:"value"`
	} `json:"-" xml:"customParameters>entry"`
}

// checkWire wants w to say what r says, text changed as fix does.
func checkWire(t *testing.T, w *wire, r *callback.Response, fix func(string) string) {
	t.Helper()
	same := func(field, got, want string) {
		if got != fix(want) {
			t.Errorf("%s: got %q, want %q", field, got, fix(want))
		}
	}
	same("messageId", w.MessageID, r.MessageID)
	same("messageLocation", w.MessageLocation, r.MessageLocation)
	same("name", w.From.Name, r.From.Name)
	same("voice", w.From.Voice, r.From.Voice)
	same("channel", w.Message.Channel, r.Message.Channel)
	same("content", w.Message.Content, r.Message.Content)
	if und := w.Message.Undeliverable; und != nil {
		same("undeliverable", *und, r.Message.Undeliverable)
	} else if w.Message.Acknowledged == nil {
		t.Error("neither acknowledged nor undeliverable")
	} else {
		same("acknowledged", *w.Message.Acknowledged, r.Message.Acknowledged)
	}
	if (w.Message.Undeliverable != nil) != (r.Kind() == callback.KindUndeliverable) {
		t.Errorf("undeliverable is there: %v", w.Message.Undeliverable != nil)
	}
	want := map[string]string{}
	for _, p := range r.Params {
		want[fix(p.Key)] = fix(p.Value)
	}
	got := map[string]string{}
	for k, v := range w.Params {
		got[k] = v
	}
	for _, e := range w.Entries {
		got[e.Key] = e.Value
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("customParameters (-want +got):\n%s", d)
	}
}

func valid(s string) string {
	return strings.Map(func(r rune) rune { return r }, s) // bytes that are not UTF-8 become U+FFFD, one each
}

func validXML(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s)
}

func FuzzBody(f *testing.F) {
	f.Add("id", "Yes & <b>no</b>", "k", "v", "09/01/13", false)
	f.Add("\x00\ufffe", "a\r\n]]>\xff", "", "\"\\", "", true)
	f.Add("\u2028", "😀\ud7ff", "key", "\t", "x", true)
	f.Fuzz(func(t *testing.T, id, content, key, value, when string, und bool) {
		r := callback.Response{
			MessageID: id, MessageLocation: value, From: callback.From{Name: content, Voice: when},
			Message: callback.Message{Channel: key, Acknowledged: when, Content: content},
			Params:  []callback.Param{{Key: "fixed", Value: id}, {Key: key, Value: value}},
		}
		if und {
			r.Message.Undeliverable = when
		}
		_, body := Body(&callback.Callback{}, &r)
		var w wire
		if err := json.Unmarshal(body, &w); err != nil || !utf8.Valid(body) {
			t.Fatalf("%v in %q", err, body)
		}
		checkWire(t, &w, &r, valid)
		_, body = Body(&callback.Callback{ContentType: callback.XML}, &r)
		w = wire{}
		if err := xml.Unmarshal(body, &w); err != nil || !utf8.Valid(body) {
			t.Fatalf("%v in %q", err, body)
		}
		if want := (xml.Name{Space: "http://schemas.api.whispir.com", Local: "deliveryResponse"}); w.XMLName != want {
			t.Errorf("root %v, want %v", w.XMLName, want)
		}
		checkWire(t, &w, &r, validXML)
	})
}
