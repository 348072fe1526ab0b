package pageink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A sheet is a file of one page, 600 by 800.
type sheet struct {
	content string
	extra   string   // entries of the page
	objects []string // from 10 on; what follows a line break after the dictionary's end is a stream's data
}

const resources = "/Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> /XObject << /Im 5 0 R /Mask 6 0 R /X 10 0 R >> " +
	"/ExtGState << /Clear << /ca 0 /CA 0 >> /Full << /ca 1 /CA 1 >> >> /Shading << /S << /ShadingType 2 /ColorSpace /DeviceRGB >> >> " +
	"/ColorSpace << /Four [/ICCBased 7 0 R] /Spot [/Separation /Red /DeviceRGB 7 0 R] >> /Properties << >>"

func (s sheet) open(t testing.TB) *pdf.File {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	put := func(n int, o string) {
		if head, data, ok := strings.Cut(o, ">>\n"); ok {
			o = fmt.Sprintf("%s /Length %d >>\nstream\n%s\nendstream", head, len(data), data)
		}
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", n, o)
	}
	put(1, "<< /Type /Catalog /Pages 2 0 R >>")
	put(2, "<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
	put(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << "+resources+" >> "+s.extra+" >>")
	put(4, "<< >>\n"+s.content)
	put(5, "<< /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray >>\n\x00")
	put(6, "<< /Subtype /Image /Width 1 /Height 1 /ImageMask true >>\n\x00")
	put(7, "<< /N 4 >>\nprofile")
	for i, o := range s.objects {
		put(10+i, o)
	}
	b.WriteString("trailer\n<< /Root 1 0 R /Size 100 >>\n")
	f, err := pdf.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), pdf.Options{Repair: true})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// text is a line in Courier, whose characters are 0.6 wide.
func text(x, y, size float64, s string) string {
	return fmt.Sprintf("BT /F %v Tf %v %v Td (%s) Tj ET ", size, x, y, s)
}

func summary(f Found) string {
	s := fmt.Sprintf("%d %q %d %d", f.Letters, f.Text, f.Pictures, f.Shapes)
	for _, r := range f.Widgets {
		s += fmt.Sprintf(" widget %d", r.Num)
	}
	for _, r := range f.Annots {
		s += fmt.Sprintf(" annot %d", r.Num)
	}
	return s
}

const nothing = `0 "" 0 0`

// What stands in the square of 100 at (100, 100).
func TestUnder(t *testing.T) {
	form := func(entries, content string) []string {
		return []string{"<< /Subtype /Form " + entries + " >>\n" + content}
	}
	for name, c := range map[string]struct {
		content, want string
		objects       []string
	}{
		"nothing":                   {"", nothing, nil},
		"letters":                   {text(110, 110, 10, "a b"), `2 "ab" 0 0`, nil},
		"letters beside":            {text(88, 110, 10, "ab"), nothing, nil},
		"the middle counts":         {text(91, 110, 10, "ab"), `1 "b" 0 0`, nil},
		"a letter around the box":   {text(0, 0, 400, "A"), `1 "A" 0 0`, nil},
		"a line to write on":        {text(110, 110, 10, "____....-- "), nothing, nil},
		"a scaled line":             {"q 5 0 0 5 100 100 cm " + text(2, 2, 2, "ab") + "Q", `2 "ab" 0 0`, nil},
		"invisible text":            {"3 Tr " + text(110, 110, 10, "ab"), nothing, nil},
		"text that clips only":      {"7 Tr " + text(110, 110, 10, "ab"), nothing, nil},
		"outlined text":             {"1 Tr 1 g " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"white text":                {"1 g " + text(110, 110, 10, "ab"), nothing, nil},
		"white text again black":    {"q 1 g Q " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"white text on a ground":    {"0 0 1 rg 0 0 600 800 re f 1 1 1 rg " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"white text beside one":     {"0 0 1 rg 300 300 9 9 re f 1 1 1 rg " + text(110, 110, 10, "ab"), nothing, nil},
		"transparent text":          {"/Clear gs " + text(110, 110, 10, "ab"), nothing, nil},
		"text that is shown again":  {"/Clear gs /Full gs " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"no ink is white":           {"0 0 0 0 k " + text(110, 110, 10, "ab"), nothing, nil},
		"ink is not":                {"1 1 1 1 k " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"ink by a profile":          {"/Four cs 1 1 1 1 scn " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"no ink by a profile":       {"/Four cs 0 0 0 0 scn " + text(110, 110, 10, "ab"), nothing, nil},
		"a spot colour":             {"/Spot cs 1 scn 110 110 20 20 re f", `0 "" 0 1`, nil},
		"white in RGB":              {"/DeviceRGB cs 1 1 1 sc 110 110 20 20 re f", nothing, nil},
		"an unknown colour":         {"/Pattern cs /P scn 110 110 20 20 re f", `0 "" 0 1`, nil},
		"ActualText of nothing":     {"/Span << /ActualText () >> BDC " + text(110, 110, 10, "ab") + "EMC", `2 "ab" 0 0`, nil},
		"clipped text":              {"0 0 90 90 re W n " + text(110, 110, 10, "ab"), nothing, nil},
		"clipped and restored":      {"q 0 0 90 90 re W n Q " + text(110, 110, 10, "ab"), `2 "ab" 0 0`, nil},
		"clipped after painting":    {"110 110 20 20 re W f " + text(140, 140, 10, "ab"), `0 "" 0 1`, nil},
		"a picture":                 {"q 50 0 0 50 90 90 cm /Im Do Q", `0 "" 1 0`, nil},
		"a picture beside":          {"q 50 0 0 50 50.3 50.3 cm /Im Do Q", nothing, nil},
		"a picture clipped away":    {"q 0 0 99 99 re W n 50 0 0 50 90 90 cm /Im Do Q", nothing, nil},
		"a picture as a line":       {"q 500 0 0 1 50 150 cm /Im Do Q", nothing, nil},
		"a mask":                    {"q 50 0 0 50 90 90 cm /Mask Do Q", `0 "" 1 0`, nil},
		"a white mask":              {"1 g q 50 0 0 50 90 90 cm /Mask Do Q", nothing, nil},
		"an inline picture":         {"q 50 0 0 50 90 90 cm BI /W 1 /H 1 /BPC 8 /CS /G ID a EI Q", `0 "" 1 0`, nil},
		"a picture turned":          {"q 0 50 -50 0 150 150 cm /Im Do Q", `0 "" 1 0`, nil},
		"a filled shape":            {"110 110 20 20 re f", `0 "" 0 1`, nil},
		"a white shape":             {"1 g 110 110 20 20 re f", nothing, nil},
		"a filled line":             {"50 150 500 1.5 re f", nothing, nil},
		"lines of one path":         {"50 150 500 1 re 50 120 500 1 re 50 120 1 30 re f", nothing, nil},
		"the background":            {"0.9 g 0 0 600 800 re f", nothing, nil},
		"a shading":                 {"q 110 110 20 20 re W n /S sh Q", `0 "" 0 1`, nil},
		"a shading of the page":     {"/S sh", nothing, nil},
		"a shape around":            {"50 50 m 250 50 l 250 250 l 50 250 l f", `0 "" 0 1`, nil},
		"a frame around":            {"50 50 200 200 re 70 70 160 160 re f*", nothing, nil},
		"a frame around, reversed":  {"50 50 200 200 re 70 70 m 70 230 l 230 230 l 230 70 l f", nothing, nil},
		"two shapes around":         {"50 50 200 200 re 70 70 160 160 re f", `0 "" 0 1`, nil},
		"a triangle beside":         {"160 50 m 360 50 l 360 250 l f", nothing, nil},
		"a triangle":                {"50 50 m 250 50 l 50 250 l f", `0 "" 0 1`, nil},
		"a ring around":             {ring(150, 150, 100) + ring(150, 150, 80) + "f*", nothing, nil},
		"a small ring":              {ring(150, 150, 30) + "f", `0 "" 0 1`, nil},
		"many small shapes":         {strings.Repeat("110 110 3 3 re 120 120 3 3 re f ", 3), `0 "" 0 3`, nil},
		"stroked lines":             {"1 w 50 150 m 500 150 l 500 50 l S 110 110 20 20 re S", nothing, nil},
		"wide lines":                {"9 w 50 150 m 500 150 l S", `0 "" 0 1`, nil},
		"wide by its matrix":        {"q 9 0 0 9 0 0 cm 5 15 m 50 15 l S Q", `0 "" 0 1`, nil},
		"wide and white":            {"1 G 9 w 50 150 m 500 150 l S", nothing, nil},
		"handwriting":               {"1 w 110 110 m 115 130 l 120 110 l 127 140 130 120 140 130 c S", `0 "" 0 1`, nil},
		"round corners":             {"1 w 110 120 m 110 113 113 110 120 110 c 180 110 l 187 110 190 113 190 120 c 190 180 l S", nothing, nil},
		"a line across beside":      {"1 w 150 0 m 600 450 l S", nothing, nil},
		"a line across":             {"1 w 0 0 m 600 600 l S", `0 "" 0 1`, nil},
		"filled and stroked":        {"1 g 9 w 110 110 20 20 re B", `0 "" 0 1`, nil},
		"a path without an end":     {"110 110 20 20 re", nothing, nil},
		"a path that is not shown":  {"110 110 20 20 re n", nothing, nil},
		"a form":                    {"q 2 0 0 2 50 50 cm /X Do Q", `2 "ab" 0 0`, form("/BBox [0 0 99 99] /Matrix [1 0 0 1 20 20]", text(10, 10, 5, "ab"))},
		"a form that clips":         {"/X Do", nothing, form("/BBox [0 0 99 99]", text(110, 110, 10, "ab"))},
		"a picture in a form":       {"/X Do", `0 "" 1 0`, form("/BBox [0 0 999 999]", "50 0 0 50 90 90 cm /Im Do")},
		"a form's state is its own": {"/X Do 1 0 0 1 110 110 cm " + text(0, 0, 10, "ab"), `2 "ab" 0 0`, form("/BBox [0 0 999 999]", "1 g 1 0 0 1 500 500 cm")},
	} {
		if len(c.objects) > 0 {
			c.objects[0] = strings.Replace(c.objects[0], "/Form", "/Form /Resources << "+resources+" >>", 1)
		}
		got, err := New(sheet{content: c.content, objects: c.objects}.open(t)).Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, nil)
		if s := summary(got); err != nil || s != c.want {
			t.Errorf("%s: %s, want %s; %v", name, s, c.want, err)
		}
		if got.Empty() != (c.want == nothing) {
			t.Errorf("%s: empty is %v", name, got.Empty())
		}
	}
}

// ring is a circle of curves.
func ring(x, y, r float64) string {
	k := 0.5523 * r
	return fmt.Sprintf("%v %v m %v %v %v %v %v %v c %v %v %v %v %v %v c %v %v %v %v %v %v c %v %v %v %v %v %v c h ", x+r, y,
		x+r, y+k, x+k, y+r, x, y+r, x-k, y+r, x-r, y+k, x-r, y, x-r, y-k, x-k, y-r, x, y-r, x+k, y-r, x+r, y-k, x+r, y)
}

// What annotations show in the same square. Each stands there; 20 0 R is an appearance with a letter.
func TestUnderAnnotations(t *testing.T) {
	appearance := "<< /Subtype /Form /BBox [0 0 50 50] /Resources << " + resources + " >> >>\n"
	for name, c := range map[string]struct{ annot, look, want string }{
		"a field":                      {"/Subtype /Widget /FT /Tx /AP << /N 20 0 R >>", text(5, 5, 10, "a"), `1 "a" 0 0 widget 10`},
		"a field that shows nothing":   {"/Subtype /Widget /FT /Tx /AP << /N 20 0 R >>", "/Tx BMC EMC", nothing},
		"a field with a border":        {"/Subtype /Widget /FT /Tx /AP << /N 20 0 R >>", "0 0 50 50 re S", nothing},
		"a signature's picture":        {"/Subtype /Widget /FT /Sig /AP << /N 20 0 R >>", "50 0 0 50 0 0 cm /Im Do", `0 "" 1 0 widget 10`},
		"a hidden one":                 {"/Subtype /Widget /F 2 /AP << /N 20 0 R >>", text(5, 5, 10, "a"), nothing},
		"one that is not viewed":       {"/Subtype /Stamp /F 36 /AP << /N 20 0 R >>", text(5, 5, 10, "a"), nothing},
		"a popup":                      {"/Subtype /Popup /AP << /N 20 0 R >>", text(5, 5, 10, "a"), nothing},
		"a stamp":                      {"/Subtype /Stamp /AP << /N 20 0 R >>", "0 0 50 50 re f", `0 "" 0 1 annot 10`},
		"a square":                     {"/Subtype /Square /AP << /N 20 0 R >>", "0 0 50 50 re S", `0 "" 0 0 annot 10`},
		"handwriting":                  {"/Subtype /Ink /AP << /N 20 0 R >>", "0 0 m 10 20 l 30 40 l S", `0 "" 0 1 annot 10`},
		"a state":                      {"/Subtype /Widget /AS /On /AP << /N << /On 20 0 R >> >>", text(5, 5, 10, "a"), `1 "a" 0 0 widget 10`},
		"another state":                {"/Subtype /Widget /AS /Off /AP << /N << /On 20 0 R >> >>", text(5, 5, 10, "a"), nothing},
		"no appearance, empty":         {"/Subtype /Widget /FT /Tx", "", nothing},
		"no appearance, a value":       {"/Subtype /Widget /FT /Tx /V (a)", "", `0 "" 0 0 widget 10`},
		"no appearance, a signature":   {"/Subtype /Widget /FT /Sig /V << /Contents (a) >>", "", nothing},
		"no appearance, inherited":     {"/Subtype /Widget /Parent << /FT /Tx /V (a) >>", "", `0 "" 0 0 widget 10`},
		"no appearance, free text":     {"/Subtype /FreeText /Contents (a)", "", `0 "" 0 0 annot 10`},
		"no appearance, a link":        {"/Subtype /Link", "", nothing},
		"no appearance, a note":        {"/Subtype /Text", "", nothing},
		"a look that overhangs":        {"/Subtype /Stamp /AP << /N 20 0 R >>", "60 0 50 50 re f", nothing},
		"a look that stands elsewhere": {"/Subtype /Stamp /AP << /N 20 0 R >>", "q 1 0 0 1 0 0 cm 0 0 1 1 re f Q", nothing},
	} {
		objects := []string{"<< " + c.annot + " /Rect [120 120 170 170] >>", "", "", "", "", "", "", "", "", "", appearance + c.look}
		r := New(sheet{extra: "/Annots [10 0 R]", objects: objects}.open(t))
		got, err := r.Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, func(r pdf.Ref) bool { return r.Num == 11 })
		if s := summary(got); err != nil || s != c.want {
			t.Errorf("%s: %s, want %s; %v", name, s, c.want, err)
		}
		got, err = r.Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, func(r pdf.Ref) bool { return r.Num == 10 })
		if s := summary(got); err != nil || s != nothing {
			t.Errorf("%s, except it: %s; %v", name, s, err)
		}
		if got, err = r.Under(context.Background(), 1, [4]float64{300, 300, 400, 400}, nil); err != nil || !got.Empty() {
			t.Errorf("%s, elsewhere: %s; %v", name, summary(got), err)
		}
	}
}

// What cannot be read is said, and the rest is there.
func TestUnreadable(t *testing.T) {
	for name, s := range map[string]sheet{
		"a font that is not there": {content: text(110, 110, 10, "ab") + "BT /Z 9 Tf 300 300 Td (c) Tj ET"},
		"a filter":                 {content: text(110, 110, 10, "ab") + "/X Do", objects: []string{"<< /Subtype /Form /BBox [0 0 9 9] /Filter /Strange >>\nabc"}},
		"a font of a state":        {content: text(110, 110, 10, "ab") + "/G gs", extra: "/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Courier >> >> /ExtGState << /G << /Font [1 0 R 9] >> >> >>"},
		"numbers that are none":    {content: text(110, 110, 10, "ab") + strings.Repeat(strings.Repeat(strings.Repeat("9", 300)+" ", 4)+"0 0 cm ", 2) + "1 -1 m 0 0 l S"},
	} {
		got, err := New(s.open(t)).Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, nil)
		if err == nil || got.Letters != 2 {
			t.Errorf("%s: %s, %v", name, summary(got), err)
		}
	}
	f := sheet{}.open(t)
	if _, err := New(f).Under(context.Background(), 2, [4]float64{}, nil); !errors.Is(err, pdf.ErrNoPage) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := New(sheet{content: text(110, 110, 10, "ab")}.open(t))
	if _, err := r.Under(ctx, 1, [4]float64{}, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if got, err := r.Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, nil); err != nil || got.Letters != 2 {
		t.Error("a page is not read again after it was broken off", got, err)
	}
}

// Files that ask for too much end in ErrLimit.
func TestHostile(t *testing.T) {
	for name, s := range map[string]sheet{
		"shapes":      {content: strings.Repeat("0 0 9 9 re f\n", maxItems+1)},
		"shadings":    {content: strings.Repeat("/S sh\n", maxInk+1)},
		"steps":       {content: strings.Repeat("0 0 l\n", 1<<20+1)},
		"strokes":     {content: "0 0 m " + strings.Repeat("600 800 l 0 1 l\n", 20_000) + "S"},
		"annotations": {extra: "/Annots [" + strings.Repeat("10 0 R ", 10_001) + "]", objects: []string{"<< /Subtype /Link >>"}},
		"itself":      {content: "/X Do", objects: []string{"<< /Subtype /Form /Resources << " + resources + " >> >>\n/X Do"}},
	} {
		r := New(s.open(t))
		for range 2 {
			if _, err := r.Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, nil); !errors.Is(err, pdf.ErrLimit) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	r := New(sheet{content: strings.Repeat("0 0 9 9 re f\n", 1000)}.open(t))
	r.looks = 15_000
	for _, want := range []error{nil, nil, pdf.ErrLimit} {
		if _, err := r.Under(context.Background(), 1, [4]float64{100, 100, 200, 200}, nil); !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
	}
}
