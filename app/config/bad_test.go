package config

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// badFiles are texts with exactly one fault: its line, its key and a word of
// what is wrong or expected.
var badFiles = []struct {
	text string
	line int
	key  string
	word string
}{
	// Names nobody knows.
	{`data_dirs = "x"`, 1, "data_dirs", "nearest is data_dir"},
	{`datadir = "x"`, 1, "datadir", "nearest is data_dir"},
	{`listen = ":80"`, 1, "listen", "nearest is http.listen"},
	{"[http]\nlisten = \":80\"\nlissten = \":80\"", 3, "http.lissten", "nearest is http.listen"},
	{"[http]\nport = 80", 2, "http.port", "nearest is smtp.port"},
	{"[http]\nListen = \":80\"", 2, "http.Listen", "nearest is http.listen"},
	{"[http]\nmax-body = \"1MiB\"", 2, "http.max-body", "nearest is http.max_body"},
	{"[smtp]\npassword = \"hunter2\"", 2, "smtp.password", "nearest is smtp.password_file"},
	{"[retry]\nintervall = \"5m\"", 2, "retry.intervall", "nearest is retry.interval"},
	{"[retry]\nqqqqqqqqqqqqqqqqqqq = 1", 2, "retry.qqqqqqqqqqqqqqqqqqq", "config.example.toml"},
	{"[retry.deep]\nx = 1\ny = 2", 1, "retry.deep", "section"},
	{"[htpt]\nlisten = \":80\"\nfoo = 1", 1, "htpt", "nearest is http"},
	{"[alert]\nmode = \"off\"", 1, "alert", "nearest is alerts"},
	{"[nothinglikeit]\nx = 1", 1, "nothinglikeit", "config.example.toml"},
	{"[data_dir]\nx = 1", 1, "data_dir", "not a section"},
	{`"http.listen" = ":80"`, 1, `"http.listen"`, "known key"},
	{`"\u001b[31m" = 1`, 1, `"\x1b[31m"`, "known key"},
	{`http.listen.port = 80`, 1, "http.listen.port", "known key"},
	{"http = {listen = \":80\", prot = 1}", 1, "http.prot", "known key"},

	// Twice, or as something else.
	{"data_dir = \"a\"\ndata_dir = \"b\"", 2, "data_dir", "first in line 1"},
	{"[http]\nlisten = \":80\"\n\nlisten = \":81\"", 4, "http.listen", "first in line 2"},
	{"[http]\n[log]\n[http]", 3, "http", "first in line 1"},
	{"http = {listen = \":80\"}\n[http]\nsocket = \"s\"", 2, "http", "first in line 1"},
	{"http.listen = \":80\"\n[http]\nsocket = \"s\"", 2, "", "once"},
	{"[[http]]\nlisten = \":80\"", 1, "http", "single brackets"},
	{`http = ":80"`, 1, "http", "section"},
	{`retry = 5`, 1, "retry", "section, [retry]"},

	// Wrong types.
	{`data_dir = 5`, 1, "data_dir", "path of a folder"},
	{`data_dir = ["a"]`, 1, "data_dir", "is a list"},
	{`data_dir = {a = 1}`, 1, "data_dir", "is a table"},
	{`data_dir = 2025-01-01`, 1, "data_dir", "is a date"},
	{`memory_limit = true`, 1, "memory_limit", "64MiB to 1TiB"},
	{`memory_limit = 1.5`, 1, "memory_limit", "fraction"},
	{"[delivery]\nallow_private = \"true\"", 2, "delivery.allow_private", "true or false"},
	{"[delivery]\nallow_private = 1", 2, "delivery.allow_private", "true or false"},
	{"[delivery]\nmax_in_flight = \"512\"", 2, "delivery.max_in_flight", "1 to 10000"},
	{"[delivery]\nmax_in_flight = 1.5", 2, "delivery.max_in_flight", "whole number"},
	{"[delivery]\ndeny = \"10.0.0.0/8\"", 2, "delivery.deny", "not a list"},
	{"[delivery]\ndeny = [10]", 2, "delivery.deny", "whole number"},
	{"[delivery]\nsuccess_codes = [200]", 2, "delivery.success_codes", "is a list"},
	{"[retry]\njitter = \"0.1\"", 2, "retry.jitter", "0 to 0.5"},
	{"[retry]\ninterval = 300", 2, "retry.interval", "without a unit"},
	{"[retry]\ninterval = 0", 2, "retry.interval", "without a unit"},
	{"[retry]\ninterval = 12:00:00", 2, "retry.interval", "is a date"},
	{"[alerts]\nrecipient_domains = {a = 1}", 2, "alerts.recipient_domains", "is a table"},
	{"[tui]\nfps = true", 2, "tui.fps", "1 to 120"},
	{"[retention]\nmin_free_disk = true", 2, "retention.min_free_disk", `"auto"`},

	// Durations.
	{"[retry]\ninterval = \"\"", 2, "retry.interval", "is empty"},
	{"[retry]\ninterval = \"5\"", 2, "retry.interval", "without a unit"},
	{"[retry]\ninterval = \"5 m\"", 2, "retry.interval", `unknown unit " m"`},
	{"[retry]\ninterval = \"5min\"", 2, "retry.interval", "unknown unit"},
	{"[retry]\ninterval = \"5M\"", 2, "retry.interval", "unknown unit"},
	{"[retry]\ninterval = \"1w\"", 2, "retry.interval", "ms, s, m, h, d"},
	{"[retry]\ninterval = \"-5m\"", 2, "retry.interval", "negative"},
	{"[retry]\ninterval = \"+5m\"", 2, "retry.interval", "not a duration"},
	{"[retry]\ninterval = \"five minutes\"", 2, "retry.interval", "not a duration"},
	{"[retry]\ninterval = \"1.2.3s\"", 2, "retry.interval", "not a duration"},
	{"[retry]\ninterval = \"0\"", 2, "retry.interval", "is zero"},
	{"[retry]\ninterval = \"999ms\"", 2, "retry.interval", "too small"},
	{"[retry]\ninterval = \"24h0m1s\"", 2, "retry.interval", "1s to 24h"},
	{"[retry]\ninterval = \"1000000000000000000\"", 2, "retry.interval", "without a unit"},
	{"[retry]\ninterval = \"1000000000000000000s\"", 2, "retry.interval", "too large"},
	{"[retry]\nwindow = \"1000000000000000000d\"", 2, "retry.window", "too large"},
	{"[retry]\nwindow = \"106751d24h\"", 2, "retry.window", "too large"},
	{"[retry]\nwindow = \"99999999999999999999999d\"", 2, "retry.window", "too large"},
	{"[retry]\nwindow = \"31d\"", 2, "retry.window", "30d"},
	{"[retry]\nwindow = \"1.5d\"", 2, "retry.window", "fraction of a day"},
	{"[retry]\nwindow = \"12h1d\"", 2, "retry.window", "days not in front"},
	{"[retry]\nwindow = \"1m\"", 2, "retry.window", "at least 5m"},
	{"[retry]\ninterval = \"2h\"\nwindow = \"1h\"", 3, "retry.window", "shorter than retry.interval"},
	{"[delivery]\nconnect_timeout = \"99ms\"", 2, "delivery.connect_timeout", "100ms to 1m"},
	{"[delivery]\nconnect_timeout = \"61s\"", 2, "delivery.connect_timeout", "too large"},
	{"[delivery]\nconnect_timeout = \"0s\"", 2, "delivery.connect_timeout", "is zero"},
	{"[delivery]\nresponse_timeout = \"500ms\"", 2, "delivery.response_timeout", "1s to 10m"},
	{"[delivery]\nresponse_timeout = \"11m\"", 2, "delivery.response_timeout", "too large"},
	{"[alerts]\nsuspend_after = \"1s\"", 2, "alerts.suspend_after", "at least 5m"},
	{"[alerts]\nsuspend_after = \"366d\"", 2, "alerts.suspend_after", `"0" (never)`},
	{"[alerts]\nsuspend_after = \"never\"", 2, "alerts.suspend_after", `"0" (never)`},
	{"[alerts]\nrecovery_after = \"0\"", 2, "alerts.recovery_after", "is zero"},
	{"[alerts]\nrecovery_after = \"25h\"", 2, "alerts.recovery_after", "1s to 24h"},
	{"[alerts]\ndigest_every = \"8d\"", 2, "alerts.digest_every", "1s to 7d"},
	{"[retention]\ndelivered = \"59m\"", 2, "retention.delivered", "1h to 3650d"},
	{"[retention]\nfailed = \"0\"", 2, "retention.failed", "is zero"},
	{"[retention]\nfailed = \"1y\"", 2, "retention.failed", "unknown unit"},

	// Sizes and numbers.
	{`memory_limit = ""`, 1, "memory_limit", "is empty"},
	{`memory_limit = "256MB"`, 1, "memory_limit", "KiB, MiB"},
	{`memory_limit = "256mib"`, 1, "memory_limit", "unknown unit"},
	{`memory_limit = "256 MiB"`, 1, "memory_limit", "unknown unit"},
	{`memory_limit = "0.5GiB"`, 1, "memory_limit", "whole number"},
	{`memory_limit = "-1GiB"`, 1, "memory_limit", "negative"},
	{`memory_limit = "MiB"`, 1, "memory_limit", "not a size"},
	{`memory_limit = "1MiB2"`, 1, "memory_limit", "not a size"},
	{`memory_limit = "63MiB"`, 1, "memory_limit", "too small"},
	{`memory_limit = 0`, 1, "memory_limit", "is zero"},
	{`memory_limit = -1`, 1, "memory_limit", "negative"},
	{`memory_limit = 1000000000000000000`, 1, "memory_limit", "64MiB to 1TiB"},
	{`memory_limit = 99999999999999999999`, 1, "memory_limit", "too large"},
	{`memory_limit = "99999999999999999999"`, 1, "memory_limit", "too large"},
	{`memory_limit = "9999999999999TiB"`, 1, "memory_limit", "too large"},
	{"[http]\nmax_body = \"1023\"", 2, "http.max_body", "1KiB to 8MiB"},
	{"[http]\nmax_body = \"8193KiB\"", 2, "http.max_body", "too large"},
	{"[retention]\nmin_free_disk = \"automatic\"", 2, "retention.min_free_disk", `"auto"`},
	{"[retention]\nmin_free_disk = \"1MiB\"", 2, "retention.min_free_disk", "16MiB to 1TiB"},
	{"[retention]\nmin_free_disk = \"2%\"", 2, "retention.min_free_disk", "unknown unit"},
	{"[delivery]\nmax_in_flight = 0", 2, "delivery.max_in_flight", "is zero"},
	{"[delivery]\nmax_in_flight = -1", 2, "delivery.max_in_flight", "negative"},
	{"[delivery]\nmax_in_flight = 10001", 2, "delivery.max_in_flight", "1 to 10000"},
	{"[delivery]\nmax_in_flight = 15", 2, "delivery.max_in_flight_per_callback", "1 to 15"},
	{"[delivery]\nmax_in_flight_per_callback = 0", 2, "delivery.max_in_flight_per_callback", "is zero"},
	{"[delivery]\nmax_in_flight = 5000\nmax_in_flight_per_callback = 4097", 3, "delivery.max_in_flight_per_callback", "1 to 4096"},
	{"[delivery]\nmax_in_flight_per_callback = 513", 2, "delivery.max_in_flight_per_callback", "1 to 512"},
	{"[retry]\njitter = -0.1", 2, "retry.jitter", "negative"},
	{"[retry]\njitter = 0.51", 2, "retry.jitter", "0 to 0.5"},
	{"[retry]\njitter = nan", 2, "retry.jitter", "not a number"},
	{"[retry]\njitter = inf", 2, "retry.jitter", "too large"},
	{"[retry]\njitter = -inf", 2, "retry.jitter", "negative"},
	{"[retry]\njitter = 1e999", 2, "retry.jitter", "too large"},
	{"[retry]\njitter = 10", 2, "retry.jitter", "too large"},
	{"[alerts]\nmax_per_hour = 0", 2, "alerts.max_per_hour", "1 to 10000"},
	{"[tui]\nfps = 121", 2, "tui.fps", "1 to 120"},
	{"[tui]\nfps = 1_000_000_000_000_000_000", 2, "tui.fps", "too large"},
	{"[smtp]\nport = 0", 2, "smtp.port", "1 to 65535"},
	{"[smtp]\nport = 65536", 2, "smtp.port", "too large"},
	{"[smtp]\nport = 0x1_0000", 2, "smtp.port", "too large"},

	// Words.
	{"[alerts]\nmode = \"Outage\"", 2, "alerts.mode", `"every-call"`},
	{"[alerts]\nmode = \"\"", 2, "alerts.mode", `"off"`},
	{"[smtp]\ntls = \"ssl\"", 2, "smtp.tls", `"implicit"`},
	{"[tui]\ntheme = \"solarized\"", 2, "tui.theme", `"dark"`},
	{"[log]\nlevel = \"trace\"", 2, "log.level", `"debug"`},
	{"[log]\nlevel = \"a\\u202eb\"", 2, "log.level", `\u202e`},
	{"[log]\nformat = \"xml\"", 2, "log.format", `"json"`},
	{"[log]\nfile = \"a\\nb\"", 2, "log.file", "control character"},
	{"data_dir = \"a\\u0000b\"", 1, "data_dir", "control character"},
	{`data_dir = ""`, 1, "data_dir", "is empty"},
	{`data_dir = "   "`, 1, "data_dir", "path of a folder"},

	// Status codes and headers.
	{"[delivery]\nsuccess_codes = \"\"", 2, "delivery.success_codes", "is empty"},
	{"[delivery]\nsuccess_codes = \"1xx\"", 2, "delivery.success_codes", "200 to 599"},
	{"[delivery]\nsuccess_codes = \"6xx\"", 2, "delivery.success_codes", "outside"},
	{"[delivery]\nsuccess_codes = \"20x\"", 2, "delivery.success_codes", "no status code"},
	{"[delivery]\nsuccess_codes = \"200,\"", 2, "delivery.success_codes", "no status code"},
	{"[delivery]\nsuccess_codes = \"204-200\"", 2, "delivery.success_codes", "backwards"},
	{"[delivery]\nsuccess_codes = \"200-2xx\"", 2, "delivery.success_codes", "no status code"},
	{"[delivery]\nsuccess_codes = \"0200\"", 2, "delivery.success_codes", "no status code"},
	{"[delivery]\nsuccess_codes = 20", 2, "delivery.success_codes", "no status code"},
	{"[delivery]\nkey_header = \"\"", 2, "delivery.key_header", "is empty"},
	{"[delivery]\nkey_header = \"X Key\"", 2, "delivery.key_header", "name of a header"},
	{"[delivery]\nkey_header = \"X-Key:\"", 2, "delivery.key_header", "name of a header"},
	{"[delivery]\nkey_header = \"X-Schlüssel\"", 2, "delivery.key_header", "name of a header"},
	{"[delivery]\nkey_header = \"Webhook-Id\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"content-type\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"HOST\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"Idempotency-Key\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"X-Idempotency-Key\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"Proxy-Authorization\"", 2, "delivery.key_header", "may not carry"},
	{"[delivery]\nkey_header = \"" + strings.Repeat("a", 65) + "\"", 2, "delivery.key_header", "64 bytes"},

	// Networks, addresses, URLs.
	{"[delivery]\ndeny = [\n\"10.0.0.0/8\",\n\"10.0.0.0/33\"]", 4, "delivery.deny", "not a network"},
	{"[delivery]\ndeny = [\"10.0.0.1\"]", 2, "delivery.deny", "/32"},
	{"[delivery]\ndeny = [\"fe80::1\"]", 2, "delivery.deny", "/128"},
	{"[delivery]\ndeny = [\"10.0.0.1/8\"]", 2, "delivery.deny", "10.0.0.0/8"},
	{"[delivery]\ndeny = [\"::ffff:10.0.0.0/104\"]", 2, "delivery.deny", "written as IPv6"},
	{"[delivery]\ndeny = [\"example.com\"]", 2, "delivery.deny", "not a network"},
	{"[delivery]\ndeny = [" + strings.Repeat("\"10.0.0.0/8\",", 1001) + "]", 2, "delivery.deny", "1001 items"},
	{"[http]\nlisten = \"\"", 2, "http.listen", "is empty"},
	{"[http]\nlisten = \"127.0.0.1\"", 2, "http.listen", "no port"},
	{"[http]\nlisten = \"8480\"", 2, "http.listen", "address and a port"},
	{"[http]\nlisten = \"::1:80\"", 2, "http.listen", "brackets"},
	{"[http]\nlisten = \"127.0.0.1:65536\"", 2, "http.listen", "65535"},
	{"[http]\nlisten = \"127.0.0.1:-1\"", 2, "http.listen", "0 to 65535"},
	{"[http]\nlisten = \"127.0.0.1:http\"", 2, "http.listen", "0 to 65535"},
	{"[http]\nlisten = \":080\"", 2, "http.listen", "leading zeros"},
	{"[http]\nlisten = \"http://127.0.0.1\"", 2, "http.listen", "URL"},
	{"[http]\nlisten = \"300.0.0.1:80\"", 2, "http.listen", "no usable address"},
	{"[http]\nlisten = \"a b:80\"", 2, "http.listen", "no usable address"},
	{"[http]\nsocket = \"/" + strings.Repeat("s", 103) + "\"", 2, "http.socket", "103 bytes"},
	{"[http]\npublic_url = \"ringback.example.com\"", 2, "http.public_url", "http://"},
	{"[http]\npublic_url = \"ftp://x\"", 2, "http.public_url", "https://"},
	{"[http]\npublic_url = \"https://\"", 2, "http.public_url", "no usable host"},
	{"[http]\npublic_url = \"https://x?a=b\"", 2, "http.public_url", "query"},
	{"[http]\npublic_url = \"https://x#\"", 2, "http.public_url", "fragment"},
	{"[http]\npublic_url = \"https://x:70000\"", 2, "http.public_url", "1 to 65535"},
	{"[http]\npublic_url = \"https://u@x\"", 2, "http.public_url", "user"},
	{"[delivery]\nproxy = \"socks5://x:1\"", 2, "delivery.proxy", "http"},
	{"[delivery]\nproxy = \"http://u:hunter2@proxy:3128\"", 2, "delivery.proxy", "password"},
	{"[delivery]\nproxy = \"http://u:hunter2%zz@proxy\"", 2, "delivery.proxy", "not a URL"},
	{"[delivery]\nproxy = \"http://proxy/x\"", 2, "delivery.proxy", "path"},
	{"[delivery]\nproxy = \"proxy:3128\"", 2, "delivery.proxy", "http://"},
	{"[smtp]\nhost = \"mail.example.com:25\"", 2, "smtp.host", "without a port"},
	{"[smtp]\nhost = \"-mail\"", 2, "smtp.host", "not a host name"},
	{"[smtp]\nhost = \"10.0.0.300\"", 2, "smtp.host", "not an IP address"},
	{"[smtp]\nhost = \"a..b\"", 2, "smtp.host", "not a host name"},

	// Mail, and what goes together.
	{"[smtp]\nfrom = \"\"", 2, "smtp.from", "e-mail address"},
	{"[smtp]\nfrom = \"ringback\"", 2, "smtp.from", "e-mail address"},
	{"[smtp]\nfrom = \"a@b, c@d\"", 2, "smtp.from", "not one"},
	{"[smtp]\nfrom = \"\\\"a>b\\\"@example.com\"", 2, "smtp.from", "refuse"},
	{"[smtp]\nfrom = \"Ä <ä@example.com>\"", 2, "smtp.from", "refuse"},
	{"[smtp]\nfrom = \"a@[10.0.0.1]\"", 2, "smtp.from", "no usable domain"},
	{"[alerts]\nadmin_email = \"ops@\"", 2, "alerts.admin_email", "e-mail address"},
	{"[alerts]\nadmin_email = \"" + strings.Repeat("a", 65) + "@example.com\"", 2, "alerts.admin_email", "longer"},
	{"[alerts]\nadmin_email = \"ops@example.com\"\nrecipient_domains = [\"example.org\"]", 2, "alerts.admin_email", "example.org"},
	{"[alerts]\nadmin_email = \"ops@sub.example.com\"\nrecipient_domains = [\"example.com\"]", 2, "alerts.admin_email", "recipient_domains"},
	{"[alerts]\nrecipient_domains = [\"@example.com\"]", 2, "alerts.recipient_domains", "is an address"},
	{"[alerts]\nrecipient_domains = [\"*.example.com\"]", 2, "alerts.recipient_domains", "not a domain"},
	{"[alerts]\nrecipient_domains = [\"example.com\", \"EXAMPLE.com\"]", 2, "alerts.recipient_domains", "twice"},
	{"[alerts]\nrecipient_domains = [\n  \"example.com\",\n  7,\n]", 4, "alerts.recipient_domains", "whole number"},
	{"[http]\ntls_cert = \"c.pem\"", 2, "http.tls_cert", "both or neither"},
	{"[http]\ntls_key = \"k.pem\"", 2, "http.tls_key", "both or neither"},
	{"[smtp]\nusername = \"u\"", 2, "smtp.username", "both or neither"},
	{"[smtp]\npassword_file = \"p\"", 2, "smtp.password_file", "both or neither"},
	{"[smtp]\npassword_file = \"p\"\nusername = \"" + strings.Repeat("u", 256) + "\"", 3, "smtp.username", "255 bytes"},

	// No TOML.
	{"[retry]\ninterval = 5m", 2, "retry.interval", `such as "5m"`},
	{"[retry]\ninterval =", 2, "retry.interval", `such as "5m"`},
	{"[retry]\ninterval = \"5m", 2, "retry.interval", "cannot be read"},
	{"[retry]\ninterval = '5m\"", 2, "retry.interval", "cannot be read"},
	{"[delivery]\nallow_private = yes", 2, "delivery.allow_private", "true or false"},
	{"[delivery]\nallow_private = True", 2, "delivery.allow_private", "true or false"},
	{"[delivery]\ndeny = [\"10.0.0.0/8\"", 2, "delivery.deny", "cannot be read"},
	{"[smtp]\nport = 0587", 2, "smtp.port", "1 to 65535"},
	{"\n\n[http\nlisten = \":80\"", 3, "", "section"},
	{"listen: 80", 1, "", "cannot be read"},
	{"= 5", 1, "", "cannot be read"},
	{"[]", 1, "", "cannot be read"},
	{"data_dir = \"a\" memory_limit = 1", 1, "data_dir", "cannot be read"},
	{"{\"http\": {}}", 1, "", "cannot be read"},
	{"<xml/>", 1, "", "cannot be read"},
	{"# fine\ndata_dir = \"\xff\"", 2, "", "UTF-8"},
	{"\xff\xfed\x00", 1, "", "UTF-8"},
	{"http = {\nlisten = 5x\n}", 2, "", "cannot be read"},
	{"[delivery]\ndeny = [\n\"10.0.0.0/8\",\nproxy = \"x\"\n]", 4, "", "cannot be read"},
	{"data_dir = \"\\q\"", 1, "data_dir", "cannot be read"},
	{"[http]\r\nlisten = 5\r\n", 2, "http.listen", "whole number"},
	{"\xef\xbb\xbf[http]\nlisten = 5\n", 2, "http.listen", "whole number"},
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := dir + "/bad.toml"
	for _, row := range badFiles {
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		got := one(t, row.text, path, nil)
		if got.File != path || got.Line != row.line || got.Col < 1 || got.Key != row.key {
			t.Errorf("%q\n\tis told at %s:%d:%d, key %q; want line %d, key %q\n\t%v", row.text, got.File, got.Line, got.Col, got.Key, row.line, row.key, got)
		}
		holds(t, row.text, got, row.word)
		if got.Want == "" {
			t.Errorf("%q\n\tdoes not say what is expected: %v", row.text, got)
		}
	}
	if len(badFiles) < 120 {
		t.Errorf("%d bad files", len(badFiles))
	}
}

// badVariables are single variables with exactly one fault.
var badVariables = []struct {
	env  string
	key  string
	word string
}{
	{"RINGBACK_HTTP_LISTN=:80", "", "nearest is RINGBACK_HTTP_LISTEN"},
	{"RINGBACK_LISTEN=:80", "", "nearest is RINGBACK_HTTP_LISTEN"},
	{"RINGBACK_DATADIR=x", "", "nearest is RINGBACK_DATA_DIR"},
	{"RINGBACK_SMTP_PASSWORD=hunter2", "", "nearest is RINGBACK_SMTP_PASSWORD_FILE"},
	{"RINGBACK_CONFIG=x", "", "known variable"},
	{"RINGBACK_=x", "", "known variable"},
	{"RINGBACK_http_listen=:80", "", "nearest is RINGBACK_HTTP_LISTEN"},
	{"RINGBACK_DATA_DIR=", "data_dir", "is empty"},
	{"RINGBACK_DATA_DIR=a\x1bb", "data_dir", "control character"},
	{"RINGBACK_DATA_DIR=a\xffb", "data_dir", "UTF-8"},
	{"RINGBACK_DATA_DIR", "data_dir", "is empty"},
	{"RINGBACK_MEMORY_LIMIT=1MB", "memory_limit", "unknown unit"},
	{"RINGBACK_MEMORY_LIMIT=", "memory_limit", "is empty"},
	{"RINGBACK_MEMORY_LIMIT=0", "memory_limit", "is zero"},
	{"RINGBACK_HTTP_LISTEN=80", "http.listen", "no port"},
	{"RINGBACK_HTTP_TLS_CERT=c", "http.tls_cert", "both"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=many", "delivery.max_in_flight", "whole number"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=1e3", "delivery.max_in_flight", "whole number"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=1000000000000000000", "delivery.max_in_flight", "1 to 10000"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=99999999999999999999", "delivery.max_in_flight", "too large"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=", "delivery.max_in_flight", "whole number"},
	{"RINGBACK_DELIVERY_MAX_IN_FLIGHT=4", "delivery.max_in_flight_per_callback", "1 to 4"},
	{"RINGBACK_DELIVERY_ALLOW_PRIVATE=yes", "delivery.allow_private", "true"},
	{"RINGBACK_DELIVERY_ALLOW_PRIVATE=", "delivery.allow_private", "true"},
	{"RINGBACK_DELIVERY_DENY=10.0.0.0/8,", "delivery.deny", "one item is empty"},
	{"RINGBACK_DELIVERY_DENY=10.0.0.0/8;172.16.0.0/12", "delivery.deny", "not a network"},
	{"RINGBACK_DELIVERY_SUCCESS_CODES=ok", "delivery.success_codes", "200 to 599"},
	{"RINGBACK_DELIVERY_PROXY=http://u:hunter2@p", "delivery.proxy", "password"},
	{"RINGBACK_RETRY_INTERVAL=300", "retry.interval", "without a unit"},
	{"RINGBACK_RETRY_INTERVAL=2d", "retry.interval", "1s to 24h"},
	{"RINGBACK_RETRY_WINDOW=1s", "retry.window", "at least 5m"},
	{"RINGBACK_RETRY_JITTER=10%", "retry.jitter", "not a number"},
	{"RINGBACK_RETRY_JITTER=NaN", "retry.jitter", "not a number"},
	{"RINGBACK_ALERTS_ADMIN_EMAIL=ops", "alerts.admin_email", "e-mail"},
	{"RINGBACK_ALERTS_RECIPIENT_DOMAINS=a@b.example", "alerts.recipient_domains", "address"},
	{"RINGBACK_SMTP_TLS=tls", "smtp.tls", "starttls"},
	{"RINGBACK_SMTP_PORT=-1", "smtp.port", "negative"},
	{"RINGBACK_RETENTION_MIN_FREE_DISK=5%", "retention.min_free_disk", "auto"},
	{"RINGBACK_TUI_FPS=0", "tui.fps", "1 to 120"},
	{"RINGBACK_LOG_LEVEL=INFO", "log.level", "info"},
}

func TestBadVariables(t *testing.T) {
	t.Parallel()
	for _, row := range badVariables {
		got := one(t, row.env, "", []string{"PATH=/bin", row.env, "=C:=C:\\"})
		env, _, _ := strings.Cut(row.env, "=")
		if got.Env != env || got.Key != row.key || got.File != "" {
			t.Errorf("%q is told of %q, key %q; want %q, key %q", row.env, got.Env, got.Key, env, row.key)
		}
		holds(t, row.env, got, row.word)
	}
}

// one loads a file, or none, with an environment and returns the only fault.
func one(t *testing.T, what, path string, environ []string) Fault {
	t.Helper()
	var paths []string
	if path != "" {
		paths = []string{path}
	}
	cfg, _, err := load(paths, path != "", environ)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: error %v, want an *Error", what, err)
	}
	if len(e.Faults) != 1 {
		t.Errorf("%q has %d faults, want 1:\n%v", what, len(e.Faults), err)
	}
	if d := diff(Default(), cfg); d != "" {
		t.Errorf("%q: the Config beside the error (-default +got):\n%s", what, d)
	}
	return e.Faults[0]
}

// holds wants word in the line of f, and no secret and nothing invisible.
func holds(t *testing.T, what string, f Fault, word string) {
	t.Helper()
	line := f.String()
	if !strings.Contains(line, word) {
		t.Errorf("%q\n\tis told as %s\n\twithout %q", what, line, word)
	}
	if strings.Contains(line, "hunter2") {
		t.Errorf("%q: the secret is told: %s", what, line)
	}
	if line != visible(line) {
		t.Errorf("%q: a control character is told: %q", what, line)
	}
}
