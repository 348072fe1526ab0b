// Package pdftext finds text on the pages of PDF files and says where it stands.
//
// A Reader runs the content of a page (ISO 32000-2, 9) far enough to know for each character what it stands for and the
// room it takes. What a character stands for is taken from the font's ToUnicode CMap; where there is none, from its encoding
// (glyph names, the predefined CMaps of Chinese, Japanese and Korean fonts), from the collection its CIDs belong to, and in
// the end from the embedded font program. What nothing tells stays U+FFFD and keeps its room.
//
// Paint tells of everything else that a page paints, too, and leaves out what is invisible.
//
// Text that is drawn invisibly (the text layer of a scanned page) counts as text, and so do the appearances of form fields and
// other annotations. Optional content and clipping are not looked at: text hidden by them is found. Reading right to left is
// not known: such text is found in the order in which it stands from left to right.
package pdftext

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
)

// What a file may ask for. A page of a book has some 3,000 glyphs and 30 KB of content.
const (
	maxPageWork = 64 << 20  // bytes of content, fonts and CMaps read for one page; a glyph counts as glyphWork of them
	maxFileWork = 128 << 20 // of all pages, and fileFactor for each byte of the file
	fileFactor  = 64
	glyphWork   = 32
	longText    = 16      // the same of each byte of a text that one glyph stands for, where it is more than a character
	maxPageText = 1 << 18 // glyphs of one page
	maxForms    = 12      // forms in forms
	maxStates   = 512     // q without Q
	maxOperands = 1 << 17 // of one operator
	maxFonts    = 256     // kept from page to page
)

// A Rect is left, bottom, right, top in the page's own coordinates (as /MediaBox has them).
type Rect [4]float64

func (r Rect) union(o Rect) Rect {
	return Rect{min(r[0], o[0]), min(r[1], o[1]), max(r[2], o[2]), max(r[3], o[3])}
}

// A Glyph is one character as the page shows it. White space is none.
type Glyph struct {
	Text string // what it stands for, seldom more than one character; U+FFFD: unknown
	Box  Rect   // the room of the character: its width, and the height of its font above and below the line

	at, to point // its origin and where the next one would begin
	size   float64
}

type point struct{ x, y float64 }

// A Text is what one page says. It must not be used concurrently.
type Text struct {
	Number int // of the page, 1 the first
	Page   *pdf.Page
	Glyphs []Glyph // line by line, in reading order
	Err    error   // what part of the page could not be read; nil: none
	lines  []line  // in reading order
}

// A Match is a piece of text that was found.
type Match struct {
	Page  int       // 1 the first
	On    *pdf.Page // the same
	Text  string    // as the page has it, without white space
	Box   Rect      // of its glyphs
	First int       // of them in Text.Glyphs
	Last  int       // the last of them
}

// A Reader reads pages of one file and keeps their fonts. It must not be used concurrently.
type Reader struct {
	f     *pdf.File
	fonts map[pdf.Ref]*font
	work  int64 // left for all pages

	unread error // of the first page of which a part could not be read

	glyphs []Glyph // room to work in
	placed []placed
}

func New(f *pdf.File) *Reader {
	return &Reader{f: f, fonts: map[pdf.Ref]*font{}, work: maxFileWork + fileFactor*f.Size()}
}

// Unread says what of the pages read so far could not be read, of the first of them; nil: nothing.
func (r *Reader) Unread() error { return r.unread }

// Page reads the text of page n, 1 the first. A part of it that is damaged is left out, and Text.Err says so; content that
// asks for too much is pdf.ErrLimit.
func (r *Reader) Page(ctx context.Context, n int) (*Text, error) {
	p, err := r.f.Page(n)
	if err != nil {
		return nil, err
	}
	return r.read(ctx, n, p)
}

func (r *Reader) read(ctx context.Context, n int, p *pdf.Page) (*Text, error) {
	in := &interpreter{r: r, ctx: ctx, page: p, work: min(maxPageWork, r.work), glyphs: r.glyphs[:0]}
	given := in.work
	err := in.run()
	r.work -= given - in.work
	r.glyphs = in.glyphs
	if err != nil {
		return nil, fmt.Errorf("text of page %d: %w", n, err)
	}
	t := &Text{Number: n, Page: p, Err: in.damage}
	if t.Err != nil && r.unread == nil {
		r.unread = fmt.Errorf("text of page %d: %w", n, t.Err)
	}
	r.placed = t.arrange(in.glyphs, r.placed)
	return t, nil
}

// Pages reads the pages in order, none before the one before it is done with. An error is the last thing that it gives.
func (r *Reader) Pages(ctx context.Context) iter.Seq2[*Text, error] {
	return func(yield func(*Text, error) bool) {
		err := r.f.EachPage(func(n int, p *pdf.Page) error {
			t, err := r.read(ctx, n, p)
			if err == nil && !yield(t, nil) {
				err = errEnough
			}
			return err
		})
		if err != nil && err != errEnough {
			yield(nil, err)
		}
	}
}

var errEnough = errors.New("pdftext: enough pages")

// Dates looks for the dates of signature blocks from the last page backwards, and gives those of the first page that has
// any, with its text. The last of them is the one that courts seal. nil: no page has any.
func (r *Reader) Dates(ctx context.Context) (*Text, []Match, error) {
	pages, err := r.f.NumPages()
	if err != nil {
		return nil, nil, err
	}
	var list []*pdf.Page // all of them, once the last ones had no date
	for n := pages; n > 0; n-- {
		if pages-n == lookBack {
			if list, err = r.allPages(); err != nil {
				return nil, nil, err
			}
		}
		var t *Text
		if n <= len(list) {
			t, err = r.read(ctx, n, list[n-1])
		} else {
			t, err = r.Page(ctx, n)
		}
		if err != nil {
			return nil, nil, err
		}
		if found := t.Dates(); len(found) > 0 {
			return t, found, nil
		}
	}
	return nil, nil, nil
}

// lookBack is how many pages are looked up one by one, each from the root of the page tree, before all are listed: in a tree
// whose root has every page for a kid that takes the square of the pages.
const lookBack = 16

func (r *Reader) allPages() (list []*pdf.Page, err error) {
	err = r.f.EachPage(func(_ int, p *pdf.Page) error {
		list = append(list, p)
		return nil
	})
	return list, err
}

// A matrix is a b c d e f, as PDF writes it.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul is m applied first, then n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

func (m matrix) apply(x, y float64) point {
	return point{x*m[0] + y*m[2] + m[4], x*m[1] + y*m[3] + m[5]}
}

// box is the upright rectangle around a rectangle that m has turned.
func (m matrix) box(r Rect) Rect {
	a, b, c, d := m.apply(r[0], r[1]), m.apply(r[2], r[1]), m.apply(r[0], r[3]), m.apply(r[2], r[3])
	return Rect{min(a.x, b.x, c.x, d.x), min(a.y, b.y, c.y, d.y), max(a.x, b.x, c.x, d.x), max(a.y, b.y, c.y, d.y)}
}

// finite says whether a rectangle can be calculated with.
func (r Rect) finite() bool {
	for _, v := range r {
		if math.IsNaN(v) || math.Abs(v) > 1e7 {
			return false
		}
	}
	return true
}

func dist(a, b point) float64 { return math.Hypot(a.x-b.x, a.y-b.y) }
