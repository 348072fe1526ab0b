package pdfx_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
)

const judgment = "../examples/quickstart/judgment.pdf"

// centre is the middle of a word as pdftotext has it, mm.
func (w word) centre() (x, y float64) {
	return (w.left + w.right) / 2, (w.top + w.bottom) / 2
}

// The seal's centre is on the text, and above the date, where pdftotext says that they are.
func TestSealAtTextOfAJudgment(t *testing.T) {
	in, err := os.ReadFile(judgment)
	if err != nil {
		t.Fatal(err)
	}
	pages := words(t, judgment)
	var date, judge []word
	for _, w := range pages[len(pages)-1] {
		switch {
		case strings.HasPrefix(w.text, "二〇二") && strings.HasSuffix(w.text, "日"):
			date = append(date, w)
		case strings.HasPrefix(w.text, "审"):
			judge = append(judge, w)
		}
	}
	if len(date) == 0 || len(judge) == 0 {
		t.Fatalf("pdftotext finds no date or judge: %v", pages[len(pages)-1])
	}
	_, res := sealed(t, in, rsaSigner(), pdfx.Options{DateLine: true})
	x, y := date[len(date)-1].centre()
	at := res.Shown[0]
	if math.Abs(at.X-x) > 0.5 || at.Page != len(pages) {
		t.Errorf("the seal is at %.2f mm of page %d, the date at %.2f of %d", at.X, at.Page, x, len(pages))
	}
	if up := y - at.Y; up < 0.5*20-0.5 || up > 0.9*20+0.5 {
		t.Errorf("the seal's centre is %.2f mm above the date's", up)
	}
	if len(res.Notes) > 0 {
		t.Errorf("notes %v", res.Notes)
	}
}

// row is a file whose pages have lines of text at these places (mm from the left and the top, Helvetica of 12 points).
func textPages(pages ...[]string) []byte {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"}
	kids := ""
	for _, lines := range pages {
		content := "BT /F 12 Tf "
		for _, l := range lines {
			var x, y float64
			var text string
			fmt.Sscanf(l, "%f %f", &x, &y)
			text = strings.SplitN(l, " ", 3)[2]
			content += fmt.Sprintf("1 0 0 1 %.2f %.2f Tm (%s) Tj ", x*72/25.4, 842-y*72/25.4, text)
		}
		content += "ET"
		objects = append(objects, fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content))
		objects = append(objects, fmt.Sprintf("<< /Type /Page /Parent 2 0 R %s /Contents %d 0 R /Resources << /Font << /F 3 0 R >> >> >>", a4, len(objects)))
		kids += fmt.Sprintf("%d 0 R ", len(objects))
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(pages))
	return pdfFile(pdftest.Table, objects...)
}

func TestKeywordOccurrences(t *testing.T) {
	in := textPages([]string{"30 60 Seal here", "130 60 Seal here and there"}, []string{"30 100 nothing"}, []string{"60 200 Seal here", "60 230 once only"})
	found, err := pdfx.FindText(t.Context(), bytes.NewReader(in), int64(len(in)), "Seal here", pdfx.Options{})
	if err != nil || len(found) != 3 {
		t.Fatal(found, err)
	}
	for _, c := range []struct {
		occurrence int
		want       []int // of found
	}{{1, []int{0}}, {2, []int{1}}, {3, []int{2}}, {-1, []int{2}}, {-3, []int{0}}, {pdfx.Every, []int{0, 1, 2}}} {
		out, res := sealed(t, in, rsaSigner(), pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here", Occurrence: c.occurrence, DX: 2, DY: -3}})
		if len(res.Shown) != len(c.want) || len(res.Notes) > 0 {
			t.Errorf("%d: shown at %v, notes %v", c.occurrence, res.Shown, res.Notes)
			continue
		}
		for i, n := range c.want {
			f, at := found[n], res.Shown[i]
			if at.Page != f.Page || math.Abs(at.X-f.X-f.Width/2-2) > 0.01 || math.Abs(at.Y-f.Y-f.Height/2+3) > 0.01 {
				t.Errorf("%d: shown at %v, the text is at %v", c.occurrence, at, f)
			}
		}
		if c.occurrence == pdfx.Every {
			said, _ := run(t, "pdfsig", "-nocert", write(t, "out.pdf", out))
			if strings.Count(said, "Signature is Valid.") != 3 { // listed once for each place
				t.Errorf("pdfsig:\n%s", said)
			}
		}
	}
	sealed(t, in, rsaSigner(), pdfx.Options{Keyword: &pdfx.Keyword{Text: "once only"}})
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here"}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here"}}, pdfx.ErrSeveral)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here", Occurrence: 4}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here", Occurrence: -4}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal nowhere"}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{}}, pdfx.ErrOptions)
	refused(t, in, pdfx.Options{DateLine: true}, pdfx.ErrPlace)
}

// The seal rises or sinks over the date where text stands close to it, and covers as little as can be.
func TestDateLineKeepsClearOfText(t *testing.T) {
	const date = "150 200 2026-06-01"
	for name, c := range map[string]struct {
		above    string
		noted    bool
		min, max float64 // mm from the date's middle up to the seal's centre
	}{
		"alone":      {"", false, 11.9, 12.1},
		"close text": {"150 168 presiding", false, 9.9, 11.5}, // at 12 mm the seal's upper edge would reach it
		"too close":  {"150 190 presiding", true, 9.9, 18.1},
	} {
		lines := []string{date}
		if c.above != "" {
			lines = append(lines, c.above)
		}
		in := textPages(lines)
		_, res := sealed(t, in, rsaSigner(), pdfx.Options{DateLine: true})
		found, err := pdfx.FindDate(t.Context(), bytes.NewReader(in), int64(len(in)), pdfx.Options{})
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		up := found[0].Y + found[0].Height/2 - res.Shown[0].Y
		if up < c.min || up > c.max {
			t.Errorf("%s: the seal's centre is %.2f mm above the date", name, up)
		}
		if noted := len(res.Notes) == 1 && res.Notes[0].Code == "over-text"; noted != c.noted {
			t.Errorf("%s: notes %v", name, res.Notes)
		}
	}
}

// A date near the edge of the page does not have the seal cut off.
func TestDateLineKeepsOnThePage(t *testing.T) {
	for _, line := range []string{"150 8 2026-06-01", "150 25 2026-06-01", "3 150 2026-06-01", "190 150 2026-06-01", "150 295 2026-06-01"} {
		_, res := sealed(t, textPages([]string{line}), rsaSigner(), pdfx.Options{DateLine: true})
		at := res.Shown[0]
		if len(res.Notes) > 0 || at.X < 20 || at.X > 190 || at.Y < 20 || at.Y > 277.1 {
			t.Errorf("%s: the seal is at %v, notes %v", line, at, res.Notes)
		}
	}
}

// What is told of covered text is told of the place that the seal gets.
func TestDateLineTellsWhatIsCovered(t *testing.T) {
	first, _ := sealed(t, textPages([]string{"120 200 2026-06-01", "88 185 presiding"}), rsaSigner(), pdfx.Options{DateLine: true})
	_, res := sealed(t, first, rsaSigner(), pdfx.Options{DateLine: true})
	if len(res.Notes) != 2 || res.Notes[0].Code != "in-row" || res.Notes[1].Code != "over-text" {
		t.Error(res.Notes)
	}
	_, res = sealed(t, textPages([]string{"150 150 2026-06-01", "60 200 2026-06-02"}), rsaSigner(), pdfx.Options{DateLine: true})
	if len(res.Notes) != 1 || res.Notes[0].Code != "dates" || math.Abs(res.Shown[0].X-71) > 3 {
		t.Error(res.Notes, res.Shown)
	}
}

// A seal that no part of a page would show is refused.
func TestOutsideOfThePage(t *testing.T) {
	in := textPages([]string{"60 200 Seal here"})
	refused(t, in, pdfx.Options{At: []pdfx.At{{1, 500, 100}}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{At: []pdfx.At{{1, 100, -30}}}, pdfx.ErrPlace)
	refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "Seal here", DX: -120}}, pdfx.ErrPlace)
	if _, res := sealed(t, in, rsaSigner(), pdfx.Options{At: []pdfx.At{{1, 100, -10}}}); len(res.Notes) != 1 || res.Notes[0].Code != "overhang" {
		t.Error(res.Notes)
	}
}

// Several organs seal the same date: their seals stand in a row and do not touch.
func TestSealsInARow(t *testing.T) {
	b := textPages([]string{"120 200 2026-06-01"})
	var all []pdfx.At
	for n := range 4 {
		out, res := sealed(t, b, rsaSigner(), pdfx.Options{DateLine: true})
		for _, at := range all {
			if math.Abs(at.X-res.Shown[0].X) < 41-0.01 || at.Y != res.Shown[0].Y {
				t.Errorf("seal %d at %v, another at %v", n+1, res.Shown[0], at)
			}
		}
		if n > 0 && (len(res.Notes) != 1 || res.Notes[0].Code != "in-row") {
			t.Errorf("notes %v", res.Notes)
		}
		all = append(all, res.Shown...)
		b = out
	}
	if all[1].X > all[0].X {
		t.Errorf("the second seal stands at the right: %v", all)
	}
	refused(t, b, pdfx.Options{DateLine: true}, pdfx.ErrPlace) // a page of A4 has no room for five
}

// Text that cannot be read is never passed over in silence.
func TestUnreadText(t *testing.T) {
	z := []byte(pdftest.Flate("", "BT /F 12 Tf 1 0 0 1 100 600 Tm (before) Tj ET "+strings.Repeat("0 0 m ", 20_000)+"BT /F 12 Tf (after) Tj ET"))
	z[len(z)-len("\nendstream")-20] ^= 0xff
	z[len(z)-len("\nendstream")-19] ^= 0xff
	in := onePage(pdftest.Table, a4+" /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >>",
		string(z),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	found, err := pdfx.FindText(t.Context(), bytes.NewReader(in), int64(len(in)), "before", pdfx.Options{})
	if !errors.Is(err, pdfx.ErrUnread) || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if _, err := pdfx.FindDate(t.Context(), bytes.NewReader(in), int64(len(in)), pdfx.Options{}); !errors.Is(err, pdfx.ErrUnread) {
		t.Error(err)
	}
	_, res := sealed(t, in, rsaSigner(), pdfx.Options{Keyword: &pdfx.Keyword{Text: "before"}})
	if len(res.Notes) != 1 || res.Notes[0].Code != "text-unread" {
		t.Errorf("notes %v", res.Notes)
	}
	for _, want := range []error{pdfx.ErrPlace, pdfx.ErrUnread} {
		refused(t, in, pdfx.Options{Keyword: &pdfx.Keyword{Text: "after"}}, want)
		refused(t, in, pdfx.Options{DateLine: true}, want)
	}
}
