package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) callbacksAdd() *cobra.Command {
	var t target
	var f draftFlags
	cmd := &cobra.Command{
		Use: "add NAME URL", Short: "Register a callback", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := f.draft(c.in, cmd)
			if err != nil {
				return err
			}
			d.Name, d.URL = &args[0], &args[1]
			return c.withDesk(cmd.Context(), &t, true, func(k *desk) error {
				h, err := k.Create(cmd.Context(), d)
				if err != nil {
					return err
				}
				return c.showCallback(cmd.Context(), k, h.ID.String())
			})
		},
	}
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) callbacksSet() *cobra.Command {
	var t target
	var f draftFlags
	var name, url string
	var version uint64
	cmd := &cobra.Command{
		Use: "set" + refArg, Short: "Change a callback; what no flag names stays as it is", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := f.draft(c.in, cmd)
			if err != nil {
				return err
			}
			d.Name, d.URL = changed(cmd, "name", &name), changed(cmd, "url", &url)
			if d == (callback.Draft{}) {
				return usagef("nothing is to be changed: name it with a flag, such as --url")
			}
			return c.withDesk(cmd.Context(), &t, false, func(k *desk) error {
				h, err := k.Update(cmd.Context(), args[0], d, version)
				if err != nil {
					return err
				}
				return c.showCallback(cmd.Context(), k, h.ID.String())
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "its new name")
	cmd.Flags().StringVar(&url, "url", "", "its new URL")
	cmd.Flags().Uint64Var(&version, "if-version", 0, "only if the callback is still at this version")
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// draftFlags are the flags that describe a callback. Secrets are read from
// files: what stands on a command line can be read by every user of the machine.
type draftFlags struct {
	email, description, auth, keyFile, content, alerts string
	signingFile, previousFile, caFile                  string
	removeHTML, retries, replies, undeliverable        bool
	ordered                                            bool
	inFlight                                           int
	rate                                               perSecond
	connect, response                                  time.Duration
	headers                                            []string
}

func (f *draftFlags) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVar(&f.email, "email", "", "where alerts go; empty: the administrator")
	fs.StringVar(&f.description, "description", "", "a note")
	fs.StringVar(&f.auth, "auth", "", "how the key is sent: queryparam, httpheader, basicauth or bearertoken")
	fs.StringVar(&f.keyFile, "auth-key-file", "", "`FILE` that holds the key, - for standard input; an empty one removes the key")
	fs.StringVar(&f.content, "content-type", "", "what is POSTed: json or xml")
	fs.BoolVar(&f.removeHTML, "remove-html", false, "strip markup from the content")
	fs.BoolVar(&f.retries, "retries", false, "try again after a failure")
	fs.BoolVar(&f.replies, "replies", true, "deliver replies")
	fs.BoolVar(&f.undeliverable, "undeliverable", true, "deliver notices that a message could not be delivered")
	fs.StringVar(&f.alerts, "alerts", "", "outage, every-call or off; empty: the configuration's")
	fs.StringVar(&f.signingFile, "signing-secret-file", "", "`FILE` that holds the whsec_… secret")
	fs.StringVar(&f.previousFile, "previous-signing-secret-file", "", "`FILE` that holds the secret before it, while it is replaced")
	fs.IntVar(&f.inFlight, "max-in-flight", 0, "attempts at the same time; 0: the configuration's")
	fs.Var(&f.rate, "rate", "attempts a second; 0: no limit")
	fs.BoolVar(&f.ordered, "ordered", false, "strictly first in, first out; the first that fails blocks the rest")
	fs.DurationVar(&f.connect, "connect-timeout", 0, "0: the configuration's")
	fs.DurationVar(&f.response, "response-timeout", 0, "0: the configuration's")
	fs.StringVar(&f.caFile, "ca-file", "", "PEM `FILE` of the authorities that the endpoint's certificate is checked by")
	fs.StringArrayVar(&f.headers, "header", nil, "`NAME: VALUE` to send with every attempt; may be repeated, replaces all")
}

// perSecond is a flag that holds a rate; the flag package's own would tell of a
// wrong one in words of Go.
type perSecond float64

// Set implements pflag.Value.
func (p *perSecond) Set(s string) error {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return errors.New("it must be a number, such as 5 or 0.5")
	}
	*p = perSecond(v)
	return nil
}

// String implements pflag.Value.
func (p *perSecond) String() string { return strconv.FormatFloat(float64(*p), 'f', -1, 64) }

// Type implements pflag.Value.
func (p *perSecond) Type() string { return "number" }

// changed returns v when its flag was given.
func changed[T any](cmd *cobra.Command, name string, v *T) *T {
	if cmd.Flags().Changed(name) {
		return v
	}
	return nil
}

// draft returns what the flags that were given say.
func (f *draftFlags) draft(stdin io.Reader, cmd *cobra.Command) (d callback.Draft, err error) {
	d = callback.Draft{
		Email: changed(cmd, "email", &f.email), Description: changed(cmd, "description", &f.description),
		RemoveHTML: changed(cmd, "remove-html", &f.removeHTML), Retries: changed(cmd, "retries", &f.retries),
		Reply: changed(cmd, "replies", &f.replies), Undeliverable: changed(cmd, "undeliverable", &f.undeliverable),
		MaxInFlight: changed(cmd, "max-in-flight", &f.inFlight), RatePerSecond: changed(cmd, "rate", (*float64)(&f.rate)),
		Ordered: changed(cmd, "ordered", &f.ordered), ConnectTimeout: changed(cmd, "connect-timeout", &f.connect),
		ResponseTimeout: changed(cmd, "response-timeout", &f.response),
	}
	if cmd.Flags().Changed("auth") {
		t, ok := callback.ParseAuthType(f.auth)
		if !ok {
			return d, usagef("--auth is %q; queryparam, httpheader, basicauth or bearertoken", text(f.auth, 40))
		}
		d.AuthType = &t
	}
	if cmd.Flags().Changed("content-type") {
		t := callback.JSON
		switch strings.ToLower(f.content) {
		case "json":
		case "xml":
			t = callback.XML
		default:
			return d, usagef("--content-type is %q; json or xml", text(f.content, 40))
		}
		d.ContentType = &t
	}
	if cmd.Flags().Changed("alerts") {
		mode := callback.AlertMode(f.alerts)
		d.Alerts = &mode
	}
	if d.Headers, err = f.headerList(cmd); err != nil {
		return d, err
	}
	return d, f.files(stdin, cmd, &d)
}

func (f *draftFlags) headerList(cmd *cobra.Command) (*[]callback.Param, error) {
	if !cmd.Flags().Changed("header") {
		return nil, nil
	}
	list := []callback.Param{}
	for _, h := range f.headers {
		name, value, ok := strings.Cut(h, ":")
		if !ok && h != "" {
			return nil, usagef("--header is %q; it is written 'Name: value'", text(h, 80))
		}
		if h != "" {
			list = append(list, callback.Param{Key: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	return &list, nil
}

// maxFile bounds a file that holds one field of a callback, in bytes.
const maxFile = 64 << 10

// files reads the fields that stand in files.
func (f *draftFlags) files(stdin io.Reader, cmd *cobra.Command, d *callback.Draft) error {
	for _, p := range []struct {
		flag, path string
		dst        **string
	}{
		{"auth-key-file", f.keyFile, &d.AuthKey},
		{"signing-secret-file", f.signingFile, &d.SigningSecret},
		{"previous-signing-secret-file", f.previousFile, &d.PreviousSecret},
		{"ca-file", f.caFile, &d.CA},
	} {
		if !cmd.Flags().Changed(p.flag) {
			continue
		}
		s, err := readField(stdin, p.path)
		if err != nil {
			return fmt.Errorf("--%s: %w", p.flag, err)
		}
		*p.dst = &s
	}
	return nil
}

// readField reads a file, or standard input for "-", without its last line end.
func readField(stdin io.Reader, path string) (string, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // only read
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return "", err
	}
	if len(b) > maxFile {
		return "", fmt.Errorf("it is larger than %d bytes", maxFile)
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
}
