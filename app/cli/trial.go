package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) callbacksTest() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "test" + refArg, Short: "Send a sample response now, and tell what came of it", Args: cobra.ExactArgs(1),
		Long: "Send a sample response now, and tell what came of it. Nothing is stored or counted; the sample says that it\n" +
			"is a test, and its webhook-id begins with test_. The exit code is 1 when the endpoint did not take it.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if !d.running {
					return errors.New("nothing runs that could make an attempt: start ringback first")
				}
				if c.json {
					return c.testJSON(cmd.Context(), d, args[0])
				}
				got, err := d.Test(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.printTrial(&got)
			})
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) printTrial(t *callback.Trial) error {
	var k card
	k.add("sent", t.ID)
	k.add("to", t.URL)
	k.add("as", t.ContentType)
	k.add("body", t.RequestBody)
	if err := k.print(c.out); err != nil {
		return err
	}
	if err := c.printAttempts(t.Attempts); err != nil {
		return err
	}
	return failed(t.OK())
}

// failed is the exit code of a test that was made; all of it was told already.
func failed(ok bool) error {
	if ok {
		return nil
	}
	return told{exitFailed}
}

// trialTime bounds a request for a test: the longest limits of a callback, twice.
const trialTime = 45 * time.Minute

func (c *console) testJSON(ctx context.Context, d *desk, ref string) error {
	status, body, err := d.requestWithin(ctx, trialTime, http.MethodPost, callbackPath(ref)+"/test", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fault(status, body)
	}
	var t struct{ Success bool }
	if err := json.Unmarshal(body, &t); err != nil {
		return fmt.Errorf("read the answer of %s: %w", text(d.where, 200), err)
	}
	if err := c.printJSON(body); err != nil {
		return err
	}
	return failed(t.Success)
}
