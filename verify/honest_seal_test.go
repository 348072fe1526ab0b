package verify

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/peertest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// Every kind of signature after every other, and a document time stamp after each.
func honestSeals(t *testing.T, h *evolutions) {
	signers := h.signers(t)
	for name, first := range signers {
		before := sealFile(t, page(), first, shownIf(first, 1))
		for other, second := range signers {
			h.check(t, evolution{name: name + ", then " + other, before: before, after: sealFile(t, before, second, shownIf(second, 2))})
		}
		once := dated(t, before, tsa(noon.Add(time.Minute)))
		h.check(t, evolution{name: name + ", then a time stamp", before: before, after: once})
		h.check(t, evolution{name: name + ", stamped again", before: once, after: dated(t, once, tsa(noon.Add(time.Hour)))})
	}
}

// shownIf shows the seal, if the signer has a picture, in one of three places.
func shownIf(s sign.Signer, place int) pdfx.Options {
	if s.Profile().Picture == nil {
		return pdfx.Options{}
	}
	return pdfx.Options{At: []pdfx.At{{Page: 1, X: 50 * float64(place), Y: 60}}}
}

// quickstart is the quickstart's document: three pages with a signature block, from LibreOffice.
func quickstart(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "examples", "quickstart", "judgment.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// byPrograms has other programs make files of the judgment; those that are not installed are left out.
func byPrograms(t *testing.T) map[string][]byte {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, quickstart(t), 0o600); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"LibreOffice": quickstart(t)}
	for name, args := range map[string][]string{
		"qpdf":                  {"qpdf", "IN", "OUT"},
		"qpdf, packed":          {"qpdf", "--object-streams=generate", "IN", "OUT"},
		"qpdf, linear":          {"qpdf", "--linearize", "IN", "OUT"},
		"qpdf, linear, packed":  {"qpdf", "--linearize", "--object-streams=generate", "IN", "OUT"},
		"qpdf, RC4":             {"qpdf", "--allow-weak-crypto", "--encrypt", "", "owner", "128", "--use-aes=n", "--", "IN", "OUT"},
		"qpdf, AES":             {"qpdf", "--encrypt", "", "owner", "256", "--", "IN", "OUT"},
		"qpdf, AES, packed":     {"qpdf", "--object-streams=generate", "--encrypt", "", "owner", "256", "--", "IN", "OUT"},
		"qpdf, one page":        {"qpdf", "--qdf", "--pages", "IN", "1", "--", "IN", "OUT"},
		"Ghostscript":           {"gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=OUT", "IN"},
		"mutool":                {"mutool", "clean", "-gggg", "IN", "OUT"},
		"poppler, by cairo":     {"pdftocairo", "-pdf", "-f", "1", "-l", "2", "IN", "OUT"},
		"poppler, put together": {"pdfunite", "IN", "IN", "OUT"},
	} {
		if !peertest.Has(t, args[0]) {
			continue
		}
		made := filepath.Join(dir, "out.pdf")
		os.Remove(made)
		for i, a := range args {
			args[i] = strings.NewReplacer("IN", in, "OUT", made).Replace(a)
		}
		if text, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		b, err := os.ReadFile(made)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

// Files that other programs wrote, with all the ways in which a seal is shown.
func honestFiles(t *testing.T, h *evolutions) {
	seal, dual, clerk := h.w.stamp(t, sign.SES, noon), h.w.stamp(t, sign.Dual, noon), cmsSigner(t, h.w.rsa)
	for name, file := range byPrograms(t) {
		before := sealFile(t, file, dual, pdfx.Options{At: []pdfx.At{{Page: 1, X: 60, Y: 250}}, Remark: "与原件核对无异", Text: true, Name: "书记员", Reason: "送达"})
		for how, c := range map[string]struct {
			signer sign.Signer
			o      pdfx.Options
		}{
			"seal":     {seal, pdfx.Options{At: []pdfx.At{{Page: -1, X: 150, Y: 250}, {Page: 1, X: 105, Y: 100}}}},
			"straddle": {dual, pdfx.Options{Straddle: &pdfx.Straddle{Edge: pdfx.Left}, Remark: "骑缝"}},
			"clerk":    {clerk, pdfx.Options{Name: "clerk", Location: "示例市"}},
		} {
			h.check(t, evolution{name: name + ", " + how, before: before, after: sealFile(t, before, c.signer, c.o)})
		}
		if name == "LibreOffice" || strings.HasPrefix(name, "qpdf, linear") {
			on := sealFile(t, before, seal, pdfx.Options{DateLine: true})
			h.check(t, evolution{name: name + ", on the date line", before: before, after: on})
			h.check(t, evolution{name: name + ", beside that", before: on, after: sealFile(t, on, dual, pdfx.Options{DateLine: true, Remark: "第二枚", Text: true})})
		}
	}
}

// Certifications and locks that leave room for what follows.
func honestCertified(t *testing.T, h *evolutions) {
	signers := h.signers(t)
	for _, p := range []int{2, 3} {
		for _, f := range []string{"ses", "dual", "rsa"} {
			before := sealFile(t, threePages(nil), signers[f], pdfx.Options{Certify: p})
			name := f + ", P " + string(rune('0'+p))
			h.check(t, evolution{name: name + ", stamped", before: before, after: dated(t, before, tsa(noon.Add(time.Minute)))})
			clerk := sealFile(t, before, signers["dual"], pdfx.Options{Field: "Clerk"})
			h.check(t, evolution{name: name + ", waiting field", before: before, after: clerk})
			h.check(t, evolution{name: name + ", second waiting field", before: clerk, after: sealFile(t, clerk, signers["ses"], pdfx.Options{Field: "Judge"})})
			h.check(t, evolution{name: name + ", new field", before: before, after: sealFile(t, before, signers["cms"], pdfx.Options{})})
			h.check(t, evolution{name: name + ", new seal", before: before, after: sealFile(t, before, signers["cms"], shownIf(signers["cms"], 1))})
		}
	}
	for name, lock := range map[string][]string{"another field": {"Judge"}, "fields that are not there": {"Judge", "a.b", "Seal2"}} {
		before := sealFile(t, threePages(nil), signers["dual"], pdfx.Options{Field: "Clerk", Lock: &pdfx.Lock{Fields: lock}})
		h.check(t, evolution{name: name + " locked, a seal", before: before, after: sealFile(t, before, signers["ses"], shownIf(signers["ses"], 2))})
		h.check(t, evolution{name: name + " locked, a stamp", before: before, after: dated(t, before, tsa(noon.Add(time.Minute)))})
	}
}

// Files of other makers, signed or not, sealed twice: no signature is worse for it.
func honestVectors(t *testing.T, h *evolutions) {
	files, err := filepath.Glob(filepath.Join(shared(t, "vectors/pdf"), "*.pdf"))
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		file, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i, signer := range []sign.Signer{cmsSigner(t, h.w.rsa), h.w.stamp(t, sign.SES, noon), dating{clockwork: tsa(noon.Add(time.Minute))}} {
			var out bytes.Buffer
			o := pdfx.Options{Now: at(noon), SubFilter: []string{"", "", "ETSI.RFC3161"}[i]}
			_, err := pdfx.Sign(t.Context(), &out, bytes.NewReader(file), int64(len(file)), signer, o)
			if errors.Is(err, pdfx.ErrDamaged) {
				o.Repair = true
				out.Reset()
				_, err = pdfx.Sign(t.Context(), &out, bytes.NewReader(file), int64(len(file)), signer, o)
			}
			if err != nil {
				break // encrypted, certified or beyond repair: other tests see to these
			}
			if r, _ := Document(t.Context(), bytes.NewReader(file), int64(len(file)), Options{At: noon}); r != nil && len(r.Signatures) > 0 {
				h.check(t, evolution{name: filepath.Base(f) + []string{", signed", ", sealed", ", stamped"}[i], before: file, after: bytes.Clone(out.Bytes()), strangers: true})
			}
			file = bytes.Clone(out.Bytes())
		}
	}
}
