package pdftext

import "github.com/courtseal/courtseal/internal/phrase"

// dateGap is a gap in a line, in multiples of the glyphs' size, that may part a date from what else stands there.
const dateGap = 3

// Dates gives the dates that have a line to themselves, or a part of a line far from the rest, in reading order: those of the
// best kind that the page has.
func (t *Text) Dates() []Match {
	var found [phrase.CourtDate + 1][]Match
	for i := range t.lines {
		l := &t.lines[i]
		t.prepare(l)
		if m, kind := t.date(l); kind != phrase.NoDate {
			found[kind] = append(found[kind], m)
			continue
		}
		for _, part := range t.parts(l) {
			t.prepare(&part)
			if m, kind := t.date(&part); kind > phrase.DashedDate {
				found[kind] = append(found[kind], m)
			}
		}
	}
	for kind := phrase.CourtDate; kind > phrase.NoDate; kind-- {
		if found[kind] != nil {
			return found[kind]
		}
	}
	return nil
}

// parts cuts a line where there are gaps; nil: there are none.
func (t *Text) parts(l *line) []line {
	var list []line
	first := l.first
	for i := l.first + 1; i < l.end; i++ {
		a, b := t.Glyphs[i-1], t.Glyphs[i]
		if dist(a.to, b.at) > dateGap*max(a.size, b.size) {
			list = append(list, line{first: first, end: i})
			first = i
		}
	}
	if list == nil {
		return nil
	}
	return append(list, line{first: first, end: l.end})
}

// date says whether a line is a date, and which kind of one.
func (t *Text) date(l *line) (m Match, kind phrase.Kind) {
	start, end, kind := phrase.Date(l.text)
	if kind == phrase.NoDate {
		return m, kind
	}
	return t.match(int(l.from[start]), int(l.from[end-1])), kind
}
