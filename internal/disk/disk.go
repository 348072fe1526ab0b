// Package disk does with files what has to hold when a process is killed or the power fails: one process at a time, new
// names that last, files that are there whole or not at all.
package disk

import (
	"errors"
	"fmt"
	"io"
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

// Rewrite lets make write a new file from the file src, in the folder of dst, and puts it in place of dst, which may be src, once it is
// whole: with the permissions of src, or dst is left as it was. With sync it lasts when Rewrite returns.
func Rewrite(dst, src string, sync bool, make func(w io.Writer, r io.ReaderAt, size int64) error) (err error) {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", src)
	}
	out, err := os.CreateTemp(filepath.Dir(dst), ".courtseal-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			out.Close()
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	if err := make(out, in, info.Size()); err != nil {
		return err
	}
	if err := out.Chmod(info.Mode().Perm()); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if sync {
		if err := out.Sync(); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := in.Close(); err != nil { // some systems do not replace an open file
		return err
	}
	if err := os.Rename(out.Name(), dst); err != nil {
		return err
	}
	if sync {
		return SyncFolder(filepath.Dir(dst))
	}
	return nil
}
