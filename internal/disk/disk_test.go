package disk_test

import (
	"errors"
	"io"
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

func TestRewrite(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "a")
	if err := os.WriteFile(src, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	double := func(err error) func(io.Writer, io.ReaderAt, int64) error {
		return func(w io.Writer, r io.ReaderAt, size int64) error {
			b := make([]byte, size)
			if _, err := r.ReadAt(b, 0); err != nil && err != io.EOF {
				return err
			}
			_, werr := w.Write(append(b, b...))
			return errors.Join(werr, err)
		}
	}
	if err := disk.Rewrite(src, src, true, double(wrong)); !errors.Is(err, wrong) {
		t.Errorf("%v", err)
	}
	if b, _ := os.ReadFile(src); string(b) != "old" {
		t.Errorf("a failure left %q", b)
	}
	if err := disk.Rewrite(src, src, true, double(nil)); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Stat(src)
	if b, _ := os.ReadFile(src); string(b) != "oldold" || info.Mode().Perm() != 0o640 {
		t.Errorf("%q, %v", b, info.Mode())
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
	if err := disk.Rewrite(src, dir, false, double(nil)); err == nil {
		t.Error("a folder is no file")
	}
}
