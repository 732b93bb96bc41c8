package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringback/app/bench"
	"ringback/app/config"
)

func (c *console) benchCommand() *cobra.Command {
	var dir string
	var seconds float64
	o := bench.Options{Callbacks: 1, Producers: 64, Size: 1024, Patience: 20 * time.Second}
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure what this machine does, beside what it could do", Args: cobra.NoArgs,
		Long: "bench runs the appliance in a temporary folder beside data_dir, or in --dir, with a receiver on this machine,\n" +
			"and measures it in turns with bare parts of the same shape: a client without a queue, a log without one.\n" +
			"The ratio of the two says more than a rate. At the end all that was accepted must have arrived, once, or it\n" +
			"exits with 1. It takes about a minute and writes a few GB, which it removes; the configured data is not\n" +
			"touched. docs/benchmarks.md says how to read what it prints.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkBench(&o, seconds); err != nil {
				return err
			}
			o.Window = time.Duration(seconds * float64(time.Second) / (2 * bench.Pairs))
			return c.bench(cmd.Context(), dir, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&dir, "dir", "", "make the temporary folder in `DIR`: /dev/shm leaves the disk out (default: where data_dir lies)")
	f.Float64Var(&seconds, "seconds", 6, "how long each measurement takes")
	f.IntVar(&o.Callbacks, "callbacks", o.Callbacks, "how many callbacks take turns")
	f.IntVar(&o.Producers, "producers", o.Producers, "how many send at once")
	f.IntVar(&o.Size, "size", o.Size, "`BYTES` of a response")
	f.IntVar(&o.Backlog, "backlog", 0, "how many calls wait meanwhile, behind a callback that is suspended")
	c.dataFlags(cmd)
	cmd.AddCommand(c.benchPart("appliance FILE", 1, c.benchAppliance), c.benchPart("receiver", 0, c.benchReceiver))
	return cmd
}

// checkBench refuses what cannot be measured.
func checkBench(o *bench.Options, seconds float64) error {
	for _, f := range []struct {
		name           string
		value, lo, top float64
	}{
		{"seconds", seconds, 0.1, 3600},
		{"callbacks", float64(o.Callbacks), 1, bench.MaxLoad},
		{"producers", float64(o.Producers), 1, bench.MaxLoad},
		{"size", float64(o.Size), bench.MinSize, bench.MaxSize},
		{"backlog", float64(o.Backlog), 0, 100_000_000},
	} {
		if !(f.value >= f.lo && f.value <= f.top) {
			return usagef("--%s is %v; %v to %v", f.name, f.value, f.lo, f.top)
		}
	}
	return nil
}

// bench measures in a folder of its own, and prints what it saw.
func (c *console) bench(ctx context.Context, dir string, o bench.Options) (err error) {
	cfg, _, err := c.load()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if dir == "" {
		dir = filepath.Dir(filepath.Clean(cfg.DataDir))
	}
	if o.Dir, err = os.MkdirTemp(dir, "ringback-bench-"); err != nil {
		return fmt.Errorf("make a folder for the measurement: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Dir)) }()
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return err
	}
	if err := benchRoom(&o); err != nil {
		return err
	}
	o.Data = filepath.Join(o.Dir, "data")
	o.Queue = (&folder{dir: o.Data}).path("queue")
	o.Memory = int64(cfg.MemoryLimit)
	debug.SetMemoryLimit(o.Memory) // the engine is measured in this process as well
	file := filepath.Join(o.Dir, "config.toml")
	if err := os.WriteFile(file, []byte(benchConfig(&o)), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	o.Appliance = func(ctx context.Context) (*bench.Part, error) { return c.startPart(ctx, "appliance", file) }
	o.Receiver = func(ctx context.Context) (*bench.Part, error) { return c.startPart(ctx, "receiver") }
	o.Say = c.tell
	report, err := bench.Run(ctx, o)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	return c.printBench(report)
}

// benchConfig is the configuration of the appliance that is measured: the
// defaults but for what would get in the way.
func benchConfig(o *bench.Options) string {
	return fmt.Sprintf(`data_dir = %q
memory_limit = "%d"
[http]
listen = "127.0.0.1:0"
[delivery]
max_in_flight_per_callback = %d
[retention]
min_free_disk = "16MiB"
[log]
level = "error"
`, o.Data, o.Memory, bench.Attempts)
}

// benchRoom refuses to begin what would fill the disk. What is written is bounded
// by the rates that Badger reaches and by those of disks.
func benchRoom(o *bench.Options) error {
	free, _, err := disk(o.Dir)
	if err != nil {
		return err
	}
	call := float64(o.Size + 400) // with what is noted of it
	need := min(300_000*call, 1<<30)*o.Window.Seconds()*2*bench.Pairs + float64(o.Backlog)*call*1.2 + 256<<20
	if float64(free) < need {
		return fmt.Errorf("%s has %d MiB free, and this may write %d MiB: choose another --dir, or less of --seconds, --size or --backlog",
			text(o.Dir, 200), free>>20, int64(need)>>20)
	}
	return nil
}

func (c *console) printBench(r *bench.Report) error {
	fault := r.Check.Fault()
	if c.json {
		if err := c.printShape(r); err != nil {
			return err
		}
	} else {
		if err := c.printBenchTable(r); err != nil {
			return err
		}
	}
	if fault != "" {
		return errors.New(fault)
	}
	return nil
}

func (c *console) printBenchTable(r *bench.Report) error {
	var rows table
	rows.add("WHAT", "FIGURE", "CEILING", "RATIO", "NOISE", "GOAL")
	for i := range r.Rows {
		row := &r.Rows[i]
		ceiling, ratio, noise := "", "", ""
		if row.Ceiling > 0 {
			ceiling, ratio = row.Number(row.Ceiling), fmt.Sprintf("%.2f", row.Ratio)
		}
		if row.Noise > 0 {
			noise = fmt.Sprintf("%.0f %%", 100*row.Noise)
		}
		rows.add(row.What, row.Number(row.Figure), ceiling, ratio, noise, row.GoalText())
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	m, k := &r.Machine, &r.Check
	_, err := fmt.Fprintf(c.out, "\n%d cores, %s, load %.2f before; windows of the ceilings lie %.0f %% apart\n", m.Cores, m.FileSystem, m.Load, 100*m.Noise)
	if err == nil && k.Fault() == "" {
		_, err = fmt.Fprintf(c.out, "%d responses were accepted, and each was delivered once\n", k.Accepted)
	}
	return err
}

// The parts of a measurement are processes of this program. Each prints its URL,
// and ends in order when its standard input does: also when who started it is
// killed. SIGINT, which a terminal sends to all of them, is left to that one.

// benchPart is the command of such a process; nobody else has a use for it.
func (c *console) benchPart(use string, args int, part func(ctx context.Context, args []string, out io.Writer) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Hidden: true, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, args []string) error {
			signal.Ignore(syscall.SIGINT)
			ctx, stop := context.WithCancel(cmd.Context())
			defer stop()
			go func() {
				_, _ = io.Copy(io.Discard, c.in) // however it ends, it is over
				stop()
			}()
			return part(ctx, args, c.out)
		},
	}
}

// benchAppliance is the appliance, with the configuration of a file and nothing
// of the environment.
func (c *console) benchAppliance(ctx context.Context, args []string, out io.Writer) error {
	cfg, src, err := config.Load(args[0], true, nil)
	if err != nil {
		return err
	}
	log, done, err := openLog(&cfg, c.err, false)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // the log is the last place to tell anything
	h, err := openHouse(ctx, cfg, src, log, false)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, h.doors.url); err != nil {
		return errors.Join(err, h.close())
	}
	return h.run(ctx)
}

// benchReceiver is the endpoint.
func (c *console) benchReceiver(ctx context.Context, _ []string, out io.Writer) error {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: &bench.Receiver{}, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ln) }()
	_, err = fmt.Fprintf(out, "http://%s\n", ln.Addr())
	if err == nil {
		<-ctx.Done()
	}
	err = errors.Join(err, s.Close())
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// partTime bounds how long a part may take to end.
const partTime = 30 * time.Second

// startPart starts a part and waits until it tells its URL.
func (c *console) startPart(ctx context.Context, args ...string) (*bench.Part, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, append([]string{"bench"}, args...)...)
	cmd.Stderr = c.err
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() error {
		_ = in.Close() // it ends then, and may have ended before
		kill := time.AfterFunc(partTime, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("%s ended: %w", args[0], err)
		}
		return nil
	}
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", args[0], err), stop())
	}
	return &bench.Part{URL: strings.TrimSpace(url), PID: cmd.Process.Pid, Stop: stop}, nil
}
