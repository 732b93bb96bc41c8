package callback

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"slices"
	"strings"
	"time"
)

// Role says what the holder of an API key may do. The roles are sets of
// permissions and no order: see May.
type Role string

// The roles of the contract.
const (
	RoleRead     Role = "read"     // every question, but for exports of content
	RoleEnqueue  Role = "enqueue"  // handing in responses, and nothing else
	RoleOperator Role = "operator" // what read may, exports, and acting on calls and callbacks
	RoleAdmin    Role = "admin"    // everything
)

// Roles are all roles.
var Roles = []Role{RoleRead, RoleEnqueue, RoleOperator, RoleAdmin}

// ParseRole returns the role of that name, in any case.
func ParseRole(s string) (Role, error) {
	if r := Role(strings.ToLower(s)); slices.Contains(Roles, r) {
		return r, nil
	}
	return "", &Error{Code: CodeInvalid, Message: "the key is not valid", Fields: []FieldError{{
		Field: "role", Message: "is " + quoted(s) + "; read, enqueue, operator or admin",
	}}}
}

func quoted(s string) string { return `"` + Sanitize(s, 40) + `"` }

// May reports whether a key of role r may do what is asked of role need. What
// nobody in particular is needed for ("") everybody may.
func (r Role) May(need Role) bool {
	return need == "" || r == RoleAdmin || r == need || r == RoleOperator && need == RoleRead
}

// With returns the roles whose keys may do what is asked of r.
func (r Role) With() []Role {
	var out []Role
	for _, other := range Roles {
		if other.May(r) {
			out = append(out, other)
		}
	}
	return out
}

// APIKey is a credential of the HTTP interface. The key itself is shown once,
// when it is made, and stored nowhere: who has lost it makes another.
type APIKey struct {
	Name    string
	Role    Role
	Created time.Time
	Hash    [32]byte // of the key; for engines and the check of a request, never shown
}

// MaxKeys bounds how many API keys there are, for every request is compared
// with all of them.
const MaxKeys = MaxPage

// LocalName is what stands in records for somebody who works on the machine
// itself, without a key. No key may be called so.
const LocalName = "local"

// Validate returns an *Error that names every wrong field, or nil. That names
// are unique is the engine's to check.
func (k *APIKey) Validate() error {
	var f faults
	checkName(&f, k.Name)
	if strings.EqualFold(k.Name, LocalName) {
		f.add("name", "stands for those who need no key")
	}
	if !slices.Contains(Roles, k.Role) {
		f.add("role", "is %s; read, enqueue, operator or admin", quoted(string(k.Role)))
	}
	return f.err("the key")
}

// keyAlphabet is Crockford's: no letter in it looks like a digit, or is one
// that a reader may take for another.
var keyAlphabet = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// KeyPrefix begins every key, so that people and scanners of leaked secrets can
// tell what it is.
const KeyPrefix = "rb_"

// KeyText returns the key with these random bits, in the form in which it is
// handed out.
func KeyText(random [20]byte) string { return KeyPrefix + keyAlphabet.EncodeToString(random[:]) }

// HashKey returns what is stored of a key. A plain hash is enough, for a key has
// 160 random bits: nobody can guess one from it.
func HashKey(key string) [32]byte { return sha256.Sum256([]byte(key)) }

// FindKey returns the key of which key is the clear text. How long it takes
// tells nothing of the keys, but for how many there are.
func FindKey(keys []APIKey, key string) (found APIKey, ok bool) {
	hash, at := HashKey(key), -1
	for i := range keys {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], keys[i].Hash[:]), i, at)
	}
	if at < 0 {
		return APIKey{}, false
	}
	return keys[at], true
}

// MayAdd says whether k may be added to keys.
func MayAdd(keys []APIKey, k *APIKey) error {
	if len(keys) >= MaxKeys {
		return Errorf(CodeConflict, "there are %d keys, and no more can be made; remove one first", len(keys))
	}
	if _, taken := slices.BinarySearchFunc(keys, k.Name, byKeyName); taken {
		return &Error{
			Code: CodeConflict, Message: "the name " + quoted(k.Name) + " is taken",
			Fields: []FieldError{{Field: "name", Message: "is the name of another key"}},
		}
	}
	return nil
}

// WithKey returns keys, which are sorted by name, and k among them. It leaves
// keys as it is, for readers may hold it.
func WithKey(keys []APIKey, k APIKey) []APIKey {
	at, _ := slices.BinarySearchFunc(keys, k.Name, byKeyName)
	return slices.Insert(slices.Clone(keys), at, k)
}

// WithoutKey returns keys without the one of that name, and that one, or
// CodeNotFound. It leaves keys as it is.
func WithoutKey(keys []APIKey, name string) ([]APIKey, APIKey, error) {
	at, ok := slices.BinarySearchFunc(keys, name, byKeyName)
	if !ok {
		return keys, APIKey{}, Errorf(CodeNotFound, "no key has the name %s", quoted(name))
	}
	return slices.Delete(slices.Clone(keys), at, at+1), keys[at], nil
}

func byKeyName(k APIKey, name string) int { return strings.Compare(k.Name, name) }
