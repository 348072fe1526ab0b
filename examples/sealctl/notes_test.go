package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every note that the documentation of pdfx and officex lists has a Chinese text, and so have those about time stamps.
func TestNotesHaveChinese(t *testing.T) {
	codes := map[string]bool{"timestamp-not-had": true, "timestamp-too-large": true}
	for _, pkg := range []string{"pdfx", "officex"} {
		doc, err := os.ReadFile("../../" + pkg + "/doc.go")
		if err != nil {
			t.Fatal(err)
		}
		_, list, ok := strings.Cut(string(doc), "have these codes")
		if !ok {
			t.Fatalf("%s/doc.go lists no codes", pkg)
		}
		for _, m := range regexp.MustCompile(`(?m)^//   - (?:what Allow let pass: ([a-z, -]+)$|([a-z, -]+):)`).FindAllStringSubmatch(list, -1) {
			for _, code := range strings.Split(m[1]+m[2], ", ") {
				codes[code] = true
			}
		}
	}
	if len(codes) < 30 {
		t.Errorf("only %d codes were found", len(codes))
	}
	for code := range codes {
		if noteZH[code] == "" {
			t.Errorf("no Chinese text for note %s", code)
		}
	}
	for code := range noteZH {
		if !codes[code] {
			t.Errorf("nothing notes %s", code)
		}
	}
}
