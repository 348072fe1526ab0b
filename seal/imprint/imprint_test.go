package imprint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"
)

const court = "示例省示例市示例区人民法院"

// A print is a decoded picture that is asked in mm around the centre.
type print struct {
	t      *testing.T
	im     *image.Paletted
	pixels int
	size   float64
}

// draw stops short of the PNG, whose compression takes most of the time: TestPNG looks at that.
func draw(t *testing.T, o Options) print {
	t.Helper()
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	d, err := o.design()
	if err != nil {
		t.Fatal(err)
	}
	im := d.picture(float64(o.Diameter), o.DPI, o.Ink)
	if im.Rect.Min != (image.Point{}) || im.Rect.Dx() != im.Rect.Dy() {
		t.Fatal(im.Rect)
	}
	return print{t, im, im.Rect.Dx(), float64(o.Diameter)}
}

// ink is 0 to 15 at a point.
func (p print) ink(x, y float64) uint8 {
	at := func(v float64) int { return int(math.Floor((v/p.size + 0.5) * float64(p.pixels))) }
	return p.im.ColorIndexAt(at(x), at(y))
}

// around gives the least and most ink on a circle, angles clockwise from the top in degrees.
func (p print) around(radius, from, to float64) (least, most uint8) {
	least = 15
	for a := from; a <= to; a += 0.1 {
		x, y := turn(0, -radius, a)
		v := p.ink(x, y)
		least, most = min(least, v), max(most, v)
	}
	return least, most
}

// amount is the ink in a part of the picture, in pixels.
func (p print) amount(inside func(radius, angle float64) bool) (sum float64) {
	for y := range p.pixels {
		row := p.im.Pix[y*p.im.Stride:]
		for x := range p.pixels {
			if v := row[x]; v > 0 {
				mx := ((float64(x)+0.5)/float64(p.pixels) - 0.5) * p.size
				my := ((float64(y)+0.5)/float64(p.pixels) - 0.5) * p.size
				if inside(math.Hypot(mx, my), math.Atan2(mx, -my)*180/math.Pi) {
					sum += float64(v) / 15
				}
			}
		}
	}
	return sum
}

func TestRimAndSize(t *testing.T) {
	for _, c := range []struct {
		o           Options
		pixels      int
		radius, rim float64
	}{
		{Options{Name: court}, 709, 22.5, 1.08},
		{Options{Name: court, Diameter: High, DPI: 600}, 1181, 25, 1.2},
		{Options{Name: court, Diameter: Intermediate, DPI: 300}, 555, 23.5, 1.128},
		{Options{Name: court, Diameter: 42, Rim: 1, DPI: 400}, 661, 21, 1},
		{Options{Name: "示例县", Diameter: 10, DPI: 1200}, 472, 5, 0.24},
	} {
		p := draw(t, c.o)
		if p.pixels != c.pixels {
			t.Errorf("%+v: %d pixels, want %d", c.o, p.pixels, c.pixels)
		}
		pixel := 2 * c.radius / float64(p.pixels)
		if least, _ := p.around(c.radius-1.6*pixel, 0, 360); least < 14 {
			t.Errorf("%+v: the outer edge of the rim has a gap (%d)", c.o, least)
		}
		if least, _ := p.around(c.radius-c.rim+1.6*pixel, 0, 360); least < 14 {
			t.Errorf("%+v: the inner edge of the rim has a gap (%d)", c.o, least)
		}
		if _, most := p.around(c.radius-c.rim-1.6*pixel, 0, 360); most > 1 {
			t.Errorf("%+v: ink just inside the rim (%d)", c.o, most)
		}
		if out := p.amount(func(r, _ float64) bool { return r > c.radius+pixel }); out > 0 {
			t.Errorf("%+v: ink outside the rim: %f", c.o, out)
		}
		// The middle pixels of all four sides carry ink: the picture is as wide as the seal.
		e := c.radius - pixel/2
		for _, xy := range [][2]float64{{0, -e}, {e, 0}, {0, e}, {-e, 0}} {
			if v := p.ink(xy[0], xy[1]); v < 12 {
				t.Errorf("%+v: %d at the edge %v", c.o, v, xy)
			}
		}
		for _, x := range []int{0, p.pixels - 1} {
			for _, y := range []int{0, p.pixels - 1} {
				if _, _, _, a := p.im.At(x, y).RGBA(); a != 0 {
					t.Errorf("%+v: corner %d,%d has opacity %d", c.o, x, y, a)
				}
			}
		}
		// The rim's ink is its area.
		area := math.Pi * (c.radius*c.radius - (c.radius-c.rim)*(c.radius-c.rim)) / pixel / pixel
		if got := p.amount(func(r, _ float64) bool { return r > c.radius-c.rim-2*pixel }); math.Abs(got/area-1) > 0.01 {
			t.Errorf("%+v: rim of %.0f pixels, want %.0f", c.o, got, area)
		}
	}
}

func TestStar(t *testing.T) {
	p := draw(t, Options{Name: court})
	const r = starRadius * 45 / 50.0
	for point := range 5 {
		x, y := turn(0, -(r - 0.3), float64(72*point))
		if p.ink(x, y) < 8 {
			t.Errorf("point %d of the star is missing", point)
		}
		if x, y = turn(0, -r/2, float64(72*point+36)); p.ink(x, y) != 0 {
			t.Errorf("no notch after point %d of the star", point)
		}
	}
	if p.ink(0, 0) != 15 {
		t.Error("the star is hollow")
	}
	p = draw(t, Options{Name: court, Emblem: NoEmblem})
	if got := p.amount(func(r, _ float64) bool { return r < 12 }); got != 0 {
		t.Errorf("ink without an emblem: %f", got)
	}
}

// The name reads from left to right over the top, upright to the centre, evenly, and as much to the left as to the right.
func TestRing(t *testing.T) {
	ring := func(r, _ float64) bool { return r < 21 && r > 12 }
	p := draw(t, Options{Name: "一口口口口口口口"})
	left := p.amount(func(r, a float64) bool { return ring(r, a) && a > -105 && a < -78 })
	right := p.amount(func(r, a float64) bool { return ring(r, a) && a > 78 && a < 105 })
	if left == 0 || right < 2*left {
		t.Errorf("first character 一 has %.0f pixels on the left, last 口 %.0f on the right", left, right)
	}

	p = draw(t, Options{Name: "一一一一一一一一", Emblem: NoEmblem})
	each := 208.0 / 8
	var first float64
	for i := range 8 {
		from := -104 + each*float64(i)
		n := p.amount(func(r, a float64) bool { return ring(r, a) && a >= from && a < from+each })
		if i == 0 {
			first = n
		}
		if n < 100 || math.Abs(n/first-1) > 0.02 {
			t.Errorf("character %d has %.0f pixels, the first %.0f", i, n, first)
		}
		// 一 lies along the ring, a thin arc: half way out it is ink, near the top and the foot nothing.
		if _, most := p.around(20.2, from, from+each); most != 0 {
			t.Errorf("character %d is not upright", i)
		}
		if _, most := p.around(14.8, from, from+each); most != 0 {
			t.Errorf("character %d is not upright", i)
		}
	}
	if rest := p.amount(func(r, a float64) bool { return ring(r, a) && math.Abs(a) > 104 }); rest != 0 {
		t.Errorf("ink below the name: %.0f", rest)
	}
}

// Names of 1 to 30 characters fit, keep clear of rim and star, and do not run into each other below.
func TestNames(t *testing.T) {
	long := []rune(strings.Repeat("新疆维吾尔自治区克孜勒苏柯尔克孜自治州中级人民法院", 2))
	for _, o := range []Options{{}, {Text: "民事审判庭"}, {Code: "1101010000017"}, {Text: "执行局", Code: "1101010000017"}} {
		for _, n := range []int{1, 2, 3, 4, 7, 8, 13, 16, 17, 20, 24, 30} {
			o.Name, o.DPI = string(long[:n]), 100
			p := draw(t, o)
			if _, most := p.around(20.9, 0, 360); most > 1 && o.Code == "" {
				t.Errorf("%d characters: touch the rim", n)
			}
			if _, most := p.around(13.5, -100, 100); most > 1 {
				t.Errorf("%d characters: reach inwards", n)
			}
			if gap := p.amount(func(r, a float64) bool { return r < 21 && r > 14.5 && math.Abs(a) > 146 }); gap > 0 && o.Code == "" && o.Text == "" {
				t.Errorf("%d characters: ink below", n)
			}
		}
	}
}

func TestTextAndCode(t *testing.T) {
	text := draw(t, Options{Name: court, Text: "民事审判庭"})
	without := draw(t, Options{Name: court})
	below := func(r, a float64) bool { return r < 14 && math.Abs(a) > 125 && r > 7.5 }
	if got := text.amount(below); got < 500 || without.amount(below) > 0 {
		t.Errorf("text: %.0f pixels, %.0f without", got, without.amount(below))
	}
	for _, n := range []string{"刑", "民事审判庭", "第一民事审判庭"} {
		p := draw(t, Options{Name: court, Text: n})
		if got := p.amount(func(r, a float64) bool { return r > 14.6 && r < 21.3 && math.Abs(a) > 125 }); got > 0 {
			t.Errorf("%s: %.0f pixels outside its place", n, got)
		}
	}
	code := draw(t, Options{Name: court, Code: "1101010000017"})
	arc := func(r, a float64) bool { return r > 18.3 && r < 20.9 && math.Abs(a) > 145 }
	if got := code.amount(arc); got < 300 {
		t.Errorf("code: %.0f pixels", got)
	}
	if got := code.amount(func(r, a float64) bool { return math.Abs(a) > 145 && r < 21.2 && !arc(r, a) && r > 8 }); got > 0 {
		t.Errorf("code: %.0f pixels outside its arc", got)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want error
		says string
	}{
		{Options{}, ErrOptions, "Name"},
		{Options{Name: court, Diameter: 9}, ErrOptions, "9 mm"},
		{Options{Name: court, Diameter: 61}, ErrOptions, "61 mm"},
		{Options{Name: court, Diameter: -1}, ErrOptions, "-1 mm"},
		{Options{Name: court, Rim: 4.6}, ErrOptions, "Rim"},
		{Options{Name: court, Rim: -1}, ErrOptions, "Rim"},
		{Options{Name: court, Rim: math.NaN()}, ErrOptions, "Rim"},
		{Options{Name: court, Rim: math.Inf(1)}, ErrOptions, "Rim"},
		{Options{Name: court, Emblem: 7}, ErrOptions, "Emblem"},
		{Options{Name: court, DPI: 71}, ErrOptions, "71"},
		{Options{Name: court, DPI: 1201}, ErrOptions, "1201"},
		{Options{Name: court, Ink: color.RGBA{1, 0, 0, 0}}, ErrOptions, "Ink"},
		{Options{Name: strings.Repeat("法", 60)}, ErrTooLong, "60 characters"},
		{Options{Name: strings.Repeat("法", 1e6)}, ErrTooLong, "1000000 characters"},
		{Options{Name: court, Text: "示例省示例市民事审判第一庭"}, ErrTooLong, "Text"},
		{Options{Name: court, Code: strings.Repeat("1", 40)}, ErrTooLong, "Code"},
		{Options{Name: "龘人民法院鱻"}, ErrCharacter, `Name has "龘鱻"`},
		{Options{Name: court, Text: "😀"}, ErrCharacter, "U+1F600"},
		{Options{Name: court, Code: "\x00"}, ErrCharacter, "Code"},
		{Options{Name: "\xff法院"}, ErrCharacter, "U+FFFD"},
	} {
		p, err := Draw(c.o)
		if !errors.Is(err, c.want) || p.Data != nil {
			t.Errorf("%.40v: %v, want %v", c.o, err, c.want)
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: does not say %q", err, c.says)
		}
	}
}

func TestDeterministic(t *testing.T) {
	o := Options{Name: court, Text: "执行局", Code: "1101010000017"}
	a, err := Draw(o)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Draw(o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Data, b.Data) {
		t.Error("two drawings of one seal differ")
	}
}

// The file, read by hand: what a PDF writer counts on to use IDAT as a soft mask.
func TestPNG(t *testing.T) {
	p, err := Draw(Options{Name: court, Ink: color.RGBA{0x12, 0x34, 0x56, 0xFF}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Type != "PNG" || p.Width != Basic || p.Height != Basic {
		t.Errorf("%s, %d x %d mm", p.Type, p.Width, p.Height)
	}
	back, err := png.Decode(bytes.NewReader(p.Data))
	if err != nil {
		t.Fatal(err)
	}
	if drawn := draw(t, Options{Name: court}); !bytes.Equal(back.(*image.Paletted).Pix, drawn.im.Pix) {
		t.Error("the file holds other pixels than were drawn")
	}
	b, ok := bytes.CutPrefix(p.Data, []byte("\x89PNG\r\n\x1a\n"))
	if !ok {
		t.Fatal("no PNG")
	}
	var order []string
	chunks := map[string][]byte{}
	for len(b) > 0 {
		n := binary.BigEndian.Uint32(b)
		kind, body := string(b[4:8]), b[8:8+n]
		if binary.BigEndian.Uint32(b[8+n:]) != crc32.ChecksumIEEE(b[4:8+n]) {
			t.Errorf("CRC of %s", kind)
		}
		if _, again := chunks[kind]; !again {
			order = append(order, kind)
		}
		chunks[kind] = append(chunks[kind], body...)
		b = b[12+n:]
	}
	if got := fmt.Sprint(order); got != "[IHDR pHYs PLTE tRNS IDAT IEND]" {
		t.Errorf("chunks %s", got)
	}
	if got := chunks["IHDR"][8:]; !bytes.Equal(got, []byte{4, 3, 0, 0, 0}) {
		t.Errorf("IHDR depth, colour, compression, filter, interlace: %v", got)
	}
	if want := bytes.Repeat([]byte{0x12, 0x34, 0x56}, 16); !bytes.Equal(chunks["PLTE"], want) {
		t.Errorf("PLTE % x", chunks["PLTE"])
	}
	opacity := append(chunks["tRNS"], bytes.Repeat([]byte{255}, 16-len(chunks["tRNS"]))...)
	for i, a := range opacity {
		if int(a) != 17*i {
			t.Errorf("opacity of index %d is %d", i, a)
		}
	}
	if got := binary.BigEndian.Uint32(chunks["pHYs"]); got != 15756 { // 709 pixels in 45 mm
		t.Errorf("pHYs: %d pixels a metre", got)
	}
	if len(p.Data) > 24<<10 {
		t.Errorf("a court's seal is %d bytes", len(p.Data))
	}
}

func FuzzDraw(f *testing.F) {
	f.Add(court, "民事审判庭", "1101010000017", 45, 1.1)
	f.Add("法", "", "", 0, 0.0)
	f.Add("(ij) 法院", " ", "...", 10, 1.0)
	f.Add("   ", "\n", "\u200b", 60, 6.0)
	f.Fuzz(func(t *testing.T, name, text, code string, diameter int, rim float64) {
		o := Options{Name: name, Text: text, Code: code, Diameter: diameter, Rim: rim, DPI: 72}
		p, err := Draw(o)
		if err != nil {
			if !errors.Is(err, ErrTooLong) && !errors.Is(err, ErrCharacter) && !errors.Is(err, ErrOptions) {
				t.Fatal(err)
			}
			return
		}
		if _, err := png.Decode(bytes.NewReader(p.Data)); err != nil {
			t.Fatal(err)
		}
	})
}
