package queue

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"ringback/callback"
)

// eachFile calls f for every file of a folder with the bytes it takes on disk,
// which are fewer than its size says: Badger makes files longer than what is in them.
func eachFile(dir string, f func(name string, onDisk int64)) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	for _, file := range files {
		var st syscall.Stat_t
		if err := syscall.Lstat(filepath.Join(dir, file.Name()), &st); err == nil { // else it was removed since
			f(file.Name(), st.Blocks*512)
		}
	}
	return nil
}

// Storage returns what is known of the engine's folder and of the disk it lies
// on. It reads the folder, but none of its files.
func (e *Engine) Storage() (s callback.Storage) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(e.opt.Dir, &st); err == nil {
		s.Free, s.Total = st.Bavail*uint64(st.Bsize), st.Blocks*uint64(st.Bsize)
	}
	s.Refuses = e.opt.LowWater
	_ = eachFile(e.opt.Dir, func(name string, onDisk int64) { // what cannot be read is not known
		s.Used += uint64(onDisk)
		switch filepath.Ext(name) {
		case ".sst", ".mem":
			s.LSM += uint64(onDisk)
			s.Files++
		case ".vlog":
			s.ValueLog += uint64(onDisk)
			s.Files++
		}
	})
	levels := e.db.Levels()
	for _, l := range levels {
		s.Tables = append(s.Tables, l.NumTables)
	}
	for len(s.Tables) > 1 && s.Tables[len(s.Tables)-1] == 0 {
		s.Tables = s.Tables[:len(s.Tables)-1]
	}
	return s
}
