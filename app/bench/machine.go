package bench

import (
	"fmt"
	"runtime"
	"syscall"
)

// fileSystems names the magic numbers of statfs(2).
var fileSystems = map[int64]string{
	0xEF53: "ext4", 0x01021994: "tmpfs", 0x58465342: "xfs", 0x9123683E: "btrfs", 0x794C7630: "overlay",
	0x2FC12FC1: "zfs", 0x6969: "nfs", 0xF2F52010: "f2fs",
}

// machineOf describes the machine, and the file system of a folder.
func machineOf(dir string) (Machine, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Machine{}, fmt.Errorf("ask for the file system of %s: %w", dir, err)
	}
	name := fileSystems[int64(st.Type)]
	if name == "" {
		name = fmt.Sprintf("file system %#x", st.Type)
	}
	return Machine{Cores: runtime.NumCPU(), FileSystem: name, Load: max(field("/proc/loadavg", ""), 0)}, nil
}
