package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) printCall(v *callback.CallView) error {
	var k card
	r := &v.Response
	k.add("call", v.ID.String())
	k.add("callback", v.Callback+" "+v.CallbackID.String())
	k.add("url", v.URL)
	k.add("state", string(v.State))
	k.add("reason", v.Reason.String())
	k.add("accepted", when(v.Enqueued))
	k.add("first failed", when(v.FirstFailed))
	if next := nextTry(v); next != "-" {
		k.add("next try", next)
	}
	k.add("given up at", when(v.GivesUp))
	k.add("finished", when(v.Finished))
	k.add("resolved by", v.ResolvedBy)
	if v.Damaged {
		k.add("response", "cannot be read: its record on disk is damaged")
	}
	k.add("message", r.MessageID)
	k.add("location", r.MessageLocation)
	k.add("from", r.From.Name)
	k.add("mri", r.From.MRI)
	k.add("mobile", r.From.Mobile)
	k.add("e-mail", r.From.Email)
	k.add("voice", r.From.Voice)
	k.add("channel", r.Message.Channel)
	k.add("acknowledged", r.Message.Acknowledged)
	k.add("undeliverable", r.Message.Undeliverable)
	k.add("content", r.Message.Content)
	for _, p := range r.Params {
		k.add("parameter", p.Key+" = "+p.Value)
	}
	if err := k.print(c.out); err != nil {
		return err
	}
	if before := v.Entry.Attempts - len(v.Call.Attempts); before > 0 && len(v.Call.Attempts) > 0 {
		if _, err := fmt.Fprintf(c.out, "the last %s of %d\n", plural(len(v.Call.Attempts), "attempt"), v.Entry.Attempts); err != nil {
			return err
		}
	}
	return c.printAttempts(v.Call.Attempts)
}

func (c *console) printAttempts(attempts []callback.Attempt) error {
	if len(attempts) == 0 {
		_, err := fmt.Fprintln(c.out, "not attempted yet")
		return err
	}
	var rows table
	rows.add("TRY", "AT", "TOOK", "RESULT", "PEER", "WHAT HAPPENED")
	for i := range attempts {
		a := &attempts[i]
		said := a.Error
		if a.OK {
			said = a.Reason
		}
		if a.Manual {
			said += " (by hand)"
		}
		rows.add(count(a.Number), when(a.Started), a.Duration.Round(time.Millisecond).String(), a.Short(), dash(a.Peer), said)
	}
	return rows.print(c.out)
}

// callsAct is a command that does one thing to calls of a callback: those it is
// given the ids of, each by itself; or, where kind says what to start then, those
// that filters select, or all those ids together.
func (c *console) callsAct(use, short string, kind callback.OperationKind, do func(ctx context.Context, d *desk, ref string, ids []callback.CallID) error) *cobra.Command {
	var t target
	var ref string
	many := manyFlags{kind: kind}
	cmd := &cobra.Command{
		Use: use + " --callback CALLBACK CALL…", Short: short,
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := callIDs(args)
			if err == nil {
				err = many.check(len(ids))
			}
			if err != nil {
				return err
			}
			if ref == "" {
				return usagef("--callback is needed: the callback of the calls, by its name or id")
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if len(ids) == 0 || many.one() {
					return c.many(cmd.Context(), d, ref, ids, &many)
				}
				return do(cmd.Context(), d, ref, ids)
			})
		},
	}
	cmd.Flags().StringVar(&ref, "callback", "", "the callback of the calls, by its name or id")
	if kind != "" {
		cmd.Use = use + " --callback CALLBACK (CALL… | --all [filters])"
		cmd.Example = "  ringback calls " + use + " --callback crm-prod --all --status failed --code 503 --dry-run"
		many.flags(cmd)
		c.dataFlags(cmd)
	}
	if kind == callback.OperationRetry {
		cmd.Flags().BoolVar(&many.extend, "extend", false, "if a call fails again, begin a new retry window for it")
		cmd.Flags().IntVar(&many.rate, "rate", 0, "calls of an operation let go a second; 0: no limit")
	}
	t.flags(cmd)
	return cmd
}

func (c *console) callsResolve() *cobra.Command {
	return c.callsAct("resolve", "Count calls as done: no further attempt, no longer listed as failed", callback.OperationResolve, c.setStatus("resolved", callback.Success))
}

func (c *console) callsReopen() *cobra.Command {
	return c.callsAct("reopen", "Take a resolve back: the calls count as failed again; all or none", "", c.setStatus("reopened", callback.Failed))
}

func (c *console) setStatus(done string, status callback.Status) func(context.Context, *desk, string, []callback.CallID) error {
	return func(ctx context.Context, d *desk, ref string, ids []callback.CallID) error {
		n, err := d.SetStatus(ctx, ref, ids, status, c.person())
		switch {
		case err == nil:
			return c.sayChanged(n, len(ids), done)
		case callback.ErrorCode(err) != callback.CodeInvalid:
			return err
		case status == callback.Failed: // all or none
			c.tell("ringback: %s", explain(err)) // that a call is not there is no wrong usage
			return told{exitFailed}
		}
		n, found := 0, 0
		err = try(c, ids, done, func(id callback.CallID) error {
			one, err := d.SetStatus(ctx, ref, []callback.CallID{id}, status, c.person())
			if callback.ErrorCode(err) == callback.CodeInvalid {
				err = callback.NoCall(id)
			}
			if err == nil {
				n, found = n+one, found+1
			}
			return err
		})
		if found > 0 {
			err = errors.Join(c.sayChanged(n, found, done), err)
		}
		return err
	}
}

// sayChanged says how many of so many calls were changed.
func (c *console) sayChanged(n, of int, done string) error {
	line := plural(n, "call") + " " + done
	if rest := of - n; rest > 0 {
		line += fmt.Sprintf(", %d had nothing to change", rest)
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

func (c *console) callsRetry() *cobra.Command {
	var cmd *cobra.Command
	cmd = c.callsAct("retry", "Make one attempt of each call now", callback.OperationRetry, func(ctx context.Context, d *desk, ref string, ids []callback.CallID) error {
		if !d.running {
			return errNothingRuns
		}
		extend, err := cmd.Flags().GetBool("extend")
		if err != nil {
			return err
		}
		return each(c, ids, "started an attempt of", func(id callback.CallID) error { return d.Retry(ctx, ref, id, extend) })
	})
	return cmd
}

var errNothingRuns = errors.New("nothing runs that could make an attempt: start ringback first")
