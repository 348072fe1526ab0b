package wordml

import (
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A bookmark is a place with a name, and the text up to its end: pieces[first:end].
type bookmark struct {
	name       string
	para       int // -1: it stands between paragraphs
	at         int // the byte behind w:bookmarkStart, if a run may stand there
	first, end int
}

const (
	maxBookmarks = 1 << 16
	maxName      = 255 // bytes; Word has 40 characters
)

func (s *scan) startBookmark(t *xmldoc.Token) {
	name, _ := t.Attr(s.d.ns.w, "name")
	id, _ := t.Attr(s.d.ns.w, "id")
	if name == "" || len(name) > maxName || len(s.d.bookmarks) == maxBookmarks || !t.Empty {
		return
	}
	m := bookmark{name: name, para: -1, at: t.End}
	if p := s.para(); p != nil {
		in := s.parent(0).role
		if in != block && in != inline && in != simple || !s.seen(&frame{}) {
			return
		}
		m.para, m.first, m.end = p.number, len(p.pieces), -1
		p.bookmarks = append(p.bookmarks, len(s.d.bookmarks))
	} else {
		m.first = len(s.d.paras) // the next paragraph
	}
	s.marks[id] = len(s.d.bookmarks)
	s.d.bookmarks = append(s.d.bookmarks, m)
}

func (s *scan) endBookmark(t *xmldoc.Token) {
	id, _ := t.Attr(s.d.ns.w, "id")
	i, ok := s.marks[id]
	if !ok {
		return
	}
	delete(s.marks, id)
	if p, m := s.para(), &s.d.bookmarks[i]; p != nil && p.number == m.para && m.end < 0 {
		m.end = len(p.pieces)
	}
}

// Bookmark gives the place of a bookmark: its text in the paragraph where it begins, or the point where it stands. Word tells
// the names of bookmarks apart without regard to case.
func (d *Document) Bookmark(name string) (Spot, bool) {
	for _, m := range d.bookmarks {
		if !strings.EqualFold(m.name, name) {
			continue
		}
		if m.para < 0 {
			return d.beginning(m.first)
		}
		return d.marked(m), true
	}
	return Spot{}, false
}

// beginning is the point where the text of a paragraph begins, or of the first after it that has room for a run.
func (d *Document) beginning(para int) (Spot, bool) {
	for i, l := range d.lines {
		if int(l.para) >= para && !l.broken && d.paras[l.para].first >= 0 && !d.paras[l.para].boxed {
			return Spot{kind: inPara, line: i, at: int(d.paras[l.para].first)}, true
		}
	}
	return d.End(), d.body >= 0
}

// marked is the text of a bookmark, or its point.
func (d *Document) marked(m bookmark) Spot {
	spot := Spot{kind: inPara, at: m.at}
	for i, l := range d.lines {
		if int(l.para) != m.para {
			continue
		}
		if m.first >= int(l.first) { // the last line for which this holds
			spot.line = i
		}
		first, end := max(m.first, int(l.first)), min(m.end, int(l.end))
		if first >= end {
			continue
		}
		var b textBuffer
		d.raw(i, &b)
		s := d.spot(i, &b, d.pieces[first].at, d.pieces[end-1].last())
		if strings.TrimSpace(s.Text) != "" {
			return s
		}
	}
	return spot
}

// End is the place in a paragraph of its own behind all others. Where the last paragraph has seals or signature lines that were
// placed so, the next one goes to their left.
func (d *Document) End() Spot {
	if d.body < 0 {
		return Spot{}
	}
	if n := len(d.paras); n > 0 {
		if p := d.paras[n-1]; d.rowPara == n-1 && !p.boxed && !p.inCell {
			return Spot{kind: inRow, at: int(p.first)}
		}
	}
	return Spot{kind: ownPara, at: d.body}
}
