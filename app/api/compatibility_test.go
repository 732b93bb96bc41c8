package api

import (
	"os"
	"path/filepath"
	"regexp"
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
	code := map[string]string{}
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

// missing says what of a test is not there; code keeps what was read.
func missing(t *testing.T, code map[string]string, whole, pkg, function, subtest string) string {
	t.Helper()
	if pkg == "ringback" {
		pkg = "."
	}
	source := func(dir, pattern string) string {
		if code[dir] == "" {
			files, err := filepath.Glob(filepath.Join(home, dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				code[dir] += string(b)
			}
		}
		return code[dir]
	}
	tests := source(pkg, "*_test.go")
	if !strings.Contains(tests, "\nfunc "+function+"(") {
		return "there is no such function"
	}
	if dir := suites[whole]; dir != "" {
		tests = source(dir, "*.go")
	}
	if whole == "ringback.TestScripts" {
		if _, err := os.Stat(home + "testscript/" + subtest + ".txtar"); err != nil {
			return "there is no such script"
		}
		return ""
	}
	if subtest != "" && !strings.Contains(tests, `"`+subtest+`"`) {
		return "there is no such case"
	}
	return ""
}
