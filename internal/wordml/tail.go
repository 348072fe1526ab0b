package wordml

import (
	"bytes"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// OpenEnd is Open for who asks for nothing but End, and places something there. Of a main document without drawings that is to be told
// from its first and last elements, in a fraction of the time; the XML between them is not read then.
func OpenEnd(part []byte, limits xmldoc.Limits) (*Document, error) {
	if d := endOnly(part, limits); d != nil {
		return d, nil
	}
	return Open(part, limits)
}

// endOnly looks at the beginning and the end of a main document. nil: that does not tell.
func endOnly(part []byte, limits xmldoc.Limits) *Document {
	head, ns, root, body := beginning(part, limits)
	if ns == nil {
		return nil
	}
	sections, ok := plainTags(part[head:])
	if !ok {
		return nil
	}
	rest, ok := bytes.CutSuffix(trimRight(part), []byte("</"+root+">"))
	if ok {
		rest, ok = bytes.CutSuffix(trimRight(rest), []byte("</"+body+">"))
	}
	if !ok || len(rest) < head {
		return nil
	}
	d := &Document{part: part, ns: ns, body: len(rest), lastSect: -1, rowPara: -1}
	at, tag := lastChild(rest, head)
	switch {
	case at < 0:
		return nil
	case tagName(string(tag)) == body[:len(body)-len("body")]+"sectPr" && !bytes.Contains(tag, []byte("xmlns")):
		d.body = at
	case sections > 0: // one that is not the last child, or of another namespace
		return nil
	}
	return d
}

// plainTags counts the sections, and says whether there is nothing that makes the end of a document depend on the rest of it: drawings
// have numbers, and the last paragraph may be one of seals. In comments, CDATA and instructions a tag is none.
func plainTags(b []byte) (sections int, ok bool) {
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			return sections, true
		}
		if b = b[i+1:]; len(b) == 0 || b[0] == '!' || b[0] == '?' {
			return sections, false
		}
		from, n := 0, 0
		for n < len(b) && b[n] > ' ' && b[n] != '>' && b[n] != '/' {
			if b[n] == ':' {
				from = n + 1
			}
			n++
		}
		switch string(b[from:n]) {
		case "docPr", "pict", "shapetype":
			return sections, false
		case "sectPr":
			sections++
		}
		b = b[n:]
	}
}

func trimRight(b []byte) []byte { return bytes.TrimRight(b, " \t\r\n") }

// beginning reads the start tags of the root and of the body of a main document: where the second one ends, and what they are called.
func beginning(part []byte, limits xmldoc.Limits) (end int, ns *family, root, body string) {
	i := bytes.Index(part, []byte("body"))
	if i < 0 {
		return 0, nil, "", ""
	}
	end = i + bytes.IndexByte(part[i:], '>') + 1
	s, err := xmldoc.NewScanner(part[:end], limits)
	if err != nil {
		return 0, nil, "", ""
	}
	for {
		t, err := s.Next()
		switch {
		case err != nil, t.Kind == xmldoc.Start && t.Empty:
			return 0, nil, "", ""
		case t.Kind != xmldoc.Start:
		case t.Depth == 1 && t.Name == xmldoc.Name{Space: transitional.w, Local: "document"}:
			ns, root = &transitional, tagName(string(part[t.Start:t.End]))
		case t.Depth == 1 && t.Name == xmldoc.Name{Space: strict.w, Local: "document"}:
			ns, root = &strict, tagName(string(part[t.Start:t.End]))
		case t.Depth == 2 && t.Name == xmldoc.Name{Space: ns.w, Local: "body"} && t.End == end:
			return end, ns, root, tagName(string(part[t.Start:t.End]))
		default:
			return 0, nil, "", ""
		}
	}
}

// lastChild finds where the last element of b begins, which is a child of what b[:from] opens, and its start tag; -1: it cannot be told.
// It goes from tag to tag backwards: < stands nowhere else.
func lastChild(b []byte, from int) (at int, tag []byte) {
	var open []string // names of elements whose ends were seen
	for end := len(b); ; {
		at = bytes.LastIndexByte(b[:end], '<')
		if at < from {
			return -1, nil
		}
		n := tagEnd(b[at:end])
		if n < 0 || end == len(b) && len(bytes.TrimSpace(b[at+n:])) > 0 {
			return -1, nil
		}
		tag, end = b[at:at+n], at
		switch {
		case tag[1] == '/':
			open = append(open, tagName("<"+string(tag[2:])))
		case tag[n-2] == '/':
		case len(open) == 0 || open[len(open)-1] != tagName(string(tag)):
			return -1, nil
		default:
			open = open[:len(open)-1]
		}
		if len(open) == 0 {
			return at, tag
		}
	}
}

// tagEnd is the length of the tag at the beginning of b; in the value of an attribute > ends nothing. -1: it has no end.
func tagEnd(b []byte) int {
	quote := byte(0)
	for i, c := range b {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '>':
			if i < 2 {
				return -1
			}
			return i + 1
		}
	}
	return -1
}
