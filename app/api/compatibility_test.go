package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// home is where the module begins.
const home = "../../"

// suites are where the cases of a test stand when they are not beside it.
var suites = map[string]string{
	"app/api.TestServiceOverHTTP": "app/servicetest",
	"queue.TestConformance":       "queue/queuetest",
}

// TestCompatibilityTable looks for every test that docs/compatibility.md names,
// and for its case.
func TestCompatibilityTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(home + "docs/compatibility.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`^\| (.+) \| (.+) \|$`)
	name := regexp.MustCompile("^`(([a-z/]+)\\.(Test[A-Za-z0-9]+))(?:/(.+))?`$")
	code := map[string]source{}
	rows, shown := 0, 0
	for line := range strings.Lines(string(page)) {
		cells := row.FindStringSubmatch(strings.TrimSpace(line))
		if cells == nil || cells[1] == "behaviour" {
			continue
		}
		rows++
		if cells[2] == "–" {
			continue
		}
		shown++
		for test := range strings.SplitSeq(cells[2], " · ") {
			m := name.FindStringSubmatch(test)
			if m == nil {
				t.Errorf("%s: %s is not the name of a test", cells[1], test)
				continue
			}
			if why := missing(t, code, m[1], m[2], m[3], m[4]); why != "" {
				t.Errorf("%s: %s: %s", cells[1], test, why)
			}
		}
	}
	if rows < 200 || shown < rows/2 {
		t.Errorf("%d rows, %d of them with a test", rows, shown)
	}
}

// TestLimitsTable looks for every test that docs/limits.md names.
func TestLimitsTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(home + "docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]source{}
	named := regexp.MustCompile("`(([a-z/]+)\\.(Test[A-Za-z0-9]+))(?:/([^`]+))?`").FindAllStringSubmatch(string(page), -1)
	for _, m := range named {
		if why := missing(t, code, m[1], m[2], m[3], m[4]); why != "" {
			t.Errorf("%s: %s", m[0], why)
		}
	}
	if len(named) < 40 {
		t.Errorf("%d tests are named", len(named))
	}
}

// missing says what of a test is not there; code keeps what was read.
func missing(t *testing.T, code map[string]source, whole, pkg, function, subtest string) string {
	t.Helper()
	if pkg == "ringback" {
		pkg = "."
	}
	tests := readSource(t, code, pkg, "*_test.go")
	if tests[function] == nil {
		return "there is no such function"
	}
	if whole == "ringback.TestScripts" {
		if _, err := os.Stat(home + "testscript/" + subtest + ".txtar"); err != nil {
			return "there is no such script"
		}
		return ""
	}
	if dir := suites[whole]; dir != "" {
		tests, function = readSource(t, code, dir, "*.go"), "Run"
	}
	if subtest != "" && !tests.says(function, strconv.Quote(subtest), map[string]bool{}) {
		return "there is no such case"
	}
	return ""
}

// source is what the files of a package declare, by name.
type source map[string][]ast.Node

func readSource(t *testing.T, code map[string]source, dir, pattern string) source {
	t.Helper()
	if code[dir] != nil {
		return code[dir]
	}
	files, err := filepath.Glob(filepath.Join(home, dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	found := source{}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			found.add(d)
		}
	}
	code[dir] = found
	return found
}

func (s source) add(d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		s[d.Name.Name] = append(s[d.Name.Name], d.Body)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for _, n := range v.Names {
					s[n.Name] = append(s[n.Name], v)
				}
			}
		}
	}
}

// says reports whether a text stands, quoted, in what is declared by a name, or
// in what that uses: a list of cases may be a function or a variable of its own.
func (s source) says(name, quoted string, seen map[string]bool) (found bool) {
	seen[name] = true
	for _, n := range s[name] {
		ast.Inspect(n, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text, err := strconv.Unquote(n.Value)
				found = found || n.Kind == token.STRING && err == nil && strconv.Quote(text) == quoted
			case *ast.Ident:
				found = found || !seen[n.Name] && s.says(n.Name, quoted, seen)
			}
			return !found
		})
	}
	return found
}

// TestCasesAreLookedForWhereTheyRun has names that stand in the package, but not
// in the test that a row would name.
func TestCasesAreLookedForWhereTheyRun(t *testing.T) {
	t.Parallel()
	code := map[string]source{}
	for _, c := range []struct{ function, subtest, want string }{
		{"TestGolden", "enqueued", ""},
		{"TestBadRequests", "limit=501", ""},
		{"TestOperationBodies", "enqueued", "there is no such case"},
		{"TestGolden", "given by name", "there is no such case"},
		{"TestNothingAtAll", "", "there is no such function"},
	} {
		if got := missing(t, code, "app/api."+c.function, "app/api", c.function, c.subtest); got != c.want {
			t.Errorf("%s/%s: got %q, want %q", c.function, c.subtest, got, c.want)
		}
	}
}
