package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"math"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

func refused(t testing.TB, in []byte, o pdfx.Options, want error) {
	t.Helper()
	s := &fixed{}
	_, err := pdfx.Sign(context.Background(), &bytes.Buffer{}, bytes.NewReader(in), int64(len(in)), s, o)
	if !errors.Is(err, want) {
		t.Errorf("%v, not %v", err, want)
	}
	if len(s.acts) > 0 {
		t.Error("a key was asked for what is refused")
	}
}

// withFields is a page turned by 90 degrees with empty signature fields: Clerk (merged with its widget, 60 x 60 mm), Judge (a
// kid as its widget, 20 x 30 mm as seen), Court.Hidden (no place), Asking (demands another SubFilter) and Locking (with a /Lock).
func withFields(kind pdftest.Kind, sig string) []byte {
	fields := "4 0 R 5 0 R 7 0 R 9 0 R 10 0 R"
	if sig != "" {
		fields += " 12 0 R"
	}
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + fields + "] /DA (/Helv 0 Tf) >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 /Rotate 90 >>",
		"<< /Type /Page /Parent 2 0 R " + a4 + " /Annots [4 0 R 6 0 R 8 0 R 9 0 R 10 0 R] >>",
		"<< /FT /Sig /T (Clerk) /Type /Annot /Subtype /Widget /F 4 /Rect [100 100 270.08 270.08] /P 3 0 R /MK << >> >>",
		"<< /FT /Sig /T (Judge) /Kids [6 0 R] /TU (presiding) >>",
		"<< /Parent 5 0 R /Type /Annot /Subtype /Widget /Rect [300 300 385.04 356.69] >>",
		"<< /T (Court) /Kids [8 0 R] >>",
		"<< /Parent 7 0 R /T (Hidden) /FT /Sig /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>",
		"<< /FT /Sig /T (Asking) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /SV << /Type /SV /Ff 2 /SubFilter [/adbe.pkcs7.detached] >> >>",
		"<< /FT /Sig /T (Locking) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] /Lock 11 0 R >>",
		"<< /Type /SigFieldLock /Action /Include /Fields [(Clerk)] >>",
	}
	if sig != "" {
		objects = append(objects, sig)
	}
	return pdfFile(kind, objects...)
}

func TestSignEmptyField(t *testing.T) {
	for _, kind := range []pdftest.Kind{pdftest.Table, pdftest.XRefStream} {
		in := withFields(kind, "")
		for _, c := range []struct {
			field, note string
			shown       []pdfx.At
			size        float64
		}{
			{"Clerk", "", []pdfx.At{{1, (100 + 270.08) / 2 / 72 * 25.4, (100 + 270.08) / 2 / 72 * 25.4}}, 40},
			{"Judge", "scaled", []pdfx.At{{1, (300 + 356.69) / 2 / 72 * 25.4, (300 + 385.04) / 2 / 72 * 25.4}}, 20},
			{"Court.Hidden", "invisible-field", nil, 0},
		} {
			t.Run(c.field, func(t *testing.T) {
				out, res := sealed(t, in, rsaSigner(), pdfx.Options{Field: c.field})
				if res.Field != c.field || len(res.Shown) != len(c.shown) {
					t.Fatalf("field %s, shown at %v", res.Field, res.Shown)
				}
				if (c.note == "") != (len(res.Notes) == 0) || c.note != "" && res.Notes[0].Code != c.note {
					t.Errorf("notes %v", res.Notes)
				}
				path := write(t, "out.pdf", out)
				if said, code := run(t, "qpdf", "--check", path); code != 0 {
					t.Errorf("qpdf --check: %d\n%s", code, said)
				}
				said, _ := run(t, "pdfsig", "-nocert", path)
				if strings.Count(said, "Signature is Valid.") != 1 || !strings.Contains(said, "Total document signed") {
					t.Errorf("pdfsig:\n%s", said)
				}
				// A second one in another field leaves the first as it was.
				twice, _ := sealed(t, out, newSigner(testpki.RSA), pdfx.Options{At: []pdfx.At{{1, 30, 150}}})
				said, _ = run(t, "pdfsig", "-nocert", write(t, "twice.pdf", twice))
				if strings.Count(said, "Signature is Valid.") != 2 {
					t.Errorf("pdfsig of the second:\n%s", said)
				}
				if c.size == 0 {
					return
				}
				if at := res.Shown[0]; math.Abs(at.X-c.shown[0].X) > 0.01 || math.Abs(at.Y-c.shown[0].Y) > 0.01 {
					t.Errorf("shown at %v, not %v", at, c.shown[0])
				}
				for _, with := range []string{"pdftoppm", "gs"} {
					m := rendered(t, with, path, 1, 254)
					left, top, right, bottom := inkOf(m)
					x, y := (left+right)/20, (top+bottom)/20
					if math.Abs(x-c.shown[0].X) > 0.3 || math.Abs(y-c.shown[0].Y) > 0.3 || math.Abs((right-left)/10-c.size) > 0.3 || math.Abs((bottom-top)/10-c.size) > 0.3 {
						t.Errorf("%s: the seal is %.1f x %.1f mm at (%.1f, %.1f)", with, (right-left)/10, (bottom-top)/10, x, y)
					}
					if c := color.NRGBAModel.Convert(m.At(int(left)+10, int(top)+10)).(color.NRGBA); c.B < 200 || c.R > 50 {
						t.Errorf("%s: the seal is not upright: %v at its top left", with, c)
					}
				}
			})
		}
		refused(t, in, pdfx.Options{Field: "Nobody"}, pdfx.ErrField)
		refused(t, in, pdfx.Options{Field: "Asking"}, pdfx.ErrField)
		refused(t, in, pdfx.Options{Field: "Clerk", At: []pdfx.At{{1, 10, 10}}}, pdfx.ErrOptions)
		refused(t, in, pdfx.Options{Field: "Locking", Lock: &pdfx.Lock{}}, pdfx.ErrField)
		out, _ := sealed(t, in, rsaSigner(), pdfx.Options{Field: "Clerk"})
		refused(t, out, pdfx.Options{Field: "Clerk"}, pdfx.ErrField)
		sealed(t, in, rsaSigner(), pdfx.Options{Field: "Asking", SubFilter: "adbe.pkcs7.detached"})

		// The lock that Locking brings is the signature's.
		out, _ = sealed(t, in, rsaSigner(), pdfx.Options{Field: "Locking"})
		if !bytes.Contains(out, []byte("/TransformMethod /FieldMDP /Data 1 0 R /TransformParams << /Type /TransformParams /Action /Include /Fields [(Clerk)]")) {
			t.Error("the field's lock is not in the signature")
		}
		refused(t, out, pdfx.Options{Field: "Clerk"}, pdfx.ErrLocked)
		sealed(t, out, rsaSigner(), pdfx.Options{Field: "Judge"})
	}
}

// inkOf is the box of what is not white, in pixels.
func inkOf(m interface {
	At(x, y int) color.Color
}) (left, top, right, bottom float64) {
	left, top = math.Inf(1), math.Inf(1)
	for y := range 3000 {
		for x := range 3000 {
			if r, g, b, a := m.At(x, y).RGBA(); a > 0 && min(r, g, b) < 0x8000 {
				left, right = min(left, float64(x)), max(right, float64(x+1))
				top, bottom = min(top, float64(y)), max(bottom, float64(y+1))
			}
		}
	}
	return
}

func TestCertify(t *testing.T) {
	in := onePage(pdftest.Table, a4)
	for level := 1; level <= 3; level++ {
		out, res := sealed(t, in, rsaSigner(), pdfx.Options{Certify: level, At: []pdfx.At{{1, 60, 60}}})
		if len(res.Notes) > 0 {
			t.Errorf("notes %v", res.Notes)
		}
		path := write(t, "out.pdf", out)
		if said, code := run(t, "qpdf", "--check", path); code != 0 {
			t.Errorf("qpdf --check: %d\n%s", code, said)
		}
		said, _ := run(t, "pdfsig", "-nocert", path)
		if strings.Count(said, "Signature is Valid.") != 1 {
			t.Errorf("pdfsig:\n%s", said)
		}
		refused(t, out, pdfx.Options{Certify: level}, map[bool]error{true: pdfx.ErrCertified, false: pdfx.ErrSigned}[level == 1])
		if level == 1 {
			refused(t, out, pdfx.Options{}, pdfx.ErrCertified)
			continue
		}
		_, res = sealed(t, out, rsaSigner(), pdfx.Options{})
		if len(res.Notes) != 1 || res.Notes[0].Code != "certified" {
			t.Errorf("P %d: notes %v", level, res.Notes)
		}
	}
	signed, _ := sealed(t, in, rsaSigner(), pdfx.Options{})
	refused(t, signed, pdfx.Options{Certify: 2}, pdfx.ErrSigned)
	refused(t, in, pdfx.Options{Certify: 4}, pdfx.ErrOptions)
	refused(t, in, pdfx.Options{Certify: -1}, pdfx.ErrOptions)

	// A field that was there before the certification is filled in without a word.
	fields := withFields(pdftest.XRefStream, "")
	certified, _ := sealed(t, fields, rsaSigner(), pdfx.Options{Certify: 2})
	if _, res := sealed(t, certified, rsaSigner(), pdfx.Options{Field: "Clerk"}); len(res.Notes) > 0 {
		t.Errorf("notes %v", res.Notes)
	}
	// /Perms that is there keeps what it has.
	perms := pdfFile(pdftest.Table, "<< /Type /Catalog /Pages 2 0 R /Perms 4 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R "+a4+" >>", "<< /UR3 5 0 R >>", "<< >>")
	if out, _ := sealed(t, perms, rsaSigner(), pdfx.Options{Certify: 3}); !bytes.Contains(out, []byte("<< /UR3 5 0 R  /DocMDP 6 0 R>>")) {
		t.Errorf("/Perms: %q", out[len(perms):])
	}
}

func TestLock(t *testing.T) {
	in := withFields(pdftest.Table, "")
	whole, _ := sealed(t, in, rsaSigner(), pdfx.Options{Lock: &pdfx.Lock{}, At: []pdfx.At{{1, 60, 60}}})
	path := write(t, "out.pdf", whole)
	if said, code := run(t, "qpdf", "--check", path); code != 0 {
		t.Errorf("qpdf --check: %d\n%s", code, said)
	}
	if said, _ := run(t, "pdfsig", "-nocert", path); strings.Count(said, "Signature is Valid.") != 1 {
		t.Errorf("pdfsig:\n%s", said)
	}
	refused(t, whole, pdfx.Options{}, pdfx.ErrLocked)
	refused(t, whole, pdfx.Options{Field: "Clerk"}, pdfx.ErrLocked)

	some, _ := sealed(t, in, rsaSigner(), pdfx.Options{Lock: &pdfx.Lock{Fields: []string{"Clerk", "庭长"}}})
	refused(t, some, pdfx.Options{Field: "Clerk"}, pdfx.ErrLocked)
	sealed(t, some, rsaSigner(), pdfx.Options{Field: "Judge"})
	sealed(t, some, rsaSigner(), pdfx.Options{})

	// A lock on the field that is filled in.
	own, _ := sealed(t, in, rsaSigner(), pdfx.Options{Field: "Clerk", Lock: &pdfx.Lock{}})
	refused(t, own, pdfx.Options{Field: "Judge"}, pdfx.ErrLocked)

	// Locks that others wrote.
	foreign := func(lock, reference string) []byte {
		return withFields(pdftest.Table, "<< /FT /Sig /T (Theirs) /V << /Type /Sig /Contents <00> /ByteRange [0 1 2 3] "+reference+" >> "+lock+" >>")
	}
	refused(t, foreign("/Lock << /Action /All /P 1 >>", ""), pdfx.Options{}, pdfx.ErrLocked)
	refused(t, foreign("/Lock << /P 1.0 >>", ""), pdfx.Options{}, pdfx.ErrLocked)
	refused(t, foreign("/Lock << /Action /Whatever >>", ""), pdfx.Options{Field: "Judge"}, pdfx.ErrLocked)
	refused(t, foreign("", "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >> << /TransformMethod /DocMDP /TransformParams << /P 3 >> >>]"), pdfx.Options{}, pdfx.ErrCertified)
	refused(t, foreign("/Lock << /Action /Exclude /Fields [(Judge)] >>", ""), pdfx.Options{Field: "Clerk"}, pdfx.ErrLocked)
	refused(t, foreign("", "/Reference [<< /TransformMethod /FieldMDP /TransformParams << /Action /Include /Fields [(Court)] >> >>]"), pdfx.Options{Field: "Court.Hidden"}, pdfx.ErrLocked)
	refused(t, foreign("", "/Reference [<< /TransformMethod /DocMDP /TransformParams << /P 1 >> >>]"), pdfx.Options{}, pdfx.ErrCertified)
	sealed(t, foreign("/Lock << /Action /Exclude /Fields [(Judge)] >>", ""), rsaSigner(), pdfx.Options{Field: "Judge"})
	if _, res := sealed(t, foreign("/Lock << /Action /All /P 2 >>", ""), rsaSigner(), pdfx.Options{}); len(res.Notes) != 1 || res.Notes[0].Code != "locked" {
		t.Errorf("notes %v", res.Notes)
	}
}

// Given places are obeyed and a touch is noted.
func TestOverlapIsNoted(t *testing.T) {
	in := onePage(pdftest.Table, a4)
	once, _ := sealed(t, in, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 60, 60}}})
	for _, c := range []struct {
		at    pdfx.At
		noted bool
	}{{pdfx.At{Page: 1, X: 99, Y: 60}, true}, {pdfx.At{Page: 1, X: 101, Y: 60}, false}} {
		_, res := sealed(t, once, rsaSigner(), pdfx.Options{At: []pdfx.At{c.at}})
		if got := len(res.Notes) == 1 && res.Notes[0].Code == "overlap"; got != c.noted {
			t.Errorf("%v: notes %v", c.at, res.Notes)
		}
	}
}

// A prepared file crosses from one process to another as bytes that do not hold it.
func TestPendingCrossesProcesses(t *testing.T) {
	in := onePage(pdftest.XRefStream, a4+" /Contents 4 0 R", "<< /Length 100000 >>\nstream\n"+strings.Repeat("% nothing\n", 10000)+"\nendstream")
	s := &fixed{hashes: []sign.Hash{sign.SM3, sign.SHA256}}
	o := pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Straddle: &pdfx.Straddle{}, ID: "x", Reason: "理由", Now: clock}
	want, wantRes := sealed(t, in, s, o)
	p, err := pdfx.Prepare(bytes.NewReader(in), int64(len(in)), s.Profile(), o)
	if err != nil {
		t.Fatal(err)
	}
	state, err := p.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if len(state) > len(in)/2 || bytes.Contains(state, []byte("% nothing")) {
		t.Errorf("the state holds %d bytes of a file of %d", len(state), len(in))
	}
	var q pdfx.Pending
	if err := q.UnmarshalBinary(state); err != nil {
		t.Fatal(err)
	}
	v, _ := s.Sign(context.Background(), q.Act())
	var out bytes.Buffer
	res, err := q.Commit(&out, bytes.NewReader(in), int64(len(in)), v)
	if err != nil || !bytes.Equal(out.Bytes(), want) {
		t.Fatalf("%v, or other bytes", err)
	}
	if res.Field != wantRes.Field || res.ByteRange != wantRes.ByteRange || len(res.Shown) != 2 || res.Act.Reason != "理由" || !res.Act.Time.Equal(noon) {
		t.Errorf("result %+v\nnot %+v", res, wantRes)
	}
	if again, _ := q.MarshalBinary(); !bytes.Equal(again, state) {
		t.Error("the state is another one after Commit")
	}
	other := bytes.Clone(in)
	other[len(other)/2] ^= 1
	if _, err := q.Commit(&bytes.Buffer{}, bytes.NewReader(other), int64(len(in)), v); !errors.Is(err, pdfx.ErrOtherFile) {
		t.Errorf("another file: %v", err)
	}
	for n := range state {
		if n > 100 && n < len(state)-100 && n%37 != 0 {
			continue
		}
		if err := new(pdfx.Pending).UnmarshalBinary(state[:n]); !errors.Is(err, pdfx.ErrState) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
		bad := bytes.Clone(state)
		bad[n] ^= 1
		var r pdfx.Pending
		if err := r.UnmarshalBinary(bad); err != nil {
			if !errors.Is(err, pdfx.ErrState) {
				t.Errorf("byte %d changed: %v", n, err)
			}
			continue
		}
		var out bytes.Buffer // read all the same: what is appended must still be what was signed
		if _, err := r.Commit(&out, bytes.NewReader(in), int64(len(in)), v); err == nil && !bytes.Equal(out.Bytes(), want) {
			t.Errorf("byte %d changed: another file was made", n)
		}
	}
}

func FuzzPending(f *testing.F) {
	in := onePage(pdftest.Table, a4)
	p, err := pdfx.Prepare(bytes.NewReader(in), int64(len(in)), (&fixed{}).Profile(), pdfx.Options{ID: "x", Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	state, err := p.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(state)
	f.Add(state[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		var p pdfx.Pending
		if err := p.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, pdfx.ErrState) {
				t.Fatal(err)
			}
			return
		}
		if _, err := p.MarshalBinary(); err != nil && !errors.Is(err, pdfx.ErrState) {
			t.Fatal(err)
		}
		p.Commit(&bytes.Buffer{}, bytes.NewReader(in), int64(len(in)), []sign.Value{{Bytes: []byte{0x30, 0}}})
	})
}
