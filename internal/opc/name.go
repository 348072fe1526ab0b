package opc

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	typesName = "/[Content_Types].xml"
	// RelsType is the content type of relationships. Not every package declares it for the extension: who adds a part of
	// relationships must see to it.
	RelsType = "application/vnd.openxmlformats-package.relationships+xml"

	maxName = 1024 // bytes of a name
)

// nameKey maps names that one program or another takes for the same part to one string: it decodes percent-encoding, turns
// backslashes and folds case.
func nameKey(name string) string {
	i := 0
	for i < len(name) && !folds(name[i]) {
		i++
	}
	if i == len(name) {
		return name
	}
	b := append(make([]byte, 0, len(name)), name[:i]...)
	letters := true
	for ; i < len(name); i++ {
		c, ok := octet(name[i:])
		if ok {
			i += 2
		} else {
			c = name[i]
		}
		switch {
		case c == '\\':
			c = '/'
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		case c >= utf8.RuneSelf:
			letters = false
		}
		b = append(b, c)
	}
	if letters || !utf8.Valid(b) { // ToLower would make one of all octets that are no characters
		return string(b)
	}
	return strings.ToLower(string(b))
}

// folds says whether a byte may be another one in a key.
func folds(c byte) bool { return c == '%' || c == '\\' || c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' }

// decode replaces %XX where it stands for a character that needs no encoding.
func decode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := octet(s[i:]); ok && unreserved(c) {
			b = append(b, c)
			i += 2
		} else {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// octet reads %XX at the start of s.
func octet(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	hi, lo := strings.IndexByte(hexDigits, s[1]|0x20), strings.IndexByte(hexDigits, s[2]|0x20)
	return byte(hi<<4 | lo), hi >= 0 && lo >= 0
}

const hexDigits = "0123456789abcdef"

func unreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// nameFault says what keeps a string from being the name of a part (ECMA-376-2 6.2.2.2); "": nothing.
func nameFault(name string) string {
	switch {
	case len(name) > maxName:
		return fmt.Sprintf("%d bytes, %d allowed", len(name), maxName)
	case len(name) < 2 || name[0] != '/':
		return "it does not begin with a slash and a segment"
	case !utf8.ValidString(name):
		return "not UTF-8"
	}
	if plain, err := url.PathUnescape(name); err != nil || !utf8.ValidString(plain) {
		return "a percent-encoding that is none of UTF-8"
	}
	for segment := range strings.SplitSeq(name[1:], "/") {
		switch {
		case segment == "":
			return "an empty segment"
		case strings.HasSuffix(segment, "."):
			return "a segment that ends with a dot"
		}
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case unreserved(c) || c == '/' || strings.IndexByte("!$&'()*+,;=:@", c) >= 0:
		case c == '%':
			v, ok := octet(name[i:])
			if !ok || unreserved(v) || v == '/' || v == '\\' {
				return "a percent sign that does not stand for a character which must be encoded"
			}
		case c < utf8.RuneSelf:
			return fmt.Sprintf("the character %q", c)
		default:
			r, n := utf8.DecodeRuneInString(name[i:])
			if r < 0xA0 || r >= 0xFDD0 && r <= 0xFDEF || r >= 0xE000 && r <= 0xF8FF || r&0xFFFE == 0xFFFE || r >= 0xFFF0 && r <= 0xFFFF {
				return fmt.Sprintf("the character %+q", r)
			}
			if r >= 0x200B && r <= 0x200F || r >= 0x202A && r <= 0x202E || r == 0x2060 || r == 0xFEFF {
				return fmt.Sprintf("the invisible character %+q", r)
			}
			i += n - 1
		}
	}
	return ""
}

// checkNames judges all names and makes the table to find parts in.
func (p *Package) checkNames() {
	p.byKey = make(map[string]*Part, len(p.parts))
	for _, part := range p.parts {
		p.checkName(part)
		part.key = nameKey(part.Name)
		if first := p.byKey[part.key]; first != nil {
			p.fault(FaultDuplicate, part.Name, "there is %s already", first.Name)
			continue
		}
		p.byKey[part.key] = part
	}
	p.checkDerived()
}

// checkDerived looks for a name that is another and more segments. In the order of segments such names follow the other.
func (p *Package) checkDerived() {
	bySegment := slices.Clone(p.parts)
	slices.SortFunc(bySegment, func(a, b *Part) int { return compareSegments(a.key, b.key) })
	var last *Part
	for _, part := range bySegment {
		if last != nil && len(part.key) > len(last.key) && part.key[len(last.key)] == '/' && strings.HasPrefix(part.key, last.key) {
			p.fault(FaultDerived, part.Name, "%s is a part", last.Name)
			continue
		}
		last = part
	}
}

// compareSegments compares as if a slash were less than any other character.
func compareSegments(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch x, y := a[i], b[i]; {
		case x == y:
		case x == '/':
			return -1
		case y == '/':
			return 1
		default:
			return cmp.Compare(x, y)
		}
	}
	return cmp.Compare(len(a), len(b))
}

func (p *Package) checkName(part *Part) {
	name := part.Name
	if strings.HasSuffix(name, "/") && len(name) > 1 {
		p.fault(FaultDirectory, name, "a directory")
		name = name[:len(name)-1]
	}
	if strings.HasPrefix(name, "//") || strings.Contains(name, `\`) || path.Clean(name) != name || len(name) > 2 && name[2] == ':' {
		p.fault(FaultPath, part.Name, "not a plain relative name")
		return
	}
	if part.Name == typesName {
		return
	}
	if why := nameFault(name); why != "" {
		p.fault(FaultName, part.Name, "%s", why)
	}
}

// RelsName is the name of the relationships of a part, or of the package, which is "/".
func RelsName(source string) string {
	dir, base := path.Split(source)
	return dir + "_rels/" + base + ".rels"
}

// SourceOf is the reverse of RelsName; false: that is no name of relationships.
func SourceOf(relsName string) (string, bool) {
	dir, base := path.Split(relsName)
	const rels, ext = "_rels/", ".rels"
	if len(dir) < len(rels)+1 || !strings.EqualFold(dir[len(dir)-len(rels):], rels) || dir[len(dir)-len(rels)-1] != '/' ||
		len(base) < len(ext) || !strings.EqualFold(base[len(base)-len(ext):], ext) {
		return "", false
	}
	source := dir[:len(dir)-len(rels)] + base[:len(base)-len(ext)]
	return source, source == "/" || base != ext && base != strings.ToUpper(ext)
}

// resolve finds the part that the target of a relationship names (RFC 3986 5.2). why says what keeps it from one.
func resolve(source, target string) (name, why string) {
	ref, _, _ := strings.Cut(target, "#")
	if ref == "" {
		return source, ""
	}
	head, _, _ := strings.Cut(ref, "/")
	switch {
	case strings.Contains(ref, `\`):
		return "", "a backslash"
	case strings.Contains(ref, "?"):
		return "", "a query"
	case strings.HasPrefix(ref, "//"):
		return "", "the name of a host"
	case strings.Contains(head, ":"):
		return "", "a scheme: it leads out of the package"
	}
	ref = decode(ref)
	if ref[0] != '/' {
		ref = source[:strings.LastIndexByte(source, '/')+1] + ref
	}
	var segments []string
	for segment := range strings.SplitSeq(ref[1:], "/") {
		switch segment {
		case ".":
		case "..":
			if len(segments) == 0 {
				return "", "it leads above the package"
			}
			segments = segments[:len(segments)-1]
		default:
			segments = append(segments, segment)
		}
	}
	name = "/" + strings.Join(segments, "/")
	if why := nameFault(name); why != "" {
		return "", why
	}
	return name, ""
}
