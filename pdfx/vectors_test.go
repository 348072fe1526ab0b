package pdfx_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/pdfx"
)

var typed = []error{pdfx.ErrNotPDF, pdfx.ErrDamaged, pdfx.ErrPassword, pdfx.ErrEncrypted, pdfx.ErrSyntax, pdfx.ErrLimit,
	pdfx.ErrCertified, pdfx.ErrPlace, pdfx.ErrSigned, pdfx.ErrLocked}

func isTyped(err error) bool {
	for _, t := range typed {
		if errors.Is(err, t) {
			return true
		}
	}
	return false
}

var validity = regexp.MustCompile(`Signature Validation: (.*)`)

// Real files of many makers, sealed visibly and invisibly, twice in a row, judged by qpdf and pdfsig.
func TestVectors(t *testing.T) {
	for _, path := range vectors(t) {
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			ok := strings.HasPrefix(filepath.Base(path), "ok-")
			var plain []byte
			for _, repair := range []bool{false, true} {
				o := pdfx.Options{At: []pdfx.At{{1, 60, 60}}, Repair: repair, Now: clock}
				var once bytes.Buffer
				res, err := pdfx.Sign(context.Background(), &once, bytes.NewReader(in), int64(len(in)), rsaSigner(), o)
				if err != nil {
					if ok || !isTyped(err) {
						t.Errorf("repair %t: %v", repair, err)
					}
					t.Logf("repair %t: refused: %v", repair, err)
					continue
				}
				checkSealed(t, in, once.Bytes(), res, o)
				twice, _ := sealed(t, once.Bytes(), rsaSigner(), pdfx.Options{})
				if !repair {
					plain = once.Bytes()
				} else if plain != nil && !bytes.Contains(in, []byte("/Encrypt")) && !bytes.Equal(once.Bytes(), plain) {
					t.Error("repair changes what needs none")
				}
				out := write(t, "out.pdf", twice)
				_, was := run(t, "qpdf", "--check", path)
				text, is := run(t, "qpdf", "--check", out)
				if was == 0 && is != 0 || was == 3 && is == 2 {
					t.Errorf("repair %t: qpdf --check: %d before, %d after\n%s", repair, was, is, text)
				}
				if was != 2 && pages(t, path) != pages(t, out) {
					t.Errorf("repair %t: %s pages before, %s after", repair, pages(t, path), pages(t, out))
				}
				before, _ := run(t, "pdfsig", "-nocert", path)
				after, _ := run(t, "pdfsig", "-nocert", out)
				old, now := validity.FindAllString(before, -1), validity.FindAllString(after, -1)
				if len(now) != len(old)+2 {
					t.Errorf("repair %t: pdfsig lists %d signatures before, %d after\n%s", repair, len(old), len(now), after)
					continue
				}
				if is == 2 {
					continue
				}
				for i, v := range now {
					if i < len(old) && v != old[i] || i >= len(old) && !strings.Contains(v, "is Valid.") {
						t.Errorf("repair %t: signature %d: %s", repair, i+1, v)
					}
				}
				if strings.Count(after, "Total document signed") < 1 {
					t.Errorf("repair %t: the last signature does not cover the whole document\n%s", repair, after)
				}
				var back bytes.Buffer
				if err := pdfx.Remove(&back, bytes.NewReader(twice), int64(len(twice)), pdfx.Options{}); err != nil || !bytes.Equal(back.Bytes(), once.Bytes()) {
					t.Errorf("repair %t: removing the second: %v", repair, err)
				}
				back.Reset()
				if err := pdfx.Remove(&back, bytes.NewReader(once.Bytes()), int64(once.Len()), pdfx.Options{}); err != nil || !bytes.Equal(back.Bytes(), in) {
					t.Errorf("repair %t: removing the first: %v", repair, err)
				}
			}
		})
	}
}

func pages(t *testing.T, path string) string {
	out, _ := run(t, "qpdf", "--show-npages", path)
	return regexp.MustCompile(`(?m)^\d+$`).FindString(out)
}

// The same files with a seal over the edges of all their pages and a remark: valid in pdfsig once for each page.
func TestVectorsOverEdges(t *testing.T) {
	for _, path := range vectors(t) {
		if !strings.HasPrefix(filepath.Base(path), "ok-") {
			continue
		}
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			o := pdfx.Options{Straddle: &pdfx.Straddle{}, At: []pdfx.At{{-1, 60, 60}}, Remark: "同意", Now: clock}
			var out bytes.Buffer
			res, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(in), int64(len(in)), rsaSigner(), o)
			if err != nil {
				if !isTyped(err) {
					t.Error(err)
				}
				t.Logf("refused: %v", err)
				return
			}
			checkSealed(t, in, out.Bytes(), res, o)
			name := write(t, "out.pdf", out.Bytes())
			if text, code := run(t, "qpdf", "--check", name); code != 0 {
				t.Errorf("qpdf --check: %d\n%s", code, text)
			}
			if n := pages(t, path); n != "" && strconv.Itoa(len(res.Shown)-1) != n {
				t.Errorf("%s pages, shown at %d places", n, len(res.Shown)-1)
			}
			before, _ := run(t, "pdfsig", "-nocert", path)
			after, _ := run(t, "pdfsig", "-nocert", name)
			was, is := strings.Count(before, "Signature is Valid."), strings.Count(after, "Signature is Valid.")
			if is != was+len(res.Shown) {
				t.Errorf("pdfsig: %d valid before, %d after, at %d places\n%s", was, is, len(res.Shown), after)
			}
			var back bytes.Buffer
			if err := pdfx.Remove(&back, bytes.NewReader(out.Bytes()), int64(out.Len()), pdfx.Options{}); err != nil || !bytes.Equal(back.Bytes(), in) {
				t.Errorf("removing gives other bytes: %v", err)
			}
		})
	}
}
