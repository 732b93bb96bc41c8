package api

import "strings"

// badHeaders is what is wrong with the head of a request: its media types,
// conditions and keys, its method and path.
func badHeaders() (out []bad) {
	for _, accept := range []string{
		"text/html", "application/json;q=0", "nonsense", "application/*;q=0.000, text/plain", "application/yaml",
		"application/json;q=2", "application/json;q=-1", "application/json;q=NaN", "application/xml;q=0", "text/*;q=0",
		`"application/json"`, "/", "*/json", "application/", "application/vnd.whispir.api-callback-v2+json", "application/x-ndjson",
	} {
		out = append(
			out,
			bad{"GET", "/callbacks", "", 406, "Accept", []string{"Accept: " + accept}},
			bad{"POST", "/callbacks", `{"name":"a","url":"http://a/"}`, 406, "Accept", []string{"Accept: " + accept}},
		)
	}
	for _, kind := range []string{
		"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json; charset=utf-16",
		"application/xml; charset=iso-8859-1", ";;;", "application/json; charset=\"utf-8", "json", "application/*", "*/*",
		"application/vnd.whispir.message-v1+json", "application/problem+json", "text/json", "application/json, application/xml",
	} {
		for _, to := range []struct{ method, target string }{
			{"POST", "/callbacks"},
			{"PUT", "/callbacks/crm-prod"},
			{"POST", "/callbacks/crm-prod/responses"},
			{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001"},
			{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry"},
		} {
			out = append(out, bad{to.method, to.target, `{"status":"SUCCESS"}`, 415, "Content-Type", []string{"Content-Type: " + kind}})
		}
	}
	for _, coding := range []string{"gzip", "br", "deflate", "identity, gzip", "x"} {
		head := []string{"Content-Encoding: " + coding}
		out = append(
			out,
			bad{"POST", "/callbacks", "\x1f\x8b\x08\x00", 415, "Content-Encoding", head},
			bad{"POST", "/responses", `{}`, 415, "Content-Encoding", head},
		)
	}
	const one = `{"responseMessage":{}}`
	key := func(v string) []string { return []string{"Idempotency-Key: " + v} }
	for _, v := range []string{`"2"`, `W/"1"`, "garbage", `"0"`, `"-1"`, `"1.0"`, `"18446744073709551616"`, `"2", "3"`, `""`, `"1`, `1"`, `""1""`, `"`} {
		out = append(out, bad{"PUT", "/callbacks/crm-prod", `{"email":"a@b"}`, 412, "version", []string{"If-Match: " + v}})
	}
	return append(
		out,
		bad{"POST", "/responses", `[{"callbackId":"crm-prod","responseMessage":{}}]`, 422, keyHeader, key("a")},
		bad{"POST", "/callbacks/crm-prod/responses", `{"id":"b","responseMessage":{}}`, 422, keyHeader, key("a")},
		bad{"POST", "/callbacks/crm-prod/responses", one, 422, keyHeader, key(strings.Repeat("k", 256))},
		bad{"POST", "/callbacks/crm-prod/responses", one, 422, keyHeader, key(`""`)},
		bad{"PUT", "/callbacks/nobody", `{}`, 404, "nobody", []string{`If-Match: "1", "2"`}},
		bad{"PUT", "/callbacks/crm-prod", `{"version":7}`, 412, "version", nil},
		bad{"PATCH", "/callbacks", `{}`, 405, "GET, HEAD, POST", nil},
		bad{"DELETE", "/callbacks", "", 405, "GET, HEAD, POST", nil},
		bad{"POST", "/callbacks/crm-prod", `{}`, 405, "GET, HEAD, PUT, DELETE", nil},
		bad{"GET", "/callbacks/crm-prod/responses", "", 405, "POST", nil},
		bad{"DELETE", "/callbacks/crm-prod/calls", "", 405, "GET, HEAD, PUT", nil},
		bad{"TRACE", "/callbacks", "", 405, "GET, HEAD, POST", nil},
		bad{"BREW", "/callbacks", "", 405, "GET, HEAD, POST", nil},
		bad{"get", "/callbacks", "", 405, "GET, HEAD, POST", nil},
		bad{"GET", "/callbacks/crm-prod/calls/", "", 404, "path", nil},
		bad{"GET", "/Callbacks", "", 404, "path", nil},
		bad{"GET", "/callbacks/crm-prod/calls/0328BA3200000001/x", "", 404, "path", nil},
		bad{"GET", "/callbacks//calls", "", 404, "path", nil},
		bad{"GET", "/callbacks/./crm-prod", "", 404, "path", nil},
		bad{"GET", "/callbacks", "", 403, "localhost", []string{"Host: example.com"}},
		bad{"POST", "/callbacks", `{"name":"a","url":"http://a/"}`, 403, "origin", []string{"Origin: http://evil.example"}},
		bad{"POST", "/callbacks", `{"name":"a","url":"http://a/"}`, 403, "origin", []string{"Sec-Fetch-Site: cross-site"}},
	)
}
