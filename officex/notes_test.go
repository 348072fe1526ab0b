package officex_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The manual lists every code that a note of this package has, and no other.
func TestManualListsNotes(t *testing.T) {
	said, listed := map[string]bool{}, map[string]bool{}
	gather := func(into map[string]bool, text []byte, pattern string) {
		for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
			for _, code := range regexp.MustCompile(`[a-z]+(-[a-z]+)*`).FindAllString(string(m[1]), -1) {
				into[code] = true
			}
		}
	}
	for _, pattern := range []string{"*.go", "../internal/wordml/*.go", "../internal/wordscan/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case strings.HasSuffix(name, "_test.go"):
			case name == "doc.go":
				b = regexp.MustCompile(`\n//     ([a-z])`).ReplaceAll(b, []byte(" $1"))
				gather(listed, b, `(?m)^//   - ([a-z, -]+):`)
				gather(listed, b, `what Allow let pass: (.+)`)
			default:
				gather(said, b, `\.note\("([a-z-]+)"`)
				gather(said, b, `Note\{"([a-z-]+)"`)
				gather(said, b, `Note\{Code: "([a-z-]+)"`)
				gather(said, b, `(?s)kindCodes = \[\]string\{(.*?)\}`)
			}
		}
	}
	if len(said) < 10 {
		t.Fatalf("only the notes %v were found", said)
	}
	for code := range said {
		if !listed[code] {
			t.Errorf("%s is not in the manual", code)
		}
	}
	for code := range listed {
		if !said[code] && code != "what" {
			t.Errorf("%s is in the manual and nowhere else", code)
		}
	}
}
