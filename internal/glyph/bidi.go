package glyph

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/bidi"
)

// levels resolves how deep in changes of direction each character stands: even levels run to the right, odd ones to the left. It is the
// Unicode Bidirectional Algorithm (UAX #9) for a paragraph without explicit embeddings and isolates, which check refuses; the names
// of its rules stand beside them.
func levels(text []rune, base int) []int {
	p := sequence{base: base}
	p.outer = bidi.L
	if base%2 == 1 {
		p.outer = bidi.R
	}
	for i, r := range text {
		if c := class(r); c != bidi.BN { // X9: as if it were not there
			p.at = append(p.at, i)
			p.was = append(p.was, c)
		}
	}
	p.types = slices.Clone(p.was)
	p.weak()
	p.brackets(text)
	p.neutral()
	found := make([]int, len(text))
	for i := range found {
		found[i] = -1
	}
	for k, c := range p.types {
		level := base
		switch { // I1, I2
		case base%2 == 0 && c == bidi.R, base%2 == 1 && c != bidi.R:
			level++
		case base%2 == 0 && (c == bidi.AN || c == bidi.EN):
			level += 2
		}
		found[p.at[k]] = level
	}
	for k := len(p.was) - 1; k >= 0 && space(p.was[k]); k-- { // L1
		found[p.at[k]] = base
	}
	for k, c := range p.was { // L1 again
		if c == bidi.S || c == bidi.B {
			for ; k >= 0 && space(p.was[k]); k-- {
				found[p.at[k]] = base
			}
		}
	}
	for i := range found {
		if found[i] < 0 {
			found[i] = base
			if i > 0 {
				found[i] = found[i-1]
			}
		}
	}
	return found
}

func class(r rune) bidi.Class {
	p, _ := bidi.LookupRune(r)
	return p.Class()
}

func space(c bidi.Class) bool { return c == bidi.WS || c == bidi.S || c == bidi.B }

// rightToLeft is rules P2 and P3: the first strong character decides.
func rightToLeft(text []rune) bool {
	for _, r := range text {
		switch class(r) {
		case bidi.L:
			return false
		case bidi.R, bidi.AL:
			return true
		}
	}
	return false
}

// A sequence is the characters that take part, and their types as the rules change them.
type sequence struct {
	base  int
	outer bidi.Class // sos and eos
	at    []int      // where in the text
	was   []bidi.Class
	types []bidi.Class
}

// weak is rules W1 to W7.
func (p *sequence) weak() {
	t := p.types
	before := func(i int) bidi.Class {
		if i == 0 {
			return p.outer
		}
		return t[i-1]
	}
	strong := p.outer
	for i, c := range t { // W1, W2
		if c == bidi.NSM {
			t[i] = before(i)
		}
		switch t[i] {
		case bidi.L, bidi.R, bidi.AL:
			strong = t[i]
		case bidi.EN:
			if strong == bidi.AL {
				t[i] = bidi.AN
			}
		}
	}
	for i, c := range t { // W3, W4
		if c == bidi.AL {
			t[i] = bidi.R
		}
		if i == 0 || i == len(t)-1 {
			continue
		}
		if a, b := t[i-1], t[i+1]; a == b && (c == bidi.ES && a == bidi.EN || c == bidi.CS && (a == bidi.EN || a == bidi.AN)) {
			t[i] = a
		}
	}
	for i := 0; i < len(t); i++ { // W5
		first := i
		for i < len(t) && t[i] == bidi.ET {
			i++
		}
		if first < i && (before(first) == bidi.EN || i < len(t) && t[i] == bidi.EN) {
			fill(t[first:i], bidi.EN)
		}
	}
	strong = p.outer
	for i, c := range t { // W6, W7
		switch c {
		case bidi.ES, bidi.ET, bidi.CS:
			t[i] = bidi.ON
		case bidi.L, bidi.R:
			strong = c
		case bidi.EN:
			if strong == bidi.L {
				t[i] = bidi.L
			}
		}
	}
}

func fill(t []bidi.Class, c bidi.Class) {
	for i := range t {
		t[i] = c
	}
}

// side is the direction that a type counts as among neutral ones: numbers as right to left. ON: none.
func side(c bidi.Class) bidi.Class {
	switch c {
	case bidi.L:
		return bidi.L
	case bidi.R, bidi.EN, bidi.AN:
		return bidi.R
	}
	return bidi.ON
}

// pairs are brackets, an opening one before its closing one.
const pairs = "()[]{}༺༻༼༽᚛᚜⁅⁆⁽⁾₍₎⌈⌉⌊⌋〈〉❨❩❪❫❬❭❮❯❰❱❲❳❴❵⟅⟆⟦⟧⟨⟩⟪⟫⟬⟭⟮⟯⦃⦄⦅⦆⦇⦈⦉⦊⦋⦌⦏⦎⦍⦐⦑⦒⦓⦔⦕⦖⦗⦘⧘⧙⧚⧛⧼⧽" +
	"⸢⸣⸤⸥⸦⸧⸨⸩〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"

// brackets is rule N0.
func (p *sequence) brackets(text []rune) {
	type bracket struct {
		close rune
		at    int
	}
	table := []rune(pairs)
	var open []bracket
	var found [][2]int
	for k, i := range p.at {
		if p.types[k] != bidi.ON {
			continue
		}
		r := text[i]
		if r == '\u2329' || r == '\u232a' { // canonically 〈 and 〉
			r += 0x3008 - 0x2329
		}
		n := slices.Index(table, r)
		switch {
		case n < 0:
		case n%2 == 0:
			if len(open) == 63 { // BD16
				return
			}
			open = append(open, bracket{table[n+1], k})
		default:
			for m := len(open) - 1; m >= 0; m-- {
				if open[m].close == r {
					found = append(found, [2]int{open[m].at, k})
					open = open[:m]
					break
				}
			}
		}
	}
	slices.SortFunc(found, func(a, b [2]int) int { return a[0] - b[0] })
	for _, b := range found {
		inside := bidi.ON
		for _, c := range p.types[b[0]+1 : b[1]] {
			if s := side(c); s == p.outer {
				inside = s
				break
			} else if s != bidi.ON {
				inside = s
			}
		}
		if inside == bidi.ON {
			continue
		}
		if inside != p.outer { // the other direction, where what is before runs so too
			before := p.outer
			for k := b[0] - 1; k >= 0; k-- {
				if s := side(p.types[k]); s != bidi.ON {
					before = s
					break
				}
			}
			if before == p.outer {
				inside = p.outer
			}
		}
		for _, k := range b {
			p.types[k] = inside
			for k++; k < len(p.was) && p.was[k] == bidi.NSM; k++ {
				p.types[k] = inside
			}
		}
	}
}

// neutral is rules N1 and N2.
func (p *sequence) neutral() {
	for i := 0; i < len(p.types); i++ {
		first, before, after := i, p.outer, p.outer
		for i < len(p.types) && side(p.types[i]) == bidi.ON {
			i++
		}
		if first == i {
			continue
		}
		if first > 0 {
			before = side(p.types[first-1])
		}
		if i < len(p.types) {
			after = side(p.types[i])
		}
		if before != after {
			before = p.outer
		}
		fill(p.types[first:i], before)
	}
}

// refused are the characters that change direction by hand. They can make a line read otherwise than it is written; the marks that
// are characters of a direction (U+200E, U+200F, U+061C) cannot.
func refused(r rune) bool {
	return strings.ContainsRune("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", r)
}
