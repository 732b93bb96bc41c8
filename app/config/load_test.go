package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAllFaultsAtOnce is the whole text that an operator sees, in reading order.
func TestAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	path := write(t, `data_dir = ""
memory_limit = "1GB"

[htp]
anything = 5m

[retry]
interval = 5m
window = "24h"
jiter = 0.1

[delivery]
deny = ["10.0.0.1/8", "x"]
max_in_flight = 4
connect_timeout = "5s"
connect_timeout = "6s"

[smtp]
username = "u"
port = "25"
`)
	_, _, err := Load(path, true, []string{"RINGBACK_TUI_FPS=999", "HOME=/", "RINGBACK_LOG_LEVL=info"})
	if err == nil {
		t.Fatal("no error")
	}
	want := `config.toml:1:1: data_dir: is empty; expected the path of a folder
config.toml:2:1: memory_limit: "1GB" has the unknown unit "GB" (known are B, KiB, MiB, GiB, TiB); expected a size from 64MiB to 1TiB such as "256MiB"
config.toml:4:2: htp: is not a section; expected a known section, the nearest is http
config.toml:5:13: cannot be read: strings must be quoted; expected a line such as interval = "5m", or a section such as [retry]
config.toml:8:13: retry.interval: cannot be read: strings must be quoted; expected a duration from 1s to 24h such as "5m"
config.toml:10:1: retry.jiter: is not a key; expected a known key, the nearest is retry.jitter
config.toml:13:9: delivery.deny: one item "10.0.0.1/8" has bits beyond its mask, without them it is 10.0.0.0/8; expected a list of at most 1000 networks such as ["169.254.0.0/16"]
config.toml:13:23: delivery.deny: one item "x" is not a network; expected a list of at most 1000 networks such as ["169.254.0.0/16"]
config.toml:14:1: delivery.max_in_flight_per_callback: 16 is more than delivery.max_in_flight allows; expected 1 to 4
config.toml:16:1: delivery.connect_timeout: is set twice, first in line 15; expected each key once
config.toml:19:1: smtp.username: is set and smtp.password_file is not; expected both or neither
config.toml:20:1: smtp.port: is a text; expected a whole number from 1 to 65535 such as 587
RINGBACK_LOG_LEVL: is not a variable of ringback; expected a known variable, the nearest is RINGBACK_LOG_LEVEL
RINGBACK_TUI_FPS: tui.fps: 999 is too large; expected a whole number from 1 to 120 such as 30`
	got := strings.ReplaceAll(err.Error(), path, "config.toml")
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); d != "" {
		t.Fatalf("faults (-want +got):\n%s", d)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, second := filepath.Join(dir, "config.toml"), filepath.Join(dir, "etc.toml")
	both := []string{first, second}
	if _, src, err := load(both, false, nil); err != nil || src.Path != "" {
		t.Fatalf("no file: path %q, error %v", src.Path, err)
	}
	put(t, second, "[tui]\nfps = 2\n")
	if cfg, src, err := load(both, false, nil); err != nil || src.Path != second || cfg.TUI.FPS != 2 {
		t.Fatalf("second file: path %q, fps %d, error %v", src.Path, cfg.TUI.FPS, err)
	}
	put(t, first, "[tui]\nfps = 1\n")
	if cfg, src, err := load(both, false, nil); err != nil || src.Path != first || cfg.TUI.FPS != 1 {
		t.Fatalf("first file: path %q, fps %d, error %v", src.Path, cfg.TUI.FPS, err)
	}
}

// TestUnusableFiles are files that cannot be read at all: the key is empty, and
// a wrong file is never passed over in favour of the next.
func TestUnusableFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	large := filepath.Join(dir, "large.toml")
	put(t, large, strings.Repeat("#\n", maxFile/2)+"#")
	locked := filepath.Join(dir, "locked.toml")
	put(t, locked, "")
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		path     string
		explicit bool
		word     string
	}{
		{filepath.Join(dir, "none.toml"), true, "none.toml: does not exist"},
		{"", true, `"": does not exist`},
		{dir, true, "is a folder"},
		{dir, false, "is a folder"},
		{large, false, "larger than 1MiB"},
		{locked, false, "may not be read"},
		{filepath.Join(dir, "a\x1b[31mb"), true, "does not exist"},
		{filepath.Join(large, "below"), true, "not a directory"},
	} {
		if row.path == locked && os.Geteuid() == 0 {
			continue // root reads everything
		}
		_, _, err := Load(row.path, row.explicit, nil)
		var e *Error
		if !errors.As(err, &e) || len(e.Faults) != 1 {
			t.Errorf("%q: error %v, want one fault", row.path, err)
			continue
		}
		holds(t, row.path, e.Faults[0], row.word)
	}
	if _, _, err := Load(filepath.Join(dir, "none.toml"), false, nil); err != nil {
		t.Errorf("a file that need not exist: %v", err)
	}
}

// TestPrecedence: a variable beats the file, also when what the file says is
// wrong; that is told all the same.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	path := write(t, "[tui]\nfps = 10\nmouse = true\n")
	cfg, src, err := Load(path, true, []string{"RINGBACK_TUI_FPS=20", "RINGBACK_DELIVERY_DENY="})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.TUI.FPS != 20 || !cfg.TUI.Mouse || cfg.TUI.Theme != "auto" || len(cfg.Delivery.Deny) != 0 {
		t.Fatalf("got %+v, deny %v", cfg.TUI, cfg.Delivery.Deny)
	}
	for name, want := range map[string]string{
		"tui.fps": "RINGBACK_TUI_FPS", "tui.mouse": path + ":3:1", "tui.theme": "default",
	} {
		if got := src.Of(name); got != want {
			t.Errorf("%s comes from %s, want %s", name, got, want)
		}
	}

	_, _, err = Load(write(t, "[tui]\nfps = 1000"), true, []string{"RINGBACK_TUI_FPS=20"})
	if err != nil {
		t.Errorf("a number out of range that counts no more: %v", err)
	}
	_, _, err = Load(write(t, "[tui]\nfps = \"x\""), true, []string{"RINGBACK_TUI_FPS=0"})
	var e *Error
	if !errors.As(err, &e) || len(e.Faults) != 2 || e.Faults[0].Line != 2 || e.Faults[1].Env != "RINGBACK_TUI_FPS" {
		t.Errorf("a wrong type and a wrong variable: %v", err)
	}
}

func TestVariableTwice(t *testing.T) {
	t.Parallel()
	got := one(t, "twice", "", []string{"RINGBACK_TUI_FPS=1", "RINGBACK_TUI_FPS=2"})
	if got.Env != "RINGBACK_TUI_FPS" || got.Problem != "is set twice" {
		t.Fatalf("got %v", got)
	}
}

// TestServiceLinks: a Kubernetes service called ringback must not stop the pods
// beside it, and nothing else slips through by looking like one.
func TestServiceLinks(t *testing.T) {
	t.Parallel()
	for _, kv := range []string{
		"RINGBACK_SERVICE_HOST=10.0.0.1", "RINGBACK_SERVICE_PORT=8480", "RINGBACK_SERVICE_PORT_HTTP=8480",
		"RINGBACK_PORT=tcp://10.0.0.1:8480", "RINGBACK_PORT_8480_TCP=tcp://10.0.0.1:8480",
		"RINGBACK_PORT_8480_TCP_ADDR=10.0.0.1", "RINGBACK_PORT_53_UDP_PROTO=udp",
	} {
		if _, _, err := load(nil, false, []string{kv}); err != nil {
			t.Errorf("%s: %v", kv, err)
		}
	}
	for _, kv := range []string{"RINGBACK_PORTS=1", "RINGBACK_PORT_x_TCP=1", "RINGBACK_PORT_80=1", "RINGBACK_SERVICE=1"} {
		if _, _, err := load(nil, false, []string{kv}); err == nil {
			t.Errorf("%s passes", kv)
		}
	}
}

// TestSpellings are other ways to write what is right.
func TestSpellings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"retry.interval = \"1m\"",
		"retry = {interval = \"60s\"}",
		"[retry]\r\n'interval' = \"1m\" # a comment\r\n",
		"\xef\xbb\xbf[ retry ]\ninterval = '0.5m30s'",
		"[retry]\ninterval = \"\"\"1m\"\"\"\n[tui]",
	} {
		cfg, _, err := Load(write(t, text), true, nil)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if changed := changes(cfg); len(changed) != 1 || cfg.Retry.Interval.String() != "1m" {
			t.Errorf("%q changes %v, interval %v", text, changed, cfg.Retry.Interval)
		}
	}
	cfg, _, err := Load(write(t, "memory_limit = 1_073_741_824\ndelivery.success_codes = 204\nretry.jitter = 0\nsmtp.port = 0x19"), true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.MemoryLimit != GiB || cfg.Delivery.SuccessCodes != codes(204) || cfg.Retry.Jitter != 0 || cfg.SMTP.Port != 25 {
		t.Errorf("plain numbers give %v, %v, %v, %v", cfg.MemoryLimit, cfg.Delivery.SuccessCodes, cfg.Retry.Jitter, cfg.SMTP.Port)
	}
}

// TestEdges are pairs that just go together.
func TestEdges(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"retry = {interval = \"24h\", window = \"1d\"}",
		"alerts.suspend_after = \"5m\"",
		"delivery = {max_in_flight = 16}",
		"delivery = {max_in_flight = 1, max_in_flight_per_callback = 1}",
		"alerts = {admin_email = \"Ops <ops@a.example>\", recipient_domains = [\"b.example\", \"A.example\"]}",
	} {
		if _, _, err := Load(write(t, text), true, nil); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestValidateWithoutAFile(t *testing.T) {
	t.Parallel()
	cfg := Default()
	cfg.TUI.FPS = 0
	cfg.Delivery.SuccessCodes = Codes{}
	cfg.Delivery.Deny = append(cfg.Delivery.Deny, cfg.Delivery.Deny[0].Masked())
	cfg.Retry.Window = Duration(1)
	cfg.Alerts.AdminEmail = "OPS@Example.com"
	cfg.Alerts.RecipientDomains = []string{"example.COM"}
	err := cfg.Validate()
	want := []string{
		"delivery.success_codes: is empty; expected status codes from 200 to 599 such as \"200\", \"2xx\" or \"200-204,304\"",
		"retry.window: 1ns is too small; expected a duration from 1s to 30d such as \"24h\"",
		"tui.fps: is zero; expected a whole number from 1 to 120 such as 30",
	}
	if err == nil {
		t.Fatal("no error")
	}
	if d := cmp.Diff(want, strings.Split(err.Error(), "\n")); d != "" {
		t.Fatalf("faults (-want +got):\n%s", d)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLargestFile reads a file as large as is allowed in which every line is at
// fault; time that grows with the square of its length would take minutes.
func TestLargestFile(t *testing.T) {
	t.Parallel()
	line := "x=y\n"
	_, _, err := build("large.toml", []byte(strings.Repeat(line, maxFile/len(line))), nil)
	var e *Error
	if !errors.As(err, &e) || len(e.Faults) != maxFile/len(line) {
		t.Fatalf("error %T, want one fault for each line", err)
	}
	if last := e.Faults[len(e.Faults)-1]; last.Line != maxFile/len(line) {
		t.Fatalf("the last fault is in line %d", last.Line)
	}
}
