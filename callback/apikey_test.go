package callback

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRoleMay(t *testing.T) {
	t.Parallel()
	// Rows hold a role, columns what is asked for: nobody, read, enqueue, operator, admin.
	for role, want := range map[Role]string{
		"":           "+----",
		RoleRead:     "++---",
		RoleEnqueue:  "+-+--",
		RoleOperator: "++-+-",
		RoleAdmin:    "+++++",
	} {
		got := ""
		for _, need := range []Role{"", RoleRead, RoleEnqueue, RoleOperator, RoleAdmin} {
			if role.May(need) {
				got += "+"
			} else {
				got += "-"
			}
		}
		if got != want {
			t.Errorf("%q may %s, want %s", role, got, want)
		}
	}
	if got := RoleRead.With(); !slices.Equal(got, []Role{RoleRead, RoleOperator, RoleAdmin}) {
		t.Errorf("those who may read are %v", got)
	}
}

func TestParseRole(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Role{"read": RoleRead, "Operator": RoleOperator, "ENQUEUE": RoleEnqueue, "admin": RoleAdmin} {
		if got, err := ParseRole(s); err != nil || got != want {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "root", "read ", "admin\x1b[31m"} {
		if _, err := ParseRole(s); faultsOf(t, err) != "role" {
			t.Errorf("%q: got %v, want that the role is at fault", s, err)
		}
	}
}

func TestAPIKeyValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		role Role
		want string
	}{
		{"crm", RoleRead, ""},
		{"Zoë's \"phone\" 👍", RoleAdmin, ""},
		{strings.Repeat("é", 50), RoleOperator, ""},
		{strings.Repeat("é", 51), RoleOperator, "name"},
		{"", RoleRead, "name"},
		{" a", RoleRead, "name"},
		{"a\nb", RoleRead, "name"},
		{"a\x1b[2J", RoleRead, "name"},
		{"a\u202eb", RoleRead, "name"},
		{"a/b", RoleRead, "name"},
		{"..", RoleRead, "name"},
		{"Local", RoleRead, "name"},
		{"crm", "", "role"},
		{"", "root", "name role"},
	} {
		k := APIKey{Name: c.name, Role: c.role}
		if got := faultsOf(t, k.Validate()); got != c.want {
			t.Errorf("%q %q: faults of %q, want %q", c.name, c.role, got, c.want)
		}
	}
}

func TestKeyText(t *testing.T) {
	t.Parallel()
	var random [20]byte
	seen := map[string]bool{KeyText(random): true}
	for i := range 160 { // every bit counts
		one := random
		one[i/8] = 1 << (i % 8)
		seen[KeyText(one)] = true
	}
	if len(seen) != 161 {
		t.Errorf("of 161 keys %d differ", len(seen))
	}
	for key := range seen {
		body, ok := strings.CutPrefix(key, "rb_")
		if !ok || len(body) != 32 || strings.ContainsAny(body, "iloILOuU-_ =") {
			t.Fatalf("the key %q", key)
		}
	}
}

func TestFindKey(t *testing.T) {
	t.Parallel()
	var keys []APIKey
	for i := range 3 {
		keys = WithKey(keys, APIKey{Name: fmt.Sprint(2 - i), Hash: HashKey(fmt.Sprint("key", 2-i))})
	}
	for i := range 3 {
		if k, ok := FindKey(keys, fmt.Sprint("key", i)); !ok || k.Name != fmt.Sprint(i) {
			t.Errorf("key %d: found %q, %v", i, k.Name, ok)
		}
	}
	for _, wrong := range []string{"", "key", "key3", "KEY1", "key1 "} {
		if k, ok := FindKey(keys, wrong); ok {
			t.Errorf("%q is taken for key %q", wrong, k.Name)
		}
	}
	for at := range 32 { // every byte of the hash counts
		other := APIKey{Hash: HashKey("key1")}
		other.Hash[at] ^= 1
		if _, ok := FindKey([]APIKey{other}, "key1"); ok {
			t.Errorf("byte %d of the hash is not compared", at)
		}
	}
	if _, ok := FindKey(nil, ""); ok {
		t.Error("found a key where there is none")
	}
}

func TestMayAdd(t *testing.T) {
	t.Parallel()
	var keys []APIKey
	for i := range MaxKeys {
		k := APIKey{Name: fmt.Sprint("k", i)}
		if err := MayAdd(keys, &k); err != nil {
			t.Fatalf("key %d: %v", i, err)
		}
		keys = WithKey(keys, k)
	}
	if err := MayAdd(keys, &APIKey{Name: "more"}); ErrorCode(err) != CodeConflict {
		t.Errorf("beyond the bound: %v", err)
	}
	if err := MayAdd(keys[:9], &keys[4]); ErrorCode(err) != CodeConflict || !strings.Contains(err.Error(), "another key") {
		t.Errorf("a name that is taken: %v", err)
	}
	rest, gone, err := WithoutKey(keys, "k7")
	if err != nil || gone.Name != "k7" || len(rest) != MaxKeys-1 || len(keys) != MaxKeys {
		t.Errorf("removed %q, %d of %d are left, %v", gone.Name, len(rest), len(keys), err)
	}
}
