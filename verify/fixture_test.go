package verify

import (
	"bytes"
	"context"
	"crypto"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// A world is one set of authorities, a maker, holders and a seal.
type world struct {
	sm2CA, rsaCA *testpki.CA
	maker        sign.Key
	sm2, rsa     sign.Key
	seal         *seal.Seal
	roots        *Roots
}

var theWorld = sync.OnceValue(func() *world {
	w := &world{sm2CA: testpki.NewCA(testpki.SM2, "SM2 Root"), rsaCA: testpki.NewCA(testpki.RSA, "RSA Root")}
	w.maker = w.sm2CA.Issue(testpki.SM2, "制章者", nil)
	w.sm2 = w.sm2CA.Issue(testpki.SM2, "示例市中级人民法院", nil)
	w.rsa = w.rsaCA.Issue(testpki.RSA, "示例市中级人民法院 RSA", nil)
	w.seal = w.make(nil)
	w.roots, _ = NewRoots(w.sm2CA.Cert.Raw, w.rsaCA.Cert.Raw)
	return w
})

// make makes a seal of the world; mod changes the template.
func (w *world) make(mod func(*seal.Seal)) *seal.Seal {
	t := &seal.Seal{
		ID: "11010600000001", Name: "示例市中级人民法院", Certs: [][]byte{w.sm2.Chain()[0], w.rsa.Chain()[0]},
		Created: noon.AddDate(-1, 0, 0), NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(5, 0, 0), Picture: picture(color.NRGBA{220, 0, 0, 255}),
	}
	if mod != nil {
		mod(t)
	}
	s, err := seal.Make(context.Background(), t, w.maker)
	if err != nil {
		panic(err)
	}
	return s
}

func picture(c color.Color) sign.Picture {
	m := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	for i := range 64 {
		m.Set(i%8, i/8, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return sign.Picture{Type: "PNG", Data: b.Bytes(), Width: 45, Height: 45}
}

// stamp is the world's seal as a signer of a format, at a time.
func (w *world) stamp(t testing.TB, f sign.Format, now time.Time) sign.Signer {
	t.Helper()
	return w.stampOf(t, w.seal, f, now)
}

func (w *world) stampOf(t testing.TB, e *seal.Seal, f sign.Format, now time.Time) sign.Signer {
	t.Helper()
	o := seal.StampOptions{Format: f, Now: at(now)}
	if f == sign.Dual {
		o.Outer = w.rsa
	}
	s, err := e.Stamp(w.sm2, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var formats = []sign.Format{sign.SES, sign.CMS, sign.Dual}

// page is a small PDF with content that can be changed, written by hand so that nothing of the code under test made it.
func page() []byte {
	return pdftest.File(pdftest.Table, pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
		4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
	})
}

// sealFile seals a file and returns the result.
func sealFile(t testing.TB, file []byte, s sign.Signer, o pdfx.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if o.Now == nil {
		o.Now = at(noon)
	}
	if _, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), s, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var visible = pdfx.Options{At: []pdfx.At{{Page: 1, X: 100, Y: 150}}}

// judge verifies with the world's roots, an hour after noon; mod changes the options.
func verifyFile(t testing.TB, w *world, file []byte, mod func(*Options)) *Report {
	t.Helper()
	o := Options{Roots: w.roots, At: noon.Add(time.Hour)}
	if mod != nil {
		mod(&o)
	}
	r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Signatures {
		checks := s.Checks
		for _, t := range s.Stamps {
			checks = append(checks[:len(checks):len(checks)], t.Checks...)
		}
		for _, c := range checks {
			if c.Code == "" || c.Detail.ZH == "" || c.Detail.EN == "" || c.Clause == "" || strings.Contains(c.Detail.String(), "%!") || c.Detail.EN == c.Code {
				t.Errorf("check %q is not filled in: %+v", c.Name, c)
			}
		}
	}
	return r
}

// jobOf is a job of usable options.
func jobOf(o Options) *job {
	j, err := newJob(context.Background(), o)
	if err != nil {
		panic(err)
	}
	return j
}

// want asks for the verdict of signature i and, with a name, for the code of one of its checks.
func want(t *testing.T, r *Report, i int, v Verdict, name, code string) {
	t.Helper()
	if len(r.Signatures) <= i {
		t.Fatalf("%d signatures:\n%s", len(r.Signatures), r)
	}
	s := &r.Signatures[i]
	if c := s.Check(name); s.Verdict != v || name != "" && c.Code != code {
		t.Errorf("signature %d is %s with %s %q; want %s with %q\n%s", i+1, s.Verdict, name, c.Code, v, code, r)
	}
}

// cmsSigner is a signer without a seal.
func cmsSigner(t testing.TB, key sign.Key) sign.Signer {
	t.Helper()
	s, err := cms.New(key, cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// issue makes a key below an authority; mod changes its certificate.
func issue(ca *testpki.CA, kind testpki.Kind, mod func(*gm.Certificate)) sign.Key {
	return ca.Issue(kind, "签名人", mod)
}

func newKey(s crypto.Signer, chain ...[]byte) sign.Key { return sign.NewKey(s, chain...) }
