package batch

import (
	"errors"
	"os"
	"syscall"
)

const (
	deleteOnClose    = 0x04000000        // FILE_FLAG_DELETE_ON_CLOSE
	sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION
)

// lockFile makes the file, which nobody else can open meanwhile and which goes with the process; ErrBusy: another one
// has it.
func lockFile(name string) (*os.File, error) {
	p, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(p, syscall.GENERIC_READ, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL|deleteOnClose, 0)
	switch {
	case err == nil:
		return os.NewFile(uintptr(h), name), nil
	case errors.Is(err, sharingViolation), errors.Is(err, syscall.ERROR_ACCESS_DENIED):
		return nil, ErrBusy
	}
	return nil, &os.PathError{Op: "lock", Path: name, Err: err}
}

func removeLock(f *os.File, _ string) { f.Close() }

// syncFolder: the system has no such thing.
func syncFolder(string) error { return nil }
