package opc

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

const relsNS = "http://schemas.openxmlformats.org/package/2006/relationships"

// A Relationship leads from a part, or from the package, to a part or to something outside.
type Relationship struct {
	ID, Type string
	Target   string // as it is written, references resolved
	External bool
	Part     string // the name of the target inside the package, as the part spells it where there is one; "": External or a fault
}

// Relationships are those of one source, in the order of the file. They do not change: Add gives new ones.
type Relationships struct {
	*flat
	source string
	list   []Relationship
	ids    map[string]int // place in list
}

// Rels gives the relationships of a part, or of the package, which is "/"; without any where it has none.
func (p *Package) Rels(source string) *Relationships {
	if r := p.rels[nameKey(source)]; r != nil {
		return r
	}
	return NoRels(source)
}

// Sources lists the sources that have relationships, in the order of the file.
func (p *Package) Sources() []string {
	var all []string
	for _, part := range p.parts {
		if source, ok := SourceOf(part.Name); ok {
			if r := p.rels[nameKey(source)]; r != nil && !slices.Contains(all, r.source) {
				all = append(all, r.source)
			}
		}
	}
	return all
}

// NoRels are the relationships of a source that has none, to add to.
func NoRels(source string) *Relationships {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" + `<Relationships xmlns="` + relsNS + `">`
	return &Relationships{
		flat:   &flat{doc: []byte(head + `</Relationships>`), inner: len(head), innerEnd: len(head)},
		source: source, ids: map[string]int{},
	}
}

// readRels reads all parts of relationships.
func (p *Package) readRels() error {
	p.rels = map[string]*Relationships{}
	var all int64
	for _, part := range p.parts {
		source, ok := SourceOf(part.Name)
		if ok != (part.ContentType == RelsType) && p.types != nil {
			p.fault(FaultRelsType, part.Name, "content type %q", part.ContentType)
		}
		if !ok {
			continue
		}
		if owner := p.Part(source); owner != nil {
			source = owner.Name
			if _, again := SourceOf(source); again || source == typesName {
				p.fault(FaultRelsOrphan, part.Name, "%s has no relationships", source)
			}
		} else if source != "/" {
			p.fault(FaultRelsOrphan, part.Name, "there is no part %s", source)
		}
		if RelsName(source) != part.Name {
			p.fault(FaultRelsOrphan, part.Name, "those of %s are called %s", source, RelsName(source))
		}
		if all += part.Size; all > maxRels {
			return fmt.Errorf("%w: more than %d bytes of relationships", ErrLimit, maxRels)
		}
		if p.rels[nameKey(source)] != nil {
			continue // a second of the same name, which is a fault already
		}
		r, err := p.readRelsOf(part, source)
		if err != nil {
			return err
		}
		if r != nil {
			p.rels[nameKey(source)] = r
		}
	}
	return nil
}

func (p *Package) readRelsOf(part *Part, source string) (*Relationships, error) {
	b, err := p.readSmall(part, maxRels)
	if err != nil {
		return nil, p.unreadable(FaultRelsXML, part, err)
	}
	r, err := readRels(b, source, func(code, format string, args ...any) { p.fault(code, part.Name, format, args...) })
	if err != nil {
		return nil, p.unreadable(FaultRelsXML, part, err)
	}
	for i := range r.list {
		to := p.Part(r.list[i].Part)
		if to == nil {
			continue
		}
		r.list[i].Part = to.Name
		if _, ok := SourceOf(to.Name); ok {
			p.fault(FaultRelsTarget, part.Name, "%s leads to relationships", r.list[i].ID)
		}
	}
	return r, nil
}

func readRels(b []byte, source string, wrong func(code, format string, args ...any)) (*Relationships, error) {
	n := min(bytes.Count(b, []byte("<")), len(b)/len(`<Relationship Id="" Type="" Target=""/>`))
	r := &Relationships{source: source, ids: make(map[string]int, n), list: make([]Relationship, 0, n)}
	form := func(format string, args ...any) { wrong(FaultRelsXML, format, args...) }
	var err error
	r.flat, err = readFlat(b, xmldoc.Limits{Size: maxRels, Nodes: 500_000}, relsNS, "Relationships", func(t *xmldoc.Token) {
		if t.Name.Local != "Relationship" {
			form("element %s", t.Name.Local)
			return
		}
		var rel Relationship
		rel.ID, _ = t.Attr("", "Id")
		rel.Type, _ = t.Attr("", "Type")
		var hasTarget bool
		rel.Target, hasTarget = t.Attr("", "Target")
		mode, hasMode := t.Attr("", "TargetMode")
		rel.External = mode == "External"
		switch {
		case rel.ID == "" || rel.Type == "" || !hasTarget:
			form("relationship %q without id, type or target", rel.ID)
			return
		case hasMode && mode != "Internal" && mode != "External":
			form("target mode %q of %s", mode, rel.ID)
		}
		if odd := onlyAttrs(t, "Id", "Type", "Target", "TargetMode"); odd != "" {
			form("attribute %s of %s", odd, rel.ID)
		}
		if !rel.External {
			var why string
			if rel.Part, why = resolve(source, rel.Target); why != "" {
				wrong(FaultRelsTarget, "%s leads to %q: %s", rel.ID, rel.Target, why)
			}
		}
		if _, ok := r.ids[rel.ID]; ok {
			wrong(FaultRelsTwice, "two relationships %s", rel.ID)
		} else {
			r.ids[rel.ID] = len(r.list)
		}
		r.list = append(r.list, rel)
	}, form)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Source is whose they are: a part, or "/".
func (r *Relationships) Source() string { return r.source }

// Name is the name of the part they stand in.
func (r *Relationships) Name() string { return RelsName(r.source) }

// All lists them in the order of the file.
func (r *Relationships) All() []Relationship { return r.list }

// ByID finds one.
func (r *Relationships) ByID(id string) (Relationship, bool) {
	i, ok := r.ids[id]
	if !ok {
		return Relationship{}, false
	}
	return r.list[i], true
}

// ByType lists those of a type.
func (r *Relationships) ByType(t string) (found []Relationship) {
	for _, rel := range r.list {
		if rel.Type == t {
			found = append(found, rel)
		}
	}
	return found
}

// Add appends a relationship under an id that is unused, in any case.
func (r *Relationships) Add(relType, target string, external bool) (*Relationships, string) {
	used := make(map[string]bool, len(r.ids))
	for id := range r.ids {
		used[strings.ToLower(id)] = true
	}
	n := len(r.list) + 1
	for used["rid"+strconv.Itoa(n)] {
		n++
	}
	rel := Relationship{ID: "rId" + strconv.Itoa(n), Type: relType, Target: target, External: external}
	text := "Relationship" + attr("Id", rel.ID) + attr("Type", relType) + attr("Target", target)
	if external {
		text += attr("TargetMode", "External")
	} else {
		rel.Part, _ = resolve(r.source, target)
	}
	s := &Relationships{source: r.source, list: append(slices.Clip(r.list), rel), ids: maps.Clone(r.ids)}
	s.ids[rel.ID] = len(r.list)
	s.flat = r.insert(false, text+"/>")
	return s, rel.ID
}

// Compact gives the same relationships without white space between them. It means nothing, and the relationship transform
// drops it, but LibreOffice's does not (7.4): it finds signatures over such relationships wrong.
func (r *Relationships) Compact() *Relationships {
	f, err := r.compact()
	if err != nil || len(f.doc) == len(r.doc) { // no error: it was read before
		return r
	}
	s := *r
	s.flat = f
	return &s
}

// Bytes are those of the part: as they were, with what was added.
func (r *Relationships) Bytes() []byte { return r.doc }

// Transform gives the octets that a signature over the relationships of these ids is over: the relationship transform
// (ECMA-376-2 10.5.8) and Canonical XML 1.0 of what comes out. Ids that are not there are left out, as the transform says.
func (r *Relationships) Transform(ids []string) []byte {
	wanted := slices.Clone(ids)
	slices.Sort(wanted)
	b := []byte(`<Relationships xmlns="` + relsNS + `">`)
	for _, id := range slices.Compact(wanted) {
		i, ok := r.ids[id]
		if !ok {
			continue
		}
		rel := &r.list[i]
		mode := "Internal"
		if rel.External {
			mode = "External"
		}
		b = append(b, `<Relationship Id="`...)
		b = xmldoc.AppendAttr(b, rel.ID)
		b = append(b, `" Target="`...)
		b = xmldoc.AppendAttr(b, rel.Target)
		b = append(b, `" TargetMode="`+mode+`" Type="`...)
		b = xmldoc.AppendAttr(b, rel.Type)
		b = append(b, `"></Relationship>`...)
	}
	return append(b, `</Relationships>`...)
}
