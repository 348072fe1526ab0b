// Package disk does with files what has to hold when a process is killed or the power fails: one process at a time, new
// names that last, files that are there whole or not at all.
package disk

import (
	"errors"
	"os"
	"path/filepath"
)

// ErrBusy: another process, or another part of this one, holds the lock.
var ErrBusy = errors.New("in use by another process")

// SyncFolder makes new names in a directory last, where the system and our rights allow that.
func SyncFolder(dir string) error {
	d, err := os.Open(dir)
	if err == nil {
		defer d.Close()
		err = d.Sync()
	}
	if errors.Is(err, os.ErrInvalid) || errors.Is(err, os.ErrPermission) {
		return nil
	}
	return err
}

// Replace gives a file new content that lasts: whoever reads it finds the old one or the new one, whole.
func Replace(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return SyncFolder(filepath.Dir(name))
}
