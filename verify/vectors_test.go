package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// shared finds ../shared beside the repository; tests that need it skip without.
func shared(t testing.TB, name string) string {
	t.Helper()
	if found := findShared(name); len(found) > 0 {
		return found[0]
	}
	t.Skipf("shared/%s is not here", name)
	return ""
}

// findShared finds what is of a name, or of a pattern, in ../shared; nil: nothing.
func findShared(pattern string) []string {
	dir, _ := os.Getwd()
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if found, _ := filepath.Glob(filepath.Join(dir, "shared", pattern)); len(found) > 0 {
			return found
		}
	}
	return nil
}

// Every PDF of other makers: no panic, a verdict or a typed error, never valid (nobody is trusted), and of each signature the
// same opinion of the bytes as pdfsig has.
func TestVectorsPDF(t *testing.T) {
	dir := shared(t, "vectors/pdf")
	pdfsig := peer(t, "pdfsig")
	files, err := filepath.Glob(filepath.Join(dir, "*.pdf"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	signed := 0
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			r, err := File(context.Background(), f, Options{At: noon})
			if err != nil && !errors.Is(err, ErrUnsigned) {
				for _, typed := range []error{pdfx.ErrNotPDF, pdfx.ErrDamaged, pdfx.ErrPassword, pdfx.ErrEncrypted, pdfx.ErrSyntax, pdfx.ErrLimit} {
					if errors.Is(err, typed) {
						return
					}
				}
				t.Fatal(err)
			}
			if r.Verdict == Valid {
				t.Errorf("valid, with nobody trusted\n%s", r)
			}
			out, _ := exec.Command(pdfsig, "-nocert", f).CombinedOutput()
			said := parsePdfsig(string(out))
			if r.Unsigned != (len(said) == 0) {
				t.Errorf("unsigned: %v; pdfsig:\n%s", r.Unsigned, out)
			}
			for _, s := range r.Signatures {
				signed++
				ours := s.Check("cms-value").Code == codeOK && s.Check("content-hash").Code == codeOK
				theirs, ok := said[s.Name]
				if s.Check("cms-attributes").Code == "no-signed-attributes" { // no content-hash to compare
					ours = s.Check("cms-value").Code == codeOK
				}
				if !ok || s.Check("cms-format").Code == "document-timestamp" || s.Check("cms-value").Code == "cms-algorithm" {
					continue
				}
				if ours != theirs {
					t.Errorf("%s: bytes right: %v, pdfsig: %v\n%s%s", s.Name, ours, theirs, out, r)
				}
			}
		})
	}
	if signed == 0 {
		t.Error("no signature was compared")
	}
}

// parsePdfsig gives, by field, whether the value is right.
func parsePdfsig(out string) map[string]bool {
	said := map[string]bool{}
	field := ""
	for _, line := range strings.Split(out, "\n") {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "- Signature Field Name: "); ok {
			field = v
			said[field] = false
		}
		if line == "The signature form field is not signed." {
			delete(said, field)
		}
		if v, ok := strings.CutPrefix(line, "- Signature Validation: "); ok {
			said[field] = v == "Signature is Valid."
		}
	}
	return said
}

// Files of ours, as pdfsig sees them: the same opinion.
func TestPdfsigAgrees(t *testing.T) {
	pdfsig := peer(t, "pdfsig")
	w := theWorld()
	good := sealFile(t, page(), cmsSigner(t, w.rsa), pdfx.Options{})
	for name, file := range map[string][]byte{
		"good": good, "changed": changed(good, bytes.Index(good, []byte("100 100")), 1),
	} {
		p := filepath.Join(t.TempDir(), name+".pdf")
		if err := os.WriteFile(p, file, 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command(pdfsig, "-nocert", p).CombinedOutput()
		said := parsePdfsig(string(out))["Seal1"]
		if ours := verifyFile(t, w, file, nil).Verdict == Valid; ours != said || ours != (name == "good") {
			t.Errorf("%s: %v, pdfsig %v\n%s", name, ours, said, out)
		}
	}
}

// The seals and the seal signature of other makers: SOURCES.md says that their values verify.
func TestVectorsSeal(t *testing.T) {
	dir := shared(t, "vectors/eseal")
	for _, name := range []string{"UserV1.esl", "UserV4.esl", "UserV5.esl"} {
		t.Run(name, func(t *testing.T) {
			e, err := seal.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			s := judgeAlone(func(j *judge) { j.claim(e.NotBefore); j.judgeSeal(e) }, e.NotBefore)
			if c := s.Check("seal-value"); c.Verdict != Valid {
				t.Errorf("%+v", c)
			}
			if c := s.Check("maker-chain"); c.Code != "no-roots" {
				t.Errorf("%+v", c)
			}
			for check, code := range map[string]string{"seal-format": "ok", "maker-algorithm": "ok", "seal-period": "ok", "seal-made": "ok"} {
				if c := s.Check(check); c.Code != code {
					t.Errorf("%+v", c)
				}
			}
			standard := map[seal.Version]string{seal.V1: "GM/T 0031-2014", seal.V4: "GB/T 38540-2020", seal.V5: "GM/T 0031-2025"}[e.Generation()]
			if c := s.Check("seal-value"); !strings.HasPrefix(c.Clause, standard) {
				t.Errorf("%s is asked by %s", name, c.Clause)
			}
		})
	}
	t.Run("SignedValueV4.dat", func(t *testing.T) {
		b, err := os.ReadFile(filepath.Join(dir, "SignedValueV4.dat"))
		if err != nil {
			t.Fatal(err)
		}
		s := judgeAlone(func(j *judge) {
			ses := j.parseSES(b, signerRole)
			j.claim(ses.Time)
			j.judgeSES(ses, sign.Sums{ses.hash(): make([]byte, 32)}, "", j.sesStamps(ses))
		}, noon)
		for _, name := range []string{"ses-value", "seal-value", "content-hash", "ses-format"} {
			if c := s.Check(name); c.Verdict != Valid {
				t.Errorf("%s: %+v", name, c)
			}
		}
	})
}

func judgeAlone(f func(*judge), at time.Time) *Signature {
	s := new(Signature)
	f(jobOf(Options{At: at}).judge(s))
	return s
}

// Every PDF of other makers, sealed twice: both seals are valid, and no earlier signature is worse than it was.
func TestVectorsSealedTwice(t *testing.T) {
	w := theWorld()
	files, err := filepath.Glob(filepath.Join(shared(t, "vectors/pdf"), "*.pdf"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	done := 0
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			file, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			before, _ := Document(t.Context(), bytes.NewReader(file), int64(len(file)), Options{At: noon})
			had := map[string]Verdict{}
			if before != nil {
				for _, s := range before.Signatures {
					had[s.Name] = s.Verdict
				}
			}
			for _, signer := range []sign.Signer{w.stamp(t, sign.Dual, noon), cmsSigner(t, w.rsa)} {
				var out bytes.Buffer
				o := pdfx.Options{Now: at(noon)}
				_, err := pdfx.Sign(t.Context(), &out, bytes.NewReader(file), int64(len(file)), signer, o)
				if errors.Is(err, pdfx.ErrDamaged) {
					o.Repair = true
					out.Reset()
					_, err = pdfx.Sign(t.Context(), &out, bytes.NewReader(file), int64(len(file)), signer, o)
				}
				if err != nil {
					t.Skip(err)
				}
				file = out.Bytes()
			}
			done++
			walkAgrees(t, w, file)
			r := verifyFile(t, w, file, func(o *Options) { o.At = noon })
			for i, s := range r.Signatures {
				if v, ok := had[s.Name]; ok {
					if worse(v, s.Verdict) != v {
						t.Errorf("%s was %s and is %s", s.Name, v, s.Verdict)
					}
					continue
				}
				code := "ok"
				if s.Format == sign.Dual {
					code = "later-signatures"
				}
				want(t, r, i, Valid, "pdf-later", code)
			}
			if len(r.Signatures) != len(had)+2 {
				t.Errorf("%d signatures before, %d now", len(had), len(r.Signatures))
			}
		})
	}
	if done == 0 {
		t.Error("no file could be sealed")
	}
}
