package document

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
)

func TestKind(t *testing.T) {
	pdf, err := os.ReadFile("../../quickstart/judgment.pdf")
	if err != nil {
		t.Fatal(err)
	}
	word, err := os.ReadFile("../../quickstart/judgment.docx")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want Kind
		err  error // of reading it
	}{
		"a.docx": {pdf, PDF, nil}, "a.pdf": {word, Word, nil}, "behind.pdf": {append([]byte("\n"), pdf...), PDF, nil},
		"empty": {nil, PDF, pdfx.ErrNotPDF}, "short": {[]byte("PK"), PDF, pdfx.ErrNotPDF}, "text.docx": {[]byte("a letter"), PDF, pdfx.ErrNotPDF},
		"a.doc": {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on"), Word, officex.ErrPackage}, "rich.doc": {[]byte(`{\rtf1 x}`), Word, officex.ErrPackage},
		"a.zip": {[]byte("PK\x05\x06" + string(make([]byte, 18))), Word, officex.ErrNotWord},
	} {
		k, err := KindOf(bytes.NewReader(c.file))
		if err != nil || k != c.want {
			t.Errorf("%s: %s, %v", name, k, err)
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if k, err := KindOfFile(path); err != nil || k != c.want {
			t.Errorf("%s: %s, %v", name, k, err)
		}
		if _, err := Signatures(bytes.NewReader(c.file), int64(len(c.file)), Options{}); !errors.Is(err, c.err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := KindOfFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
