package opc

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// vectors finds real documents, which are not part of the repository; none: not here.
func vectors(t testing.TB) map[string][]byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err != nil {
			continue
		}
		names, _ := filepath.Glob(filepath.Join(dir, "..", "shared", "vectors", "docx", "*.*"))
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = b
		}
		break
	}
	return files
}

func open(t testing.TB, b []byte) *Package {
	t.Helper()
	p, err := Open(bytes.NewReader(b), int64(len(b)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Documents of Word, POI and LibreOffice have no fault, and their parts read back.
func TestVectorsHaveNoFaults(t *testing.T) {
	files := vectors(t)
	if len(files) == 0 {
		t.Skip("../shared/vectors/docx is not here")
	}
	for name, b := range files {
		p := open(t, b)
		for _, f := range p.Faults() {
			t.Errorf("%s: %s", name, f)
		}
		for _, part := range p.Parts() {
			if _, err := p.Read(part); err != nil {
				t.Errorf("%s: %s: %v", name, part.Name, err)
			}
		}
		n := 0
		for _, source := range append(p.Sources(), "/none") {
			for _, rel := range p.Rels(source).All() {
				if !rel.External && p.Part(rel.Part) == nil {
					t.Errorf("%s: %s of %s leads to %q", name, rel.ID, source, rel.Part)
				}
				n++
			}
		}
		if n < 3 {
			t.Errorf("%s: %d relationships", name, n)
		}
	}
}
