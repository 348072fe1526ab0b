package xmldoc

import (
	"fmt"
	"slices"
	"strings"
)

// A Method is a way of canonical XML 1.0. The zero Method is inclusive and drops comments:
// http://www.w3.org/TR/2001/REC-xml-c14n-20010315.
type Method struct {
	Exclusive bool     // http://www.w3.org/2001/10/xml-exc-c14n#
	Comments  bool     // keep comments: …#WithComments
	Prefixes  []string // of exclusive: the InclusiveNamespaces PrefixList; "" or "#default" is the default namespace
}

// maxGrowth and freeGrowth bound canonical XML by the size of its document: an element that is taken out repeats what it
// inherits, and exclusive canonical XML repeats declarations wherever they are used, which a hostile document makes
// endless. What is signed grows by a few hundred bytes.
const (
	maxGrowth  = 4
	freeGrowth = 64 << 10
)

// Canonical gives the canonical form of an element with all that is in it, or of the whole document when e is nil. Like
// any document subset it has the namespaces and, if inclusive, the xml: attributes that the element inherits. A
// document in which a namespace is a relative reference has no canonical form: ErrSyntax.
func (d *Doc) Canonical(e *Element, m Method) ([]byte, error) {
	if e != nil {
		d = e.doc
	}
	if d.relative != "" {
		return nil, fmt.Errorf("%w: namespace %q is a relative reference, which canonical XML excludes", ErrSyntax, clip(d.relative))
	}
	w := newWriter(d, m)
	lo, hi := int32(0), int32(len(d.nodes))
	size := len(d.src)
	if e != nil {
		lo, hi = e.first, e.last+1
		size = e.End - e.Start
		w.apex = e
		for p := e.Parent; p != nil; p = p.Parent {
			for _, decl := range p.decls() {
				if !w.known[decl.prefix] {
					w.known[decl.prefix] = true
					w.scope[decl.prefix] = decl.uri
				}
			}
		}
	}
	w.b = make([]byte, 0, size+size/8+512)
	for i := lo; i < hi; i++ {
		if w.node(&d.nodes[i]); len(w.b) > maxGrowth*len(d.src)+freeGrowth {
			return nil, fmt.Errorf("%w: canonical XML of more than %d times the document", ErrLimit, maxGrowth)
		}
	}
	return w.b, nil
}

// A writer makes canonical XML of nodes.
type writer struct {
	doc      *Doc
	method   Method
	b        []byte
	apex     *Element
	scope    []int32 // by prefix: the namespace it stands for
	rendered []int32 // by prefix: the namespace that the output says it stands for
	known    []bool  // by prefix: scope has been set by a nearer ancestor of the apex
	listed   []bool  // by prefix: in Method.Prefixes; nil when there are none
	undo     []change
	marks    []int // of the elements that are open: their beginning in undo
	now      []int32
	attrs    []*Attr
	after    bool // the root element is over
}

// A change is a prefix as it was before.
type change struct{ prefix, scope, rendered int32 }

func newWriter(d *Doc, m Method) *writer {
	n := len(d.names.prefix)
	w := &writer{doc: d, method: m, scope: make([]int32, n), rendered: make([]int32, n), known: make([]bool, n)}
	w.scope[1], w.rendered[1] = 1, 1
	if m.Exclusive && len(m.Prefixes) > 0 {
		w.listed = make([]bool, n)
		for _, name := range m.Prefixes {
			if name == "#default" {
				name = ""
			}
			if p, ok := d.names.prefixes[name]; ok {
				w.listed[p] = true
			}
		}
	}
	return w
}

func (w *writer) node(n *node) {
	switch n.kind {
	case Start:
		w.start(n.elem)
	case End:
		w.b = append(w.b, "</"...)
		w.name(n.elem.Prefix, n.elem.Name.Local)
		w.b = append(w.b, '>')
		w.end()
	case Text, CData:
		w.b = escape(w.b, n.value(w.doc), escapeText)
	case Comment:
		if w.method.Comments {
			w.outside(n, "<!--", n.value(w.doc), "-->")
		}
	case Instruction:
		all := n.value(w.doc)
		target := all[:ncname(all, 0)]
		if data := strings.TrimLeft(all[len(target):], " \t\r\n"); data != "" {
			target += " " + data
		}
		w.outside(n, "<?", target, "?>")
	}
}

// outside writes a comment or an instruction, which has a line of its own when it is outside the root element.
func (w *writer) outside(n *node, open, content, end string) {
	if n.elem == nil && w.after {
		w.b = append(w.b, '\n')
	}
	w.b = append(w.b, open...)
	w.b = append(w.b, content...)
	w.b = append(w.b, end...)
	if n.elem == nil && !w.after {
		w.b = append(w.b, '\n')
	}
}

func (w *writer) name(prefix, local string) {
	if prefix != "" {
		w.b = append(w.b, prefix...)
		w.b = append(w.b, ':')
	}
	w.b = append(w.b, local...)
}

func (w *writer) start(e *Element) {
	w.marks = append(w.marks, len(w.undo))
	for _, decl := range e.decls() {
		w.undo = append(w.undo, change{decl.prefix, w.scope[decl.prefix], w.rendered[decl.prefix]})
		w.scope[decl.prefix] = decl.uri
	}
	w.b = append(w.b, '<')
	w.name(e.Prefix, e.Name.Local)
	w.declarations(e)
	w.attributes(e)
	w.b = append(w.b, '>')
}

func (w *writer) end() {
	last := len(w.marks) - 1
	for i := len(w.undo) - 1; i >= w.marks[last]; i-- {
		c := w.undo[i]
		w.scope[c.prefix], w.rendered[c.prefix] = c.scope, c.rendered
	}
	w.undo = w.undo[:w.marks[last]]
	w.marks = w.marks[:last]
	w.after = last == 0
}

// declarations writes the namespace nodes that the output does not have yet, by prefix, the default namespace first.
func (w *writer) declarations(e *Element) {
	w.now = w.now[:0]
	switch {
	case !w.method.Exclusive && e == w.apex:
		for p := range w.scope {
			w.render(int32(p))
		}
	case !w.method.Exclusive:
		for _, decl := range e.decls() {
			w.render(decl.prefix)
		}
	default:
		w.render(e.prefix)
		for i := range e.Attrs {
			if e.Attrs[i].Prefix != "" {
				w.render(e.Attrs[i].prefix)
			}
		}
		if w.listed != nil {
			w.renderListed(e)
		}
	}
	slices.SortFunc(w.now, func(a, b int32) int { return strings.Compare(w.doc.names.prefix[a], w.doc.names.prefix[b]) })
	for _, p := range w.now {
		w.b = append(w.b, " xmlns"...)
		if p != 0 {
			w.b = append(w.b, ':')
			w.b = append(w.b, w.doc.names.prefix[p]...)
		}
		w.b = append(w.b, `="`...)
		w.b = escape(w.b, w.doc.names.uri[w.scope[p]], escapeAttr)
		w.b = append(w.b, '"')
	}
}

// renderListed treats the prefixes of Method.Prefixes as inclusive canonical XML treats all: only a declaration can
// make a difference, or the apex.
func (w *writer) renderListed(e *Element) {
	if e == w.apex {
		for p, listed := range w.listed {
			if listed {
				w.render(int32(p))
			}
		}
		return
	}
	for _, decl := range e.decls() {
		if w.listed[decl.prefix] {
			w.render(decl.prefix)
		}
	}
}

// render notes a prefix for output, unless the output has it.
func (w *writer) render(p int32) {
	if w.scope[p] == w.rendered[p] {
		return
	}
	w.undo = append(w.undo, change{p, w.scope[p], w.rendered[p]})
	w.rendered[p] = w.scope[p]
	w.now = append(w.now, p)
}

// attributes writes the attributes by namespace, then local name.
func (w *writer) attributes(e *Element) {
	w.attrs = w.attrs[:0]
	for i := range e.Attrs {
		w.attrs = append(w.attrs, &e.Attrs[i])
	}
	if e == w.apex && !w.method.Exclusive {
		w.inherit(e)
	}
	slices.SortFunc(w.attrs, func(a, b *Attr) int {
		if a.space != b.space {
			return strings.Compare(a.Name.Space, b.Name.Space)
		}
		return strings.Compare(a.Name.Local, b.Name.Local)
	})
	for _, a := range w.attrs {
		w.b = append(w.b, ' ')
		w.name(a.Prefix, a.Name.Local)
		w.b = append(w.b, `="`...)
		w.b = escape(w.b, a.Value, escapeAttr)
		w.b = append(w.b, '"')
	}
}

// inherit adds the xml: attributes of the elements around the apex, the nearest of each name.
func (w *writer) inherit(e *Element) {
	have := map[string]bool{}
	for p := e; p != nil; p = p.Parent {
		for i := range p.Attrs {
			if a := &p.Attrs[i]; a.space == 1 && !have[a.Name.Local] {
				have[a.Name.Local] = true
				if p != e {
					w.attrs = append(w.attrs, a)
				}
			}
		}
	}
}
