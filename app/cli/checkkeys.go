package cli

import (
	"reflect"

	"ringback/app/config"
)

// configKeys returns the keys of the configuration in their order.
func configKeys() []string { return keysOf(reflect.TypeFor[config.Config](), "") }

// keysOf returns those of a struct. One without tagged fields is a value.
func keysOf(t reflect.Type, prefix string) (names []string) {
	for f := range t.Fields() {
		tag := f.Tag.Get("toml")
		if tag == "" {
			continue
		}
		if f.Type.Kind() == reflect.Struct {
			if inner := keysOf(f.Type, prefix+tag+"."); len(inner) > 0 {
				names = append(names, inner...)
				continue
			}
		}
		names = append(names, prefix+tag)
	}
	return names
}
