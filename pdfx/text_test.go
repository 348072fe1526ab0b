package pdfx_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
	"github.com/courtseal/courtseal/pdfx"
)

const point = 25.4 / 72 // millimetres

// A word is what pdftotext -bbox tells of one, in millimetres on the page as it is seen.
type word struct {
	text                     string
	left, top, right, bottom float64
}

func (w word) String() string {
	return fmt.Sprintf("%s at %.2f %.2f, %.2f x %.2f", w.text, w.left, w.top, w.right-w.left, w.bottom-w.top)
}

// words asks poppler for the words of each page.
func words(t testing.TB, path string) [][]word {
	t.Helper()
	list := filepath.Join(t.TempDir(), "words.html")
	run(t, "pdftotext", "-q", "-cropbox", "-bbox", path, list)
	out, err := os.ReadFile(list)
	if err != nil {
		return nil // a file that poppler cannot open
	}
	return parseWords(t, string(out))
}

func parseWords(t testing.TB, out string) (pages [][]word) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' {
			return -1
		}
		return r
	}, out)))
	d.Strict = false
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return pages
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "page":
			pages = append(pages, nil)
		case "word":
			var w struct {
				XMin float64 `xml:"xMin,attr"`
				YMin float64 `xml:"yMin,attr"`
				XMax float64 `xml:"xMax,attr"`
				YMax float64 `xml:"yMax,attr"`
				Text string  `xml:",chardata"`
			}
			if err := d.DecodeElement(&w, &e); err != nil {
				t.Fatal(err)
			}
			last := len(pages) - 1
			pages[last] = append(pages[last], word{w.Text, w.XMin * point, w.YMin * point, w.XMax * point, w.YMax * point})
		}
	}
}

// readable says whether poppler itself knows all of a word.
func (w word) readable() bool {
	return w.text != "" && !strings.ContainsFunc(w.text, func(r rune) bool { return r == unicode.ReplacementChar || unicode.IsControl(r) })
}

// near says whether a box is where a word is: both centres at most half a millimetre apart. The centre of a line depends on
// what its font is taken to be high, which for large text is more than that.
func (w word) near(left, top, right, bottom float64) bool {
	return math.Abs(w.left+w.right-left-right) <= 1 &&
		math.Abs(w.top+w.bottom-top-bottom) <= max(1, 0.2*(w.bottom-w.top))
}

// Real files of many makers: what poppler sees as a word, we find at the same place.
func TestTextVectors(t *testing.T) {
	seen, found := 0, 0
	for _, path := range vectors(t) {
		name := filepath.Base(path)
		in, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := pdf.Open(bytes.NewReader(in), int64(len(in)), pdf.Options{Repair: true})
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		r := pdftext.New(f)
		for i, list := range words(t, path) {
			text, err := r.Page(context.Background(), i+1)
			if err != nil {
				t.Logf("%s: %v", name, err)
				continue
			}
			n, ok, missed := 0, 0, []string{}
			for _, w := range list {
				if !w.readable() {
					continue
				}
				n++
				if u := text.Page.UserUnit; u != 1 { // which poppler does not know
					w = word{w.text, w.left * u, w.top * u, w.right * u, w.bottom * u}
				}
				if hit(text, w) {
					ok++
				} else {
					missed = append(missed, w.text)
				}
			}
			seen, found = seen+n, found+ok
			if ok < n {
				t.Logf("%s page %d: %d of %d words, not %.100q (%v)", name, i+1, ok, n, missed, text.Err)
			}
		}
	}
	t.Logf("%d of %d words, %.2f%%", found, seen, 100*float64(found)/float64(seen))
	if found*100 < seen*97 {
		t.Errorf("%d of %d words found", found, seen)
	}
}

// hit says whether a word is found at its place.
func hit(text *pdftext.Text, w word) bool {
	for _, m := range text.Find(w.text) {
		if w.near(pdfx.AsSeen(m)) {
			return true
		}
	}
	return false
}
