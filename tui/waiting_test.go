package tui

import (
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// A probe that an operation asks for is made now, however long ago the last was.
func TestProbeThatIsAskedFor(t *testing.T) {
	t.Parallel()
	d := &desk{opt: &Options{Now: func() time.Time { return noon }}}
	d.server.Interval = 5 * time.Minute
	h := &callback.HealthView{}
	h.Live.Gate.State = callback.Open
	for ago, want := range map[time.Duration]string{time.Hour: "probe now", time.Minute: "probe in 4m00s"} {
		if h.Live.Gate.Last = noon.Add(-ago); d.waitFor(h) != want {
			t.Errorf("%v after the last: %q, want %q", ago, d.waitFor(h), want)
		}
	}
}

// Where there is no mail server nobody is promised a mail.
func TestNobodyToTell(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{"": "nobody would be told", "mail.example.com:25": "to the administrator"} {
		d := &desk{}
		d.server.MailServer = server
		if _, said := d.mail(&callback.HealthView{}, &Glyphs{}); !strings.Contains(said, want) {
			t.Errorf("mail server %q: %q, want %q", server, said, want)
		}
	}
}
