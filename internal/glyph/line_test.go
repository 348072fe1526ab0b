package glyph

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func small(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, name string) *Face {
	t.Helper()
	f, err := ParseFace(small(t, name), 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func line(t testing.TB, f *Face, text string) *Line {
	t.Helper()
	l, err := f.Line(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLine(t *testing.T) {
	l := line(t, Embedded(), "同意 A")
	if len(l.Glyphs) != 3 || l.Glyphs[0].X != 0 || l.Glyphs[1].X != Em || l.RightToLeft || l.Text != "同意 A" {
		t.Fatalf("%+v", l)
	}
	space, _ := Outline(' ')
	a, _ := Outline('A')
	if l.Glyphs[2].Glyph != a || l.Glyphs[2].X != 2*Em+space.Advance || l.Advance != float64(2*Em+space.Advance+a.Advance) {
		t.Errorf("A at %d, advance %g", l.Glyphs[2].X, l.Advance)
	}
	_, high := a.Bounds()
	if l.High.X != l.Glyphs[2].X+high.X || l.Low.Y > 0 || l.High.Y < 700 {
		t.Errorf("box %v %v", l.Low, l.High)
	}
	for _, text := range []string{"", " ", "　"} {
		if l := line(t, Embedded(), text); len(l.Glyphs) != 0 || l.Low != l.High || l.Text != "" {
			t.Errorf("%q: %+v", text, l)
		}
	}
}

// An Arabic word runs from right to left and its letters join: the same letters apart are other outlines.
func TestRightToLeft(t *testing.T) {
	f := parse(t, "arabic.ttf")
	word := line(t, f, "سوت")
	if !word.RightToLeft || len(word.Glyphs) < 3 {
		t.Fatalf("%+v", word)
	}
	sin, ta := line(t, f, "س"), line(t, f, "ت")
	if word.Glyphs[len(word.Glyphs)-1].Glyph == sin.Glyphs[0].Glyph {
		t.Error("the first letter does not join")
	}
	if !slices.ContainsFunc(word.Glyphs[:2], func(p Placed) bool { return p.Glyph == ta.Glyphs[0].Glyph }) {
		t.Error("the last letter, after one that joins to none, is not at the left in its own shape")
	}
	if lam, alef := line(t, f, "ل"), line(t, f, "ا"); line(t, f, "لا").Advance >= lam.Advance+alef.Advance {
		t.Error("lam and alef do not join")
	}
	// A number inside stays left to right, and the words stand around it in the order of the writing.
	mixed := line(t, f, "س 12 ت")
	var order []*Glyph
	for _, g := range mixed.Glyphs {
		order = append(order, g.Glyph)
	}
	digits := line(t, f, "12")
	want := slices.Concat([]*Glyph{}, glyphsOf(ta), glyphsOf(digits), glyphsOf(sin))
	if !slices.Equal(order, want) {
		t.Errorf("the words of %q do not stand from right to left", mixed.Text)
	}
	// In a Chinese line the word stands where it is written.
	if l := line(t, f, "同意 سوت"); l.RightToLeft || l.Glyphs[0].X != 0 || l.Glyphs[0].Glyph != line(t, Embedded(), "同").Glyphs[0].Glyph {
		t.Error("a line that begins in Chinese does not run so, in the embedded font")
	}
}

func glyphsOf(l *Line) (g []*Glyph) {
	for _, p := range l.Glyphs {
		g = append(g, p.Glyph)
	}
	return g
}

// The vowel sign i is written after its consonant and drawn before it.
func TestReordering(t *testing.T) {
	f := parse(t, "devanagari.ttf")
	na, ni := line(t, f, "न"), line(t, f, "नि")
	if len(ni.Glyphs) != 2 || ni.Glyphs[1].Glyph != na.Glyphs[0].Glyph {
		t.Errorf("%d glyphs, न is not the last", len(ni.Glyphs))
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text  string
		width float64
		want  string
	}{
		{"示例市人民法院", 3000, "示例市|人民法|院"},
		{"示例市人民法院", 2999, "示例|市人|民法|院"},
		{"示例市人。民", 4000, "示例市|人。民"}, // no line begins with a full stop
		{"同意 Approved by Zhang", 5200, "同意|Approved|by Zhang"},
		{"Approved", 1900, "Ap|pro|ved"},
		{"示例", 10, "示|例"},
		{"示\n\n例", 0, "示||例"},
		{"  示例  ", 0, "示例"},
		{"A    A", 1000, "A|A"},
		{"", 1000, ""},
	} {
		lines, err := Embedded().Lines(c.text, c.width)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		var got []string
		for _, l := range lines {
			got = append(got, l.Text)
			if c.width > 0 && l.Advance > c.width && utf8.RuneCountInString(l.Text) > 1 {
				t.Errorf("%q is %g wide, more than %g", l.Text, l.Advance, c.width)
			}
		}
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%q in %g: %s, want %s", c.text, c.width, s, c.want)
		}
	}
}

func TestTextIsRefused(t *testing.T) {
	for _, text := range []string{
		"a\tb", "a\x00", "a\x7f", "a\u0085b", "a\u2028b", "a\u202eb", "a\u202db", "a\xffb", "a\nb", strings.Repeat("一", MaxText+1),
	} {
		if _, err := Embedded().Line(text); !errors.Is(err, ErrText) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
	line(t, Embedded(), strings.Repeat("一", MaxText))
	line(t, Embedded(), "a\u200db\ufe0f") // what joins and selects is not seen, and not missed
}

func TestMissingCharacters(t *testing.T) {
	f := parse(t, "devanagari.ttf")
	_, err := f.Line("龘न好ก龘ö")
	var m *MissingError
	if !errors.As(err, &m) || string(m.Runes) != "龘กö" || !errors.Is(err, ErrMissing) {
		t.Errorf("%v", err)
	}
}

// A font that claims a character and draws nothing would hide it.
func TestBlankGlyphIsMissing(t *testing.T) {
	data := small(t, "arabic.ttf")
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		entry := data[12+16*i:][:16]
		if string(entry[:4]) == "loca" { // all offsets 0: no glyph has an outline
			clear(data[binary.BigEndian.Uint32(entry[8:]):][:binary.BigEndian.Uint32(entry[12:])])
		}
	}
	f, err := ParseFace(data, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Line("سوت"); !errors.Is(err, ErrMissing) {
		t.Errorf("%v", err)
	}
}

func TestFontIsRefused(t *testing.T) {
	font := small(t, "devanagari.ttf")
	change := func(at int, b ...byte) []byte {
		c := bytes.Clone(font)
		copy(c[at:], b)
		return c
	}
	for name, data := range map[string][]byte{
		"empty":                   nil,
		"text":                    []byte("this is no font, but text"),
		"web font":                append([]byte("wOFF"), font[4:]...),
		"cut in the directory":    font[:100],
		"cut in a table":          font[:len(font)-100],
		"tables without number":   change(4, 0xff, 0xff),
		"a table of 4 GiB":        change(12+12, 0xff, 0xff, 0xff, 0xff),
		"a table at 4 GiB":        change(12+8, 0xff, 0xff, 0xff, 0xff),
		"empty collection":        []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x00"),
		"collection of 4 billion": []byte("ttcf\x00\x01\x00\x00\xff\xff\xff\xff"),
		"collection of nowhere":   []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff"),
		"collection of itself":    []byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"),
		"no outlines":             bytes.ReplaceAll(font, []byte("glyf"), []byte("gluf")),
		"no characters":           bytes.ReplaceAll(font, []byte("cmap"), []byte("cmup")),
	} {
		if _, err := ParseFace(data, 0); !errors.Is(err, ErrFont) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, index := range []int{-1, 1} {
		if _, err := ParseFace(font, index); !errors.Is(err, ErrFont) {
			t.Errorf("font %d of one: %v", index, err)
		}
	}
}

// A glyph made of two of the next, and so on: 2^20 times the last one's points.
func TestCompositesAreBounded(t *testing.T) {
	const depth = 20
	var glyf, loca []byte
	for i := range depth {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		glyf = append(glyf, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0)
		for _, flags := range []byte{0x20, 0} {
			glyf = append(glyf, 0, flags, 0, byte(i+1), 0, 0)
		}
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	glyf = append(glyf, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3)
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	head := make([]byte, 54)
	head[51] = 1 // long offsets
	if err := checkComposites(map[string][]byte{"head": head, "glyf": glyf, "loca": loca}); !errors.Is(err, ErrFont) {
		t.Errorf("%v", err)
	}
	// A chain of as many parts, each once, is no harm.
	for i := range depth {
		binary.BigEndian.PutUint16(glyf[22*i+10+6+2:], depth)
	}
	if err := checkComposites(map[string][]byte{"head": head, "glyf": glyf, "loca": loca}); err != nil {
		t.Error(err)
	}
	binary.BigEndian.PutUint16(glyf[22*(depth-1)+10+6+2:], 0)
	if err := checkComposites(map[string][]byte{"head": head, "glyf": glyf, "loca": loca}); !errors.Is(err, ErrFont) {
		t.Errorf("a glyph that is a part of itself: %v", err)
	}
}

func TestFaceKeepsABoundedNumber(t *testing.T) {
	f, err := newFace(otf, 0)
	if err != nil {
		t.Fatal(err)
	}
	for from := 0x4e00; from < 0x9fa0; from += 500 {
		var text []rune
		for r := rune(from); r < rune(from+500); r++ {
			if f.has(r) {
				text = append(text, r)
			}
		}
		line(t, f, string(text))
	}
	if n := len(f.outlines); n == 0 || n > maxOutlines {
		t.Errorf("%d outlines", n)
	}
}

func TestFaceIsSafeForConcurrentUse(t *testing.T) {
	f := parse(t, "arabic.ttf")
	want := line(t, f, "同意 سوت 12")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				l, err := f.Line("同意 سوت 12")
				if err != nil || l.Advance != want.Advance || len(l.Glyphs) != len(want.Glyphs) {
					t.Errorf("%+v %v", l, err)
				}
			}
		})
	}
	wg.Wait()
}

// Whatever a font says, the answer is a line of bounded size or a typed error.
func FuzzParseFace(f *testing.F) {
	f.Add(small(f, "arabic.ttf"), "سوت لا 12")
	f.Add(small(f, "devanagari.ttf"), "न्यक्षि")
	f.Add(small(f, "chinese.otf"), "同意。A")
	f.Add([]byte("ttcf\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x10\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), "a")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		face, err := ParseFace(data, 0)
		if err != nil {
			if !errors.Is(err, ErrFont) {
				t.Fatal(err)
			}
			return
		}
		lines, err := face.Lines(text, 3000)
		if err != nil {
			if !errors.Is(err, ErrFont) && !errors.Is(err, ErrText) && !errors.Is(err, ErrMissing) {
				t.Fatal(err)
			}
			return
		}
		for _, l := range lines {
			for _, g := range l.Glyphs {
				if len(g.Path) == 0 || len(g.Path) > maxSegments {
					t.Errorf("a glyph of %d steps", len(g.Path))
				}
			}
		}
	})
}

// The embedded font is sound: nothing that a text holds makes it fail.
func FuzzLines(f *testing.F) {
	f.Add("同意 Approved\n(12) a\u200db\ufe0f", 1500.0)
	f.Add("\u2067\u202b12\u202a(ب\u0301)\u2069 3", 700.0)
	f.Add("", 1.0)
	f.Fuzz(func(t *testing.T, text string, width float64) {
		lines, err := Embedded().Lines(text, width)
		if err != nil {
			if !errors.Is(err, ErrText) && !errors.Is(err, ErrMissing) {
				t.Fatal(err)
			}
			return
		}
		seen := 0
		for _, l := range lines {
			seen += utf8.RuneCountInString(strings.Join(strings.Fields(l.Text), ""))
		}
		if all := utf8.RuneCountInString(strings.Join(strings.Fields(text), "")); seen != all {
			t.Errorf("%d characters of %d", seen, all)
		}
	})
}

// BenchmarkLine sets 30 Chinese characters in some 20 times the time of its floor, the same outlines looked up and not shaped.
func BenchmarkLine(b *testing.B) {
	const thirty = "审核人张三于二〇二四年五月六日同意签发本判决书并加盖电子印章"
	b.Run("floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, r := range thirty {
				if _, err := Outline(r); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("30", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			line(b, Embedded(), thirty)
		}
	})
}
