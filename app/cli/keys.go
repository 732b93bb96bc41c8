package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) keysCommand() *cobra.Command {
	return group("keys", "Make, list and remove API keys", c.keysAdd(), c.keysList(), c.keysRemove())
}

// keyPrinted is a key as it is printed with --json.
type keyPrinted struct {
	Name    string        `json:"name"`
	Role    callback.Role `json:"role"`
	Created string        `json:"createdDate"`
	Key     string        `json:"key,omitempty"`
}

func printed(k *callback.APIKey, clear string) keyPrinted {
	return keyPrinted{k.Name, k.Role, k.Created.UTC().Format("2006-01-02T15:04:05.000Z"), clear}
}

func (c *console) keysAdd() *cobra.Command {
	var t target
	var role string
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make an API key and print it, once", Args: cobra.ExactArgs(1),
		Long: "add makes an API key. Its standard output is the key alone, so that it can go into a file; it is stored\n" +
			"as a hash only, and cannot be shown again. The roles:\n\n" +
			"  read      every question, but no export of content\n" +
			"  enqueue   hand in responses, and nothing else\n" +
			"  operator  read, export, retry, resolve, suspend, test\n" +
			"  admin     everything, callbacks and keys among it\n\n" +
			"From the first key on every request needs one.",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := callback.ParseRole(role)
			if err != nil {
				return &usageError{err}
			}
			return c.withDesk(cmd.Context(), &t, true, func(d *desk) error {
				k, clear, err := d.AddKey(cmd.Context(), args[0], r)
				if err != nil {
					return err
				}
				if c.json {
					return c.printShape(printed(&k, clear))
				}
				c.tell("made the key %s of role %s; this is the only time it is shown:", text(k.Name, 200), k.Role)
				_, err = fmt.Fprintln(c.out, clear)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&role, "role", string(callback.RoleRead), "what it may do: read, enqueue, operator or admin")
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) keysList() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "list", Short: "List the API keys by name, role and date", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				keys, err := d.Keys(cmd.Context())
				if err != nil {
					return err
				}
				return c.printKeys(keys)
			})
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) printKeys(keys []callback.APIKey) error {
	if c.json {
		out := make([]keyPrinted, len(keys))
		for i := range keys {
			out[i] = printed(&keys[i], "")
		}
		return c.printShape(out)
	}
	if len(keys) == 0 {
		_, err := fmt.Fprintln(c.out, "no keys")
		return err
	}
	var rows table
	rows.add("NAME", "ROLE", "MADE")
	for i := range keys {
		rows.add(keys[i].Name, string(keys[i].Role), when(keys[i].Created))
	}
	return rows.print(c.out)
}

func (c *console) keysRemove() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "remove NAME…", Short: "Remove API keys: who sends one is refused at once", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				return each(c, args, "removed", func(name string) error { return d.RemoveKey(cmd.Context(), name) })
			})
		},
	}
	t.flags(cmd)
	return cmd
}
