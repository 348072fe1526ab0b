//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package disk

import (
	"errors"
	"os"
	"syscall"
)

// Lock makes the file where it is not there, and takes it for whoever holds the result, until that is closed or the
// process ends. ErrBusy: it is taken.
func Lock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.EWOULDBLOCK):
			err = ErrBusy
		default:
			err = &os.PathError{Op: "lock", Path: name, Err: err}
		}
		f.Close()
		return nil, err
	}
}

// RemoveLock removes the file first: who locks it afterwards sees that it has lost its name.
func RemoveLock(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}
