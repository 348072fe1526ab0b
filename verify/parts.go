package verify

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
)

var officeSignatureRule = &rule{
	name:   "signature-part",
	clause: "ECMA-376-2 (M6.1 - M6.3); officex/FORMAT.md",
	stops:  "a relationship that leads to no signature; signatures of which one program finds others than another",
	codes: []outcome{
		{codeOK, Valid, "关系指向一个可读的签名部件", "the relationship leads to a signature that can be read"},
		{"signature-missing", Invalid, "关系所指的签名部件 %[1]s 不完整或不存在", "the signature to which a relationship leads is not there, or not whole: %[1]s"},
		{"origin-twice", Invalid, "包中有 %[1]d 个签名源部件", "the package has %[1]d origins of signatures where one is due"},
		{"signature-type", Invalid, "签名部件声明的内容类型不是签名：%[1]s", "the part is declared to be something else than a signature: %[1]s"},
		{"signature-unreadable", Invalid, "签名部件无法读取：%[1]s", "the part of the signature cannot be read: %[1]s"},
		{"signature-twice", Invalid, "此签名已列出：%[1]s；同一签名不能算作两个", "this is the signature of %[1]s again: one signature is not two"},
		{"undo-missing", Invalid, "签名所绑定的撤回记录（undo）不存在，或没有关系指向它", "the record of what was there before, which the signature binds, is not there, or no relationship leads to it"},
		{"undo-differs", Invalid, "撤回记录（undo）与签章所绑定的不一致", "the record of what was there before is not the one that the seal signature binds"},
	},
}

var partsRule = &rule{
	name:   "parts",
	clause: "ECMA-376-2 (M6.14 - M6.36); officex/FORMAT.md",
	stops:  "a part, a relationship or a content type that was changed or taken away after it was signed",
	codes: []outcome{
		{codeOK, Valid, "所签的 %[1]d 个部件与 %[2]d 项关系均未改动", "the %[1]d parts and %[2]d relationships that are signed are as they were"},
		{"parts-none", Invalid, "没有签署任何部件", "no part is signed"},
		{"part-missing", Invalid, "所签部件不存在：%[1]s", "a part that is signed is not there: %[1]s"},
		{"part-changed", Invalid, "所签部件在签署后被改动：%[1]s", "a part was changed after it was signed: %[1]s"},
		{"part-type", Invalid, "所签部件的内容类型被改动：%[1]s", "the content type of a part is not the one signed: %[1]s"},
		{"part-unreadable", Invalid, "所签部件无法读取：%[1]s", "a part that is signed cannot be read: %[1]s"},
		{"relationship-missing", Invalid, "所签关系不存在：%[1]s", "a relationship that is signed is not there: %[1]s"},
		{"relationships-changed", Invalid, "所签关系在签署后被改动：%[1]s", "relationships were changed after they were signed: %[1]s"},
	},
}

var coverageRule = &rule{
	name:   "coverage",
	clause: "ECMA-376-2 (M6.14 - M6.16); officex/FORMAT.md",
	stops:  "content put into the package beside what is signed: parts and relationships that a program shows and no digest covers",
	codes: []outcome{
		{codeOK, Valid, "签名覆盖文件的全部内容", "all content of the file is signed"},
		{"coverage-properties", Valid, "签名覆盖文件的全部内容，文件属性除外（Office 签名从不覆盖）：%[1]s", "all content of the file is signed but for its properties, which Office never signs: %[1]s"},
		{"coverage-fields", Indeterminate, "文档正文显示文件属性，而属性未被签名覆盖：%[1]s", "the document shows its properties, which are not signed: %[1]s"},
		{"coverage-unread", Indeterminate, "无法查看文档的全部内容，其中可能显示未被签名覆盖的文件属性：%[1]s", "not all of the document can be looked through, which may show its properties, and they are not signed: %[1]s"},
		{"parts-not-covered", Invalid, "有部件未被签名覆盖：%[1]s", "parts are not signed: %[1]s"},
		{"relationships-not-covered", Invalid, "有关系未被签名覆盖：%[1]s", "relationships are not signed: %[1]s"},
	},
}

// digest hashes every part that a signature names, once.
func (d *office) digest() error {
	wanted := map[*opc.Part]map[sign.Hash]bool{}
	want := func(p *opc.Part, h sign.Hash) {
		if p == nil || h.Size() == 0 {
			return
		}
		if wanted[p] == nil {
			wanted[p] = map[sign.Hash]bool{}
		}
		wanted[p][h] = true
	}
	for _, c := range d.cases {
		for _, r := range c.refs {
			if !r.IsRels() {
				want(d.pkg.Part(r.Name), r.Hash)
			}
		}
		if c.undo != nil && c.act != nil {
			want(c.act.undo, sign.SM3)
		}
	}
	for _, p := range d.pkg.Parts() {
		if d.cover.IsProperty(p) && wanted[p] == nil {
			want(p, sign.SHA256) // nobody signs them, but a part that cannot be read makes programs repair the file
		}
	}
	groups := map[string][]*opc.Part{}
	hashes := map[string][]sign.Hash{}
	room := int64(maxKept)
	for _, p := range d.pkg.Parts() {
		if wanted[p] == nil {
			continue
		}
		list := slices.Sorted(maps.Keys(wanted[p]))
		if strings.HasSuffix(p.ContentType, "xml") && p.Size <= room {
			room -= p.Size
			list = append(list, kept)
		}
		key := fmt.Sprint(list)
		if p.Size > largeText { // by itself, so that it is known how much room it takes
			key += p.Name
		}
		groups[key], hashes[key] = append(groups[key], p), list
	}
	d.kept = map[*opc.Part][]byte{}
	d.sums, d.damaged = map[*opc.Part]sign.Sums{}, map[*opc.Part]error{}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		if err := d.digestGroup(groups[key], hashes[key]); err != nil {
			return err
		}
	}
	return nil
}

// digestGroup hashes parts of which the same hashes are wanted. One that cannot be read does not keep the others from it.
func (d *office) digestGroup(parts []*opc.Part, hashes []sign.Hash) error {
	var make []func() hash.Hash
	for _, h := range hashes {
		if h == kept {
			make = append(make, func() hash.Hash {
				k := new(keeper)
				if len(parts) == 1 {
					k.Grow(int(parts[0].Size))
				}
				return k
			})
			continue
		}
		make = append(make, h.New)
	}
	sums, err := d.pkg.Digests(d.ctx, parts, make)
	switch {
	case err == nil:
		for i, p := range parts {
			d.sums[p] = sign.Sums{}
			for k, h := range hashes {
				if h == kept {
					d.kept[p] = sums[i][k]
					continue
				}
				d.sums[p][h] = sums[i][k]
			}
		}
		return nil
	case !isOfPackage(err):
		return err
	case len(parts) == 1:
		d.damaged[parts[0]] = err
		return nil
	}
	for _, half := range [][]*opc.Part{parts[:len(parts)/2], parts[len(parts)/2:]} {
		if err := d.digestGroup(half, hashes); err != nil {
			return err
		}
	}
	return nil
}

// kept stands for a hash that keeps what it is given: the text of the document is looked through as soon as it is hashed.
const kept = sign.Hash("kept")

const (
	maxKept   = 16 << 20  // of all that is kept
	largeText = 256 << 10 // from which a part is hashed beside its inflating, so that others need not be hashed beside it
)

type keeper struct{ bytes.Buffer }

func (k *keeper) Sum([]byte) []byte { return k.Bytes() }
func (k *keeper) Size() int         { return k.Len() }
func (k *keeper) BlockSize() int    { return 1 }

// isOfPackage: the error is about what the file says, not about reading it.
func isOfPackage(err error) bool {
	return errors.Is(err, opc.ErrDamaged) || errors.Is(err, opc.ErrEncrypted) || errors.Is(err, opc.ErrMethod)
}

// judgeDamage tells the parts that cannot be read and are not signed; of those that are, the check of the parts tells.
func (d *office) judgeDamage(c *officeCase) {
	var names []string
	for p, err := range d.damaged {
		if !slices.ContainsFunc(c.refs, func(r opcsig.Reference) bool { return d.pkg.Part(r.Name) == p }) {
			names = append(names, clipName(err.Error()))
		}
	}
	if slices.Sort(names); names != nil {
		c.add(packageRule.check("part-damaged", brief(names, ", ")))
	}
}

// judgeUndo asks whether the record of the act is the one that a seal signature binds.
func (d *office) judgeUndo(c *officeCase) *finding {
	if c.undo == nil {
		return nil
	}
	if c.act == nil || c.act.undo == nil {
		return found("undo-missing")
	}
	if !slices.Equal(d.sums[c.act.undo][sign.SM3], c.undo) {
		return found("undo-differs")
	}
	return nil
}

// judgeParts compares what is signed with what is there: one answer for each kind of difference.
func (d *office) judgeParts(c *officeCase) {
	wrong := map[string][]string{}
	say := func(code, name string) { wrong[code] = append(wrong[code], clipName(name)) }
	parts, relations := 0, 0
	for _, r := range c.refs {
		if r.IsRels() {
			relations += d.judgeRelationships(r, say)
			continue
		}
		parts++
		p := d.pkg.Part(r.Name)
		switch {
		case p == nil:
			say("part-missing", r.Name)
			continue
		case p.ContentType != r.ContentType:
			say("part-type", fmt.Sprintf("%s (%s, %s)", r.Name, r.ContentType, p.ContentType))
		}
		if err := d.damaged[p]; err != nil {
			say("part-unreadable", err.Error())
		} else if !slices.Equal(d.sums[p][r.Hash], r.Digest) {
			say("part-changed", r.Name)
		}
	}
	if parts == 0 {
		c.add(partsRule.check("parts-none"))
		return
	}
	if len(wrong) == 0 {
		c.add(partsRule.check(codeOK, parts, relations))
		return
	}
	for _, o := range partsRule.codes {
		if names := wrong[o.code]; names != nil {
			c.add(partsRule.check(o.code, brief(names, ", ")))
		}
	}
}

// judgeRelationships answers for chosen relationships of one source, and counts them.
func (d *office) judgeRelationships(r opcsig.Reference, say func(code, name string)) int {
	source, _ := opc.SourceOf(r.Name)
	rels := d.pkg.Rels(source)
	if d.pkg.Part(r.Name) == nil && len(r.IDs) > 0 {
		say("part-missing", r.Name)
		return len(r.IDs)
	}
	missing := false
	for _, id := range r.IDs {
		if _, ok := rels.ByID(id); !ok {
			say("relationship-missing", r.Name+"#"+id)
			missing = true
		}
	}
	if r.ContentType != opcsig.TypeRelationships {
		say("part-type", fmt.Sprintf("%s (%s)", r.Name, r.ContentType))
	}
	if !missing && !slices.Equal(r.Hash.Sum(rels.Transform(r.IDs)), r.Digest) {
		say("relationships-changed", r.Name)
	}
	return len(r.IDs)
}
