package interop

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// output runs a program and returns all that it prints; a program that says no with its exit code has still spoken.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	need(t, name)
	out, err := exec.Command(name, args...).CombinedOutput()
	if _, spoke := err.(*exec.ExitError); err != nil && !spoke {
		t.Fatal(err)
	}
	return string(out)
}

// trusting makes an NSS database in which the roots are trusted, as pdfsig wants it.
func trusting(t *testing.T, roots ...*testpki.CA) string {
	t.Helper()
	dir := t.TempDir()
	db := "sql:" + dir
	if out := output(t, "certutil", "-N", "-d", db, "--empty-password"); out != "" {
		t.Fatal(out)
	}
	for _, r := range roots {
		cert := write(t, dir, r.Cert.Subject.CommonName+".pem", r.PEM())
		if out := output(t, "certutil", "-A", "-d", db, "-n", r.Cert.Subject.CommonName, "-t", "CT,C,C", "-i", cert); out != "" {
			t.Fatal(out)
		}
	}
	return dir
}

// The readers people have judge what we write: the signature valid, the whole document covered, the root trusted, the
// file as clean as it was.
func TestReadersAcceptSealedPDFs(t *testing.T) {
	ctx := context.Background()
	judgment := filepath.Join("..", "..", "examples", "quickstart", "judgment.pdf")
	root := testpki.NewCA(testpki.RSA, "Interop Root")
	gm := testpki.NewCA(testpki.SM2, "Interop Root SM2")
	maker := gm.Issue(testpki.SM2, "制章者", nil)
	sm2 := gm.Issue(testpki.SM2, "电子印章", nil)
	nss := trusting(t, root)

	picture, err := imprint.Draw(imprint.Options{Name: "示例市中级人民法院", Diameter: imprint.Intermediate})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	for _, c := range []struct {
		name  string
		kind  testpki.Kind
		outer bool
		tsa   sign.Timestamper
	}{
		{"cms RSA", testpki.RSA, false, nil},
		{"cms P-256", testpki.P256, false, nil},
		{"cms P-384", testpki.P384, false, nil},
		{"dual RSA", testpki.RSA, true, nil},
		{"dual P-256", testpki.P256, true, nil},
		{"cms RSA, stamped with a time", testpki.RSA, false, newAuthority(t, testpki.RSA)},
		{"cms P-256, stamped with a time by SM2", testpki.P256, false, newAuthority(t, testpki.SM2)},
		{"dual RSA, stamped with a time", testpki.RSA, true, newAuthority(t, testpki.RSA)},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := root.Issue(c.kind, "holder", nil)
			s, err := seal.Make(ctx, &seal.Seal{
				ID: "11010100000001", Name: "示例市中级人民法院", CertListType: seal.Certificates,
				Certs: [][]byte{key.Chain()[0], sm2.Chain()[0]}, Picture: picture,
				Created: now.Add(-time.Hour), NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(5, 0, 0),
			}, maker)
			if err != nil {
				t.Fatal(err)
			}
			var stamp sign.Signer
			if c.outer {
				stamp, err = s.Stamp(sm2, seal.StampOptions{Outer: key, TSA: c.tsa, OuterTSA: c.tsa})
			} else {
				stamp, err = s.Stamp(key, seal.StampOptions{TSA: c.tsa})
			}
			if err != nil {
				t.Fatal(err)
			}
			sealed := filepath.Join(t.TempDir(), "sealed.pdf")
			at := pdfx.Options{At: []pdfx.At{{Page: -1, X: 138, Y: 211}}}
			if r, err := pdfx.SignFile(ctx, sealed, judgment, stamp, at); err != nil || len(r.Notes) > 0 {
				t.Fatal(err, r)
			}
			accepted(t, nss, sealed, 1)

			// A second signature, of CMS alone and invisible, leaves the first as good as it was. It is by another key:
			// pdfsig 22.12 loses trust in a certificate when it meets it again, in files of its own making too.
			plain, err := cms.New(root.Issue(c.kind, "clerk", nil), cms.Options{TSA: c.tsa})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := pdfx.SignFile(ctx, sealed, sealed, plain, pdfx.Options{}); err != nil {
				t.Fatal(err)
			}
			accepted(t, nss, sealed, 2)

			b, err := os.ReadFile(sealed)
			if err != nil {
				t.Fatal(err)
			}
			b[5000] ^= 1
			if out := output(t, "pdfsig", "-nssdir", nss, write(t, t.TempDir(), "tampered.pdf", b)); strings.Contains(out, "Signature is Valid") {
				t.Errorf("pdfsig does not see a changed byte:\n%s", out)
			}
		})
	}
}

func accepted(t *testing.T, nss, file string, signatures int) {
	t.Helper()
	out := output(t, "pdfsig", "-nssdir", nss, file)
	for _, want := range []string{"Signature is Valid", "Certificate is Trusted"} {
		if n := strings.Count(out, want); n != signatures {
			t.Errorf("pdfsig says %q %d times of %d:\n%s", want, n, signatures, out)
		}
	}
	last := out[strings.LastIndex(out, "Signature #"):]
	if !strings.Contains(last, "Total document signed") {
		t.Errorf("pdfsig does not see the whole document signed:\n%s", out)
	}
	out = output(t, "mutool", "sign", "-v", file)
	intact := regexp.MustCompile(`The document is unchanged since signing|only be(en)? updated|not been modified`)
	if n := len(intact.FindAllString(out, -1)); n < 1 || strings.Contains(out, "Digest error") || strings.Contains(out, "invalid") {
		t.Errorf("mutool:\n%s", out)
	}
	if out := output(t, "qpdf", "--check", file); !strings.Contains(out, "No syntax or stream encoding errors") {
		t.Errorf("qpdf:\n%s", out)
	}
}
