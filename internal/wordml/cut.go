package wordml

import (
	"math"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A cut is where a run's text is parted, or where a run may be added.
type cut struct {
	at     int
	inRun  bool   // what goes there is a child of w:r
	before string // to be inserted before it and after it: the end of a w:t, and its beginning again
	after  string
}

// A measure is what is known of a place in a line, in points; widths are those of common fonts.
type measure struct {
	cut
	cutX   float64 // of the cut, from the beginning of the line
	x      float64 // of the middle of the text
	length float64 // of the line
	size   float64 // of its largest characters
	known  bool    // there is no tab before it
}

// ordinary is the size of text where nothing tells it, in points.
const ordinary = 10.5

// points is the size of a piece of text in a paragraph.
func (s *shape) points(p *piece) float64 {
	switch {
	case p != nil && p.half > 0:
		return float64(p.half) / 2
	case s.half > 0:
		return float64(s.half) / 2
	}
	return ordinary
}

// measure finds the middle of a text, and the best place for an anchor there: between two characters of a run, as near to the
// middle as may be, so that little depends on how wide characters are.
func (d *Document) measure(s Spot) measure {
	l := d.lines[s.line]
	look := d.look(&d.paras[l.para])
	var b textBuffer
	d.raw(s.line, &b)
	m := measure{known: true, cut: cut{at: -1}}
	from, to := math.NaN(), 0.0 // of the text
	d.eachChar(l, &b, func(i int, r rune, p *piece) {
		w := em(r) * look.points(p)
		if at := b.from[i]; at >= s.from && s.kind == inText || int(at) >= s.at && s.kind == inPara {
			if math.IsNaN(from) {
				from, to = m.length, m.length
			}
			if s.kind == inText && at <= s.last {
				to = m.length + w
			}
		} else if r == '\t' {
			m.known = false
		}
		m.length += w
		m.size = max(m.size, look.points(p))
	})
	if math.IsNaN(from) {
		from, to = m.length, m.length
	}
	m.x = (from + to) / 2
	if m.size == 0 {
		m.size = look.points(nil)
	}
	if s.kind == inPara {
		m.cut, m.cutX = cut{at: s.at}, m.x
		return m
	}
	d.choose(l, &look, &b, s, &m)
	return m
}

// eachChar calls f for each character of a line: where it is in b, and the piece that it stands in.
func (d *Document) eachChar(l line, b *textBuffer, f func(i int, r rune, p *piece)) {
	n := int(l.first)
	for i := 0; i < len(b.all); {
		for n+1 < int(l.end) && b.from[i] >= d.pieces[n+1].at {
			n++
		}
		r, k := utf8.DecodeRune(b.all[i:])
		f(i, r, &d.pieces[n])
		i += k
	}
}

// choose finds the best cut for a text.
func (d *Document) choose(l line, look *shape, b *textBuffer, s Spot, m *measure) {
	best, x, tab := math.Inf(1), 0.0, false
	var prev rune
	var before *piece
	consider := func(c cut) {
		if away := math.Abs(x - m.x); away < best {
			best, m.cut, m.cutX = away, c, x
		}
	}
	d.eachChar(l, b, func(i int, r rune, p *piece) {
		at := b.from[i]
		if tab = tab || r == '\t' && at > s.last; !tab {
			if c, ok := d.cutBefore(at, prev, r, before, p); ok {
				consider(c)
			}
		}
		if r == '\t' && at < s.from { // how wide it is is not known: nothing before it is near
			best = math.Inf(1)
		}
		x += em(r) * look.points(p)
		prev, before = r, p
	})
	if last := &d.pieces[l.end-1]; !tab && last.after >= 0 && !last.field {
		consider(cut{at: int(last.after), inRun: true})
	}
}

// cutBefore says how something is inserted before a character.
func (d *Document) cutBefore(at int32, prev, r rune, before, p *piece) (cut, bool) {
	c := cut{at: int(at), inRun: !p.simple}
	if at == p.at && before != p { // the first of its piece
		if p.head {
			c.at = int(p.tag)
			return c, true
		}
	}
	switch {
	case p.kind != pieceText || p.solid || prev == 0 || !apart(prev, r):
		return c, false
	case !p.keep && (blank(prev) || blank(r)): // white space at an end would be lost
		return c, false
	}
	start := d.startTag(p.tag)
	c.before, c.after = "</"+tagName(start)+">", start
	return c, true
}

func blank(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }

// apart says whether two characters can be parted without harm to how they look.
func apart(a, b rune) bool {
	const joiner = '\u200d'
	return a != joiner && !unicode.In(b, unicode.M, unicode.Cf, unicode.Sk) && (a != '\r' || b != '\n') &&
		!(0xd800 <= b && b <= 0xdfff) && norm.NFKC.PropertiesString(string(b)).BoundaryBefore()
}

// startTag gives a start tag as it stands in the part.
func (d *Document) startTag(at int32) string {
	return string(d.part[at : int(at)+tagEnd(d.part[at:])])
}

// tagName is the name in a start tag.
func tagName(tag string) string {
	tag = tag[1:]
	return tag[:strings.IndexAny(tag, " \t\r\n/>")]
}
