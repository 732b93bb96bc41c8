package main

import (
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// imports says which of our own packages each package may import, and which
// modules beside the standard library. Imports run downward only: a rule is
// changed because the design changed, never to make a build pass.
const imports = `
ringback                   app/cli
ringback/callback          -                                            | the ground floor: values, rules, ports
ringback/queue             callback                                     | badger
ringback/queue/memq        callback
ringback/queue/queuetest   callback queue/memq                          | go-cmp
ringback/smtpout           callback                                     | go-smtp go-message go-sasl
ringback/app/post          callback                                     | golang.org/x/net
ringback/app/dispatch      callback
ringback/app/alert         callback
ringback/app/series        callback                                     | nakabonne/tstorage
ringback/app/hub           -
ringback/app/meter         callback
ringback/app/journal       callback
ringback/app/metrics       callback                                     | prometheus/client_golang
ringback/app/config        -                                            | go-toml
ringback/app/api           callback                                     | go-json-experiment golang.org/x/time golang.org/x/sync
ringback/app/servicetest   callback                                     | go-cmp
ringback/app               callback app/post app/dispatch app/alert app/series app/hub app/metrics app/meter app/journal | golang.org/x/sync
ringback/app/bench         callback queue app/api                        | golang.org/x/sync
ringback/tui               callback                                     | charm.land charmbracelet displaywidth uax29 golang.org/x/term
ringback/app/cli           callback queue smtpout tui app app/api app/bench app/post app/alert app/metrics app/meter app/journal app/config | cobra golang.org/x/sys golang.org/x/term golang.org/x/sync go-smtp
`

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	allowed := table(t)
	for _, p := range list(t) {
		rule, ok := allowed[p.ImportPath]
		if !ok {
			t.Errorf("%s is not in the table of imports", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") && first != "ringback" {
				continue // the standard library
			}
			if !rule.allows(imp) {
				t.Errorf("%s may not import %s", p.ImportPath, imp)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	for _, p := range list(t) {
		found := false
		for _, f := range p.GoFiles {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, f), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				t.Fatal(err)
			}
			found = found || file.Doc != nil
		}
		if !found {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

type rule struct{ own, modules []string }

func (r rule) allows(imp string) bool {
	for _, own := range r.own {
		if imp == "ringback/"+own {
			return true
		}
	}
	for _, m := range r.modules {
		if !strings.HasPrefix(imp, "ringback/") && strings.Contains(imp, m) {
			return true
		}
	}
	return false
}

func table(t *testing.T) map[string]rule {
	t.Helper()
	rules := map[string]rule{}
	for line := range strings.Lines(imports) {
		own, modules, _ := strings.Cut(line, "|")
		fields := strings.Fields(own)
		if len(fields) == 0 {
			continue
		}
		if _, twice := rules[fields[0]]; twice {
			t.Fatalf("%s stands twice in the table", fields[0])
		}
		rules[fields[0]] = rule{own: fields[1:], modules: strings.Fields(modules)}
	}
	return rules
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
