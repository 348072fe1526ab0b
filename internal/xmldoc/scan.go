package xmldoc

import (
	"io"
	"strings"
)

// A Kind says what a Token is.
type Kind uint8

// The kinds of tokens. White space outside the root element, and the XML declaration, are no tokens.
const (
	Start       Kind = iota + 1 // a start tag, or a tag that is an element by itself
	End                         // an end tag; after a Start that is Empty it has no bytes of its own
	Text                        // character data between two pieces of markup
	CData                       // a CDATA section: character data as well
	Comment                     // a comment
	Instruction                 // a processing instruction; Name.Local is its target
)

// A Token is one piece of a document.
type Token struct {
	Kind       Kind
	Name       Name   // of Start, End and Instruction
	Prefix     string // of Start and End
	Attrs      []Attr // of Start; the slice is overwritten by the next call of Next
	Empty      bool   // of Start: <a/>
	Start, End int    // where it stands in the document
	Depth      int    // of Start and End: of the element, 1 for the root; otherwise the number of elements around it

	raw   string // of the rest: the content, without delimiters
	lo    int    // where raw begins
	plain bool   // raw is the value
	mark  int    // of Start: the first declaration of its own
	pfx   int32  // of Start: the number of Prefix
}

// Text is the value of a Text or CData, its references resolved, or what stands in a Comment or Instruction.
func (t *Token) Text() string {
	switch {
	case t.plain:
		return t.raw
	case t.Kind == Text || t.Kind == CData:
		return textValue(t.raw, t.Kind == CData)
	}
	return textValue(t.raw, true)
}

// Attr gives the value of an attribute of a Start; an attribute without prefix is in no namespace.
func (t *Token) Attr(space, local string) (string, bool) { return attr(t.Attrs, space, local) }

func attr(attrs []Attr, space, local string) (string, bool) {
	for i := range attrs {
		if attrs[i].Name.Local == local && attrs[i].Name.Space == space {
			return attrs[i].Value, true
		}
	}
	return "", false
}

// A Scanner gives the tokens of a document one by one, and keeps no more of it than the elements that are open. It sees all
// that Parse sees: who reads to io.EOF knows that the document is well-formed.
type Scanner struct {
	src     string
	bytes   []byte
	pos     int
	limits  Limits
	nodes   int
	open    []openElement
	names   names
	attrs   []Attr
	seen    map[seenAttr]bool // for elements with many attributes
	release int               // what Next takes back of names first: the declarations of the element that ended, or -1
	closing bool              // the End of an Empty is due
	root    bool              // the root element has begun
	err     error
}

type openElement struct {
	tag    string // name as written
	name   Name
	prefix string
	mark   int // of names: what was declared before it
}

// NewScanner begins a document. It looks at every character of b before it returns.
func NewScanner(b []byte, l Limits) (*Scanner, error) {
	l = l.filled()
	b, err := load(b, l)
	if err != nil {
		return nil, err
	}
	s := &Scanner{src: string(b), bytes: b, limits: l, names: newNames(), release: -1}
	if strings.HasPrefix(s.src, utf8BOM) {
		s.pos = len(utf8BOM)
	}
	if rest := s.src[s.pos:]; strings.HasPrefix(rest, "<?xml") && len(rest) > 5 && space(rest[5]) {
		if err := s.declaration(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Bytes are the document in UTF-8, to which offsets refer: what NewScanner was given, unless that was UTF-16.
func (s *Scanner) Bytes() []byte { return s.bytes }

// Namespace gives what a prefix stands for at the token that Next gave last: at an End, inside the element.
func (s *Scanner) Namespace(prefix string) (string, bool) {
	_, u, ok := s.names.find(prefix)
	return s.names.uri[u], ok
}

// Next gives the next token, and io.EOF after the last. After an error it gives that error again.
func (s *Scanner) Next() (Token, error) {
	var t Token
	if s.err == nil {
		s.err = s.next(&t)
	}
	if s.err != nil {
		return Token{}, s.err
	}
	return t, nil
}

func (s *Scanner) next(t *Token) error {
	if s.release >= 0 {
		s.names.release(s.release)
		s.release = -1
	}
	if s.closing {
		s.closing = false
		s.close(t, s.pos)
		return nil
	}
	for {
		if s.pos >= len(s.src) {
			return s.end()
		}
		if s.src[s.pos] != '<' {
			if len(s.open) > 0 {
				return s.text(t)
			}
			if !space(s.src[s.pos]) {
				return fail(ErrSyntax, s.pos, "text outside the root element")
			}
			s.pos++
			continue
		}
		return s.markup(t)
	}
}

// end judges the end of the document.
func (s *Scanner) end() error {
	if len(s.open) > 0 {
		return fail(ErrSyntax, s.pos, "element %q has no end", clip(s.open[len(s.open)-1].tag))
	}
	if !s.root {
		return fail(ErrSyntax, s.pos, "no element")
	}
	return io.EOF
}

// count holds the document to the limit of nodes.
func (s *Scanner) count() error {
	if s.nodes++; s.nodes > s.limits.Nodes {
		return fail(ErrLimit, s.pos, "more than %d elements, texts and attributes", s.limits.Nodes)
	}
	return nil
}

func (s *Scanner) markup(t *Token) error {
	rest := s.src[s.pos:]
	if len(rest) < 2 {
		return fail(ErrSyntax, s.pos, "a tag is cut off")
	}
	if rest[1] == '/' {
		return s.endTag(t)
	}
	if err := s.count(); err != nil {
		return err
	}
	switch {
	case rest[1] == '?':
		return s.instruction(t)
	case rest[1] != '!':
		return s.startTag(t)
	case strings.HasPrefix(rest, "<!--"):
		return s.comment(t)
	case strings.HasPrefix(rest, "<![CDATA["):
		return s.cdata(t)
	case strings.HasPrefix(rest, "<!DOCTYPE"):
		return fail(ErrDoctype, s.pos, "save the document without it")
	}
	return fail(ErrSyntax, s.pos, "<! begins neither a comment nor a CDATA section")
}

// set fills what tokens of every kind have, for one that ends at end; contents are the bytes from lo to hi.
func (s *Scanner) set(t *Token, kind Kind, end, lo, hi int) {
	t.Kind, t.Start, t.End, t.Depth = kind, s.pos, end, len(s.open)
	t.raw, t.lo = s.src[lo:hi], lo
	t.plain = strings.IndexByte(t.raw, '\r') < 0
	s.pos = end
}

func (s *Scanner) text(t *Token) error {
	if err := s.count(); err != nil {
		return err
	}
	i, plain := s.pos, true
scan:
	for ; i < len(s.src); i++ {
		c := s.src[i]
		if class[c]&textStop == 0 {
			continue
		}
		switch c {
		case '<':
			break scan
		case '&':
			_, n := reference(s.src[i:])
			if n == 0 {
				return s.badReference(i)
			}
			i, plain = i+n-1, false
		case '\r':
			plain = false
		case ']':
			if strings.HasPrefix(s.src[i:], "]]>") {
				return fail(ErrSyntax, i, "]]> in text")
			}
		}
	}
	t.Kind, t.Start, t.End, t.Depth = Text, s.pos, i, len(s.open)
	t.raw, t.lo, t.plain = s.src[s.pos:i], s.pos, plain
	s.pos = i
	return nil
}

func (s *Scanner) badReference(at int) error {
	what := s.src[at:min(at+40, len(s.src))]
	if i := strings.IndexAny(what, "; <\""); i > 0 {
		what = what[:i]
	}
	return fail(ErrSyntax, at, "%q is no reference to a character XML has, nor to a predefined entity", what)
}

func (s *Scanner) comment(t *Token) error {
	lo := s.pos + len("<!--")
	n := strings.Index(s.src[lo:], "--")
	if n < 0 || lo+n+2 >= len(s.src) {
		return fail(ErrSyntax, s.pos, "a comment has no end")
	}
	if s.src[lo+n+2] != '>' {
		return fail(ErrSyntax, lo+n, "-- in a comment")
	}
	s.set(t, Comment, lo+n+3, lo, lo+n)
	return nil
}

func (s *Scanner) cdata(t *Token) error {
	if len(s.open) == 0 {
		return fail(ErrSyntax, s.pos, "a CDATA section outside the root element")
	}
	lo := s.pos + len("<![CDATA[")
	n := strings.Index(s.src[lo:], "]]>")
	if n < 0 {
		return fail(ErrSyntax, s.pos, "a CDATA section has no end")
	}
	s.set(t, CData, lo+n+3, lo, lo+n)
	return nil
}

func (s *Scanner) instruction(t *Token) error {
	lo := s.pos + 2
	hi := ncname(s.src, lo)
	target := s.src[lo:hi]
	n := strings.Index(s.src[hi:], "?>")
	switch {
	case n < 0:
		return fail(ErrSyntax, s.pos, "a processing instruction has no end")
	case target == "" || n > 0 && !space(s.src[hi]):
		return fail(ErrSyntax, s.pos, "a processing instruction without a proper target")
	case strings.EqualFold(target, "xml"):
		return fail(ErrSyntax, s.pos, "an XML declaration that is not at the beginning")
	}
	data := hi
	for data < hi+n && space(s.src[data]) {
		data++
	}
	t.Name = Name{Local: target}
	s.set(t, Instruction, hi+n+2, data, hi+n)
	return nil
}

// declaration reads the XML declaration, which is as strict as the rest.
func (s *Scanner) declaration() error {
	start := s.pos
	n := strings.Index(s.src[start:], "?>")
	if n < 0 {
		return fail(ErrSyntax, start, "the XML declaration has no end")
	}
	rest := s.src[start+len("<?xml") : start+n]
	for i, want := range []string{"version", "encoding", "standalone"} {
		value, after, ok := pseudoAttr(rest, want)
		if !ok {
			if i == 0 {
				return fail(ErrSyntax, start, "an XML declaration without version")
			}
			continue
		}
		rest = after
		switch {
		case i == 0 && value != "1.0":
			return fail(ErrSyntax, start, "XML version %q; only 1.0 is read", clip(value))
		case i == 1 && !strings.EqualFold(value, "UTF-8"):
			return fail(ErrEncoding, start, "the declaration says %q", clip(value))
		case i == 2 && value != "yes" && value != "no":
			return fail(ErrSyntax, start, "standalone is %q", clip(value))
		}
	}
	if strings.Trim(rest, " \t\r\n") != "" {
		return fail(ErrSyntax, start, "an XML declaration with something else in it")
	}
	s.pos = start + n + 2
	return nil
}

// pseudoAttr reads white space and name = "value" at the start of s.
func pseudoAttr(s, name string) (value, after string, ok bool) {
	const white = " \t\r\n"
	rest := strings.TrimLeft(s, white)
	if rest == s {
		return "", s, false
	}
	rest, ok = strings.CutPrefix(rest, name)
	if !ok {
		return "", s, false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(rest, white), "=")
	if rest = strings.TrimLeft(rest, white); !ok || rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return "", s, false
	}
	value, after, ok = strings.Cut(rest[1:], rest[:1])
	return value, after, ok
}
