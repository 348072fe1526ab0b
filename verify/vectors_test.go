package verify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// shared finds ../shared beside the repository; tests that need it skip without.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		p := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	t.Skipf("shared/%s is not here", name)
	return ""
}

func TestVectorsPDF(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(t, "vectors/pdf"), "*.pdf"))
	for _, f := range files {
		start := time.Now()
		r, err := File(context.Background(), f, Options{})
		took := time.Since(start)
		if err != nil && !errors.Is(err, ErrUnsigned) {
			t.Logf("%s: %v (%v)", filepath.Base(f), err, took)
			continue
		}
		if r.Unsigned {
			continue
		}
		t.Logf("%v\n%s", took, r)
	}
}
