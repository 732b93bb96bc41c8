package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
)

func (c *console) callsExport() *cobra.Command {
	var t target
	f := listFlags{limit: 1}
	var format, file string
	cmd := &cobra.Command{
		Use: "export", Short: "Write calls to a file, as CSV or NDJSON", Args: cobra.NoArgs,
		Example: "  ringback calls export --format csv --callback crm-prod --status failed -o failed.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := oneOf("format", format, "csv", "ndjson"); err != nil {
				return err
			}
			q, err := f.query()
			if err != nil {
				return err
			}
			path, params, _ := strings.Cut(f.path(&q), "?")
			params = strings.TrimPrefix(strings.Replace("&"+params, "&limit=1", "", 1), "&")
			path += "." + strings.ToLower(format) + "?" + params
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				return c.export(cmd.Context(), d, path, file, strings.EqualFold(format, "ndjson"))
			})
		},
	}
	f.choose(cmd)
	cmd.Flags().StringVar(&format, "format", "ndjson", "csv: a row a call, with its last attempt; ndjson: a call a line, with all")
	outputFlag(cmd, &file)
	t.flags(cmd)
	return cmd
}

func outputFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "output", "o", "", "`FILE` to write; it is there only when it is whole (default: standard output)")
}

// export writes a document of the API to a file, or to standard output, where it
// cannot steer a terminal.
func (c *console) export(ctx context.Context, d *desk, path, file string, lines bool) error {
	if file == "" || file == "-" {
		safe := &safeWriter{out: c.out, json: lines}
		return errors.Join(d.fetch(ctx, path, safe), safe.flush())
	}
	return d.save(ctx, path, file)
}

func (c *console) logCommand() *cobra.Command {
	return group("log", "Export the log of an appliance that runs", c.logExport())
}

func (c *console) logExport() *cobra.Command {
	var t target
	var words, file string
	cmd := &cobra.Command{
		Use: "export", Short: "Write the last lines of the log to a file, as NDJSON", Args: cobra.NoArgs,
		Long:    "export writes the lines of the log that are in memory, the last 10,000, the oldest first, a line of JSON each.",
		Example: "  ringback log export --text 'crm-prod refused' -o log.ndjson",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path := "/log.ndjson"
			if words != "" {
				path += "?" + url.Values{"q": {words}}.Encode()
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if !d.running {
					return errNoLog
				}
				return c.export(cmd.Context(), d, path, file, true)
			})
		},
	}
	cmd.Flags().StringVar(&words, "text", "", "only lines that have each of these words, in what they say or are about")
	outputFlag(cmd, &file)
	t.flags(cmd)
	return cmd
}

var errNoLog = errors.New("nothing runs: the lines of the log are in the memory of an appliance that does")

// fetch copies a document of the API to w, however long it is.
func (d *desk) fetch(ctx context.Context, path string, w io.Writer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base+path, nil)
	if err != nil {
		return usagef("%q is not the URL of a ringback", text(d.where, 200))
	}
	res, err := d.http.Do(r)
	if err != nil {
		return fmt.Errorf("reach ringback at %s: %w", text(d.where, 200), bare(err))
	}
	defer res.Body.Close() // nothing is written
	if res.StatusCode != http.StatusOK {
		body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return fmt.Errorf("read the answer of %s: %w", text(d.where, 200), err)
		}
		return fault(res.StatusCode, body)
	}
	_, err = io.Copy(w, res.Body)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the answer broke off: what was written is not the whole")
	}
	return err
}

// save writes a document into a file, which is there only when it is whole.
func (d *desk) save(ctx context.Context, path, file string) error {
	return writeDurably(file, func(f *os.File) error { return d.fetch(ctx, path, f) })
}

// safeWriter writes what cannot steer a terminal: JSON as safeJSON has it, and
// CSV as it is, for its cells are safe. A character is never cut in two.
type safeWriter struct {
	out  io.Writer
	json bool
	rest []byte // the beginning of a character
}

// Write implements io.Writer.
func (w *safeWriter) Write(b []byte) (int, error) {
	if !w.json {
		return w.out.Write(b)
	}
	all := append(w.rest, b...)
	end := len(all)
	for i := 1; i <= min(utf8.UTFMax-1, len(all)); i++ {
		if start := len(all) - i; utf8.RuneStart(all[start]) {
			if !utf8.FullRune(all[start:]) {
				end = start
			}
			break
		}
	}
	_, err := w.out.Write(safeJSON(all[:end]))
	w.rest = append([]byte(nil), all[end:]...)
	return len(b), err
}

// flush writes what is left, where the end cut a character in two.
func (w *safeWriter) flush() error {
	_, err := w.out.Write(safeJSON(w.rest))
	return err
}
