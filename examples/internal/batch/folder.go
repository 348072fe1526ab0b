package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/courtseal/courtseal/internal/disk"
)

const (
	folderName = ".sealing"
	lockName   = "lock"
)

// enter takes the work folder of a directory for this process and clears what a killed run left in it. The lock ends
// with the process at the latest.
func enter(dir string) (folder string, leave func(), err error) {
	folder = filepath.Join(dir, folderName)
	name := filepath.Join(folder, lockName)
	for range 3 { // the run before may just be removing the folder
		if err = os.MkdirAll(folder, 0o700); err != nil {
			return "", nil, err
		}
		var lock *os.File
		if lock, err = disk.Lock(name); err != nil {
			if errors.Is(err, disk.ErrBusy) {
				err = ErrBusy
			}
			if !os.IsNotExist(err) {
				return "", nil, fmt.Errorf("%s: %w", dir, err)
			}
			continue
		}
		if !same(lock, name) {
			lock.Close()
			err = fmt.Errorf("%s: %w", dir, ErrBusy)
			continue
		}
		if err = clearFolder(folder); err != nil {
			lock.Close()
			return "", nil, err
		}
		return folder, func() {
			clearFolder(folder)
			disk.RemoveLock(lock)
			os.Remove(folder)
		}, nil
	}
	return "", nil, err
}

func same(f *os.File, name string) bool {
	a, err1 := f.Stat()
	b, err2 := os.Stat(name)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

func clearFolder(folder string) error {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if e.Name() != lockName {
			err = errors.Join(err, os.Remove(filepath.Join(folder, e.Name())))
		}
	}
	return err
}
