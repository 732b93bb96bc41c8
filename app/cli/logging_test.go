package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringback/app/config"
)

// TestOpenLog has the three keys of [log]: what is written, how, and where.
func TestOpenLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		name, level, format string
		file                bool
		want, not           string
	}{
		{"text", "info", "text", false, `level=WARN msg=second n=1`, "first"},
		{"JSON", "info", "json", false, `"level":"WARN","msg":"second","n":1}`, "first"},
		{"debug", "debug", "text", false, "msg=first", "nothing"},
		{"error", "error", "text", false, "msg=third", "second"},
		{"to a file", "warn", "json", true, `"msg":"second"`, "first"},
	} {
		cfg := config.Default()
		cfg.Log = config.Log{Level: c.level, Format: c.format}
		if c.file {
			cfg.Log.File = filepath.Join(dir, "ringback.log")
		}
		var stderr bytes.Buffer
		for range 2 { // a file is appended to
			log, done, err := openLog(&cfg, &stderr, false)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			log.Debug("first")
			log.Warn("second", "n", 1)
			log.Error("third")
			if err := done(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		got := stderr.String()
		if c.file {
			b, err := os.ReadFile(cfg.Log.File)
			if err != nil || stderr.Len() > 0 {
				t.Fatalf("%s: %v, and on standard error %s", c.name, err, &stderr)
			}
			got = string(b)
		}
		if strings.Count(got, c.want) != 2 || strings.Contains(got, c.not) {
			t.Errorf("%s: want %q twice and no %q:\n%s", c.name, c.want, c.not, got)
		}
	}
}
