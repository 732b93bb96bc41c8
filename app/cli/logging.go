package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"ringback/app/config"
)

// maxScreenLog bounds the log that is kept in the data folder while the screen
// has the terminal: a longer one is put aside at start.
const maxScreenLog = 8 << 20

// screenLogName is its name.
const screenLogName = "ringback.log"

// openLog opens the log that the configuration asks for. With screen it never
// goes to the terminal, but to ringback.log in the data folder where no file is
// configured. done closes it.
func openLog(cfg *config.Config, stderr io.Writer, screen bool) (log *slog.Logger, done func() error, err error) {
	path, out := cfg.Log.File, stderr
	done = func() error { return nil }
	if path == "" && screen {
		if path, err = screenLog(cfg.DataDir); err != nil {
			return nil, nil, err
		}
	}
	if path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, fmt.Errorf("open the log: %w", err)
		}
		out, done = f, f.Close
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("log.level: %w", err), done())
	}
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, opt)), done, nil
	}
	return slog.New(slog.NewTextHandler(out, opt)), done, nil
}

func screenLog(dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	path := (&folder{dir: dir}).path(screenLogName)
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxScreenLog {
		err = os.Rename(path, path+".old")
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("open the log: %w", err)
	}
	return path, nil
}
