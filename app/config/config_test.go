package config

import (
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pelletier/go-toml/v2"
)

const example = "../../config.example.toml"

// diff compares two configurations; prefixes have unexported fields.
func diff(a, b Config) string {
	return cmp.Diff(a, b, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }))
}

func TestDefaultIsValid(t *testing.T) {
	t.Parallel()
	cfg := Default()
	if err := cfg.Validate(); err != nil {
		t.Fatalf("default configuration: %v", err)
	}
	if other := Default(); &cfg.Delivery.Deny[0] == &other.Delivery.Deny[0] {
		t.Fatal("two defaults share the memory of delivery.deny")
	}
}

func TestExampleIsTheDefault(t *testing.T) {
	t.Parallel()
	got, src, err := Load(example, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(Default(), got); d != "" {
		t.Fatalf("config.example.toml is not the default (-default +file):\n%s", d)
	}
	for _, k := range keys {
		if src.Of(k.name) == "default" {
			t.Errorf("config.example.toml lacks %s", k.name)
		}
	}
	// The library's own strict decoder must agree: tags and text methods serve both.
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var plain Config
	if err := toml.NewDecoder(strings.NewReader(string(data))).DisallowUnknownFields().Decode(&plain); err != nil {
		t.Fatal(err)
	}
	if d := diff(Default(), plain); d != "" {
		t.Fatalf("go-toml reads config.example.toml otherwise (-default +go-toml):\n%s", d)
	}
}

// comments returns the comment above each key of the example.
func comments(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	section, text, fresh := "", "", true
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "#"):
			if fresh {
				text = ""
			}
			text += strings.TrimPrefix(line, "#")
			fresh = false
		case line == "":
			text = ""
		case strings.HasPrefix(line, "["):
			section, text = strings.Trim(line, "[]")+".", ""
		default:
			name, _, _ := strings.Cut(line, " =")
			m[section+name] = text
			fresh = true
		}
	}
	return m
}

func TestExampleExplainsEveryKey(t *testing.T) {
	t.Parallel()
	got := comments(t)
	for _, k := range keys {
		if len(got[k.name]) < 20 {
			t.Errorf("%s has no comment: %q", k.name, got[k.name])
		}
		if about := limits[k.name].about; !strings.Contains(got[k.name], about) {
			t.Errorf("%s: the comment does not say %q: %q", k.name, about, got[k.name])
		}
		if !strings.Contains(got[k.name], ".") {
			t.Errorf("%s: the comment is no sentence: %q", k.name, got[k.name])
		}
	}
	if len(got) != len(keys) {
		t.Errorf("config.example.toml has %d keys, Config %d", len(got), len(keys))
	}
}

func TestEveryKeyHasALimit(t *testing.T) {
	t.Parallel()
	for _, k := range keys {
		l, ok := limits[k.name]
		if !ok || l.want == "" || l.test == nil {
			t.Errorf("%s has no limit", k.name)
		}
	}
	if len(limits) != len(keys) {
		t.Errorf("%d limits for %d keys", len(limits), len(keys))
	}
	for _, p := range pairs {
		for _, name := range []string{p.key, p.with} {
			if _, ok := byName[name]; !ok {
				t.Errorf("a rule about two keys names %s", name)
			}
		}
	}
}

// TestKeysOfTheContract holds the names against the list that the outside
// knows; a renamed field would otherwise rename a key unseen.
func TestKeysOfTheContract(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`data_dir memory_limit
		http.listen http.socket http.public_url http.max_body http.tls_cert http.tls_key
		delivery.connect_timeout delivery.response_timeout delivery.max_in_flight delivery.max_in_flight_per_callback
		delivery.success_codes delivery.key_header delivery.allow_private delivery.deny delivery.proxy delivery.ca_file delivery.http2
		retry.interval retry.window retry.jitter
		alerts.mode alerts.admin_email alerts.max_per_hour alerts.suspend_after alerts.recovery alerts.recovery_after
		alerts.digest_every alerts.recipient_domains
		smtp.host smtp.port smtp.tls smtp.username smtp.password_file smtp.from
		retention.delivered retention.failed retention.min_free_disk
		storage.encryption_key_file
		tui.theme tui.read_only tui.fps tui.mouse
		log.level log.format log.file`)
	var got []string
	for _, k := range keys {
		got = append(got, k.name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("keys (-want +got):\n%s", d)
	}
	if env := byName["delivery.max_in_flight_per_callback"].env(); env != "RINGBACK_DELIVERY_MAX_IN_FLIGHT_PER_CALLBACK" {
		t.Fatalf("variable %s", env)
	}
}

// TestEveryKeyIsRead sets each key alone, by file and by variable, and looks
// whether exactly that field changed.
func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	values := map[string]string{ // what differs from the default
		"data_dir": "/var/lib/ringback", "memory_limit": "1GiB",
		"http.listen": "[::1]:80", "http.socket": "/run/r.sock", "http.public_url": "https://r.example.com/base",
		"http.max_body": "2048", "delivery.connect_timeout": "1500ms", "delivery.response_timeout": "2m",
		"delivery.max_in_flight": "10000", "delivery.max_in_flight_per_callback": "1",
		"delivery.success_codes": "200-204,304", "delivery.key_header": "X-Key", "delivery.allow_private": "false",
		"delivery.deny": "10.0.0.0/8, 2001:db8::/32", "delivery.proxy": "http://proxy:3128", "delivery.ca_file": "ca.pem",
		"delivery.http2": "true", "retry.interval": "1s", "retry.window": "1d12h", "retry.jitter": "0.5",
		"alerts.mode": "every-call", "alerts.admin_email": "ops@example.com", "alerts.max_per_hour": "1",
		"alerts.suspend_after": "7d", "alerts.recovery": "false", "alerts.recovery_after": "1h", "alerts.digest_every": "1d",
		"alerts.recipient_domains": "example.com,example.org", "smtp.host": "mail.example.com", "smtp.port": "25",
		"smtp.tls": "none", "smtp.from": "Ring Back <r@example.com>", "retention.delivered": "90d",
		"retention.failed": "1h", "retention.min_free_disk": "2GiB", "storage.encryption_key_file": "k",
		"tui.theme": "ansi", "tui.read_only": "true", "tui.fps": "120", "tui.mouse": "true",
		"log.level": "debug", "log.format": "json", "log.file": "r.log",
	}
	both := map[string]string{ // valid only together
		"http.tls_cert": "c.pem", "http.tls_key": "k.pem", "smtp.username": "u", "smtp.password_file": "p",
	}
	for _, k := range keys {
		text, ok := values[k.name]
		if !ok {
			if _, ok := both[k.name]; !ok {
				t.Errorf("no value for %s", k.name)
			}
			continue
		}
		env, src, err := load(nil, false, []string{k.env() + "=" + text})
		if err != nil {
			t.Errorf("%s=%s: %v", k.env(), text, err)
			continue
		}
		if src.Of(k.name) != k.env() {
			t.Errorf("%s comes from %q", k.name, src.Of(k.name))
		}
		if changed := changes(env); !slices.Equal(changed, []string{k.name}) {
			t.Errorf("%s=%s changed %v", k.env(), text, changed)
		}
		file := write(t, marshal(t, env))
		again, _, err := Load(file, true, nil)
		if err != nil {
			t.Errorf("%s written out: %v", k.name, err)
		}
		if d := diff(env, again); d != "" {
			t.Errorf("%s written out (-env +file):\n%s", k.name, d)
		}
	}
	for _, pair := range [][2]string{{"http.tls_cert", "http.tls_key"}, {"smtp.username", "smtp.password_file"}} {
		a, b := byName[pair[0]], byName[pair[1]]
		got, _, err := load(nil, false, []string{a.env() + "=" + both[pair[0]], b.env() + "=" + both[pair[1]]})
		if err != nil {
			t.Fatal(err)
		}
		if changed := changes(got); !slices.Equal(changed, pair[:]) {
			t.Errorf("%v changed %v", pair, changed)
		}
	}
}

// changes lists the keys whose value is not the default.
func changes(c Config) (names []string) {
	def := Default()
	for _, k := range keys {
		if !reflect.DeepEqual(k.field(&c).Interface(), k.field(&def).Interface()) {
			names = append(names, k.name)
		}
	}
	return names
}

func marshal(t testing.TB, c Config) string {
	t.Helper()
	data, err := toml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t testing.TB, text string) string {
	t.Helper()
	path := t.TempDir() + "/config.toml"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
