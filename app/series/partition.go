package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// span is the time of a partition of tstorage, in Unix seconds, of its first and
// of its last point.
type span struct {
	Min int64 `json:"minTimestamp"`
	Max int64 `json:"maxTimestamp"`
}

// folder is where tstorage puts the partition once it is full.
func (s span) folder() string { return fmt.Sprintf("p-%d-%d", s.Min, s.Max) }

// readSpan returns the span of a partition on disk. tstorage writes its
// meta.json last: where that cannot be read the partition is not whole.
func readSpan(dir string) (s span, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, fmt.Errorf("read %s: %w", filepath.Join(dir, "meta.json"), err)
	}
	_, err = os.Stat(filepath.Join(dir, "data"))
	return s, err
}

// brokenPrefix begins the names of what was put aside, so that tstorage does not
// open it.
const brokenPrefix = "broken-"

// tidy makes a folder one that tstorage opens, and returns up to when its
// partitions can be relied on. The journal begins at first: a partition that
// begins no earlier may have been written just before a power cut, and is
// written again from there. One of the future comes from a clock that was wrong.
func tidy(dir string, first, now int64) (last int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "p-") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		s, err := readSpan(path)
		switch {
		case err == nil && (s.Min >= first || s.Min == 0): // or it is empty
			err = os.RemoveAll(path)
		case err != nil || s.Max > now+int64(time.Hour/time.Second):
			err = putAside(dir, e.Name())
		default:
			last = max(last, s.Max)
		}
		if err != nil {
			return 0, err
		}
	}
	return last, nil
}

// putAside renames a partition that cannot be opened, in place of one that was
// put aside under that name before.
func putAside(dir, name string) error {
	to := filepath.Join(dir, brokenPrefix+name)
	return errors.Join(os.RemoveAll(to), os.Rename(filepath.Join(dir, name), to))
}

// syncPartition puts a partition on disk for good, which tstorage leaves to the
// system.
func syncPartition(dir, name string) error {
	path := filepath.Join(dir, name)
	return errors.Join(syncFile(filepath.Join(path, "data")), syncFile(filepath.Join(path, "meta.json")), syncFile(path), syncFile(dir))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
