package verify

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/pdfx"
)

// Documents that Word signed: every digest and value is right, and what keeps each from being valid is named.
func TestVectorsWord(t *testing.T) {
	for name, x := range map[string]struct{ certificate string }{"signed-word2007.docx": {"certificate-not-bound"}, "signed-word2010.docx": {codeOK}} {
		r, err := File(context.Background(), shared(t, "vectors/docx/"+name), Options{At: noon})
		if err != nil {
			t.Fatal(name, err)
		}
		want(t, r, 0, Invalid, "signer-algorithm", "weak-hash")
		for check, code := range map[string]string{"package": codeOK, "main-part": codeOK, "signature-part": codeOK, "parts": codeOK, "xml-references": codeOK, "xml-value": codeOK,
			"xml-signature": "sha1", "coverage": "coverage-properties", "signer-chain": "no-roots", "xml-certificate": x.certificate, "time": "time-not-proven"} {
			want(t, r, 0, Invalid, check, code)
		}
		s := r.Signatures[0]
		if !strings.Contains(s.Coverage.EN, "/docProps/core.xml") || s.Claimed.IsZero() || s.Signer == nil || r.Format != "DOCX" {
			t.Errorf("%s: %s", name, r)
		}
	}
}

// Documents that nobody signed are unsigned, and what their text shows from elsewhere is noted.
func TestVectorsUnsigned(t *testing.T) {
	files, err := filepath.Glob(shared(t, "vectors/docx") + "/*.docx")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	notes := map[string]int{}
	for _, f := range files {
		r, err := File(context.Background(), f, Options{At: noon})
		if signed := strings.HasPrefix(filepath.Base(f), "signed"); !signed && !errors.Is(err, ErrUnsigned) || r == nil || r.Unsigned == signed {
			t.Errorf("%s: %v\n%s", f, err, r)
			continue
		}
		for _, n := range r.Notes {
			notes[n.Code]++
		}
	}
	if notes["dynamic-content"] == 0 || notes["unsettled-content"] == 0 {
		t.Errorf("%v", notes)
	}
}

// What is neither a PDF nor an Office document is named.
func TestOtherFiles(t *testing.T) {
	for text, file := range map[string][]byte{
		"Word 97":           append([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), make([]byte, 1024)...),
		"rich text":         []byte(`{\rtf1 }`),
		"no known document": []byte("no document"),
		"empty":             nil,
	} {
		_, err := Document(context.Background(), strings.NewReader(string(file)), int64(len(file)), Options{})
		if !errors.Is(err, ErrFormat) || !errors.Is(err, pdfx.ErrNotPDF) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// A zip file that is no Office document is none: of no kind, signed by nobody.
func TestOtherZips(t *testing.T) {
	for _, file := range [][]byte{zipOf(t, "a.txt", "text"), zipOf(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", "<a/>")} {
		r, err := Document(context.Background(), strings.NewReader(string(file)), int64(len(file)), Options{})
		if !errors.Is(err, ErrFormat) {
			t.Errorf("%v\n%s", err, r)
		}
	}
}
