package xmldoc

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A generator writes random documents in which namespaces, attributes, comments, instructions, CDATA sections, references,
// white space and line ends meet as Word never lets them. The same seed gives the same document.
type generator struct {
	*rand.Rand
	strings.Builder
	n int // elements so far; each has an xml:id when ids is set
	// ids gives each element an xml:id of its own: n1, n2…
	ids bool
}

func generate(seed uint64, ids bool) string {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 5)), ids: ids}
	if g.chance(2) {
		g.WriteString(g.pick(`<?xml version="1.0"?>`, `<?xml version='1.0' encoding="utf-8" standalone='no' ?>`))
	}
	g.outside()
	g.element(map[string]string{"": ""}, 5)
	g.outside()
	return g.String()
}

func (g *generator) chance(n int) bool             { return g.IntN(n) == 0 }
func (g *generator) pick(choices ...string) string { return choices[g.IntN(len(choices))] }

// outside writes what may stand around the root element.
func (g *generator) outside() {
	for range g.IntN(4) {
		switch g.IntN(3) {
		case 0:
			g.WriteString(g.pick("\n", " \t\r\n", "\r"))
		case 1:
			g.comment()
		default:
			g.instruction()
		}
	}
}

func (g *generator) comment() {
	g.WriteString("<!--" + g.pick("", " ", " a & b <c> ", "x\r\ny\rz", "合同 - ]]>", "&lt;") + "-->")
}

func (g *generator) instruction() {
	g.WriteString("<?" + g.pick("p", "xml-stylesheet", "文") + g.pick("", " ", " a='1'", "\t\r\n d ", " ?", " <&\r\n>") + "?>")
}

var prefixes = []string{"", "a", "b", "c", "w14", "w", "é"}

// element writes an element. scope is what prefixes stand for around it.
func (g *generator) element(scope map[string]string, depth int) {
	g.n++
	inner := map[string]string{}
	for p, uri := range scope {
		inner[p] = uri
	}
	var attrs []string
	for _, p := range prefixes {
		if !g.chance(4) {
			continue
		}
		// No & in a namespace: libxml2 writes it as it is, and its output is then no XML.
		uri := g.pick("urn:1", "urn:2", "http://x.org/a?b=1;c=2", "urn:z", "http://x.org/W")
		if p == "" {
			uri = g.pick("", uri, uri)
			attrs = append(attrs, "xmlns="+g.quoted(uri))
		} else {
			attrs = append(attrs, "xmlns:"+p+g.pick("=", " = ")+g.quoted(uri))
		}
		inner[p] = uri
	}
	if g.chance(20) {
		attrs = append(attrs, `xmlns:xml="`+xmlNS+`"`)
	}
	if g.ids {
		attrs = append(attrs, fmt.Sprintf("xml:id='n%d'", g.n))
	}
	used := map[Name]bool{}
	for range g.IntN(6) {
		p, local, value := g.pick(append([]string{"xml"}, prefixes...)...), g.pick("a", "b", "z", "val", "Id", "名", "a-b.c"), g.value()
		space := inner[p]
		switch p {
		case "xml":
			local, space = g.pick("lang", "space", "base", "other"), xmlNS
			if local == "space" {
				value = "preserve"
			}
		case "":
			space = ""
		default:
			if space == "" {
				continue
			}
		}
		if name := (Name{space, local}); !used[name] {
			used[name] = true
			if p != "" {
				local = p + ":" + local
			}
			attrs = append(attrs, local+"="+g.quoted(value))
		}
	}
	g.Shuffle(len(attrs), func(i, j int) { attrs[i], attrs[j] = attrs[j], attrs[i] })

	var bound []string
	for _, p := range prefixes {
		if inner[p] != "" || p == "" {
			bound = append(bound, p)
		}
	}
	name := g.pick("r", "e", "f", "文", "w")
	if p := g.pick(bound...); p != "" {
		name = p + ":" + name
	}
	g.WriteString("<" + name)
	for _, a := range attrs {
		g.WriteString(g.pick(" ", " ", "\n", "\t \r\n") + a)
	}
	g.WriteString(g.pick("", "", " ", "\n"))
	if depth == 0 || g.chance(8) {
		g.WriteString("/>")
		return
	}
	g.WriteString(">")
	for range g.IntN(6) {
		g.content(inner, depth)
	}
	g.WriteString("</" + name + g.pick("", "", " ", "\r\n") + ">")
}

func (g *generator) content(scope map[string]string, depth int) {
	switch g.IntN(9) {
	case 0, 1, 2:
		g.element(scope, depth-1)
	case 3:
		g.comment()
	case 4:
		g.instruction()
	case 5:
		g.WriteString("<![CDATA[" + g.pick("", "<a>&amp;</a>", "x\r\ny\r", "]] >", "]]]", "&#13;") + "]]>")
	case 6:
		g.WriteString(g.pick("\n", "\r\n", "\r", " \t ", "\r\r\n"))
	default:
		g.WriteString(g.value())
	}
}

// value is text that may stand between tags as well as in an attribute.
func (g *generator) value() string {
	var s string
	for range g.IntN(4) {
		s += g.pick("a", " ", "\t", "\n", "\r\n", "\r", "&lt;", "&gt;", ">", "&amp;", "&quot;", "&apos;", "&#13;", "&#xA;", "&#9;", "&#x9;",
			"&#x20;", "&#65;", "&#x4E2D;", "中", "𠮷", "&#x20BB7;", "&#00065;", "]]a", "é", "\u0085", "\u2028", "\u00a0", "&#x80;", "&amp;#13;")
	}
	return s
}

func (g *generator) quoted(s string) string {
	q := g.pick(`"`, "'")
	return q + s + q
}
