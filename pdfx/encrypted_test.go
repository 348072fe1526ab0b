package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

// Another program encrypts, linearises or packs a file; it is sealed, and that program and a third still read every string.
func TestWrittenByQpdf(t *testing.T) {
	in := write(t, "in.pdf", pdfFile(pdftest.Table, "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] /DA (/Helv 0 Tf) >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R "+a4+" /Annots [4 0 R] /Note (a \\(note\\)) >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (Text) /V (value) /Rect [0 0 10 10] >>"))
	for name, args := range map[string][]string{
		"40 bit":           {"--allow-weak-crypto", "--encrypt", "user", "owner", "40", "--"},
		"128 bit":          {"--allow-weak-crypto", "--encrypt", "user", "owner", "128", "--use-aes=n", "--"},
		"AES-128":          {"--allow-weak-crypto", "--encrypt", "user", "owner", "128", "--use-aes=y", "--"},
		"AES-256":          {"--encrypt", "user", "owner", "256", "--"},
		"AES-256 packed":   {"--object-streams=generate", "--encrypt", "user", "owner", "256", "--"},
		"AES-128 packed":   {"--allow-weak-crypto", "--object-streams=generate", "--encrypt", "user", "owner", "128", "--use-aes=y", "--"},
		"no permission":    {"--encrypt", "user", "owner", "256", "--modify=none", "--"},
		"linear":           {"--linearize"},
		"linear, packed":   {"--linearize", "--object-streams=generate"},
		"packed":           {"--object-streams=generate"},
		"linear encrypted": {"--linearize", "--encrypt", "user", "owner", "256", "--"},
	} {
		path := write(t, "made.pdf", nil)
		if text, code := run(t, "qpdf", append(args, in, path)...); code != 0 {
			t.Fatalf("%s: %s", name, text)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		encrypted := strings.Contains(strings.Join(args, " "), "--encrypt")
		for _, pw := range []string{"user", "owner"} {
			o := pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Reason: "理由", Name: "a name", Now: clock}
			if encrypted {
				var none bytes.Buffer
				if _, err := pdfx.Sign(context.Background(), &none, bytes.NewReader(b), int64(len(b)), rsaSigner(), o); !errors.Is(err, pdfx.ErrPassword) || none.Len() > 0 {
					t.Errorf("%s: without the password: %v", name, err)
				}
				o.Password = []byte(pw)
			}
			once, res := sealed(t, b, rsaSigner(), o)
			if noted := len(res.Notes) == 1 && res.Notes[0].Code == "permissions"; noted != (name == "no permission") {
				t.Errorf("%s: notes %v", name, res.Notes)
			}
			twice, _ := sealed(t, once, rsaSigner(), o)
			out := write(t, "out.pdf", twice)
			if text, code := run(t, "qpdf", "--check", "--password=user", out); code != 0 {
				t.Errorf("%s: qpdf --check: %d\n%s", name, code, text)
			}
			text, _ := run(t, "pdfsig", "-nocert", "-upw", "user", out)
			if strings.Count(text, "Signature is Valid.") != 2 || strings.Count(text, "Total document signed") != 1 {
				t.Errorf("%s: pdfsig:\n%s", name, text)
			}
			json, _ := run(t, "qpdf", "--json=2", "--password=user", out)
			for _, want := range []string{"u:a (note)", "u:value", "u:/Helv 0 Tf", "u:理由", "u:a name", "u:Seal2", "u:D:20260601120000+00'00'"} {
				if !strings.Contains(json, want) {
					t.Errorf("%s: %q is not there any more", name, want)
				}
			}
			if text, _ := run(t, "mutool", "draw", "-p", "user", "-o", out+".png", out); strings.Contains(text, "error") {
				t.Errorf("%s: mutool: %s", name, text)
			}
		}
	}
}
