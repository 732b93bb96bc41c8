package api

import (
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringback/callback"
)

// ring returns a key of each role, named like it, and how to get at them; the
// clear key of a role is its name with -key behind.
func ring() func() []callback.APIKey {
	var keys []callback.APIKey
	for _, r := range callback.Roles {
		keys = callback.WithKey(keys, callback.APIKey{Name: "the " + string(r), Role: r, Hash: callback.HashKey(string(r) + "-key")})
	}
	return func() []callback.APIKey { return keys }
}

// asks serves one GET with whatever set does to it.
func asks(h http.Handler, target string, set func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "http://ringback.example.com"+target, nil)
	if set != nil {
		set(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestWaysToSendAKey(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Keys: ring(), LocalKey: "token"})
	const right, wrong = "read-key", "wrong-key"
	ways := map[string]func(key string) func(*http.Request){
		"x-api-key": func(k string) func(*http.Request) { return func(r *http.Request) { r.Header.Set("X-Api-Key", k) } },
		"bearer": func(k string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+k) }
		},
		"bearer in capitals": func(k string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("Authorization", "BEARER  "+k) }
		},
		"basic": func(k string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("Authorization", basic("any one", k)) }
		},
		"basic, as the user": func(k string) func(*http.Request) {
			return func(r *http.Request) { r.Header.Set("Authorization", basic(k, "")) }
		},
		"basic, without a colon": func(k string) func(*http.Request) {
			return func(r *http.Request) {
				r.Header.Set("Authorization", "basic "+base64.StdEncoding.EncodeToString([]byte(k)))
			}
		},
		"query": func(k string) func(*http.Request) {
			return func(r *http.Request) { r.URL.RawQuery = "limit=1&apikey=" + k }
		},
	}
	for name, way := range ways {
		for key, want := range map[string]int{right: 200, "token": 200, wrong: 401, "": 401, "READ-KEY": 401, "read-key ": 401, "read-ke": 401} {
			if key == "read-key " && strings.HasPrefix(name, "bearer") || key == "read-key " && name == "query" {
				continue // blanks around a token are no part of it, and none stands in a query
			}
			w := asks(h, "/callbacks", way(key))
			if w.Code != want {
				t.Errorf("%s %q: got %d %s, want %d", name, key, w.Code, w.Body, want)
			}
			if got := w.Header().Get("WWW-Authenticate"); (got == `Bearer, Basic realm="ringback"`) != (want == 401) {
				t.Errorf("%s %q: WWW-Authenticate is %q", name, key, got)
			}
			if want == 401 && (w.Header().Get("Content-Type") != problemType || key != "" && strings.Contains(w.Body.String(), key)) {
				t.Errorf("%s %q: got %s %s", name, key, w.Header().Get("Content-Type"), w.Body)
			}
		}
		h = New(Options{Service: newFixed(), Keys: ring(), LocalKey: "token"}) // without what the throttle counted
	}
	if w := asks(h, "/callbacks", nil); w.Code != 401 || !strings.Contains(w.Body.String(), "a key is needed") {
		t.Errorf("without a key: %d %s", w.Code, w.Body)
	}
}

func TestWhichKeyDecides(t *testing.T) {
	t.Parallel()
	const right, wrong = "read-key", "wrong-key"
	for _, c := range []struct {
		name string
		head []string // several of one name are sent as such
		url  string
		want int
	}{
		{"x-api-key beside wrong basic", []string{"X-Api-Key: " + right, "Authorization: " + basic("u", wrong)}, "", 200},
		{"x-api-key beside wrong bearer", []string{"X-Api-Key: " + right, "Authorization: Bearer " + wrong}, "", 200},
		{"x-api-key beside nonsense", []string{"X-Api-Key: " + right, "Authorization: Digest x"}, "", 200},
		{"x-api-key beside two others", []string{"X-Api-Key: " + right, "Authorization: a", "Authorization: b"}, "", 200},
		{"x-api-key beside a wrong query", []string{"X-Api-Key: " + right}, "?apikey=" + wrong, 200},
		{"wrong x-api-key beside right bearer", []string{"X-Api-Key: " + wrong, "Authorization: Bearer " + right}, "", 401},
		{"wrong x-api-key beside a right query", []string{"X-Api-Key: " + wrong}, "?apikey=" + right, 401},
		{"empty x-api-key beside right bearer", []string{"X-Api-Key: ", "Authorization: Bearer " + right}, "", 401},
		{"two x-api-key", []string{"X-Api-Key: " + right, "X-Api-Key: " + right}, "", 400},
		{"two x-api-key, one wrong", []string{"X-Api-Key: " + right, "X-Api-Key: " + wrong}, "", 400},
		{"two authorizations", []string{"Authorization: Bearer " + right, "Authorization: Bearer " + right}, "", 400},
		{"basic and bearer", []string{"Authorization: Bearer " + right, "Authorization: " + basic("u", right)}, "", 400},
		{"two queries", nil, "?apikey=" + right + "&apikey=" + right, 400},
		{"query beside an account's basic", []string{"Authorization: " + basic("user", "password")}, "?apikey=" + right, 200},
		{"wrong query beside right basic", []string{"Authorization: " + basic("user", right)}, "?apikey=" + wrong, 401},
		{"query beside the same bearer", []string{"Authorization: Bearer " + right}, "?apikey=" + right, 200},
		{"query beside another bearer", []string{"Authorization: Bearer " + right}, "?apikey=" + wrong, 400},
		{"a scheme that is not known", []string{"Authorization: Token " + right}, "", 401},
		{"the key alone", []string{"Authorization: " + right}, "", 401},
		{"basic that is no base64", []string{"Authorization: Basic " + right + "!"}, "", 401},
		{"an empty authorization", []string{"Authorization: "}, "", 401},
	} {
		h := New(Options{Service: newFixed(), Keys: ring()})
		w := asks(h, "/callbacks"+c.url, func(r *http.Request) {
			for _, line := range c.head {
				name, value, _ := strings.Cut(line, ": ")
				r.Header.Add(name, value)
			}
		})
		if w.Code != c.want || strings.Contains(w.Body.String(), wrong) {
			t.Errorf("%s: got %d %s, want %d", c.name, w.Code, w.Body, c.want)
		}
	}
}
