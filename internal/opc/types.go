package opc

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

const typesNS = "http://schemas.openxmlformats.org/package/2006/content-types"

// ContentTypes are those that [Content_Types].xml declares. They do not change: what adds to them gives new ones.
type ContentTypes struct {
	*flat
	defaults  map[string]string // by extension in small letters
	overrides map[string]string // by key of the name
	spelled   map[string]string // names by their keys, as they stand there
}

// ContentTypes gives what the package declares; nil in a package with FaultNoTypes or FaultTypesXML.
func (p *Package) ContentTypes() *ContentTypes { return p.types }

// readTypes reads [Content_Types].xml and gives each part its type.
func (p *Package) readTypes() error {
	part := p.Part(typesName)
	if part == nil {
		p.fault(FaultNoTypes, typesName, "it is not there")
		return nil
	}
	if part.Name != typesName {
		p.fault(FaultTypesXML, part.Name, "its name is %s, in this spelling", typesName[1:])
	}
	b, err := p.readSmall(part, maxTypes)
	if err != nil {
		return p.unreadable(FaultTypesXML, part, err)
	}
	wrong := func(code, format string, args ...any) { p.fault(code, part.Name, format, args...) }
	if p.types, err = readTypes(b, wrong); err != nil {
		return p.unreadable(FaultTypesXML, part, err)
	}
	for _, q := range p.parts {
		if q == part {
			continue
		}
		q.ContentType = p.types.TypeOf(q.Name)
		if name, ok := p.types.spelled[q.key]; ok && name != q.Name {
			p.fault(FaultTypesXML, q.Name, "its type is declared for %q, which some programs take for another part", name)
		}
		if q.ContentType == "" && !strings.HasSuffix(q.Name, "/") {
			p.fault(FaultUntyped, q.Name, "no content type is declared for it")
		}
	}
	return nil
}

// unreadable makes a fault of what is wrong with the bytes of a part; limits and the source's own errors stay errors.
func (p *Package) unreadable(code string, part *Part, err error) error {
	for _, ours := range []error{ErrDamaged, ErrEncrypted, ErrMethod, xmldoc.ErrSyntax, xmldoc.ErrDoctype, xmldoc.ErrEncoding} {
		if errors.Is(err, ours) {
			p.fault(code, part.Name, "%v", err)
			return nil
		}
	}
	if errors.Is(err, xmldoc.ErrLimit) {
		return fmt.Errorf("%w: %s: %w", ErrLimit, part.Name, err)
	}
	return err
}

func readTypes(b []byte, wrong func(code, format string, args ...any)) (*ContentTypes, error) {
	t := &ContentTypes{defaults: map[string]string{}, overrides: map[string]string{}, spelled: map[string]string{}}
	form := func(format string, args ...any) { wrong(FaultTypesXML, format, args...) }
	var err error
	t.flat, err = readFlat(b, xmldoc.Limits{Size: maxTypes, Nodes: 100_000}, typesNS, "Types", func(tok *xmldoc.Token) {
		table, of, key := t.overrides, "PartName", ""
		switch tok.Name.Local {
		case "Default":
			table, of = t.defaults, "Extension"
		case "Override":
		default:
			form("element %s", tok.Name.Local)
			return
		}
		name, _ := tok.Attr("", of)
		value, _ := tok.Attr("", "ContentType")
		if of == "Extension" {
			key = strings.ToLower(name)
			if why := nameFault("/x." + name); name == "" || why != "" || strings.Contains(name, ".") || strings.Contains(name, "/") {
				form("extension %q", name)
				return
			}
		} else if why := nameFault(name); why != "" {
			form("%s of part %q", why, name)
			return
		} else {
			key = nameKey(name)
			t.spelled[key] = name
		}
		if odd := onlyAttrs(tok, of, "ContentType"); odd != "" {
			form("attribute %s of %q", odd, name)
		}
		if !mediaType(value) {
			form("content type %q of %q", value, name)
			return
		}
		if _, ok := table[key]; ok {
			wrong(FaultTypesTwice, "two declarations for %q", name)
			return
		}
		table[key] = value
	}, form)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// mediaType says whether a string has the form of RFC 2616 3.7, without comments.
func mediaType(s string) bool {
	media, params, _ := strings.Cut(s, ";")
	main, sub, ok := strings.Cut(media, "/")
	return ok && token(main) && token(sub) && !strings.ContainsAny(params, "\r\n()") && xmldoc.Legal(params)
}

func token(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`()<>@,;:\"/[]?={}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

// TypeOf is the content type declared for the part of a name; "": none.
func (t *ContentTypes) TypeOf(name string) string {
	if v, ok := t.overrides[nameKey(name)]; ok {
		return v
	}
	return t.defaults[extension(name)]
}

func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(name), "."))
}

// WithOverride declares the content type of one part. It is ErrTypes where another is declared for it by name.
func (t *ContentTypes) WithOverride(name, contentType string) (*ContentTypes, error) {
	key := nameKey(name)
	if has, ok := t.overrides[key]; ok {
		if has == contentType {
			return t, nil
		}
		return nil, fmt.Errorf("%w: %s is declared to be %s, not %s", ErrTypes, name, has, contentType)
	}
	if why := nameFault(name); why != "" || !mediaType(contentType) {
		return nil, fmt.Errorf("%w: %q as %q: %s", ErrTypes, name, contentType, why)
	}
	u := &ContentTypes{defaults: t.defaults, overrides: maps.Clone(t.overrides)}
	u.overrides[key] = contentType
	u.flat = t.insert(false, "Override"+attr("PartName", name)+attr("ContentType", contentType)+"/>")
	return u, nil
}

// WithDefault declares the content type of an extension. It is ErrTypes where it has another.
func (t *ContentTypes) WithDefault(ext, contentType string) (*ContentTypes, error) {
	key := strings.ToLower(ext)
	if has, ok := t.defaults[key]; ok {
		if has == contentType {
			return t, nil
		}
		return nil, fmt.Errorf("%w: files .%s are declared to be %s, not %s", ErrTypes, ext, has, contentType)
	}
	if !mediaType(contentType) || nameFault("/x."+ext) != "" || strings.ContainsAny(ext, "./") {
		return nil, fmt.Errorf("%w: extension %q as %q", ErrTypes, ext, contentType)
	}
	u := &ContentTypes{defaults: maps.Clone(t.defaults), overrides: t.overrides}
	u.defaults[key] = contentType
	u.flat = t.insert(true, "Default"+attr("Extension", ext)+attr("ContentType", contentType)+"/>")
	return u, nil
}

// Bytes are those of [Content_Types].xml: as they were, with what was added.
func (t *ContentTypes) Bytes() []byte { return t.doc }
