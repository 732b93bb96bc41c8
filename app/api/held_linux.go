package api

import (
	"syscall"
	"unsafe"
)

// held implements holder with SIOCOUTQ: of a TCP connection the bytes that are
// not acknowledged (tcp(7)), of a unix socket those that its reader did not take,
// with what the kernel needs to keep them.
func (s socket) held() (n int, ok bool) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0, false
	}
	var size int32
	err = raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&size)))
		ok = errno == 0
	})
	return int(size), ok && err == nil
}
