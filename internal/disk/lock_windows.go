package disk

import (
	"errors"
	"os"
	"syscall"
)

const (
	deleteOnClose    = 0x04000000        // FILE_FLAG_DELETE_ON_CLOSE
	sharingViolation = syscall.Errno(32) // ERROR_SHARING_VIOLATION
)

// Lock makes the file, which nobody else can open meanwhile and which goes when the result is closed or the process
// ends. ErrBusy: it is taken.
func Lock(name string) (*os.File, error) {
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

// RemoveLock gives the lock back; the file goes with it.
func RemoveLock(f *os.File) { f.Close() }
