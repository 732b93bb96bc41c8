package config

import (
	"reflect"
	"slices"
	"strings"
)

// key is one leaf of Config.
type key struct {
	name  string // "section.key", or "key" at the top
	index []int  // the field's path in Config
}

// env returns the variable that sets k.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.name, ".", "_"))
}

// field returns the addressable field of k in c.
func (k key) field(c *Config) reflect.Value {
	return reflect.ValueOf(c).Elem().FieldByIndex(k.index)
}

var (
	keys     = leaves(reflect.TypeFor[Config](), "", nil)
	byName   = index(keys, func(k key) string { return k.name })
	byEnv    = index(keys, key.env)
	sections = sectionNames(keys)
)

// leaves lists the keys below t in the order of its fields. A struct that reads
// text itself is a leaf.
func leaves(t reflect.Type, prefix string, path []int) []key {
	var list []key
	for f := range t.Fields() {
		name := prefix + f.Tag.Get("toml")
		at := append(slices.Clone(path), f.Index...)
		if f.Type.Kind() == reflect.Struct && f.Type != reflect.TypeFor[MinFree]() {
			list = append(list, leaves(f.Type, name+".", at)...)
			continue
		}
		list = append(list, key{name, at})
	}
	return list
}

func index(list []key, by func(key) string) map[string]key {
	m := make(map[string]key, len(list))
	for _, k := range list {
		m[by(k)] = k
	}
	return m
}

func sectionNames(list []key) []string {
	var names []string
	for _, k := range list {
		if s, _, ok := strings.Cut(k.name, "."); ok && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	return names
}

// nearest returns the known name that a wrong one was meant to be, or "". One
// that lacks its last words (password for password_file) is one slip away.
func nearest(name string, known []string) string {
	name = strings.ToLower(name)
	best, least := "", len(name)/3+2
	for _, k := range known {
		d := distance(name, strings.ToLower(k))
		if strings.HasPrefix(strings.ToLower(k), name+"_") {
			d = 1
		}
		if d < least {
			best, least = k, d
		}
	}
	return best
}

// nearestKey is nearest for "section.key": a right name in the wrong section is
// nearer than a similar one in the right section.
func nearestKey(name string) string {
	leaf := name[strings.LastIndexByte(name, '.')+1:]
	names := make([]string, len(keys))
	for i, k := range keys {
		if strings.HasSuffix("."+k.name, "."+leaf) {
			return k.name
		}
		names[i] = k.name
	}
	return nearest(name, names)
}

// nearestEnv is nearest for a variable.
func nearestEnv(name string) string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.env()
	}
	return nearest(name, names)
}

// known words what is expected in place of a strange name: what says what the
// name is, near is the name meant, or "".
func known(what, near string) string {
	if near == "" {
		return "a known " + what + ", as config.example.toml lists them"
	}
	return "a known " + what + ", the nearest is " + near
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b (optimal string alignment), in bytes.
func distance(a, b string) int {
	const long = 128 // no name is near that
	if len(a) > long {
		return long
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
