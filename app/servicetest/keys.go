package servicetest

import (
	"strings"
	"testing"

	"ringback/callback"
)

// keysMade: a key is shown once, listed without itself and its hash, unique by
// name, and gone when it is removed.
func keysMade(t *testing.T, b *bench) {
	seen := map[string]bool{}
	for _, c := range []struct {
		name string
		role callback.Role
	}{{"crm", callback.RoleEnqueue}, {"Zoë's \"phone\" & %2F +1", callback.RoleRead}, {"ops", callback.RoleOperator}, {"adm", callback.RoleAdmin}} {
		k, clear, err := b.svc.AddKey(b.ctx, c.name, c.role)
		if err != nil {
			t.Fatalf("add %q: %v", c.name, err)
		}
		if k.Name != c.name || k.Role != c.role || k.Created.IsZero() || k.Hash != [32]byte{} {
			t.Errorf("made %+v, want %q with role %s, and no hash", k, c.name, c.role)
		}
		if len(clear) < len(callback.KeyPrefix)+32 || !strings.HasPrefix(clear, callback.KeyPrefix) || seen[clear] {
			t.Errorf("the key of %q has the wrong form, or was given out before", c.name)
		}
		seen[clear] = true
	}
	keys, err := b.svc.Keys(b.ctx)
	if err != nil {
		t.Fatalf("keys: %v", err)
	}
	var got []string
	for _, k := range keys {
		got = append(got, k.Name+" "+string(k.Role))
		if k.Created.IsZero() || k.Hash != [32]byte{} {
			t.Errorf("listed %+v", k)
		}
	}
	want := `Zoë's "phone" & %2F +1 read, adm admin, crm enqueue, ops operator`
	if strings.Join(got, ", ") != want {
		t.Fatalf("keys: got %q, want %q", strings.Join(got, ", "), want)
	}
	_, _, err = b.svc.AddKey(b.ctx, "crm", callback.RoleRead)
	b.wantCode("a name that is taken", err, callback.CodeConflict)
	for _, name := range []string{"crm", "Zoë's \"phone\" & %2F +1"} {
		if err := b.svc.RemoveKey(b.ctx, name); err != nil {
			t.Fatalf("remove %q: %v", name, err)
		}
		b.wantCode("remove "+name+" again", b.svc.RemoveKey(b.ctx, name), callback.CodeNotFound)
	}
	for _, name := range []string{"", ".", "..", "a/b", "nobody", "\x1b[2J"} {
		b.wantCode("remove "+name, b.svc.RemoveKey(b.ctx, name), callback.CodeNotFound)
	}
	if keys, err = b.svc.Keys(b.ctx); err != nil || len(keys) != 2 {
		t.Fatalf("%d keys are left (%v), want 2", len(keys), err)
	}
}

func keysRefused(_ *testing.T, b *bench) {
	for _, c := range []struct {
		name string
		role callback.Role
		want []string
	}{
		{"", callback.RoleRead, []string{"name"}},
		{"a/b", callback.RoleRead, []string{"name"}},
		{"local", callback.RoleRead, []string{"name"}},
		{strings.Repeat("n", 51), callback.RoleRead, []string{"name"}},
		{"crm", "root", []string{"role"}},
		{"a\x1bb", "", []string{"name", "role"}},
	} {
		_, clear, err := b.svc.AddKey(b.ctx, c.name, c.role)
		b.wantFields("the key "+c.name, err, c.want...)
		if clear != "" {
			b.t.Errorf("a refused key was given out: %q", c.name)
		}
	}
}
