package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
)

// account sees which parts in the places of signatures and seals have a use there. The others are covered by nothing.
func (d *office) account() error {
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
	d.cover = opcsig.NewCover(d.pkg)
	return nil
}

// A cover is what of a package one signature leaves out.
type cover struct{ parts, relations, properties []string }

// uncovered finds everything that a signature does not sign and should: what a signer would, and what stands among signatures and seals
// and has no use there.
func (d *office) uncovered(c *officeCase) (out cover) {
	scope := opcsig.NativeScope
	if c.ses != nil {
		scope = opcsig.SealScope
	}
	left := map[*opc.Part]bool{}
	for _, r := range d.cover.Uncovered(scope, c.refs) {
		if !r.IsRels() {
			left[d.pkg.Part(r.Name)] = true
			continue
		}
		source, _ := opc.SourceOf(r.Name)
		for _, id := range r.IDs {
			rel, _ := d.pkg.Rels(source).ByID(id)
			out.relations = append(out.relations, clipName(fmt.Sprintf("%s#%s (%s)", r.Name, id, rel.Type[strings.LastIndexByte(rel.Type, '/')+1:])))
		}
	}
	signed := map[*opc.Part]bool{}
	for _, r := range c.refs {
		signed[d.pkg.Part(r.Name)] = true
	}
	for _, p := range d.pkg.Parts() {
		switch {
		case left[p] || d.cover.IsMachinery(p) && !d.accounted[p] && !signed[p]:
			out.parts = append(out.parts, clipName(p.Name))
		case d.cover.IsProperty(p) && !signed[p]:
			out.properties = append(out.properties, p.Name)
		}
	}
	return out
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
	switch {
	case d.propertiesSigned():
	case d.showsProperties:
		code = "coverage-fields"
	case d.seen.err != nil:
		code = "coverage-unread"
	}
	c.add(coverageRule.check(code, names))
}

// propertiesSigned: a seal in the file covers the properties, and is judged for it.
func (d *office) propertiesSigned() bool {
	return slices.ContainsFunc(d.cases, func(c *officeCase) bool { return c.ses != nil && c.broken == nil })
}

// brief joins texts and leaves out the middle of a long list.
func brief(texts []string, sep string) string {
	if len(texts) > 12 {
		texts = append(append(append([]string(nil), texts[:10]...), "…"), texts[len(texts)-1])
	}
	return strings.Join(texts, sep)
}
