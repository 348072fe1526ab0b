package interop

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// A seal over the edges of all pages, or at several places, is one signature for pdfcpu and for us, as the first of a file and
// as the second.
func TestPdfcpuSeesOneSignature(t *testing.T) {
	api.DisableConfigDir()
	ctx := context.Background()
	root, gm := testpki.NewCA(testpki.RSA, "Interop Root"), testpki.NewCA(testpki.SM2, "Interop Root SM2")
	conf := model.NewDefaultConfiguration()
	conf.Offline = true
	model.TrustedCertDir = t.TempDir()
	write(t, model.TrustedCertDir, "root.pem", root.PEM())
	picture, err := imprint.Draw(imprint.Options{Name: "示例市中级人民法院", Diameter: imprint.Intermediate})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Truncate(time.Second)
	stamp := func() sign.Signer {
		key := root.Issue(testpki.RSA, "holder", nil)
		s, err := seal.Make(ctx, &seal.Seal{
			ID: "11010100000001", Name: "示例市中级人民法院", Certs: [][]byte{key.Chain()[0]}, Picture: picture,
			NotBefore: now.AddDate(0, 0, -1), NotAfter: now.AddDate(1, 0, 0),
		}, gm.Issue(testpki.SM2, "制章者", nil))
		if err != nil {
			t.Fatal(err)
		}
		signer, err := s.Stamp(key, seal.StampOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return signer
	}
	roots, err := verify.NewRoots(root.Cert.Raw, gm.Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	judgment := filepath.Join("..", "..", "examples", "quickstart", "judgment.pdf")
	for name, o := range map[string]pdfx.Options{
		"straddle":     {Straddle: &pdfx.Straddle{}},
		"several":      {At: []pdfx.At{{Page: 1, X: 60, Y: 60}, {Page: 2, X: 60, Y: 60}, {Page: 2, X: 120, Y: 60}}},
		"all at once":  {DateLine: true, Straddle: &pdfx.Straddle{Edge: pdfx.Left}, Text: true, Remark: "同意"},
		"every":        {Keyword: &pdfx.Keyword{Text: "人民陪审员", Occurrence: pdfx.Every}},
		"one, certify": {DateLine: true, Certify: 2},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			once, twice := filepath.Join(dir, "once.pdf"), filepath.Join(dir, "twice.pdf")
			if _, err := pdfx.SignFile(ctx, once, judgment, stamp(), o); err != nil {
				t.Fatal(err)
			}
			o.Certify = 0
			if _, err := pdfx.SignFile(ctx, twice, once, stamp(), o); err != nil {
				t.Fatal(err)
			}
			for want, file := range map[int]string{1: once, 2: twice} {
				results, err := api.ValidateSignatures(file, true, conf)
				if err != nil {
					t.Fatal(err)
				}
				if len(results) != want {
					t.Errorf("%s: pdfcpu finds %d signatures", filepath.Base(file), len(results))
				}
				for _, r := range results {
					if why := troubles(r); len(why) > 0 || r.Status == model.SignatureStatusInvalid {
						t.Errorf("%s: %s: %v, %v, %v", filepath.Base(file), r.Details.FieldName, r.Status, r.Reason, why)
					}
				}
				report, err := verify.File(ctx, file, verify.Options{Roots: roots})
				if err != nil || report.Verdict != verify.Valid || len(report.Signatures) != want {
					t.Errorf("%s: %v\n%s", filepath.Base(file), err, report)
				}
			}
			b, err := os.ReadFile(once)
			if err != nil {
				t.Fatal(err)
			}
			b[2000] ^= 1
			if err := os.WriteFile(once, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if results, err := api.ValidateSignatures(once, true, conf); err == nil && len(results) > 0 && results[0].Status != model.SignatureStatusInvalid {
				t.Errorf("pdfcpu calls a changed file %v, %v", results[0].Status, troubles(results[0]))
			}
		})
	}
}

// troubles is what pdfcpu finds wrong, but that it cannot ask about revocation offline, and that of what a certification allows
// it judges nothing.
func troubles(r *model.SignatureValidationResult) (list []string) {
	for _, p := range r.Problems {
		if !strings.Contains(p, "pdfcpu is offline") && !strings.Contains(p, "DocMDP") {
			list = append(list, p)
		}
	}
	return list
}
