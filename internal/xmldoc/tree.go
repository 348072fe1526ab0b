package xmldoc

import (
	"io"
	"strings"
)

// A Doc is a document as a tree. It may be read by several goroutines at once.
type Doc struct {
	Root *Element

	b        []byte
	src      string
	nodes    []node // in the order of the document
	names    names  // prefixes and namespaces by number
	decls    []binding
	relative string // a namespace that is a relative reference
}

// A node is one token of a document. An element has two: Start and End.
type node struct {
	elem   *Element // of Start and End: the element; otherwise the one around it, or nil
	lo, hi int32    // the content, as in Token.raw; of an instruction target and data
	kind   Kind
	plain  bool
}

// An Element is an element of a Doc. Its offsets refer to Doc.Bytes: the start tag is [Start:Inner], the content
// [Inner:InnerEnd], the end tag [InnerEnd:End]. Where the element is a single tag such as <a/>, Inner, InnerEnd and End
// are equal.
type Element struct {
	Name                        Name
	Prefix                      string
	Attrs                       []Attr // in the order of the document
	Parent                      *Element
	Start, Inner, InnerEnd, End int

	doc         *Doc
	child, next *Element // first child, next sibling
	prefix      int32
	first, last int32 // its Start and End in doc.nodes
	lo, hi      int32 // its declarations in doc.decls
}

// Parse reads a document as a tree, which keeps b: it must not be changed any more.
func Parse(b []byte, l Limits) (*Doc, error) {
	if l.Nodes <= 0 {
		l.Nodes = maxTree
	}
	s, err := NewScanner(b, l)
	if err != nil {
		return nil, err
	}
	d := &Doc{b: s.bytes, src: s.src}
	d.nodes = make([]node, 0, min(2*strings.Count(s.src, "<"), len(s.src)/16))
	p := builder{doc: d}
	for {
		var t Token
		if err := s.next(&t); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		p.add(s, &t)
	}
	d.names = s.names
	for _, uri := range d.names.uri[1:] {
		if !absolute(uri) {
			d.relative = uri
		}
	}
	return d, nil
}

// A builder makes a tree of tokens. Elements and attributes are taken from slabs: most documents have many.
type builder struct {
	doc      *Doc
	open     []*Element
	newest   []*Element // by depth: the element that got the newest child there
	elements []Element
	attrs    []Attr
}

// slab cuts n elements from a slab, which is made anew, as large as what was used so far, when it has no more.
func slab[T any](s *[]T, n, used int) []T {
	if n == 0 {
		return nil
	}
	if len(*s) < n {
		*s = make([]T, max(n, min(max(used, 16), 4096)))
	}
	cut := (*s)[:n:n]
	*s = (*s)[n:]
	return cut
}

func (p *builder) add(s *Scanner, t *Token) {
	d, depth := p.doc, len(p.open)
	n := node{kind: t.Kind, plain: t.plain}
	switch {
	case t.Kind == Start:
		e := p.start(s, t)
		n.elem = e
		p.open = append(p.open, e)
	case t.Kind == End:
		e := p.open[depth-1]
		e.InnerEnd, e.End, e.last = t.Start, t.End, int32(len(d.nodes))
		n.elem = e
		p.open = p.open[:depth-1]
	default:
		if depth > 0 {
			n.elem = p.open[depth-1]
		}
		n.lo, n.hi = int32(t.lo), int32(t.lo+len(t.raw))
		if t.Kind == Instruction {
			n.lo = int32(t.Start + len("<?"))
		}
	}
	d.nodes = append(d.nodes, n)
}

func (p *builder) start(s *Scanner, t *Token) *Element {
	e := &slab(&p.elements, 1, len(p.doc.nodes)/2)[0]
	*e = Element{
		Name: t.Name, Prefix: t.Prefix, Start: t.Start, Inner: t.End, doc: p.doc,
		Attrs: slab(&p.attrs, len(t.Attrs), len(p.doc.nodes)/2), prefix: t.pfx, first: int32(len(p.doc.nodes)),
	}
	copy(e.Attrs, t.Attrs)
	e.lo = int32(len(p.doc.decls))
	p.doc.decls = append(p.doc.decls, s.names.stack[t.mark:]...)
	e.hi = int32(len(p.doc.decls))
	depth := len(p.open)
	if depth == 0 {
		p.doc.Root = e
		p.newest = append(p.newest[:0], e)
		return e
	}
	e.Parent = p.open[depth-1]
	if e.Parent.child == nil {
		e.Parent.child = e
	} else {
		p.newest[depth].next = e
	}
	p.newest = append(p.newest[:depth], e)
	return e
}

// decls are the element's own declarations.
func (e *Element) decls() []binding { return e.doc.decls[e.lo:e.hi] }

// Bytes are the document in UTF-8, to which offsets refer: what Parse was given, unless that was UTF-16.
func (d *Doc) Bytes() []byte { return d.b }

// Attr gives the value of an attribute; one without prefix is in no namespace.
func (e *Element) Attr(space, local string) (string, bool) { return attr(e.Attrs, space, local) }

// Child gives the first child element of that name, or nil.
func (e *Element) Child(space, local string) *Element {
	for c := e.child; c != nil; c = c.next {
		if c.Name.Local == local && c.Name.Space == space {
			return c
		}
	}
	return nil
}

// Elements gives the child elements.
func (e *Element) Elements() []*Element {
	var all []*Element
	for c := e.child; c != nil; c = c.next {
		all = append(all, c)
	}
	return all
}

// Text is the element's own character data, CDATA sections included, without that of the elements in it.
func (e *Element) Text() string {
	var all []string
	for i := e.first + 1; i < e.last; i++ {
		n := &e.doc.nodes[i]
		switch n.kind {
		case Start:
			i = n.elem.last
		case Text, CData:
			all = append(all, n.value(e.doc))
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return strings.Join(all, "")
}

// Namespace gives what a prefix stands for inside the element.
func (e *Element) Namespace(prefix string) (string, bool) {
	p, ok := e.doc.names.prefixes[prefix]
	if !ok {
		return "", false
	}
	for ; e != nil; e = e.Parent {
		for _, decl := range e.decls() {
			if decl.prefix == p {
				return e.doc.names.uri[decl.uri], true
			}
		}
	}
	if prefix == "xml" {
		return xmlNS, true
	}
	return "", prefix == ""
}

// value is what Token.Text gives; of an instruction it is target and data.
func (n *node) value(d *Doc) string {
	raw := d.src[n.lo:n.hi]
	if n.plain {
		return raw
	}
	return textValue(raw, n.kind != Text)
}

// absolute says whether a namespace begins with a scheme, as canonical XML wants it.
func absolute(uri string) bool {
	for i := 0; i < len(uri); i++ {
		c := uri[i]
		switch letter := c|0x20 >= 'a' && c|0x20 <= 'z'; {
		case letter:
		case i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return i > 0 && c == ':'
		}
	}
	return false
}
