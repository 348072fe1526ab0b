package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/audit/ledger"
)

func last(t testing.TB, path string) ([]byte, error) {
	t.Helper()
	return ledger.FileWitness(path).Last(t.Context())
}

// However much of a write has come to the file, the note before it is there, or the new one.
func TestWitnessTorn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "witness")
	if note, err := last(t, path); note != nil || err != nil {
		t.Fatalf("no file: %q %v", note, err)
	}
	w := ledger.FileWitness(path)
	var before, note []byte
	for n := range 5 {
		old, err := os.ReadFile(path)
		if err != nil && n > 0 {
			t.Fatal(err)
		}
		before, note = note, fmt.Appendf(nil, "checkpoint %d %s", n, bytes.Repeat([]byte("x"), 700*(5-n)))
		if err := w.Saw(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := last(t, path); err != nil || !bytes.Equal(got, note) {
			t.Fatalf("after note %d: %.20q %v", n, got, err)
		}
		if n == 0 { // the file as it is made
			old = bytes.Clone(whole)
			clear(old[:8<<10])
		}
		torn := filepath.Join(t.TempDir(), "torn")
		for cut := 0; cut < len(whole); cut++ {
			if old[cut] == whole[cut] {
				continue
			}
			mixed := append(bytes.Clone(whole[:cut]), old[cut:]...)
			if err := os.WriteFile(torn, mixed, 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := last(t, torn)
			if err != nil || !bytes.Equal(got, before) && !bytes.Equal(got, note) {
				t.Fatalf("note %d, written up to byte %d: %.20q %v", n, cut, got, err)
			}
		}
	}
	if err := w.(interface{ Close() error }).Close(); err != nil {
		t.Error(err)
	}
	// Another process goes on.
	w = ledger.FileWitness(path)
	for _, s := range []string{"one", "two"} {
		if err := w.Saw(t.Context(), []byte(s)); err != nil {
			t.Fatal(err)
		}
		if got, err := last(t, path); err != nil || string(got) != s {
			t.Errorf("%q %v", got, err)
		}
	}
	if err := w.Saw(t.Context(), make([]byte, 10_000)); !errors.Is(err, ledger.ErrWitness) {
		t.Errorf("a note that is too long: %v", err)
	}
}

func FuzzWitness(f *testing.F) {
	path := filepath.Join(f.TempDir(), "witness")
	w := ledger.FileWitness(path)
	for _, s := range []string{"one", "two"} {
		if err := w.Saw(f.Context(), []byte(s)); err != nil {
			f.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, "three")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, b []byte, next string) {
		path := filepath.Join(t.TempDir(), "witness")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		w := ledger.FileWitness(path)
		if _, err := w.Last(t.Context()); err != nil {
			return
		}
		if err := w.Saw(t.Context(), []byte(next)); err != nil {
			return
		}
		if got, err := last(t, path); err != nil || string(got) != next {
			t.Errorf("%q after %q: %v", got, next, err)
		}
	})
}
