package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/png"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// sealed signs in memory and checks what must hold for every file.
func sealed(t testing.TB, in []byte, s sign.Signer, o pdfx.Options) ([]byte, *pdfx.Result) {
	t.Helper()
	if o.Now == nil {
		o.Now = clock
	}
	var out bytes.Buffer
	res, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(in), int64(len(in)), s, o)
	if err != nil {
		t.Fatal(err)
	}
	checkSealed(t, in, out.Bytes(), res, o)
	return out.Bytes(), res
}

func checkSealed(t testing.TB, in, out []byte, res *pdfx.Result, o pdfx.Options) {
	t.Helper()
	if !bytes.HasPrefix(out, in) || len(out) <= len(in) || out[len(in)] != '\n' {
		t.Fatal("the earlier bytes changed")
	}
	if res.Size != int64(len(out)) || res.ByteRange[2]+res.ByteRange[3] != res.Size {
		t.Fatalf("result %+v of a file of %d bytes", res, len(out))
	}
	found, err := pdfx.Signatures(bytes.NewReader(out), int64(len(out)), pdfx.Options{Password: o.Password})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found {
		if e.Name != res.Field {
			continue
		}
		if e.Err != nil {
			t.Fatal(e.Err)
		}
		want := []sign.Range{{Offset: 0, Length: res.ByteRange[1]}, {Offset: res.ByteRange[2], Length: res.ByteRange[3]}}
		if !reflect.DeepEqual(e.Ranges, want) {
			t.Fatalf("ranges %v, not %v", e.Ranges, want)
		}
		return
	}
	t.Fatalf("the new signature %s is not among the %d found", res.Field, len(found))
}

func TestSignatureIsValidElsewhere(t *testing.T) {
	for name, in := range map[string][]byte{
		"table":  onePage(pdftest.Table, a4),
		"stream": onePage(pdftest.XRefStream, a4),
	} {
		for _, o := range []pdfx.Options{{}, {At: []pdfx.At{{1, 60, 60}}, Name: "张三", Reason: "判决 (一)", Location: "a\\b"}} {
			t.Run(name+strconv.Itoa(len(o.At)), func(t *testing.T) {
				once, _ := sealed(t, in, rsaSigner(), o)
				twice, res := sealed(t, once, rsaSigner(), o)
				if res.Field != "Seal2" {
					t.Errorf("second field %s", res.Field)
				}
				path := write(t, "out.pdf", twice)
				if out, code := run(t, "qpdf", "--check", path); code != 0 {
					t.Errorf("qpdf --check: %d\n%s", code, out)
				}
				out, _ := run(t, "pdfsig", "-nocert", path)
				if strings.Count(out, "Signature is Valid.") != 2 || strings.Count(out, "Total document signed") != 1 {
					t.Errorf("pdfsig:\n%s", out)
				}
			})
		}
	}
}

func TestWhatTheSignerIsAsked(t *testing.T) {
	in := onePage(pdftest.Table, a4)
	s := &fixed{hashes: []sign.Hash{sign.SM3, sign.SHA256}}
	out, res := sealed(t, in, s, pdfx.Options{Document: "judgment.pdf", Reason: "because", ID: "req-1"})
	act := s.acts[0]
	if act.ID != "req-1" || act.Document != "judgment.pdf" || act.Reason != "because" || !act.Time.Equal(noon) {
		t.Errorf("act %+v", act)
	}
	b := res.ByteRange
	covered := append(bytes.Clone(out[:b[1]]), out[b[2]:b[2]+b[3]]...)
	for _, h := range s.hashes {
		if !bytes.Equal(act.Source[h], h.Sum(in)) {
			t.Errorf("%s of the source", h)
		}
		if !bytes.Equal(act.Content[h], h.Sum(covered)) {
			t.Errorf("%s of the content", h)
		}
	}
	want := []sign.Part{{Format: sign.CMS, Property: "ByteRange=[0 " + strconv.FormatInt(b[1], 10) + " " +
		strconv.FormatInt(b[2], 10) + " " + strconv.FormatInt(b[3], 10) + "]"}}
	if !reflect.DeepEqual(act.Parts, want) {
		t.Errorf("parts %+v", act.Parts)
	}
	if out[b[1]] != '<' || out[b[2]-1] != '>' {
		t.Error("the gap is not the hex string")
	}
}

func TestPrepareAndCommitEqualSign(t *testing.T) {
	in := onePage(pdftest.XRefStream, a4+" /Contents 4 0 R", "<< /Length 100000 >>\nstream\n"+strings.Repeat("% nothing\n", 10000)+"\nendstream")
	s := &fixed{hashes: []sign.Hash{sign.SM3}}
	o := pdfx.Options{At: []pdfx.At{{1, 60, 60}}, ID: "x", Now: clock}
	want, _ := sealed(t, in, s, o)
	p, err := pdfx.Prepare(bytes.NewReader(in), int64(len(in)), s.Profile(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p.Act(), s.acts[0]) {
		t.Errorf("act %+v\nnot %+v", p.Act(), s.acts[0])
	}
	v, _ := s.Sign(context.Background(), p.Act())
	var out bytes.Buffer
	if _, err := p.Commit(&out, bytes.NewReader(in), int64(len(in)), v); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Error("Commit wrote other bytes than Sign")
	}
	other := bytes.Clone(in)
	other[len(other)/2] ^= 1
	if _, err := p.Commit(&bytes.Buffer{}, bytes.NewReader(other), int64(len(in)), v); !errors.Is(err, pdfx.ErrOtherFile) {
		t.Errorf("another file: %v", err)
	}
	if _, err := p.Commit(&bytes.Buffer{}, bytes.NewReader(in), int64(len(in))-1, v); !errors.Is(err, pdfx.ErrOtherFile) {
		t.Errorf("a shorter file: %v", err)
	}
	out.Reset()
	v[0].Bytes = make([]byte, 300)
	if _, err := p.Commit(&out, bytes.NewReader(in), int64(len(in)), v); !errors.Is(err, pdfx.ErrTooLarge) || out.Len() > 0 {
		t.Errorf("a long value: %v, %d bytes written", err, out.Len())
	}
}

// failing is a writer that takes only so much.
type failing struct{ left int }

var errFull = errors.New("disk full")

func (w *failing) Write(b []byte) (int, error) {
	if w.left -= len(b); w.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestFailuresLeaveNoFile(t *testing.T) {
	in := write(t, "in.pdf", onePage(pdftest.Table, a4))
	dir := t.TempDir()
	dst := filepath.Join(dir, "out.pdf")
	errKey := errors.New("no key")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		s    sign.Signer
		o    pdfx.Options
		want error
	}{
		{context.Background(), &fixed{err: errKey}, pdfx.Options{}, errKey},
		{context.Background(), &fixed{value: make([]byte, 300)}, pdfx.Options{}, pdfx.ErrTooLarge},
		{context.Background(), &fixed{value: []byte{}}, pdfx.Options{}, pdfx.ErrProfile},
		{cancelled, &fixed{}, pdfx.Options{}, context.Canceled},
		{context.Background(), &fixed{hashes: []sign.Hash{"MD4"}}, pdfx.Options{}, pdfx.ErrProfile},
		{context.Background(), shown{&fixed{}, nil}, pdfx.Options{At: []pdfx.At{{1, 60, 60}}}, pdfx.ErrPlace},
		{context.Background(), shown{&fixed{}, &sign.Picture{Type: "OFD", Data: []byte("PK"), Width: 40, Height: 40}}, pdfx.Options{At: []pdfx.At{{1, 60, 60}}}, pdfx.ErrPicture},
		{context.Background(), &fixed{}, pdfx.Options{At: []pdfx.At{{0, 60, 60}}}, pdfx.ErrPlace},
		{context.Background(), &fixed{}, pdfx.Options{At: []pdfx.At{{2, 60, 60}}}, pdfx.ErrPlace},
		{context.Background(), &fixed{}, pdfx.Options{At: []pdfx.At{{-2, 60, 60}}}, pdfx.ErrPlace},
	} {
		if _, err := pdfx.SignFile(c.ctx, dst, in, c.s, c.o); !errors.Is(err, c.want) {
			t.Errorf("%v, not %v", err, c.want)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Fatalf("after %v: %v is left", c.want, left)
		}
	}
	b, _ := os.ReadFile(in)
	for _, room := range []int{0, len(b)} {
		if _, err := pdfx.Sign(context.Background(), &failing{room}, bytes.NewReader(b), int64(len(b)), &fixed{}, pdfx.Options{}); !errors.Is(err, errFull) {
			t.Errorf("a full disk: %v", err)
		}
	}
}

func TestSignFileInPlace(t *testing.T) {
	before := onePage(pdftest.Table, a4)
	path := write(t, "in.pdf", before)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	res, err := pdfx.SignFile(context.Background(), path, path, &fixed{}, pdfx.Options{Sync: true})
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	checkSealed(t, before, after, res, pdfx.Options{})
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v", info.Mode())
	}
	if len(res.Act.ID) != 32 {
		t.Errorf("random id %q", res.Act.ID)
	}
	if err := pdfx.RemoveFile(path, path, pdfx.Options{}); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); !bytes.Equal(b, before) {
		t.Error("removing did not give the earlier bytes back")
	}
}

// What is in the form, the page and the catalog stays as it was written, wherever it stands.
func TestNothingElseChanges(t *testing.T) {
	const form = "<< /Fields [5 0 R] /DA (/Helv 0 Tf 0 g) /XFA null /NeedAppearances true /Q 0 /Unknown /X >>"
	const field = "<< /Type /Annot /FT /Tx /T (Seal1) /Subtype /Widget /Rect [0 0 10 10] /V (text) >>"
	cases := map[string][]string{
		"direct": {"<< /Type /Catalog /Pages 2 0 R /AcroForm" + form + "/Lang(zh)>>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R " + a4 + " /Annots[5 0 R]/Num 0.10>>", "null", field},
		"indirect": {"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Lang (zh) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R " + a4 + " /Annots 4 0 R /Num 0.10 >>", "[5 0 R]", field, form},
		"fields apart": {"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Lang (zh) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R " + a4 + " /Annots 4 0 R /Num 0.10 >>", "[5 0 R]", field,
			strings.Replace(form, "[5 0 R]", "7 0 R", 1), "[ 5 0 R ]"},
		"dangling": {"<< /Type /Catalog /Pages 2 0 R /AcroForm 6 0 R /Lang (zh) >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R " + a4 + " /Annots 99 0 R /Num 0.10 >>", "null", field, strings.Replace(form, "[5 0 R]", "[5 0 R]/SigFlags/None", 1)},
	}
	for name, objects := range cases {
		for _, kind := range pdftest.Kinds {
			in := pdfFile(kind, objects...)
			out, res := sealed(t, in, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 60, 60}}})
			if res.Field != "Seal2" {
				t.Errorf("%s: field %s", name, res.Field)
			}
			path := write(t, "out.pdf", out)
			if text, code := run(t, "qpdf", "--check", path); code != 0 {
				t.Errorf("%s: qpdf --check: %d\n%s", name, code, text)
			}
			if text, _ := run(t, "pdfsig", "-nocert", path); !strings.Contains(text, "Signature is Valid.") {
				t.Errorf("%s: pdfsig:\n%s", name, text)
			}
			update := string(out[len(in):])
			if name != "dangling" && strings.Contains(update, "/Num") != (name == "direct") {
				t.Errorf("%s: the page was touched, or not", name)
			}
			if strings.Contains(update, "/Num") && !strings.Contains(update, "/Num 0.10") {
				t.Errorf("%s: a number was written anew", name)
			}
			if strings.Contains(update, "/Fields") && !strings.Contains(update, "/DA (/Helv 0 Tf 0 g) /XFA null /NeedAppearances true /Q 0 /Unknown /X") {
				t.Errorf("%s: keys of the form are lost:\n%s", name, update)
			}
			if json, _ := run(t, "qpdf", "--json=2", "--json-key=acroform", path); name != "dangling" && !(strings.Contains(json, `"Seal1"`) && strings.Contains(json, `"Seal2"`)) {
				t.Errorf("%s: qpdf finds other fields:\n%s", name, json)
			}
		}
	}
}

func TestCertifiedDocument(t *testing.T) {
	certified := func(p string) []byte {
		return pdfFile(pdftest.Table, "<< /Type /Catalog /Pages 2 0 R /Perms << /DocMDP 4 0 R >> >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R "+a4+" >>",
			"<< /Type /Sig /Reference [<< /TransformMethod /DocMDP /TransformParams << "+p+" >> >>] >>")
	}
	in := certified("/P 1")
	if _, err := pdfx.Sign(context.Background(), &bytes.Buffer{}, bytes.NewReader(in), int64(len(in)), &fixed{}, pdfx.Options{}); !errors.Is(err, pdfx.ErrCertified) {
		t.Errorf("P 1: %v", err)
	}
	for _, p := range []string{"", "/P 2", "/P 3"} {
		if _, res := sealed(t, certified(p), &fixed{}, pdfx.Options{}); len(res.Notes) != 1 || res.Notes[0].Code != "certified" {
			t.Errorf("%q: notes %v", p, res.Notes)
		}
	}
}

func TestRemove(t *testing.T) {
	remove := func(b []byte) ([]byte, error) {
		var out bytes.Buffer
		err := pdfx.Remove(&out, bytes.NewReader(b), int64(len(b)), pdfx.Options{})
		return out.Bytes(), err
	}
	for name, in := range map[string][]byte{
		"table":          onePage(pdftest.Table, a4),
		"stream":         onePage(pdftest.XRefStream, a4),
		"no end of line": bytes.TrimRight(onePage(pdftest.Table, a4), "\n"),
		"more lines":     append(onePage(pdftest.Table, a4), "\n\n"...),
	} {
		once, _ := sealed(t, in, &fixed{}, pdfx.Options{At: []pdfx.At{{1, 60, 60}}})
		twice, _ := sealed(t, once, &fixed{}, pdfx.Options{})
		if b, err := remove(twice); err != nil || !bytes.Equal(b, once) {
			t.Errorf("%s: second seal: %v", name, err)
		}
		if b, err := remove(once); err != nil || !bytes.Equal(b, in) {
			t.Errorf("%s: first seal: %v", name, err)
		}
		if b, err := remove(in); !errors.Is(err, pdfx.ErrNoSignature) || len(b) > 0 {
			t.Errorf("%s: nothing to remove: %v", name, err)
		}
		if b, err := remove(append(bytes.Clone(once), '\n')); !errors.Is(err, pdfx.ErrNotLast) || len(b) > 0 {
			t.Errorf("%s: something follows: %v", name, err)
		}
		foreign := bytes.Replace(twice, []byte("/Name /Courtseal"), []byte("/Name /Elsewhere"), -1)
		if b, err := remove(foreign); !errors.Is(err, pdfx.ErrNotOurs) || len(b) > 0 {
			t.Errorf("%s: a foreign signature: %v", name, err)
		}
	}
}

func TestHashReadsOnceForAll(t *testing.T) {
	b := onePage(pdftest.Table, a4+" /Contents 4 0 R", "<< /Length 300000 >>\nstream\n"+strings.Repeat("% nothing\n", 30000)+"\nendstream")
	for range 5 {
		b, _ = sealed(t, b, &fixed{}, pdfx.Options{})
	}
	found, err := pdfx.Signatures(bytes.NewReader(b), int64(len(b)), pdfx.Options{})
	if err != nil || len(found) != 5 {
		t.Fatalf("%d signatures, %v", len(found), err)
	}
	found = append(found, sign.Embedded{}, sign.Embedded{Ranges: []sign.Range{{Length: 10}, {Offset: 20, Length: int64(len(b))}}}, found[2],
		sign.Embedded{Ranges: []sign.Range{{Length: 0}, {Offset: 5, Length: 100}}})
	want := make([][]sign.Hash, len(found))
	for i := range want {
		want[i] = [][]sign.Hash{{sign.SM3}, {sign.SHA256}, {sign.SHA256, sign.SM3, sign.SHA384}}[i%3]
	}
	r := &countingReader{b: b}
	sums, err := pdfx.Hash(context.Background(), r, int64(len(b)), found, want)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range found {
		if i == 5 || i == 6 {
			if sums[i] != nil {
				t.Errorf("signature %d has sums", i)
			}
			continue
		}
		covered := append(bytes.Clone(b[:e.Ranges[0].Length]), b[e.Ranges[1].Offset:e.Ranges[1].End()]...)
		if len(sums[i]) != len(want[i]) {
			t.Errorf("signature %d: %d sums", i, len(sums[i]))
		}
		for _, h := range want[i] {
			if !bytes.Equal(sums[i][h], h.Sum(covered)) {
				t.Errorf("signature %d: wrong %s", i, h)
			}
		}
	}
	if r.n > len(b) {
		t.Errorf("%d bytes read of a file of %d", r.n, len(b))
	}
	many := make([]sign.Embedded, 1000)
	all := make([][]sign.Hash, len(many))
	for i := range many {
		many[i].Ranges, all[i] = []sign.Range{{Length: int64(i)}, {Offset: int64(i) + 1, Length: 300000}}, []sign.Hash{sign.SHA256}
	}
	if _, err := pdfx.Hash(context.Background(), r, int64(len(b)), many, all); !errors.Is(err, pdfx.ErrLimit) {
		t.Errorf("a thousand overlapping signatures: %v", err)
	}
}

type countingReader struct {
	b []byte
	n int
}

func (r *countingReader) ReadAt(p []byte, at int64) (int, error) {
	n, err := bytes.NewReader(r.b).ReadAt(p, at)
	r.n += n
	return n, err
}

// Where the seal is, and that it stands upright, on pages turned and cropped in every way: in the picture that another program
// makes of the page.
func TestSealIsWhereItIsSaidToBe(t *testing.T) {
	for _, page := range []string{
		a4, a4 + " /Rotate 90", a4 + " /Rotate 180", a4 + " /Rotate 270", a4 + " /Rotate -90",
		"/MediaBox [-50 -20 600 900] /CropBox [10 30 500 700]", "/MediaBox [-50 -20 600 900] /CropBox [10 30 500 700] /Rotate 90",
		"/MediaBox [0 0 300 420] /UserUnit 2", "/MediaBox [0 0 300 420] /UserUnit 2 /Rotate 270",
	} {
		out, res := sealed(t, onePage(pdftest.Table, page), rsaSigner(), pdfx.Options{At: []pdfx.At{{-1, 70, 90}}})
		if len(res.Notes) > 0 {
			t.Errorf("%s: %v", page, res.Notes)
		}
		path := write(t, "out.pdf", out)
		base := strings.TrimSuffix(path, ".pdf")
		resolution := "254" // a pixel is 0.1 mm; this program does not know /UserUnit
		unit := 10.0
		if strings.Contains(page, "UserUnit") {
			unit = 5
		}
		if text, code := run(t, "pdftoppm", "-r", resolution, "-cropbox", "-png", "-singlefile", path, base); code != 0 {
			t.Fatal(text)
		}
		f, err := os.Open(base + ".png")
		if err != nil {
			t.Fatal(err)
		}
		m, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		var red, blue image.Rectangle
		for y := range m.Bounds().Dy() {
			for x := range m.Bounds().Dx() {
				r, g, b, _ := m.At(x, y).RGBA()
				at := image.Rect(x, y, x+1, y+1)
				if r > 0xc000 && g < 0x1000 && b < 0x1000 {
					red = red.Union(at)
				} else if b > 0xc000 && g < 0x1000 && r < 0x1000 {
					blue = blue.Union(at)
				}
			}
		}
		near := func(got image.Rectangle, x0, y0, x1, y1 float64) bool {
			want := []float64{x0 * unit, y0 * unit, x1 * unit, y1 * unit}
			for i, v := range []int{got.Min.X, got.Min.Y, got.Max.X, got.Max.Y} {
				if d := float64(v) - want[i]; d < -5 || d > 5 {
					return false
				}
			}
			return true
		}
		if !near(red, 50, 70, 90, 110) || !near(blue, 50, 70, 70, 90) {
			t.Errorf("%s: red at %v, blue at %v", page, red, blue)
		}
	}
}

func TestOverhangIsNoted(t *testing.T) {
	_, res := sealed(t, onePage(pdftest.Table, a4), &fixed{}, pdfx.Options{At: []pdfx.At{{1, 10, 100}}})
	if len(res.Notes) != 1 || res.Notes[0].Code != "overhang" {
		t.Errorf("notes %v", res.Notes)
	}
}

func TestSeveralPlacesOneSignature(t *testing.T) {
	in := pdfFile(pdftest.Table, "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
		"<< /Type /Page /Parent 2 0 R "+a4+" >>", "<< /Type /Page /Parent 2 0 R "+a4+" /Rotate 90 >>")
	out, _ := sealed(t, in, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 60, 60}, {1, 120, 60}, {-1, 60, 60}}})
	out, _ = sealed(t, out, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 60, 160}, {2, 60, 160}}})
	found, err := pdfx.Signatures(bytes.NewReader(out), int64(len(out)), pdfx.Options{})
	if err != nil || len(found) != 2 || found[0].Name != "Seal1" || found[1].Name != "Seal2" {
		t.Fatalf("%v %+v", err, found)
	}
	path := write(t, "out.pdf", out)
	if text, code := run(t, "qpdf", "--check", path); code != 0 {
		t.Errorf("qpdf --check: %d\n%s", code, text)
	}
	text, _ := run(t, "pdfsig", "-nocert", path)
	if strings.Count(text, "Signature is Valid.") < 2 || strings.Contains(text, "Invalid") || strings.Contains(text, "not yet") {
		t.Errorf("pdfsig:\n%s", text)
	}
}
