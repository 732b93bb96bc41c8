// Package cli is the command line of ringback: it reads arguments and the
// configuration, opens the parts that a command needs, and prints what came of
// it. It wires, and decides nothing that another front end would have to decide
// again.
//
// The server's commands put the whole appliance together (house). The others act
// on data through an open folder or a running appliance alike (desk): both are a
// callback.Service and an HTTP handler, and a command cannot tell which it has.
//
// Whatever came from outside, such as names, contents and answers of endpoints,
// is printed through text or safeJSON, which leave no byte that could steer a
// terminal.
package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ringback/app/config"
	"ringback/callback"
)

// The exit codes of the contract.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// Main runs the command line args, without the program's name, on this
// process's standard streams and environment, and returns the exit code.
func Main(args []string) int {
	// net/http tells the standard logger what endpoints send unasked, byte for
	// byte: neither a terminal nor a log may get that. Our own lines go by slog.
	log.SetOutput(io.Discard)
	c := &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, environ: os.Environ()}
	return c.run(context.Background(), args)
}

// console is what a command reads from and prints to.
type console struct {
	in       io.Reader
	out, err io.Writer
	environ  []string

	config     string // --config
	configured bool   // it was given
	json       bool   // --json
	ran        bool   // the arguments were fine, and a command began
}

// usageError is a command line that cannot be meant.
type usageError struct{ err error }

// Error implements error.
func (e *usageError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// told is a failure that was printed already.
type told struct{ code int }

// Error implements error.
func (t told) Error() string { return fmt.Sprintf("exit code %d", t.code) }

func (c *console) run(ctx context.Context, args []string) int {
	root := c.root()
	root.SetArgs(args)
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	return c.ended(root.ExecuteContextC(ctx))
}

// ended tells how a command ended, where that was not told, and returns the exit
// code.
func (c *console) ended(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitDone
	}
	if t, ok := errors.AsType[told](err); ok {
		return t.code
	}
	if e, ok := errors.AsType[*config.Error](err); ok {
		c.tell("%v", e)
		return exitUsage
	}
	c.tell("ringback: %s", explain(err))
	if wrongUsage(err) || !c.ran {
		c.tell("'%s --help' tells more", cmd.CommandPath())
		return exitUsage
	}
	return exitFailed
}

// wrongUsage reports whether err is a fault of the arguments: one that was seen
// here, or one for which the service names the fields, which came from there.
func wrongUsage(err error) bool {
	if _, ok := errors.AsType[*usageError](err); ok {
		return true
	}
	e, ok := errors.AsType[*callback.Error](err)
	return ok && len(e.Fields) > 0 && (e.Code == callback.CodeInvalid || e.Code == callback.CodeMalformed)
}

// tell prints a line to whoever started the command. When that cannot be done
// nobody is left to tell.
func (c *console) tell(format string, args ...any) { _, _ = fmt.Fprintf(c.err, format+"\n", args...) }

// maxMessage bounds an error message on the terminal, in bytes.
const maxMessage = 4096

// explain words an error for a person: one line, and one more for each field
// that is at fault.
func explain(err error) string {
	e, ok := errors.AsType[*callback.Error](err)
	if !ok || len(e.Fields) == 0 || err.Error() != e.Error() {
		return text(err.Error(), maxMessage)
	}
	var b strings.Builder
	b.WriteString(text(e.Message, maxMessage))
	for _, f := range e.Fields {
		b.WriteString("\n  " + text(f.Field, 120) + ": " + text(f.Message, 400))
	}
	return b.String()
}

// text makes what came from outside safe to print on one line.
func text(s string, max int) string { return callback.Sanitize(s, max) }

func (c *console) root() *cobra.Command {
	var headless bool
	root := &cobra.Command{
		Use:   "ringback",
		Short: "Deliver responses to callbacks, and keep at it until they arrive",
		Long: "ringback takes responses over HTTP, keeps them on disk, and POSTs each to the callback it is for,\n" +
			"until the endpoint answers 200 or 24 hours are over. Without a command it runs the appliance, with\n" +
			"the screen when it is started on a terminal.\n\n" +
			"Exit codes: 0 done, 1 it failed, 2 wrong usage: arguments or a configuration that cannot be meant, also\n" +
			"where only the service can judge them, such as the URL of a callback.",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			c.ran, c.configured = true, cmd.Flags().Changed("config")
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.serve(cmd.Context(), !headless && c.terminal() && !c.underSystemd())
		},
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.PersistentFlags().StringVar(&c.config, "config", "",
		"configuration `FILE` (default ./config.toml, then /etc/ringback/config.toml)")
	root.Flags().BoolVar(&headless, "headless", false, "do not show the screen")
	root.AddCommand(
		c.serveCommand(), c.attachCommand(), c.demoCommand(), c.benchCommand(), c.checkCommand(),
		c.enqueueCommand(), c.callbacksCommand(), c.callsCommand(), c.operationsCommand(), c.outagesCommand(), c.alertsCommand(), c.keysCommand(), c.statusCommand(), c.logCommand(),
		c.backupCommand(), c.restoreCommand(),
		c.versionCommand(), c.completionCommand(root),
	)
	return root
}

// group is a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short}
	cmd.AddCommand(subs...)
	names := make([]string, len(subs))
	for i, s := range subs {
		names[i] = s.Name()
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		needs := fmt.Sprintf("%s needs one of %s", cmd.CommandPath(), strings.Join(names, ", "))
		if len(args) > 0 {
			return usagef("%q is no command: %s", text(args[0], 60), needs)
		}
		return usagef("%s", needs)
	}
	return cmd
}

// dataFlags adds the flags of a command that prints data.
func (c *console) dataFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
}

// load reads the configuration.
func (c *console) load() (config.Config, config.Source, error) {
	return config.Load(c.config, c.configured, c.environ)
}

// getenv returns a variable of the environment, "" when it is not set.
func (c *console) getenv(name string) (value string) {
	for _, kv := range c.environ {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}

// terminal reports whether a person sits at both ends.
func (c *console) terminal() bool { return isTerminal(c.in) && isTerminal(c.out) }

func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// underSystemd reports whether systemd started this process (systemd.exec(5)).
func (c *console) underSystemd() bool { return c.getenv("INVOCATION_ID") != "" }

// person says who acts at this console, for the record of what was done.
func (c *console) person() string {
	name := cmp.Or(c.getenv("SUDO_USER"), c.getenv("USER"), c.getenv("LOGNAME"))
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	if name == "" {
		return "command line"
	}
	return text(name, 40) + " (command line)"
}
