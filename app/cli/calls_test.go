package cli

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ringback/callback"
)

// Flags select as the API does: --code 0 is a call without an answer, and a flag
// that is given without a value is not taken for one that is left out.
func TestFilterFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args  string
		want  callback.Filter
		query string
		fault string // "": none
	}{
		{"", callback.Filter{}, "", ""},
		{"--code 0", callback.Filter{Code: callback.NoAnswer}, "statusCode=0", ""},
		{"--code 503", callback.Filter{Code: 503}, "statusCode=503", ""},
		{"--code -1", callback.Filter{}, "", "--code is -1"},
		{"--code 1000", callback.Filter{}, "", "--code is 1000"},
		{"--status failed,Pending", callback.Filter{Status: callback.ListFailed | callback.ListPending}, "status=failed%2CPending", ""},
		{"--state gaveUp --message-id M --class refused --text a", callback.Filter{State: callback.StateGaveUp, MessageID: "M", Class: "refused", Text: "a"}, "class=refused&messageId=M&q=a&state=gaveUp", ""},
		{"--state GAVEUP", callback.Filter{State: callback.StateGaveUp}, "state=GAVEUP", ""},
		{"--state resolved,HELD", callback.Filter{State: "held,resolved"}, "state=resolved%2CHELD", ""},
		{"--state held,lost", callback.Filter{}, "", "several with commas between"},
		{"--state lost", callback.Filter{}, "", "one of scheduled, held,"},
		{"--status=", callback.Filter{}, "", "--status is empty"},
		{"--status=failed,", callback.Filter{}, "", "--status is"},
		{"--state=", callback.Filter{}, "", "--state is empty"},
		{"--status failed --message-id=", callback.Filter{}, "", "--message-id is empty"},
		{"--message-id=\t", callback.Filter{}, "", "--message-id is empty"},
		{"--class=", callback.Filter{}, "", "--class is empty"},
		{"--text=", callback.Filter{}, "", "--text is empty"},
		{"--from=", callback.Filter{}, "", "--from is empty"},
		{"--to=", callback.Filter{}, "", "--to is empty"},
		{"--callback=", callback.Filter{}, "", "--callback is empty"},
	} {
		var f listFlags
		cmd := &cobra.Command{}
		f.flags(cmd)
		if err := cmd.ParseFlags(strings.Split(c.args, " ")); err != nil {
			t.Fatalf("%s: %v", c.args, err)
		}
		q, err := f.query()
		var usage *usageError
		if c.fault != "" {
			if !errors.As(err, &usage) || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%q: got %v, want %q", c.args, err, c.fault)
			}
			continue
		}
		u, parsed := url.Parse(f.path(&q))
		if err != nil || parsed != nil || q.Filter != c.want {
			t.Errorf("%q: got %+v, %v, %v, want %+v", c.args, q.Filter, err, parsed, c.want)
			continue
		}
		v := u.Query()
		v.Del("limit")
		if got := v.Encode(); got != c.query {
			t.Errorf("%q: asks for %q, want %q", c.args, got, c.query)
		}
	}
}

// What many calls are to be changed by is checked before anything is asked.
func TestManyFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args  string
		ids   int
		fault string // "": none
	}{
		{"--all", 0, ""},
		{"--all --code 0", 0, ""},
		{"", 1, ""},
		{"--code 0", 1, "not by both"},
		{"--all", 1, "not by both"},
		{"--dry-run --remark why --id mine --no-wait", 2, ""},
		{"", callback.MaxNamed + 1, "at most 10000"},
		{"--code 0", 0, "name the calls"},
		{"--all --id=", 0, "--id is empty"},
		{"--all --message-id=", 0, "--message-id is empty"},
		{"--message-id=", 1, "--message-id is empty"},
	} {
		f := manyFlags{kind: callback.OperationRetry}
		cmd := &cobra.Command{}
		f.flags(cmd)
		if err := cmd.ParseFlags(strings.Split(c.args, " ")); err != nil {
			t.Fatalf("%s: %v", c.args, err)
		}
		err := f.check(c.ids)
		if c.fault == "" && err != nil || c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
			t.Errorf("%q with %d ids: got %v, want %q", c.args, c.ids, err, c.fault)
		}
	}
	f := manyFlags{kind: callback.OperationRetry}
	cmd := &cobra.Command{}
	f.flags(cmd)
	if err := cmd.ParseFlags([]string{"--all", "--code", "0", "--message-id", "M"}); err != nil {
		t.Fatal(err)
	}
	body, err := f.preview(nil)
	if got, want := string(body), `{"dryRun":true,"messageId":"M","status":"FAILED","statusCode":0}`; err != nil || got != want {
		t.Errorf("the preview asks %s, %v, want %s", got, err, want)
	}
	f = manyFlags{kind: callback.OperationRetry}
	body, err = f.preview([]callback.CallID{0x0328BA3200000001})
	if got, want := string(body), `{"dryRun":true,"ids":["0328BA3200000001"]}`; err != nil || got != want {
		t.Errorf("the preview of calls that are named asks %s, %v, want %s", got, err, want)
	}
}
