package main

import (
	"bytes"
	"fmt"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/examples/internal/demo"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/verify"
)

var (
	sealed     = []string{"judgment-ses.pdf", "judgment-cms-sm2.pdf", "judgment-cms-rsa.pdf", "judgment-dual.pdf"}
	sealedWord = []string{"judgment-ses.docx", "judgment-cms-rsa.docx", "judgment-dual.docx"}
)

// start runs quickstart in this process and wants exit code 0.
func start(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	env := func(string) string { return "" }
	if code := quickstart(t.Context(), append([]string{"-o", dir}, args...), env, &out, &errs); code != 0 {
		t.Fatalf("exit code %d\n%s%s", code, out.String(), errs.String())
	}
	if errs.Len() > 0 {
		t.Errorf("said to stderr: %s", errs.String())
	}
	return out.String()
}

func peer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

func TestQuickstart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	said := start(t, dir)

	t.Run("files", func(t *testing.T) {
		want := slices.Concat([]string{"court.esl", "court.png", "judgment.docx", "judgment.pdf", "keys", "roots.pem"}, sealed, sealedWord)
		if _, err := exec.LookPath("pdftoppm"); err == nil {
			want = append(want, "page.png")
			if _, err := exec.LookPath("soffice"); err == nil {
				want = append(want, "page-word.png")
			}
		}
		sort.Strings(want)
		var got []string
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, e.Name())
			if !strings.Contains(usage, e.Name()) {
				t.Errorf("usage does not tell of %s", e.Name())
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("files %v\nwant %v", got, want)
		}
		plain, err := os.ReadFile(filepath.Join(dir, "judgment.pdf"))
		if err != nil || !bytes.Equal(plain, judgment) {
			t.Errorf("judgment.pdf is not the bundled one: %v", err)
		}
		for _, name := range sealed {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !bytes.HasPrefix(b, plain) {
				t.Errorf("%s does not begin with the judgment: %v", name, err)
			}
		}
		word, err := os.ReadFile(filepath.Join(dir, "judgment.docx"))
		if err != nil || !bytes.Equal(word, judgmentWord) {
			t.Errorf("judgment.docx is not the bundled one: %v", err)
		}
		for _, name := range sealedWord {
			again := filepath.Join(t.TempDir(), name)
			if err := officex.RemoveFile(again, filepath.Join(dir, name), officex.Options{}); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(again); err != nil || !bytes.Equal(b, word) {
				t.Errorf("%s with its seal taken off is not the judgment: %v", name, err)
			}
		}
	})

	t.Run("verdicts of Word documents", func(t *testing.T) {
		roots, err := verify.ReadRoots(filepath.Join(dir, "roots.pem"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range sealedWord {
			r, err := verify.File(t.Context(), filepath.Join(dir, name), verify.Options{Roots: roots})
			if err != nil {
				t.Fatal(err)
			}
			var formats []string
			sealed := false
			for _, s := range r.Signatures {
				formats = append(formats, string(s.Format))
				sealed = sealed || s.Seal != nil && s.Seal.Name == demo.Court
			}
			if !sealed {
				t.Errorf("%s has no seal: %s", name, r)
			}
			slices.Sort(formats)
			if want := []string{"ses", "xml", "ses xml"}[i]; r.Verdict != verify.Valid || r.Format != "DOCX" || strings.Join(formats, " ") != want {
				t.Errorf("%s: %v\n%s", name, formats, r)
			}
			if r, err := verify.File(t.Context(), filepath.Join(dir, name), verify.Options{}); err != nil || r.Verdict != verify.Indeterminate {
				t.Errorf("%s without roots: %v, %v", name, r, err)
			}
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			b[bytes.Index(b, []byte("word/styles.xml"))+100] ^= 1
			if r, err := verify.Document(t.Context(), bytes.NewReader(b), int64(len(b)), verify.Options{Roots: roots}); err == nil && r.Verdict != verify.Invalid {
				t.Errorf("%s changed: %s", name, r)
			}
		}
	})

	t.Run("verdicts", func(t *testing.T) {
		roots, err := verify.ReadRoots(filepath.Join(dir, "roots.pem"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range sealed {
			format := []string{"ses", "cms", "cms", "dual"}[i]
			r, err := verify.File(t.Context(), filepath.Join(dir, name), verify.Options{Roots: roots})
			if err != nil {
				t.Fatal(err)
			}
			if r.Verdict != verify.Valid || len(r.Signatures) != 1 || string(r.Signatures[0].Format) != format || r.Signatures[0].Seal == nil {
				t.Errorf("%s: %s", name, r)
			} else if s := r.Signatures[0].Seal; s.Name != demo.Court || s.Width != 45 || s.Version != 4 {
				t.Errorf("%s: seal %+v", name, s)
			}
			var both bytes.Buffer
			if (&printer{w: &both, lang: "both"}).report(r, ""); !strings.Contains(both.String(), "有效 / valid") {
				t.Errorf("not in both languages:\n%s", both.String())
			}
			// The same file trusting nobody, and with one letter of the judgment changed.
			if r, err := verify.File(t.Context(), filepath.Join(dir, name), verify.Options{}); err != nil || r.Verdict != verify.Indeterminate {
				t.Errorf("%s without roots: %v, %v", name, r, err)
			}
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			b[len(judgment)/2] ^= 1
			if r, err := verify.Document(t.Context(), bytes.NewReader(b), int64(len(b)), verify.Options{Roots: roots}); err == nil && r.Verdict != verify.Invalid {
				t.Errorf("%s changed: %s", name, r)
			}
		}
	})

	t.Run("pdfsig", func(t *testing.T) {
		tool := peer(t, "pdfsig")
		for _, name := range sealed[2:] {
			b, err := exec.Command(tool, "-nocert", filepath.Join(dir, name)).CombinedOutput()
			for _, want := range []string{"Signature is Valid", "Total document signed"} {
				if !strings.Contains(string(b), want) {
					t.Errorf("%s: %v\n%s", name, err, b)
				}
			}
		}
	})

	t.Run("qpdf", func(t *testing.T) {
		tool := peer(t, "qpdf")
		for _, name := range sealed {
			if b, err := exec.Command(tool, "--check", filepath.Join(dir, name)).CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, b)
			}
		}
	})

	t.Run("place", func(t *testing.T) {
		peer(t, "pdftoppm")
		for _, name := range []string{sealed[0], sealed[3]} {
			seenSeal(t, filepath.Join(dir, name), 0.25)
		}
	})

	// LibreOffice shows the seal of a Word document where that of the PDF is: it is the same page.
	t.Run("place in Word", func(t *testing.T) {
		office := peer(t, "soffice")
		peer(t, "pdftoppm")
		work := t.TempDir()
		args := []string{"-env:UserInstallation=file://" + filepath.Join(work, "profile"), "--headless", "--convert-to", "pdf", "--outdir", work}
		for _, name := range sealedWord {
			args = append(args, filepath.Join(dir, name))
		}
		if b, err := exec.Command(office, args...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		for _, name := range sealedWord {
			seenSeal(t, filepath.Join(work, strings.TrimSuffix(name, ".docx")+".pdf"), 1)
		}
	})

	t.Run("output", func(t *testing.T) {
		for _, name := range slices.Concat(sealed, sealedWord) {
			if !strings.Contains(said, "✓ "+filepath.Join(dir, name)+": valid") {
				t.Errorf("the output does not say that %s is valid", name)
			}
		}
		if strings.Contains(said, "✗") || strings.Contains(said, "\n     ? ") {
			t.Errorf("the output has a check that is not valid:\n%s", said)
		}
	})

	// A second run uses the keys and the seal of the first.
	t.Run("again", func(t *testing.T) {
		before, err := os.ReadFile(filepath.Join(dir, "court.esl"))
		if err != nil {
			t.Fatal(err)
		}
		said := start(t, dir, "--lang", "zh")
		for _, want := range []string{"沿用已有的", demo.Court, "judgment-dual.pdf: 有效"} {
			if !strings.Contains(said, want) {
				t.Errorf("the output does not say %s:\n%s", want, said)
			}
		}
		after, err := os.ReadFile(filepath.Join(dir, "court.esl"))
		if err != nil || !bytes.Equal(before, after) {
			t.Error("the seal was made again")
		}
	})
}

// The line of the date on the judgment's last page: the middle of its characters as pdftotext -bbox has them, in mm from the top
// left of the page (its ink lies 0.3 mm further left); and how far above it the seal's centre stands, so that the lower arc lies
// over the date.
const (
	dateX      = 138.9
	dateY      = 225.1
	dateToSeal = 13.5
)

// seenSeal measures the seal as poppler shows it, in mm: what the sealed page has in red and the plain one has not.
func seenSeal(t *testing.T, name string, within float64) {
	t.Helper()
	const perMM, fromX, fromY = 10, 900, 1750 // pixels
	page := filepath.Join(t.TempDir(), "page")
	b, err := exec.Command("pdftoppm", "-png", "-r", "254", "-f", "3", "-singlefile",
		"-x", fmt.Sprint(fromX), "-y", fmt.Sprint(fromY), "-W", "1000", "-H", "800", name, page).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	f, err := os.Open(page + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	left, top, right, bottom := im.Bounds().Max.X, im.Bounds().Max.Y, 0, 0
	for y := range im.Bounds().Max.Y {
		for x := range im.Bounds().Max.X {
			if r, g, _, _ := im.At(x, y).RGBA(); r > g+0x4000 {
				left, right, top, bottom = min(left, x), max(right, x+1), min(top, y), max(bottom, y+1)
			}
		}
	}
	// Poppler widens an image to whole pixels, on both sides.
	near := func(what string, pixels, wantMM float64) {
		if got := pixels / perMM; got < wantMM-within || got > wantMM+within {
			t.Errorf("%s: %s is %.2f mm, want %.2f", filepath.Base(name), what, got, wantMM)
		}
	}
	near("width", float64(right-left), 45)
	near("height", float64(bottom-top), 45)
	near("centre from the left", fromX+float64(left+right)/2, dateX)
	near("centre from the top", fromY+float64(top+bottom)/2, dateY-dateToSeal)
	for y := top; y < bottom; y++ { // nothing but the date lies under the seal
		for x := left; x < right; x++ {
			dx, dy := float64(x-(left+right)/2)/perMM, float64(y-(top+bottom)/2)/perMM
			date := math.Abs(float64(fromY+y)/perMM-dateY) < 4
			if r, g, bl, _ := im.At(x, y).RGBA(); !date && dx*dx+dy*dy < 22*22 && r < 0x4000 && g < 0x4000 && bl < 0x4000 {
				t.Fatalf("%s: text under the seal at %.1f, %.1f mm", filepath.Base(name), float64(fromX+x)/perMM, float64(fromY+y)/perMM)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		out  string // on stdout when the code is 0, else on stderr
	}{
		{[]string{"-h"}, 0, "usage: quickstart"},
		{[]string{"--help"}, 0, "usage: quickstart"},
		{[]string{"-x"}, 4, "-x"},
		{[]string{"judgment.pdf"}, 4, "usage"},
		{[]string{"-lang", "fr"}, 4, "usage"},
		{[]string{"-o", "quickstart_test.go"}, 4, "quickstart_test.go"},
	} {
		var out, errs bytes.Buffer
		code := quickstart(t.Context(), c.args, func(string) string { return "" }, &out, &errs)
		said := &out
		if c.code != 0 {
			said = &errs
		}
		if code != c.code || !strings.Contains(said.String(), c.out) {
			t.Errorf("%v: exit code %d\n%s%s", c.args, code, out.String(), errs.String())
		}
	}
}

func TestLanguage(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{nil, "en"},
		{map[string]string{"LANG": "zh_CN.UTF-8"}, "zh"},
		{map[string]string{"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"},
		{map[string]string{"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_HK"}, "zh"},
		{map[string]string{"LANG": "de_DE"}, "en"},
	} {
		if got := language(func(k string) string { return c.env[k] }); got != c.want {
			t.Errorf("%v: %s", c.env, got)
		}
	}
}

// The judgment is what its page says: three pages, small, and with its fonts in it.
func TestJudgment(t *testing.T) {
	if len(judgment) > 200<<10 || len(judgmentWord) > 20<<10 {
		t.Errorf("%d and %d bytes", len(judgment), len(judgmentWord))
	}
	name := filepath.Join(t.TempDir(), "judgment.pdf")
	if err := os.WriteFile(name, judgment, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := exec.Command(peer(t, "pdfinfo"), name).Output()
	if err != nil || !strings.Contains(string(info), "Pages:           3\n") {
		t.Errorf("%v\n%s", err, info)
	}
	text, err := exec.Command(peer(t, "pdftotext"), name, "-").Output()
	for _, want := range []string{demo.Court, "（2026）示9901民初123号", "二〇二六年九月十五日"} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("no %s in the text: %v", want, err)
		}
	}
	fonts, err := exec.Command(peer(t, "pdffonts"), name).Output()
	lines := strings.Split(strings.TrimSpace(string(fonts)), "\n")
	if err != nil || len(lines) < 4 {
		t.Fatalf("%v\n%s", err, fonts)
	}
	for _, l := range lines[2:] {
		if !strings.Contains(l, "NotoSerifCJK") || !strings.Contains(l, "yes yes yes") {
			t.Errorf("font not embedded: %s", l)
		}
	}
}
