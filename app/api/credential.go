package api

import (
	"encoding/base64"
	"net/http"
	"strings"

	"ringback/callback"
)

// credential is what a request brings to prove who makes it.
type credential struct {
	key     string
	sent    bool
	ambient bool // a browser may send it without being asked by a script
}

// apiKeyHeader is the header that decides where it is present.
const apiKeyHeader = "X-Api-Key"

// credentialOf returns the credential that counts. X-Api-Key decides before
// everything else. An ?apikey= decides before Basic credentials, which clients of
// the public API send along with it: those are of an account, and no key of ours.
// Whatever else says two things at once is refused.
func credentialOf(r *http.Request) (credential, error) {
	header, auth := r.Header.Values(apiKeyHeader), r.Header.Values("Authorization")
	var query []string
	if r.URL.RawQuery != "" { // enqueues have none, and each must be cheap
		query = r.URL.Query()["apikey"]
	}
	switch {
	case len(header) > 1:
		return credential{}, ambiguous("there are several X-Api-Key headers; send one")
	case len(header) == 1:
		return credential{key: header[0], sent: true}, nil
	case len(query) > 1:
		return credential{}, ambiguous("apikey is given several times; send one")
	case len(auth) > 1:
		return credential{}, ambiguous("there are several Authorization headers; send one")
	case len(auth) == 0 && len(query) == 0:
		return credential{}, nil
	case len(auth) == 0:
		return credential{key: query[0], sent: true, ambient: true}, nil
	}
	key, basic := authorization(auth[0])
	switch {
	case len(query) == 0:
		return credential{key, true, basic}, nil
	case !basic && key != query[0]:
		return credential{}, ambiguous("the Authorization header and apikey are different keys; send one")
	}
	return credential{query[0], true, true}, nil
}

func ambiguous(message string) error { return callback.Errorf(callback.CodeMalformed, "%s", message) }

// authorization returns the key in an Authorization header (RFC 9110, 11.6.2),
// and whether it is of the scheme Basic: the password there, or what stands for
// the user where the password is empty. What cannot be read is no key, and wrong.
func authorization(value string) (key string, basic bool) {
	scheme, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return rest, false
	case !strings.EqualFold(scheme, "Basic"):
		return "", false
	}
	pair, err := base64.StdEncoding.DecodeString(rest)
	if err != nil {
		return "", true
	}
	user, password, _ := strings.Cut(string(pair), ":")
	if password == "" {
		return user, true
	}
	return password, true
}
