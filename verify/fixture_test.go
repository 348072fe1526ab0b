package verify

import (
	"bytes"
	"context"
	"crypto"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
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
	return build(map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
		4: stream("", "0 0 1 rg 100 100 200 200 re f"),
	})
}

func stream(entries, data string) string {
	return fmt.Sprintf("<< /Length %d %s>>\nstream\n%s\nendstream", len(data), entries, data)
}

// build writes objects 1 to n with a classic cross-reference.
func build(objects map[int]string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects)+1)
	for n := 1; n <= len(objects); n++ {
		offsets[n] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets))
	for _, o := range offsets[1:] {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", len(offsets), at)
	return b.Bytes()
}

// update appends a revision that defines objects, with a classic cross-reference; extra goes into the trailer, junk between
// the objects.
func update(file []byte, objects map[int]string, extra, junk string) []byte {
	prev := bytes.LastIndex(file, []byte("startxref"))
	var old int
	fmt.Sscan(string(file[prev+9:]), &old)
	size := 1
	for i := bytes.LastIndex(file, []byte("/Size ")); i >= 0; {
		fmt.Sscan(string(file[i+6:]), &size)
		break
	}
	var b bytes.Buffer
	b.Write(file)
	if file[len(file)-1] != '\n' {
		b.WriteByte('\n')
	}
	offsets := map[int]int{}
	var nums []int
	for n := range objects {
		nums = append(nums, n)
		size = max(size, n+1)
	}
	for _, n := range nums {
		offsets[n] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, objects[n])
	}
	b.WriteString(junk)
	at := b.Len()
	b.WriteString("xref\n")
	for _, n := range nums {
		fmt.Fprintf(&b, "%d 1\n%010d 00000 n \n", n, offsets[n])
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Prev %d %s /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>] >>\nstartxref\n%d\n%%%%EOF\n", size, old, extra, at)
	return b.Bytes()
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
