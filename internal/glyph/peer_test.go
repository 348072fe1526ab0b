package glyph

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Another reader of fonts gives every outline of the embedded font the same, so that a seal keeps its picture to the byte.
func TestOutlinesAgreeWithSFNT(t *testing.T) {
	f, err := sfnt.Parse(otf)
	if err != nil {
		t.Fatal(err)
	}
	const size = fixed.Int26_6(Em << 6) // at 1000 pixels an em of 1000 units, the numbers are the font's own
	var buf sfnt.Buffer
	count := 0
	for r := rune(0); r < 0x20000; r++ {
		id, err := f.GlyphIndex(&buf, r)
		if err != nil {
			t.Fatal(err)
		}
		g, err := Outline(r)
		if id == 0 || err != nil {
			if id != 0 || err == nil {
				t.Errorf("%U: glyph %d, %v", r, id, err)
			}
			continue
		}
		count++
		segments, err := f.LoadGlyph(&buf, id, size, nil)
		if err != nil {
			t.Fatal(err)
		}
		var want []Segment
		for _, s := range segments {
			var o Segment
			switch s.Op {
			case sfnt.SegmentOpLineTo:
				o.Op = LineTo
			case sfnt.SegmentOpCubeTo:
				o.Op = CurveTo
			}
			for i := range o.points() {
				o.P[i] = Point{s.Args[i].X.Round(), -s.Args[i].Y.Round()} // sfnt counts downwards
			}
			want = append(want, o)
		}
		advance, err := f.GlyphAdvance(&buf, id, size, font.HintingNone)
		if err != nil || !slices.Equal(g.Path, want) || g.Advance != advance.Round() {
			t.Errorf("%c: %v, sfnt %v %v", r, g, want, err)
		}
	}
	if count < 4500 {
		t.Errorf("%d characters compared", count)
	}
}

// fontFile reads a font that .ci/run installs; in CI it must be there.
func fontFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("/usr/share/fonts/" + name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return b
}

const (
	dejavu   = "truetype/dejavu/DejaVuSans.ttf"
	amiri    = "opentype/fonts-hosny-amiri/Amiri-Regular.ttf"
	tibetan  = "truetype/tibetan-machine/TibetanMachineUni.ttf"
	lohit    = "truetype/lohit-devanagari/Lohit-Devanagari.ttf"
	microhei = "truetype/wqy/wqy-microhei.ttc"
	uming    = "truetype/arphic/uming.ttc"
	zenhei   = "truetype/wqy/wqy-zenhei.ttc"
	notoCJK  = "opentype/noto/NotoSerifCJK-Bold.ttc"

	mongolian = "truetype/noto/NotoSansMongolian-Regular.ttf" // of a large package, which .ci/run does not install
	cherokee  = "truetype/noto/NotoSansCherokee-Regular.ttf"
)

// HarfBuzz gives the same glyphs at the same places. Of each text all is one script, as hb-shape takes it.
func TestShapingAgreesWithHarfBuzz(t *testing.T) {
	for _, c := range []struct {
		name, font string
		index      int
		text       string
		optional   bool
	}{
		{name: "kerning", font: dejavu, text: "AVATAR Type offices"},
		{name: "marks", font: dejavu, text: "e\u0301 x\u0323\u0307 q\u0302"},
		{name: "Russian", font: dejavu, text: "Прокуратура"},
		{name: "Uyghur", font: amiri, text: "ئۇيغۇر ئاپتونوم رايونلۇق"},
		{name: "Arabic", font: amiri, text: "بِسْمِ ٱللَّهِ"},
		{name: "Tibetan", font: tibetan, text: "བོད་རང་སྐྱོང་ལྗོངས།"},
		{name: "Devanagari", font: lohit, text: "न्यायालय क्षत्रिय किंतु"},
		{name: "Chinese", font: microhei, index: 0, text: "同意签发，示例市人民法院。"},
		{name: "second of a collection", font: microhei, index: 1, text: "同意签发"},
		{name: "Mongolian", font: mongolian, text: "ᠮᠣᠩᠭᠣᠯ ᠬᠡᠯᠡ", optional: true},
		{name: "CFF collection", font: notoCJK, index: 2, text: "同意签发，直角。"},
		{name: "CFF collection, Japanese first", font: notoCJK, index: 0, text: "直角骨"},
		{name: "wide ranges, which v0.3.5 of the shaper skips", font: cherokee, text: "ꭺꮸꭾꮂꮠ", optional: true},
		{name: "UMing", font: uming, index: 3, text: "同意签发，直角。"},
		{name: "Zen Hei", font: zenhei, text: "同意签发，直角。"},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := exec.LookPath("hb-shape")
			if err != nil {
				if os.Getenv("CI") == "true" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			if _, err := os.Stat("/usr/share/fonts/" + c.font); err != nil && c.optional {
				t.Skip(err)
			}
			f, err := ParseFace(fontFile(t, c.font), c.index)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"--no-glyph-names", "--output-format=json", "--face-index=" + strconv.Itoa(c.index), "/usr/share/fonts/" + c.font, c.text}
			p := f.paragraph([]rune(c.text))
			if len(p.of) > 0 && p.of[0].script.String() == "Hani" {
				args = append([]string{"--language=zh-cn"}, args...)
			}
			out, err := exec.Command(program, args...).Output()
			if err != nil {
				t.Fatal(err)
			}
			type placed struct{ G, Dx, Dy, Ax int }
			var want, got []placed
			if err := json.Unmarshal(out, &want); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			runs, err := p.shape(0, len(p.text))
			if err != nil || len(p.missing) > 0 {
				t.Fatal(err, p.missing)
			}
			if len(runs) != 1 || len(want) == 0 {
				t.Fatalf("%d runs, hb-shape has %d glyphs", len(runs), len(want))
			}
			for i, g := range runs[0].info {
				at := runs[0].pos[i]
				got = append(got, placed{int(g.Glyph), int(at.XOffset), int(at.YOffset), int(at.XAdvance)})
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v\nhb-shape %v", got, want)
			}
		})
	}
}
