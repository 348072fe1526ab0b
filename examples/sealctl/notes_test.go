package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every note that the documentation of pdfx lists has a Chinese text, and so have those about time stamps.
func TestNotesHaveChinese(t *testing.T) {
	doc, err := os.ReadFile("../../pdfx/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, ok := strings.Cut(string(doc), "have these codes")
	if !ok {
		t.Fatal("pdfx/doc.go lists no codes")
	}
	codes := map[string]bool{"timestamp-not-had": true, "timestamp-too-large": true}
	for _, m := range regexp.MustCompile(`(?m)^//   - ([a-z, -]+):`).FindAllStringSubmatch(list, -1) {
		for _, code := range strings.Split(m[1], ", ") {
			codes[code] = true
		}
	}
	if len(codes) < 10 {
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
