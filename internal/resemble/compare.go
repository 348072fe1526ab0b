package resemble

import (
	"cmp"
	"math"
	"slices"
)

// sizes of the grids on which ink is compared, from coarse to fine.
var sizes = [...]int{32, 64, 128}

const (
	margin  = 1.04 // the grid reaches so far beyond the ink, in halves of its sides
	window  = 18   // side of a window on the finest grid: a character of a round seal
	stride  = 4    // from window to window
	slack   = 1    // pixels a window may be off, since paper and scanners warp
	spread  = 0.2  // of the ink in a window, as a standard deviation: less shows nothing
	inside  = 0.8  // of the way from the middle to the edge, no ink but that of the seal is expected
	worst   = 0.02 // of the windows count
	known   = 0.7  // of the windows must be known
	nothing = 0.3  // how well the whole must fit for a closer look,
	little  = 0.5  // and for the last one
)

// A grid is the ink in a square around a pose, n by n.
type grid struct {
	n          int
	ink, known []float32
}

func newGrid(n int) grid { return grid{n, make([]float32, n*n), make([]float32, n*n)} }

// A pose says where in a picture the middle of the ink is, half its sides, and how it is turned.
type pose struct{ x, y, w, h, turn float64 }

// grid i is the ink of p as others are laid over it.
func (p *Print) grid(i int) *grid {
	p.once.Do(func() {
		for _, n := range sizes {
			g := newGrid(n)
			p.lay(&g, pose{p.box.x, p.box.y, p.box.w, p.box.h, 0})
			p.grids = append(p.grids, g)
		}
	})
	return &p.grids[i]
}

// lay fills a grid with the ink at a pose.
func (p *Print) lay(g *grid, at pose) {
	d := 2 * margin / float64(g.n) // from one point to the next, in halves of the sides
	l, unit := &p.levels[0], 1.0
	for i := 1; i < len(p.levels) && d*max(at.w, at.h) > 1.5*unit; i++ {
		l, unit = &p.levels[i], 2*unit
	}
	sin, cos := math.Sincos(at.turn)
	ux, uy := cos*at.w*d/unit, sin*at.w*d/unit
	vx, vy := -sin*at.h*d/unit, cos*at.h*d/unit
	first := 0.5 - float64(g.n)/2
	for j := range g.n {
		v := first + float64(j)
		x, y := at.x/unit-0.5+first*ux+v*vx, at.y/unit-0.5+first*uy+v*vy
		for i := range g.n {
			g.ink[j*g.n+i], g.known[j*g.n+i] = l.at(x, y)
			x += ux
			y += uy
		}
	}
}

// at is the ink at a point between pixels. Beyond the edge nothing is known.
func (l *plane) at(x, y float64) (ink, known float32) {
	if !(x > -1 && y > -1 && x < float64(l.w) && y < float64(l.h)) {
		return 0, 0
	}
	x0, y0 := int(x+1)-1, int(y+1)-1
	if x0 < 0 || y0 < 0 || x0+1 >= l.w || y0+1 >= l.h {
		i := min(max(y0, 0), l.h-1)*l.w + min(max(x0, 0), l.w-1)
		return l.ink[i], l.known[i]
	}
	fx, fy := float32(x-float64(x0)), float32(y-float64(y0))
	i := y0*l.w + x0
	a, b := l.known[i]*(1-fx)*(1-fy), l.known[i+1]*fx*(1-fy)
	c, d := l.known[i+l.w]*(1-fx)*fy, l.known[i+l.w+1]*fx*fy
	if known = a + b + c + d; known < 1e-3 {
		return 0, 0
	}
	return (a*l.ink[i] + b*l.ink[i+1] + c*l.ink[i+l.w] + d*l.ink[i+l.w+1]) / known, known
}

// Likeness is how much a picture looks like p, 0 to 1. It is not symmetric: q may be a crop of p.
func (p *Print) Likeness(q *Print) float64 {
	m := match{p: p, q: q}
	for i, n := range sizes {
		m.seen[i] = newGrid(n)
	}
	list := m.coarse()
	if len(list) == 0 || list[0].fit < nothing {
		return 0
	}
	best := 0.0
	for _, g := range list {
		if g = m.climb(1, m.climb(0, g)); g.fit < little {
			continue
		}
		best = max(best, m.windows(m.climb(2, g).pose))
	}
	return best
}

// A match is one picture on its way to be laid over another.
type match struct {
	p, q *Print
	seen [len(sizes)]grid // room for the ink of q
}

// A guess is a pose and how well the whole fits there.
type guess struct {
	pose
	fit float64
}

// guesses are the poses at which the ink of q may be that of p: as it is, or cut at one side.
func (m *match) guesses() (list []pose) {
	b, ratio := m.q.box, m.p.box.w/m.p.box.h
	if r := b.w / b.h / ratio; r > 0.75 && r < 1.33 {
		list = append(list, pose{b.x, b.y, b.w, b.h, 0})
	}
	w, h := b.h*ratio, b.w/ratio
	if w > 1.08*b.w && w < 1.8*b.w {
		list = append(list, pose{b.x - b.w + w, b.y, w, b.h, 0}, pose{b.x + b.w - w, b.y, w, b.h, 0})
	}
	if h > 1.08*b.h && h < 1.8*b.h {
		list = append(list, pose{b.x, b.y - b.h + h, b.w, h, 0}, pose{b.x, b.y + b.h - h, b.w, h, 0})
	}
	return list
}

// coarse tries turns, sizes and places, and gives the best of each guess.
func (m *match) coarse() (list []guess) {
	for _, at := range m.guesses() {
		best := guess{at, -1}
		for turn := -3; turn <= 3; turn++ {
			for _, scale := range [...]float64{0.92, 1, 1.08} {
				for _, dx := range [...]float64{-0.06, 0, 0.06} {
					for _, dy := range [...]float64{-0.06, 0, 0.06} {
						c := pose{at.x + dx*at.w, at.y + dy*at.h, at.w * scale, at.h * scale, float64(turn) * 4 * math.Pi / 180}
						if fit := m.fit(0, c); fit > best.fit {
							best = guess{c, fit}
						}
					}
				}
			}
		}
		list = append(list, best)
	}
	slices.SortStableFunc(list, func(a, b guess) int { return cmp.Compare(b.fit, a.fit) })
	return list[:min(2, len(list))]
}

// climb betters a guess on grid i.
func (m *match) climb(i int, g guess) guess {
	g.fit = m.fit(i, g.pose)
	px := 2 / float64(sizes[i]) // in halves of the side
	step := 1.0
	if i == len(sizes)-1 {
		step = 0.5 // the grid before has been as near
	}
	for ; step >= 0.25; step /= 2 {
		for range 20 {
			was := g.fit
			for _, d := range [...]pose{{x: 1}, {y: 1}, {turn: 1}, {w: 1, h: 1}, {w: 1}, {h: 1}} {
				for _, s := range [...]float64{step * px, -step * px} {
					c := pose{g.x + s*d.x*g.w, g.y + s*d.y*g.h, g.w * (1 + s*d.w), g.h * (1 + s*d.h), g.turn + s*d.turn}
					if fit := m.fit(i, c); fit > g.fit {
						g = guess{c, fit}
						break
					}
				}
			}
			if g.fit <= was {
				break
			}
		}
	}
	return g
}

// fit is how well the whole fits: the correlation of what is known of both, less where little is.
func (m *match) fit(i int, at pose) float64 {
	a, b := m.p.grid(i), &m.seen[i]
	m.q.lay(b, at)
	var s sums
	for k, x := range a.ink {
		s.add(a.known[k]*b.known[k], x, b.ink[k])
	}
	return s.correlation(0) * math.Sqrt(float64(s[0])/float64(len(a.ink)))
}

// sums are what a correlation is made of: of weights, a, b, aa, bb, ab.
type sums [6]float32

func (s *sums) add(w, a, b float32) {
	wa, wb := w*a, w*b
	s[0] += w
	s[1] += wa
	s[2] += wb
	s[3] += wa * a
	s[4] += wb * b
	s[5] += wa * b
}

// deviations are those of a and b.
func (s *sums) deviations() (a, b float64) {
	w := float64(max(s[0], 1e-6))
	of := func(sum, squares float32) float64 {
		mean := float64(sum) / w
		return math.Sqrt(max(0, float64(squares)/w-mean*mean))
	}
	return of(s[1], s[3]), of(s[2], s[4])
}

// correlation is that of a and b. Deviations less than floor are taken for it.
func (s *sums) correlation(floor float64) float64 {
	w := float64(max(s[0], 1e-6))
	a, b := s.deviations()
	floor = max(floor, 1e-4)
	return (float64(s[5])/w - float64(s[1])/w*float64(s[2])/w) / (max(a, floor) * max(b, floor))
}

// windows compares window by window and gives the mean of those that fit worst.
func (m *match) windows(at pose) float64 {
	i := len(sizes) - 1
	a, b := m.p.grid(i), &m.seen[i]
	m.q.lay(b, at)
	var fits []float64
	all := 0
	for y := 0; y+window <= a.n; y += stride {
		for x := 0; x+window <= a.n; x += stride {
			fit, shows, isKnown := around(a, b, x, y)
			if !shows {
				continue
			}
			if all++; isKnown {
				fits = append(fits, fit)
			}
		}
	}
	if all == 0 || float64(len(fits)) < known*float64(all) {
		return 0
	}
	slices.Sort(fits)
	n := max(1, int(worst*float64(len(fits))))
	sum := 0.0
	for _, f := range fits[:n] {
		sum += f
	}
	return max(0, sum/float64(n))
}

// around compares one window, at the shift where it fits best. It shows something where p has ink, or where q has some that stands
// inside of p.
func around(a, b *grid, x, y int) (fit float64, shows, isKnown bool) {
	own, both := a.sums(nil, x, y, 0, 0), a.sums(b, x, y, 0, 0)
	ours, _ := own.deviations()
	seen, theirs := both.deviations()
	if middle := float64(a.n-window) / 2; math.Hypot(float64(x)-middle, float64(y)-middle) > inside*float64(a.n)/2 {
		theirs = 0
	}
	if max(ours, theirs) < spread {
		return 0, false, false
	}
	if max(seen, theirs) < spread || both[0] < 0.6*own[0] {
		return 0, true, false
	}
	fit = both.correlation(spread / 2)
	for dy := -slack; dy <= slack; dy++ {
		for dx := -slack; dx <= slack; dx++ {
			if (dx != 0 || dy != 0) && x+dx >= 0 && y+dy >= 0 && x+dx+window <= b.n && y+dy+window <= b.n {
				s := a.sums(b, x, y, dx, dy)
				fit = max(fit, s.correlation(spread/2))
			}
		}
	}
	return fit, true, true
}

// sums are those of a window, over b by a shift; nil: of a alone.
func (a *grid) sums(b *grid, x, y, dx, dy int) (s sums) {
	for j := range window {
		p := (y+j)*a.n + x
		q := p + dy*a.n + dx
		for i := range window {
			if b == nil {
				s.add(a.known[p+i], a.ink[p+i], 0)
			} else {
				s.add(a.known[p+i]*b.known[q+i], a.ink[p+i], b.ink[q+i])
			}
		}
	}
	return s
}
