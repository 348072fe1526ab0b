//go:build !windows

package batch

import (
	"errors"
	"os"
	"syscall"
)

// lockFile makes the file and takes it for this process; ErrBusy: another one has it.
func lockFile(name string) (*os.File, error) {
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

// removeLock removes the file first: who locks it afterwards sees that it has lost its name.
func removeLock(f *os.File, name string) {
	os.Remove(name)
	f.Close()
}

// syncFolder makes new names last.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, os.ErrInvalid) {
		return err
	}
	return nil
}
