package opc

import (
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A flat document is one element with others in it that have attributes and nothing else: what content types and
// relationships are. It remembers where to put more of them.
type flat struct {
	doc    []byte
	prefix string // of the root element
	// The content of the root element, which is one tag where both are its end.
	inner, innerEnd int
}

// readFlat gives each element of a flat document to visit, with what is against its form to wrong. An error is one of
// xmldoc.
func readFlat(b []byte, l xmldoc.Limits, space, root string, visit func(t *xmldoc.Token), wrong func(format string, args ...any)) (*flat, error) {
	s, err := xmldoc.NewScanner(b, l)
	if err != nil {
		return nil, err
	}
	f := &flat{doc: s.Bytes()}
	for {
		t, err := s.Next()
		if err == io.EOF {
			return f, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case t.Kind == xmldoc.Text || t.Kind == xmldoc.CData:
			if strings.Trim(t.Text(), " \t\r\n") != "" {
				wrong("text between the elements")
			}
		case t.Kind == xmldoc.Start && t.Depth == 1:
			f.prefix, f.inner = t.Prefix, t.End
			if t.Name.Space != space || t.Name.Local != root {
				wrong("the root element is %s of %q", t.Name.Local, t.Name.Space)
			}
			if len(t.Attrs) > 0 {
				wrong("attribute %s of the root element", t.Attrs[0].Name.Local)
			}
		case t.Kind == xmldoc.End && t.Depth == 1:
			f.innerEnd = t.Start
		case t.Kind == xmldoc.Start && t.Depth == 2:
			if t.Name.Space != space {
				wrong("element %s of %q", t.Name.Local, t.Name.Space)
				continue
			}
			visit(&t)
		case t.Kind == xmldoc.Start:
			wrong("element %s inside of another", t.Name.Local)
		}
	}
}

// compact gives the document without text in its root element, which is white space where nothing is wrong with it.
func (f *flat) compact() (*flat, error) {
	s, err := xmldoc.NewScanner(f.doc, xmldoc.Limits{Size: maxRels, Nodes: 500_000})
	if err != nil {
		return nil, err
	}
	g := *f
	var kept []byte
	done := 0
	for {
		t, err := s.Next()
		switch {
		case err == io.EOF:
			g.doc = append(kept, f.doc[done:]...)
			return &g, nil
		case err != nil:
			return nil, err
		case t.Kind == xmldoc.Text && t.Depth > 0:
			kept = append(kept, f.doc[done:t.Start]...)
			done = t.End
			g.innerEnd -= t.End - t.Start
		}
	}
}

// onlyAttrs says which attribute of a token is not among the known ones; "": none.
func onlyAttrs(t *xmldoc.Token, known ...string) string {
next:
	for _, a := range t.Attrs {
		for _, name := range known {
			if a.Name.Space == "" && a.Name.Local == name {
				continue next
			}
		}
		return a.Name.Local
	}
	return ""
}

// insert gives the document with elements put into the root element, at its end or before all others. Each is written
// without "<" and prefix.
func (f *flat) insert(first bool, elements ...string) *flat {
	var text strings.Builder
	for _, e := range elements {
		text.WriteString("<")
		if f.prefix != "" {
			text.WriteString(f.prefix + ":")
		}
		text.WriteString(e)
	}
	head, tail := f.doc[:f.innerEnd], f.doc[f.innerEnd:]
	if first {
		head, tail = f.doc[:f.inner], f.doc[f.inner:]
	}
	g := *f
	if f.empty() { // <Types/>
		name := strings.Fields(strings.TrimSuffix(string(head[strings.LastIndexByte(string(head), '<')+1:]), "/>"))[0]
		head = append(head[:len(head)-2:len(head)-2], '>')
		tail = append([]byte("</"+name+">"), tail...)
		g.inner = len(head)
		g.innerEnd = len(head)
	}
	g.doc = fmt.Appendf(nil, "%s%s%s", head, text.String(), tail)
	g.innerEnd += text.Len()
	return &g
}

// empty says that the root element is one tag.
func (f *flat) empty() bool {
	return f.inner == f.innerEnd && f.doc[f.inner-2] == '/'
}

// attr writes an attribute with a space before it.
func attr(name, value string) string {
	return ` ` + name + `="` + string(xmldoc.AppendAttr(nil, value)) + `"`
}
