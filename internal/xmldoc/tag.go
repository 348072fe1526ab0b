package xmldoc

import "strings"

// qname reads a name with or without prefix at i and gives the byte after it.
func (s *Scanner) qname(i int) (prefix, local string, end int, err error) {
	end = ncname(s.src, i)
	if end > i && end < len(s.src) && s.src[end] == ':' {
		colon := end
		if end = ncname(s.src, colon+1); end > colon+1 {
			return s.src[i:colon], s.src[colon+1 : end], end, nil
		}
	} else if end > i {
		return "", s.src[i:end], end, nil
	}
	return "", "", i, fail(ErrSyntax, i, "a name should stand here")
}

func (s *Scanner) startTag(t *Token) error {
	if len(s.open) == 0 && s.root {
		return fail(ErrSyntax, s.pos, "a second root element")
	}
	if len(s.open) >= s.limits.Depth {
		return fail(ErrLimit, s.pos, "more than %d elements inside each other", s.limits.Depth)
	}
	prefix, local, i, err := s.qname(s.pos + 1)
	if err != nil {
		return err
	}
	tag := s.src[s.pos+1 : i]
	mark := len(s.names.stack)
	if i, err = s.attributes(i, mark); err != nil {
		return err
	}
	t.Empty = s.src[i] == '/'
	if t.Empty {
		i++
	}
	if i >= len(s.src) || s.src[i] != '>' {
		return fail(ErrSyntax, i, "the tag of %q should end here", clip(tag))
	}
	p, u, ok := s.names.find(prefix)
	if !ok {
		return fail(ErrSyntax, s.pos, "the prefix of %q is not declared", clip(tag))
	}
	if err := s.bind(); err != nil {
		return err
	}
	t.Kind, t.Start, t.End, t.Depth = Start, s.pos, i+1, len(s.open)+1
	t.Name, t.Prefix, t.pfx, t.mark = Name{s.names.uri[u], local}, prefix, p, mark
	t.Attrs = s.attrs
	e := grow(&s.open)
	e.tag, e.name, e.prefix, e.mark = tag, t.Name, prefix, mark
	s.pos, s.root, s.closing = i+1, true, t.Empty
	return nil
}

// attributes reads attributes and declarations into s.attrs and s.names, up to the / or > that follows them.
func (s *Scanner) attributes(i, mark int) (int, error) {
	s.attrs = s.attrs[:0]
	for n := 0; ; n++ {
		before := i
		for i < len(s.src) && space(s.src[i]) {
			i++
		}
		switch {
		case i >= len(s.src):
			return i, fail(ErrSyntax, i, "a tag has no end")
		case s.src[i] == '>' || s.src[i] == '/':
			return i, nil
		case i == before:
			return i, fail(ErrSyntax, i, "white space should stand between attributes")
		case n >= s.limits.Attributes:
			return i, fail(ErrLimit, i, "an element with more than %d attributes", s.limits.Attributes)
		}
		if err := s.count(); err != nil {
			return i, err
		}
		start := i
		prefix, local, end, err := s.qname(i)
		if err != nil {
			return i, err
		}
		var value string
		if value, i, err = s.value(end); err != nil {
			return i, err
		}
		switch {
		case prefix == "xmlns":
			err = s.declare(start, mark, local, value)
		case prefix == "" && local == "xmlns":
			err = s.declare(start, mark, "", value)
		default:
			a := grow(&s.attrs)
			a.Name.Local, a.Prefix, a.Value = local, prefix, value
			a.Name.Space, a.prefix, a.space = "", 0, 0
		}
		if err != nil {
			return i, err
		}
	}
}

// grow lengthens a slice by one and gives that element, which may hold what was there before: to write its fields is much
// quicker than to append a copy, here where it is done for every element and attribute.
func grow[T any](s *[]T) *T {
	n := len(*s)
	if n < cap(*s) {
		*s = (*s)[:n+1]
	} else {
		var zero T
		*s = append(*s, zero)
	}
	return &(*s)[n]
}

// value reads = and a quoted value, and gives the byte after it.
func (s *Scanner) value(i int) (string, int, error) {
	for i < len(s.src) && space(s.src[i]) {
		i++
	}
	if i >= len(s.src) || s.src[i] != '=' {
		return "", i, fail(ErrSyntax, i, "= should stand here, and the attribute's value after it")
	}
	for i++; i < len(s.src) && space(s.src[i]); i++ {
	}
	if i >= len(s.src) || s.src[i] != '"' && s.src[i] != '\'' {
		return "", i, fail(ErrSyntax, i, "the value of an attribute should stand here in quotes")
	}
	quote, lo, plain := s.src[i], i+1, true
	for i = lo; i < len(s.src); i++ {
		c := s.src[i]
		if class[c]&attrStop == 0 {
			continue
		}
		switch c {
		case quote:
			if value := s.src[lo:i]; plain {
				return value, i + 1, nil
			} else {
				return attrValue(value), i + 1, nil
			}
		case '<':
			return "", i, fail(ErrSyntax, i, "< in the value of an attribute")
		case '&':
			_, n := reference(s.src[i:])
			if n == 0 {
				return "", i, s.badReference(i)
			}
			i, plain = i+n-1, false
		case '\r', '\n', '\t':
			plain = false
		}
	}
	return "", i, fail(ErrSyntax, lo, "the value of an attribute has no end")
}

// declare judges a namespace declaration by Namespaces in XML 1.0, and puts it in force.
func (s *Scanner) declare(at, mark int, prefix, uri string) error {
	switch {
	case s.names.declaredSince(mark, prefix):
		return fail(ErrSyntax, at, "prefix %q is declared twice", clip(prefix))
	case prefix == "xmlns" || uri == xmlnsNS:
		return fail(ErrSyntax, at, "xmlns cannot be declared")
	case (prefix == "xml") != (uri == xmlNS):
		return fail(ErrSyntax, at, "prefix xml and its namespace belong together")
	case prefix != "" && uri == "":
		return fail(ErrSyntax, at, "prefix %q is declared without a namespace", clip(prefix))
	case len(uri) > maxNamespace:
		return fail(ErrLimit, at, "a namespace of %d bytes, %d may be", len(uri), maxNamespace)
	case !s.names.declare(prefix, uri):
		return fail(ErrLimit, at, "more than %d prefixes or namespaces", maxNames)
	}
	return nil
}

// bind gives the attributes their namespaces, and finds those that are there twice.
func (s *Scanner) bind() error {
	for i := range s.attrs {
		a := &s.attrs[i]
		if a.Prefix == "" {
			continue
		}
		p, u, ok := s.names.find(a.Prefix)
		if !ok {
			return fail(ErrSyntax, s.pos, "the prefix of attribute %q is not declared", clip(a.Prefix+":"+a.Name.Local))
		}
		a.prefix, a.space, a.Name.Space = p, u, s.names.uri[u]
	}
	if len(s.attrs) > 16 {
		return s.bindMany()
	}
	for i := range s.attrs {
		for j := range i {
			if s.attrs[i].space == s.attrs[j].space && s.attrs[i].Name.Local == s.attrs[j].Name.Local {
				return s.twice(s.attrs[i].Name)
			}
		}
	}
	return nil
}

// bindMany is the second half of bind for elements with so many attributes that to compare each with each would cost.
func (s *Scanner) bindMany() error {
	if s.seen == nil {
		s.seen = map[seenAttr]bool{}
	}
	clear(s.seen)
	for i := range s.attrs {
		name := seenAttr{s.attrs[i].space, s.attrs[i].Name.Local}
		if s.seen[name] {
			return s.twice(s.attrs[i].Name)
		}
		s.seen[name] = true
	}
	return nil
}

type seenAttr struct {
	space int32
	local string
}

func (s *Scanner) twice(n Name) error {
	return fail(ErrSyntax, s.pos, "an element has the attribute %q of namespace %q twice", clip(n.Local), clip(n.Space))
}

func (s *Scanner) endTag(t *Token) error {
	if len(s.open) == 0 {
		return fail(ErrSyntax, s.pos, "an end tag without a start")
	}
	tag := s.open[len(s.open)-1].tag
	lo := s.pos + 2
	i := lo + len(tag)
	if !strings.HasPrefix(s.src[lo:], tag) {
		return fail(ErrSyntax, s.pos, "the end of %q should stand here", clip(tag))
	}
	for i < len(s.src) && space(s.src[i]) {
		i++
	}
	if i >= len(s.src) || s.src[i] != '>' {
		return fail(ErrSyntax, s.pos, "the end of %q should stand here", clip(tag))
	}
	s.close(t, i+1)
	return nil
}

// close gives the End of the element that is open.
func (s *Scanner) close(t *Token, end int) {
	e := &s.open[len(s.open)-1]
	t.Kind, t.Start, t.End, t.Depth = End, s.pos, end, len(s.open)
	t.Name, t.Prefix = e.name, e.prefix
	s.release = e.mark
	s.open = s.open[:len(s.open)-1]
	s.pos = end
}
