package glyph

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Every character that subset.sh means to keep has an outline inside a sane box.
func TestOutlines(t *testing.T) {
	places, err := os.ReadFile("places.txt")
	if err != nil {
		t.Fatal(err)
	}
	text := []rune("〇《》〔（）：0123456789ABCXYZabcxyz" + strings.ReplaceAll(string(places), "\n", ""))
	d := simplifiedchinese.HZGB2312.NewDecoder()
	level1 := 0
	for row := 0x30; row <= 0x57; row++ {
		for cell := 0x21; cell <= 0x7e; cell++ {
			s, err := d.String("~{" + string([]byte{byte(row), byte(cell)}) + "~}")
			if err != nil || strings.ContainsRune(s, '\uFFFD') {
				continue
			}
			level1++
			text = append(text, []rune(s)...)
		}
	}
	if level1 != 3755 {
		t.Fatalf("level 1 of GB 2312 has 3755 characters, decoded %d", level1)
	}
	for _, r := range text {
		g, err := Outline(r)
		if err != nil {
			t.Error(err)
			continue
		}
		low, high := g.Bounds()
		if low.X < -200 || low.Y < -300 || high.X > 1200 || high.Y > 1100 || high.X-low.X < 30 || high.Y-low.Y < 30 {
			t.Errorf("%c: box %v to %v", r, low, high)
		}
		if g.Path[0].Op != MoveTo {
			t.Errorf("%c: path starts with %d", r, g.Path[0].Op)
		}
		if r >= 0x3400 && g.Advance != Em {
			t.Errorf("%c: advance %d", r, g.Advance)
		}
	}
}

// The shape is the character's: 一 is one wide bar, 十 is as high as wide, 口 has a hole.
func TestShape(t *testing.T) {
	one, err := Outline('一')
	if err != nil {
		t.Fatal(err)
	}
	low, high := one.Bounds()
	if w, h := high.X-low.X, high.Y-low.Y; w < 5*h || low.Y < 200 || high.Y > 600 {
		t.Errorf("一 is %d wide and %d high at %d", w, h, low.Y)
	}
	mouth, err := Outline('口')
	if err != nil {
		t.Fatal(err)
	}
	contours, area := 0, 0
	var at, start Point
	for _, s := range mouth.Path {
		to := s.P[s.points()-1]
		if s.Op == MoveTo {
			contours++
			area += at.X*start.Y - start.X*at.Y
			start = to
		} else {
			area += at.X*to.Y - to.X*at.Y
		}
		at = to
	}
	area += at.X*start.Y - start.X*at.Y
	// The hole runs the other way round, so that it is taken from the area: about a third of the box is ink.
	low, high = mouth.Bounds()
	box := 2 * (high.X - low.X) * (high.Y - low.Y)
	if area = max(area, -area); contours != 2 || area < box/6 || area > box/2 {
		t.Errorf("口: %d contours, ink %d of box %d", contours, area, box)
	}
}

func TestSpace(t *testing.T) {
	g, err := Outline(' ')
	if err != nil {
		t.Fatal(err)
	}
	if low, high := g.Bounds(); len(g.Path) != 0 || low != high || g.Advance < 100 {
		t.Errorf("space: %v", g)
	}
}

func TestMissing(t *testing.T) {
	for _, r := range []rune{'龘', '😀', 0, -1, 0x10FFFF} {
		_, err := Outline(r)
		var m *MissingError
		if !errors.As(err, &m) || len(m.Runes) != 1 || m.Runes[0] != r {
			t.Errorf("%U: %v", r, err)
		}
	}
	if _, err := Outline('龘'); !strings.Contains(err.Error(), "龘") || !strings.Contains(err.Error(), "U+9F98") {
		t.Errorf("the error does not name the character: %v", err)
	}
}

func TestConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, r := range "示例省示例市示例区人民法院" {
				if _, err := Outline(r); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkOutline(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Outline('院'); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParse is what the first outline costs more.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := newFace(otf, 0); err != nil {
			b.Fatal(err)
		}
	}
}
