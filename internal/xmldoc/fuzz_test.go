package xmldoc

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func seeds(f *testing.F) {
	f.Helper()
	for seed := range uint64(40) {
		f.Add([]byte(generate(seed, seed%2 == 0)))
	}
	f.Add(utf16Of(`<?xml version="1.0" encoding="UTF-16"?><合 a="&#x20BB7;">𠮷</合>`, true))
	f.Add(utf16Of(`<a xmlns="urn:1"><b xmlns=""/></a>`, false))
	f.Add([]byte("\uFEFF<a><![CDATA[x]]>]]&gt;</a>"))
	f.Add([]byte(`<!DOCTYPE a><a/>`))
	for name, b := range wordParts(f) {
		if len(b) < 8<<10 || strings.Contains(name, "sig") {
			f.Add(b)
		}
	}
}

var small = Limits{Size: 1 << 20, Nodes: 20_000}

// FuzzCanonical holds that what canonical XML gives of a document, or of an element, is a document whose canonical form
// is itself, and that exclusive does not depend on whether inclusive came first.
func FuzzCanonical(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b, small)
		if err != nil {
			typedError(t, err)
			return
		}
		canonical := func(d *Doc, e *Element, m Method) []byte {
			out, err := d.Canonical(e, m)
			if err != nil {
				typedError(t, err)
				if d.relative == "" && !errors.Is(err, ErrLimit) {
					t.Error(err)
				}
				t.SkipNow()
			}
			return out
		}
		again := func(b []byte) *Doc {
			d, err := Parse(b, Limits{Size: len(b) + 1, Nodes: 1 << 22, Attributes: 1 << 16})
			if err != nil {
				t.Fatalf("canonical XML is refused: %v\n%q", err, b)
			}
			return d
		}
		for _, m := range []Method{
			{}, {Comments: true}, {Exclusive: true}, {Exclusive: true, Comments: true}, {Exclusive: true, Prefixes: []string{"", "a"}},
		} {
			whole := canonical(d, nil, m)
			second := again(whole)
			if got := canonical(second, nil, m); !bytes.Equal(got, whole) {
				t.Fatalf("%+v: canonical form of a canonical form: %s", m, difference(got, whole))
			}
			if root := canonical(d, d.Root, m); !bytes.Contains(whole, root) {
				t.Fatalf("%+v: the root alone is something else:\n%q\n%q", m, root, whole)
			}
			last := d.Root
			for next := last; next != nil; {
				last = next
				next = nil
				for _, e := range last.Elements() {
					next = e
				}
			}
			one := canonical(d, last, m)
			if got := canonical(again(one), nil, m); !bytes.Equal(got, one) {
				t.Fatalf("%+v: canonical form of a subset: %s", m, difference(got, one))
			}
			// An element's own text is the same in its canonical form.
			if got := again(one).Root.Text(); got != last.Text() {
				t.Fatalf("text %q became %q", last.Text(), got)
			}
			if m.Exclusive {
				inclusive := again(canonical(d, nil, Method{Comments: true}))
				if got := canonical(inclusive, nil, m); !bytes.Equal(got, whole) {
					t.Fatalf("%+v: after inclusive: %s", m, difference(got, whole))
				}
			}
		}
	})
}

// FuzzScanner holds that Scanner and Parse see the same document, that offsets are where things are, and that the
// standard library's decoder, where it takes the document, reads the same texts and elements.
func FuzzScanner(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		d, parseErr := Parse(b, small)
		s, err := NewScanner(b, small)
		if err != nil {
			if typedError(t, err); parseErr == nil || parseErr.Error() != err.Error() {
				t.Fatalf("Parse says %v, NewScanner %v", parseErr, err)
			}
			return
		}
		var stack []*Element
		var text strings.Builder
		at, next := 0, (*Element)(nil)
		if d != nil {
			next = d.Root
		}
		for {
			tok, err := s.Next()
			if err != nil {
				if err == io.EOF {
					err = nil
				} else {
					typedError(t, err)
				}
				if (err == nil) != (parseErr == nil) || err != nil && err.Error() != parseErr.Error() {
					t.Fatalf("Parse says %v, Scanner %v", parseErr, err)
				}
				break
			}
			src := s.Bytes()[tok.Start:tok.End]
			if tok.Start < at || len(stack) > 0 && tok.Start != at {
				t.Fatalf("token at %d after one that ended at %d", tok.Start, at)
			}
			at = tok.End
			if d == nil {
				continue
			}
			switch tok.Kind {
			case Start:
				if next == nil || next.Name != tok.Name || next.Prefix != tok.Prefix || next.Start != tok.Start ||
					next.Inner != tok.End || len(next.Attrs) != len(tok.Attrs) {
					t.Fatalf("the tree has %+v, Scanner %+v", next, tok)
				}
				for i, a := range tok.Attrs {
					if next.Attrs[i] != a {
						t.Fatalf("the tree has %+v, Scanner %+v", next.Attrs[i], a)
					}
				}
				if src[0] != '<' || src[len(src)-1] != '>' || tok.Empty != (src[len(src)-2] == '/') {
					t.Fatalf("start tag %q", src)
				}
				stack, next = append(stack, next), next.child
				if tok.Depth != len(stack) {
					t.Fatalf("depth %d", tok.Depth)
				}
			case End:
				e := stack[len(stack)-1]
				if next != nil || e.InnerEnd != tok.Start || e.End != tok.End || e.Name != tok.Name || tok.Depth != len(stack) {
					t.Fatalf("the tree has %+v, Scanner %+v", e, tok)
				}
				if len(src) > 0 && !bytes.HasPrefix(src, []byte("</")) || len(src) == 0 && e.Inner != e.End {
					t.Fatalf("end tag %q", src)
				}
				stack, next = stack[:len(stack)-1], e.next
			case Text, CData:
				text.WriteString(tok.Text())
			}
		}
		if d != nil {
			asStandard(t, d, text.String())
		}
	})
}

func asStandard(t *testing.T, d *Doc, text string) {
	t.Helper()
	dec := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(d.Bytes(), []byte(utf8BOM))))
	var theirs strings.Builder
	starts, depth := 0, 0
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return // it knows fewer names
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			starts++
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth > 0 {
				theirs.Write(tok)
			}
		}
	}
	ours := 0
	for _, n := range d.nodes {
		if n.kind == Start {
			ours++
		}
	}
	if ours != starts || text != theirs.String() {
		t.Fatalf("%d elements with %q; encoding/xml has %d with %q", ours, text, starts, theirs.String())
	}
}

// FuzzEscape holds that what is escaped comes back, and is canonical.
func FuzzEscape(f *testing.F) {
	f.Add("a<b>&\"'\t\r\n]]>", "\x00\xff\uFFFE𠮷")
	f.Fuzz(func(t *testing.T, attr, text string) {
		src := `<a b="` + string(AppendAttr(nil, attr)) + `">` + string(AppendText(nil, text)) + "</a>"
		d, err := Parse([]byte(src), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := d.Root.Attr("", "b")
		if Legal(attr) != (got == attr) || Legal(text) != (d.Root.Text() == text) {
			t.Fatalf("%q became %q, %q became %q", attr, got, text, d.Root.Text())
		}
		if canonical, err := d.Canonical(nil, Method{}); err != nil || string(canonical) != src {
			t.Fatalf("%q is not canonical: %q %v", src, canonical, err)
		}
	})
}
