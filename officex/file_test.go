package officex_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/officex"
)

// The sealed file has the permissions of the first; a call that was cancelled leaves nothing; calls may run side by side.
func TestSignFilePermissions(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "a.docx"), filepath.Join(dir, "b.docx")
	b := judgment().bytes()
	if err := os.WriteFile(src, b, 0o640); err != nil {
		t.Fatal(err)
	}
	s := signers(t)["dual RSA"]
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := officex.SignFile(cancelled, dst, src, s, officex.Options{Now: clock}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
	if _, err := officex.SignFile(t.Context(), dst, src, s, officex.Options{Now: clock}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dst); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			var out bytes.Buffer
			o := officex.Options{Now: clock, AsLine: true}
			if _, err := officex.Sign(t.Context(), &out, bytes.NewReader(b), int64(len(b)), s, o); err != nil {
				t.Error(err)
				return
			}
			removed(t, out.Bytes(), b)
		})
	}
	wait.Wait()
}
