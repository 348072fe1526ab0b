package disk_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/internal/disk"
)

func TestLockIsHeldByOne(t *testing.T) {
	name := filepath.Join(t.TempDir(), "lock")
	f, err := disk.Lock(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Lock(name); !errors.Is(err, disk.ErrBusy) {
		t.Errorf("taken twice: %v", err)
	}
	f.Close()
	if f, err = disk.Lock(name); err != nil {
		t.Fatalf("after it was given back: %v", err)
	}
	disk.RemoveLock(f)
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for _, content := range []string{"one", "another"} {
		if err := disk.Replace(name, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(name); err != nil || string(b) != content {
			t.Errorf("%q, %v", b, err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	if err := disk.Replace(filepath.Join(dir, "none", "file"), nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in no directory: %v", err)
	}
}
