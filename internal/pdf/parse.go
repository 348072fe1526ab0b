package pdf

import (
	"errors"
	"fmt"
	"math"
)

// errMore says that the object goes on after the bytes at hand.
var errMore = errors.New("pdf: the object goes on")

// A parser reads objects from bytes in memory.
type parser struct {
	b     []byte
	i     int
	more  bool // the file goes on after b
	depth int  // how much deeper arrays and dictionaries may nest
	items int  // how many more elements there may be
}

// A faultAt is an error at a byte of the parser's input; located makes it an error about the file.
type faultAt struct {
	kind error
	at   int
	text string
}

func (e *faultAt) Error() string { return fmt.Sprintf("%v: %s at byte %d", e.kind, e.text, e.at) }
func (e *faultAt) Unwrap() error { return e.kind }

func (p *parser) fault(at int, text string) error { return &faultAt{ErrSyntax, at, text} }

// end is the error of input that stops too early.
func (p *parser) end() error {
	if p.more {
		return errMore
	}
	return p.fault(len(p.b), "unexpected end")
}

// Parse reads one object that stands alone in b. Spans count from the start of b.
func Parse(b []byte, l Limits) (Object, error) {
	l = l.orDefaults()
	if len(b) > l.Object {
		return nil, fmt.Errorf("%w: an object of %d bytes, %d allowed", ErrLimit, len(b), l.Object)
	}
	p := &parser{b: b, depth: l.Depth, items: l.Items}
	if err := p.space(); err != nil {
		return nil, err
	}
	o, _, err := p.object()
	if err != nil {
		return nil, err
	}
	if p.space() == nil {
		return nil, p.fault(p.i, "bytes after the object")
	}
	return o, nil
}

const (
	regular = iota
	white
	delimiter
)

// class sorts bytes as ISO 32000-2, 7.2.3 does.
var class = [256]byte{0: white, '\t': white, '\n': white, '\f': white, '\r': white, ' ': white,
	'(': delimiter, ')': delimiter, '<': delimiter, '>': delimiter, '[': delimiter, ']': delimiter,
	'{': delimiter, '}': delimiter, '/': delimiter, '%': delimiter}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// space skips white space and comments up to the next token.
func (p *parser) space() error {
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case class[c] == white:
			p.i++
		case c == '%':
			for p.i < len(p.b) && p.b[p.i] != '\n' && p.b[p.i] != '\r' {
				p.i++
			}
		default:
			return nil
		}
	}
	return p.end()
}

// object reads the object that begins at p.i, where a token stands.
func (p *parser) object() (Object, Span, error) {
	from := p.i
	var o Object
	var err error
	switch c := p.b[p.i]; {
	case c == '/':
		o, err = p.name()
	case isDigit(c) || c == '-' || c == '+' || c == '.':
		o, err = p.number()
	case c == '(':
		o, err = p.literal()
	case c == '<':
		if p.i+1 == len(p.b) {
			return nil, Span{}, p.end()
		}
		if p.b[p.i+1] == '<' {
			o, err = p.dict()
		} else {
			o, err = p.hex()
		}
	case c == '[':
		o, err = p.array()
	default:
		o, err = p.keyword()
	}
	return o, Span{from, p.i}, err
}

// word reads regular characters.
func (p *parser) word() ([]byte, error) {
	from := p.i
	for p.i < len(p.b) && class[p.b[p.i]] == regular {
		p.i++
	}
	if p.i == len(p.b) && p.more {
		return nil, errMore
	}
	return p.b[from:p.i], nil
}

func (p *parser) keyword() (Object, error) {
	from := p.i
	w, err := p.word()
	if err != nil {
		return nil, err
	}
	switch string(w) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if len(w) == 0 {
		return nil, p.fault(from, fmt.Sprintf("unexpected %q", p.b[from]))
	}
	return nil, p.fault(from, fmt.Sprintf("unexpected word %.20q", w))
}

func (p *parser) name() (Object, error) {
	p.i++
	w, err := p.word()
	if err != nil {
		return nil, err
	}
	for i, c := range w {
		if c == '#' {
			return unescapeName(w, i), nil
		}
	}
	return Name(w), nil
}

func unescapeName(w []byte, i int) Name {
	out := append(make([]byte, 0, len(w)), w[:i]...)
	for ; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) && unhex(w[i+1]) >= 0 && unhex(w[i+2]) >= 0 {
			out = append(out, byte(unhex(w[i+1])<<4|unhex(w[i+2])))
			i += 2
			continue
		}
		out = append(out, w[i])
	}
	return Name(out)
}

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// number reads an integer, a real, or a reference, which begins as an integer does.
func (p *parser) number() (Object, error) {
	from := p.i
	w, err := p.word()
	if err != nil {
		return nil, err
	}
	n, plain := int64(0), true
	for i, c := range w {
		switch {
		case isDigit(c):
			if n > (math.MaxInt64-int64(c-'0'))/10 {
				plain = false
			} else {
				n = n*10 + int64(c-'0')
			}
		case (c == '-' || c == '+') && i == 0 && len(w) > 1:
		case c == '.' || c == '-' || c == '+':
			plain = false
		default:
			return nil, p.fault(from, fmt.Sprintf("malformed number %.20q", w))
		}
	}
	if !plain {
		return Real(w), nil
	}
	if w[0] == '-' {
		return -n, nil
	}
	if w[0] == '+' || n > math.MaxUint32 {
		return n, nil
	}
	gen, to, err := p.refTail()
	if err != nil {
		return nil, err
	}
	if to > 0 {
		p.i = to
		return Ref{uint32(n), gen}, nil
	}
	return n, nil
}

// refTail looks ahead for the generation and the R of a reference and says where it ends; 0: there is none.
func (p *parser) refTail() (gen uint16, to int, err error) {
	q := *p
	start := q.i
	if err := q.space(); err != nil {
		return 0, 0, only(err, errMore)
	}
	if q.i == start || !isDigit(q.b[q.i]) {
		return 0, 0, nil
	}
	g := 0
	for q.i < len(q.b) && isDigit(q.b[q.i]) && g <= math.MaxUint16 {
		g = g*10 + int(q.b[q.i]-'0')
		q.i++
	}
	start = q.i
	if err := q.space(); err != nil {
		return 0, 0, only(err, errMore)
	}
	if g > math.MaxUint16 || q.i == start || q.b[q.i] != 'R' {
		return 0, 0, nil
	}
	w, err := q.word()
	if err != nil || len(w) != 1 {
		return 0, 0, err
	}
	return uint16(g), q.i, nil
}

func only(err, kind error) error {
	if err == kind {
		return err
	}
	return nil
}

func (p *parser) literal() (Object, error) {
	from := p.i
	p.i++
	start, open := p.i, 1
	var out []byte // nil as long as the value is what is written
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				v := out
				if v == nil {
					v = p.b[start:p.i:p.i]
				}
				p.i++
				return &String{Value: v, Span: Span{from, p.i}}, nil
			}
		case '\\', '\r':
			if p.i+4 > len(p.b) && p.more {
				return nil, errMore
			}
			if out == nil {
				out = append(make([]byte, 0, p.i-start+32), p.b[start:p.i]...)
			}
			out = p.escape(out)
			continue
		}
		if out != nil {
			out = append(out, c)
		}
		p.i++
	}
	return nil, p.end()
}

// escape decodes the escape sequence, or the end of line beginning with CR, that stands at p.i.
func (p *parser) escape(out []byte) []byte {
	c := p.b[p.i]
	p.i++
	at := func() byte {
		if p.i < len(p.b) {
			return p.b[p.i]
		}
		return 0
	}
	if c == '\r' {
		if at() == '\n' {
			p.i++
		}
		return append(out, '\n')
	}
	if p.i == len(p.b) {
		return out
	}
	c = p.b[p.i]
	p.i++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\n':
		return out
	case '\r':
		if at() == '\n' {
			p.i++
		}
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	n := int(c - '0')
	for range 2 {
		if d := at(); '0' <= d && d <= '7' {
			n = n<<3 | int(d-'0')
			p.i++
			continue
		}
		break
	}
	return append(out, byte(n))
}

func (p *parser) hex() (Object, error) {
	from := p.i
	p.i++
	end := p.i
	for end < len(p.b) && p.b[end] != '>' {
		end++
	}
	if end == len(p.b) {
		return nil, p.end()
	}
	out := make([]byte, 0, (end-p.i+1)/2)
	high := -1
	for ; p.i < end; p.i++ {
		c := p.b[p.i]
		if class[c] == white {
			continue
		}
		d := unhex(c)
		if d < 0 {
			return nil, p.fault(p.i, fmt.Sprintf("%q in a hexadecimal string", c))
		}
		if high < 0 {
			high = d
			continue
		}
		out = append(out, byte(high<<4|d))
		high = -1
	}
	if high >= 0 {
		out = append(out, byte(high<<4))
	}
	p.i++
	return &String{Value: out, Hex: true, Span: Span{from, p.i}}, nil
}

// enter counts a level of nesting, element an element.
func (p *parser) enter() error {
	if p.depth == 0 {
		return &faultAt{ErrLimit, p.i, "arrays and dictionaries nested too deep"}
	}
	p.depth--
	return nil
}

func (p *parser) element(n int) error {
	if p.items -= n; p.items < 0 {
		return &faultAt{ErrLimit, p.i, "too many elements in one object"}
	}
	return nil
}

func (p *parser) array() (Object, error) {
	a := &Array{Span: Span{From: p.i}}
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.i++
	for {
		if err := p.space(); err != nil {
			return nil, err
		}
		if p.b[p.i] == ']' {
			p.i++
			p.depth++
			a.Span.To = p.i
			return a, nil
		}
		if err := p.element(1); err != nil {
			return nil, err
		}
		o, at, err := p.object()
		if err != nil {
			return nil, err
		}
		a.Items = append(a.Items, o)
		a.Spans = append(a.Spans, at)
	}
}

func (p *parser) dict() (Object, error) {
	d := &Dict{Span: Span{From: p.i}}
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.i += 2
	for {
		if err := p.space(); err != nil {
			return nil, err
		}
		if p.b[p.i] == '>' {
			if p.i+1 == len(p.b) {
				return nil, p.end()
			}
			if p.b[p.i+1] != '>' {
				return nil, p.fault(p.i, "a single > in a dictionary")
			}
			p.i += 2
			p.depth++
			d.Span.To = p.i
			return d, nil
		}
		if p.b[p.i] != '/' {
			return nil, p.fault(p.i, "a dictionary key that is not a name")
		}
		if err := p.element(2); err != nil {
			return nil, err
		}
		e := Entry{KeyAt: Span{From: p.i}}
		k, err := p.name()
		if err != nil {
			return nil, err
		}
		e.Key, e.KeyAt.To = k.(Name), p.i
		if err := p.space(); err != nil {
			return nil, err
		}
		if e.Value, e.ValAt, err = p.object(); err != nil {
			return nil, err
		}
		d.Entries = append(d.Entries, e)
	}
}
