// Package resemble tells how much one picture of a seal looks like another one: after scaling, recompression, a scan in grey or in
// another colour, some degrees of turning, a crop, noise.
//
// Of a picture only its ink counts: what stands out from the paper, by colour where there is colour, so that black text under a red seal is
// neither. Two inks are laid over each other by what all seals of a kind share, rim and emblem. Then they are compared in small windows,
// each as large as a character of a round seal, and what counts is the windows that fit worst: the seals of two courts differ in few
// characters, and those must not drown in a rim and a star that are the same.
package resemble

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
	"sync"
)

const (
	side     = 256 // pixels of the longer side of a picture as it is kept
	least    = 40  // fewer pixels show no characters
	contrast = 40  // of 255 between ink and paper
)

// A Print is the ink of one picture. It may be used by many goroutines at once.
type Print struct {
	levels []plane // each half as wide and high as the one before
	box    box     // of the ink, in pixels of the first level
	once   sync.Once
	grids  []grid // of a picture that others are compared with
}

// A plane is ink, 0 to 1, and how much of a pixel is known, 0 to 1.
type plane struct {
	w, h       int
	ink, known []float32
}

// A box is a rectangle by its middle and half its sides.
type box struct{ x, y, w, h float64 }

// Of takes the ink of a picture w pixels wide and h high. row gives its row y, 0 the topmost: four octets a pixel, red, green, blue
// and opacity, not multiplied by it. shape is how the picture is seen: where its right and its upward side lead, x to the right and y up
// (the a, b, c, d of a PDF matrix); zero: upright, with square pixels. nil: the picture has no ink that could be compared.
func Of(w, h int, row func(y int, nrgba []byte), shape [4]float64) *Print {
	if w < least || h < least {
		return nil
	}
	c := reduce(w, h, row)
	if shape != [4]float64{} {
		if c = c.as(shape); c == nil {
			return nil
		}
	}
	return c.print()
}

// OfImage takes the ink of an image with square pixels.
func OfImage(img image.Image) *Print {
	b := img.Bounds()
	line := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1))
	return Of(b.Dx(), b.Dy(), func(y int, to []byte) {
		draw.Draw(line, line.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
		draw.Draw(line, line.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Over)
		copy(to, line.Pix)
	}, [4]float64{})
}

// A canvas is a small picture on white paper.
type canvas struct {
	w, h  int
	rgb   []float32 // 0 to 255
	known []float32
}

func newCanvas(w, h int) *canvas {
	return &canvas{w, h, make([]float32, 3*w*h), make([]float32, w*h)}
}

// reduce makes each square of pixels one, so that none of them goes unseen.
func reduce(w, h int, row func(int, []byte)) *canvas {
	k := max(1, (max(w, h)+side-1)/side)
	c := newCanvas(w/k, h/k)
	line := make([]byte, 4*w)
	for y := range c.h * k {
		row(y, line)
		to := c.rgb[3*(y/k)*c.w:]
		for x := range c.w * k {
			p := line[4*x : 4*x+4]
			a := float32(p[3]) / 255
			t := to[3*(x/k) : 3*(x/k)+3]
			for i := range t {
				t[i] += 255 - (255-float32(p[i]))*a
			}
		}
	}
	for i := range c.rgb {
		c.rgb[i] /= float32(k * k)
	}
	for i := range c.known {
		c.known[i] = 1
	}
	return c
}

// as gives the picture as it is seen: turned, mirrored, stretched.
func (c *canvas) as(m [4]float64) *canvas {
	det := m[0]*m[3] - m[1]*m[2]
	wide, high := math.Abs(m[0])+math.Abs(m[2]), math.Abs(m[1])+math.Abs(m[3])
	longer := max(wide, high)
	if !(longer > 0) || math.IsInf(longer, 0) || !(math.Abs(det) > 1e-3*longer*longer) {
		return nil
	}
	out := newCanvas(max(1, int(wide/longer*side)), max(1, int(high/longer*side)))
	for y := range out.h {
		for x := range out.w {
			// From the middle of what is seen, y up.
			px, py := ((float64(x)+0.5)/float64(out.w)-0.5)*wide, (0.5-(float64(y)+0.5)/float64(out.h))*high
			u, v := (m[3]*px-m[2]*py)/det+0.5, (m[0]*py-m[1]*px)/det+0.5
			i := y*out.w + x
			t := out.rgb[3*i : 3*i+3]
			if u < 0 || u >= 1 || v < 0 || v >= 1 {
				t[0], t[1], t[2] = 255, 255, 255
				continue
			}
			out.known[i] = 1
			c.sample(u*float64(c.w)-0.5, (1-v)*float64(c.h)-0.5, t)
		}
	}
	return out
}

func (c *canvas) sample(x, y float64, to []float32) {
	x, y = min(max(x, 0), float64(c.w-1)), min(max(y, 0), float64(c.h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, c.w-1), min(y0+1, c.h-1)
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	for i := range to {
		at := func(x, y int) float32 { return c.rgb[3*(y*c.w+x)+i] }
		top := at(x0, y0)*(1-fx) + at(x1, y0)*fx
		low := at(x0, y1)*(1-fx) + at(x1, y1)*fx
		to[i] = top*(1-fy) + low*fy
	}
}

// print parts ink and paper.
func (c *canvas) print() *Print {
	if c.w < least/2 || c.h < least/2 {
		return nil
	}
	n := c.w * c.h
	dark, hue := make([]float32, n), make([]float32, n)
	var darkness, colour float64
	for i := range n {
		p := c.rgb[3*i : 3*i+3]
		low, high := min(p[0], p[1], p[2]), max(p[0], p[1], p[2])
		dark[i], hue[i] = 255-low, high-low
		if dark[i] > 64 {
			darkness += float64(dark[i])
			colour += float64(hue[i])
		}
	}
	first := plane{c.w, c.h, dark, c.known}
	if colour > 0.35*darkness {
		first.ink = hue
		for i := range n { // black over colour hides it
			if dark[i] > 128 && hue[i] < 0.5*dark[i] {
				first.known[i] = 0
			}
		}
	}
	if !first.part() {
		return nil
	}
	p := &Print{levels: []plane{first}}
	var ok bool
	if p.box, ok = first.extent(); !ok {
		return nil
	}
	for l := first; len(p.levels) < 4 && min(l.w, l.h) >= 16; p.levels = append(p.levels, l) {
		l = l.half()
	}
	return p
}

// part makes ink 0 to 1, by the threshold that parts it best from the paper (Otsu).
func (l *plane) part() bool {
	var count [256]float64
	var total, sum float64
	for i, v := range l.ink {
		if l.known[i] > 0 {
			count[min(255, max(0, int(v)))]++
			total++
			sum += float64(int(v))
		}
	}
	best, paper, ink := 0.0, 0.0, 0.0
	var n, s float64
	for v, c := range count[:255] {
		n += c
		s += c * float64(v)
		if n == 0 || n == total {
			continue
		}
		m0, m1 := s/n, (sum-s)/(total-n)
		if between := n * (total - n) * (m1 - m0) * (m1 - m0); between > best {
			best, paper, ink = between, m0, m1
		}
	}
	if ink-paper < contrast {
		return false
	}
	for i, v := range l.ink {
		l.ink[i] = min(1, max(0, (v-float32(paper))/float32(ink-paper)))
	}
	return true
}

// extent is where the ink is, but for specks.
func (l *plane) extent() (box, bool) {
	cols, rows := make([]float32, l.w), make([]float32, l.h)
	for y := range l.h {
		for x := range l.w {
			v := l.ink[y*l.w+x] * l.known[y*l.w+x]
			cols[x] += v
			rows[y] += v
		}
	}
	ends := func(sums []float32, across int) (from, to float64) {
		enough := func(v float32) bool { return v > 0.03*float32(across) }
		a := slices.IndexFunc(sums, enough)
		if a < 0 {
			return 0, 0
		}
		b := len(sums) - 1
		for !enough(sums[b]) {
			b--
		}
		return float64(a), float64(b + 1)
	}
	left, right := ends(cols, l.h)
	top, bottom := ends(rows, l.w)
	b := box{(left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2}
	return b, min(b.w, b.h) >= least/4
}

// half makes four pixels one.
func (l plane) half() plane {
	out := plane{l.w / 2, l.h / 2, make([]float32, l.w/2*(l.h/2)), make([]float32, l.w/2*(l.h/2))}
	for y := range out.h {
		for x := range out.w {
			var ink, known float32
			for _, i := range [4]int{2*y*l.w + 2*x, 2*y*l.w + 2*x + 1, (2*y+1)*l.w + 2*x, (2*y+1)*l.w + 2*x + 1} {
				ink += l.ink[i] * l.known[i]
				known += l.known[i]
			}
			if known > 0 {
				out.ink[y*out.w+x] = ink / known
			}
			out.known[y*out.w+x] = known / 4
		}
	}
	return out
}
