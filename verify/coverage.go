package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
)

const (
	packageRelation = "http://schemas.openxmlformats.org/package/2006/relationships/"
	officeRelation  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	strictRelation  = "http://purl.oclc.org/ooxml/officeDocument/relationships/"
)

// propertyTypes are the relationships from the package to what is said of a document and is none of its content, which Office never
// signs, with the content type that the part must have.
var propertyTypes = map[string]string{
	packageRelation + "metadata/core-properties":                                "application/vnd.openxmlformats-package.core-properties+xml",
	officeRelation + "metadata/core-properties":                                 "application/vnd.openxmlformats-package.core-properties+xml",
	officeRelation + "extended-properties":                                      openXML + "extended-properties+xml",
	strictRelation + "extendedProperties":                                       openXML + "extended-properties+xml",
	officeRelation + "custom-properties":                                        openXML + "custom-properties+xml",
	strictRelation + "customProperties":                                         openXML + "custom-properties+xml",
	packageRelation + "metadata/thumbnail":                                      "image/",
	"http://schemas.microsoft.com/office/2006/relationships/docProps/thumbnail": "image/",
}

// account sees which parts in the places of signatures and seals have a use there. The others are covered by nothing.
func (d *office) account() error {
	for _, p := range d.pkg.Parts() {
		if p.Name == "/[Content_Types].xml" {
			d.accounted[p] = true
		}
	}
	for _, c := range d.cases {
		if c.act == nil || c.act.undo == nil {
			continue
		}
		bound := c.undo != nil
		for _, r := range c.refs {
			bound = bound || d.pkg.Part(r.Name) == c.act.undo
		}
		if bound {
			d.accounted[c.act.undo] = true
		}
	}
	d.properties = map[*opc.Part]bool{}
	for _, r := range d.pkg.Rels("/").All() {
		if p := d.pkg.Part(r.Part); p != nil && isProperty(r, p) {
			d.properties[p] = true
		}
	}
	// What is reached in another way too may be shown.
	for _, source := range d.pkg.Sources() {
		for _, r := range d.pkg.Rels(source).All() {
			if p := d.pkg.Part(r.Part); p != nil && !(source == "/" && isProperty(r, p)) {
				delete(d.properties, p)
			}
		}
	}
	return nil
}

// isProperty: a relationship from the package to properties.
func isProperty(r opc.Relationship, p *opc.Part) bool {
	t, ok := propertyTypes[r.Type]
	return ok && !r.External && (p.ContentType == t || t == "image/" && strings.HasPrefix(p.ContentType, t))
}

// A cover is what of a package one signature leaves out.
type cover struct{ parts, relations, properties []string }

// uncovered finds everything that a signature does not sign and should.
func (d *office) uncovered(c *officeCase) (out cover) {
	signed, relations := map[*opc.Part]bool{}, map[string]bool{}
	for _, r := range c.refs {
		if !r.IsRels() {
			signed[d.pkg.Part(r.Name)] = true
			continue
		}
		source, _ := opc.SourceOf(r.Name)
		source = d.pkg.Rels(source).Source()
		for _, id := range r.IDs {
			relations[source+"\x00"+id] = true
		}
	}
	for _, p := range d.pkg.Parts() {
		_, rels := opc.SourceOf(p.Name)
		switch {
		case rels || signed[p] || d.accounted[p]:
		case d.properties[p]:
			out.properties = append(out.properties, p.Name)
		default:
			out.parts = append(out.parts, clipName(p.Name))
		}
	}
	for _, source := range d.pkg.Sources() {
		rels := d.pkg.Rels(source)
		for _, r := range rels.All() {
			if relations[source+"\x00"+r.ID] || d.leadsToSignatures(source, r) {
				continue
			}
			if p := d.pkg.Part(r.Part); source == "/" && p != nil && d.properties[p] {
				continue // said with the part
			}
			out.relations = append(out.relations, clipName(fmt.Sprintf("%s#%s (%s)", rels.Name(), r.ID, r.Type[strings.LastIndexByte(r.Type, '/')+1:])))
		}
	}
	if c.ses != nil { // a seal covers the properties too
		out.parts = append(out.parts, out.properties...)
		out.properties = nil
	}
	return out
}

// leadsToSignatures: a relationship by which signatures and seals are found, at the place that it has.
func (d *office) leadsToSignatures(source string, r opc.Relationship) bool {
	if r.External {
		return false
	}
	if source == "/" {
		return r.Type == opcsig.RelOrigin || r.Type == opcsig.RelSealOrigin
	}
	p := d.pkg.Part(source)
	switch r.Type {
	case opcsig.RelSignature:
		return slices.Contains(d.nativeOrigins, p)
	case opcsig.RelSeal, opcsig.RelAct:
		return slices.Contains(d.sealOrigins, p)
	}
	return false
}

// judgeCoverage says what of the file one signature covers.
func (d *office) judgeCoverage(c *officeCase) {
	out := d.uncovered(c)
	var zh, en []string
	if out.parts != nil {
		names := brief(out.parts, ", ")
		c.add(coverageRule.check("parts-not-covered", names))
		zh, en = append(zh, "未覆盖部件 "+names), append(en, "not the parts "+names)
	}
	if out.relations != nil {
		names := brief(out.relations, ", ")
		c.add(coverageRule.check("relationships-not-covered", names))
		zh, en = append(zh, "未覆盖关系 "+names), append(en, "not the relationships "+names)
	}
	if zh != nil {
		c.sig.Coverage = Text{"签名只覆盖文件的一部分：" + strings.Join(zh, "；"), "only a part of the file is signed: " + strings.Join(en, "; ")}
		return
	}
	if out.properties == nil {
		c.sig.Coverage = Text{"签名覆盖文件的全部内容", "all content of the file is signed"}
		c.add(coverageRule.check(codeOK))
		return
	}
	names := brief(out.properties, ", ")
	c.sig.Coverage = Text{"签名覆盖文件的全部内容，文件属性除外：" + names, "all content of the file is signed but for its properties, " + names}
	code := "coverage-properties"
	if d.showsProperties && !d.propertiesSigned() {
		code = "coverage-fields"
	}
	c.add(coverageRule.check(code, names))
}

// propertiesSigned: a seal in the file covers the properties, and is judged for it.
func (d *office) propertiesSigned() bool {
	return slices.ContainsFunc(d.cases, func(c *officeCase) bool { return c.ses != nil && c.broken == nil })
}
