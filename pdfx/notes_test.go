package pdfx_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The manual lists every code that a note of this package has, and no other.
func TestManualListsNotes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said, listed := map[string]bool{}, map[string]bool{}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name == "doc.go" {
			for _, m := range regexp.MustCompile(`(?m)^//   - ([a-z, -]+):`).FindAllSubmatch(b, -1) {
				for _, code := range strings.Split(string(m[1]), ", ") {
					listed[code] = true
				}
			}
			continue
		}
		for _, m := range regexp.MustCompile(`\.note\("([a-z-]+)"`).FindAllSubmatch(b, -1) {
			said[string(m[1])] = true
		}
	}
	if len(said) == 0 {
		t.Fatal("no notes found")
	}
	for code := range said {
		if !listed[code] {
			t.Errorf("%s is not in the manual", code)
		}
	}
	for code := range listed {
		if !said[code] {
			t.Errorf("%s is in the manual and nowhere else", code)
		}
	}
}
