package pdf

import "bytes"

// A TokenKind says what a Token is.
type TokenKind byte

// Kinds of tokens. Arrays and dictionaries come as their delimiters and what stands between them.
const (
	End         TokenKind = 0 // of the bytes
	Operator    TokenKind = 'o'
	Numeral     TokenKind = 'n'
	NameToken   TokenKind = '/'
	StringToken TokenKind = '('
	ArrayOpen   TokenKind = '['
	ArrayClose  TokenKind = ']'
	DictOpen    TokenKind = '<'
	DictClose   TokenKind = '>'
)

// A Token of a content stream.
type Token struct {
	Kind   TokenKind
	Number float64 // of a Numeral
	Bytes  []byte  // of a name or a string, decoded, and of an operator; for reading, it may share memory with the stream
}

// A Scanner reads the tokens of a content stream, or of a CMap, which is written alike (ISO 32000-2, 7.8.2). It never
// fails: as readers do, it skips what is no token.
type Scanner struct{ p parser }

func NewScanner(b []byte) *Scanner { return &Scanner{parser{b: b}} }

// Next gives the next token; of kind End when there is none.
func (s *Scanner) Next() Token {
	p := &s.p
	for p.space() == nil {
		switch c := p.b[p.i]; c {
		case '/':
			p.i++
			w, _ := p.word()
			if i := bytes.IndexByte(w, '#'); i >= 0 {
				w = []byte(unescapeName(w, i))
			}
			return Token{Kind: NameToken, Bytes: w}
		case '(':
			v, err := p.literal()
			if err != nil { // no end: the rest is text of nobody
				p.i = len(p.b)
				return Token{}
			}
			return Token{Kind: StringToken, Bytes: v.(*String).Value}
		case '[', ']':
			p.i++
			return Token{Kind: TokenKind(c)}
		case '<':
			if p.i+1 < len(p.b) && p.b[p.i+1] == '<' {
				p.i += 2
				return Token{Kind: DictOpen}
			}
			return Token{Kind: StringToken, Bytes: s.hex()}
		case '>':
			if p.i++; p.i < len(p.b) && p.b[p.i] == '>' {
				p.i++
				return Token{Kind: DictClose}
			}
		case ')', '{', '}':
			p.i++
		default:
			if isDigit(c) || c == '-' || c == '+' || c == '.' {
				if n, ok := s.numeral(); ok {
					return Token{Kind: Numeral, Number: n}
				}
				continue
			}
			w, _ := p.word()
			return Token{Kind: Operator, Bytes: w}
		}
	}
	return Token{}
}

// hex reads a hexadecimal string up to its end and leaves out what is not a digit.
func (s *Scanner) hex() []byte {
	p := &s.p
	p.i++
	end := p.i + bytes.IndexByte(p.b[p.i:], '>')
	if end < p.i {
		end = len(p.b)
	}
	out := make([]byte, 0, (end-p.i+1)/2)
	high := -1
	for ; p.i < end; p.i++ {
		switch d := unhex(p.b[p.i]); {
		case d < 0:
		case high < 0:
			high = d
		default:
			out = append(out, byte(high<<4|d))
			high = -1
		}
	}
	if high >= 0 {
		out = append(out, byte(high<<4))
	}
	p.i++
	return out
}

// numeral reads a number and stops before the first character that cannot belong to it. A sign inside ends its digits.
func (s *Scanner) numeral() (n float64, ok bool) {
	p := &s.p
	negative, scale, over := false, 0.0, false
	for ; p.i < len(p.b); p.i++ {
		switch c := p.b[p.i]; {
		case isDigit(c):
			if over {
				continue
			}
			ok = true
			if scale == 0 {
				n = n*10 + float64(c-'0')
				continue
			}
			n += float64(c-'0') * scale
			scale /= 10
		case c == '.':
			over = over || scale != 0
			scale = 0.1
		case c == '-' || c == '+':
			negative = negative || c == '-' && !ok
			over = over || ok
		default:
			return signed(n, negative), ok
		}
	}
	return signed(n, negative), ok
}

func signed(n float64, negative bool) float64 {
	if negative {
		return -n
	}
	return n
}

// SkipImage skips the data of an inline image, whose ID was the last token, and its EI, and gives the data. Length is that of the data
// where the image's dictionary or its shape says it; otherwise negative.
func (s *Scanner) SkipImage(length int) (data []byte) {
	p := &s.p
	if p.i < len(p.b) && class[p.b[p.i]] == white {
		p.i++
	}
	if length >= 0 && length <= len(p.b)-p.i {
		q := *p
		q.i += length
		if q.space() == nil && s.endsImage(q.i) {
			data, p.i = p.b[p.i:p.i+length], q.i+2
			return data
		}
	}
	for i := p.i; i+1 < len(p.b); i++ {
		if (i == p.i || class[p.b[i-1]] == white) && s.endsImage(i) {
			data, p.i = p.b[p.i:i], i+2
			return data
		}
	}
	p.i = len(p.b)
	return nil
}

// endsImage says whether an EI stands at i and is followed by what can be operators rather than by samples.
func (s *Scanner) endsImage(i int) bool {
	b := s.p.b
	if i+1 >= len(b) || b[i] != 'E' || b[i+1] != 'I' || i+2 < len(b) && class[b[i+2]] != white {
		return false
	}
	for _, c := range b[i+2 : min(len(b), i+18)] {
		if class[c] != white && (c < ' ' || c > '~') || c == 0 {
			return false
		}
	}
	return true
}
