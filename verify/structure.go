package verify

import (
	"errors"
	"fmt"
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
)

var structureRule = &rule{
	name:   "pdf-structure",
	clause: "ISO 32000-2 7.5.4 - 7.5.8 (cross-reference, object streams, hybrid files), Annex I.3; 12.8.1",
	stops:  "a file of which two readers see two documents: one that follows the cross-reference, and one that rebuilds it or follows it in another order",
	codes: []outcome{
		{codeOK, Valid, "交叉引用与文件中的对象一致，只有一种读法", "the cross-reference and the objects in the file agree: there is one way to read them"},
		{"chain-outside", Invalid, "所签版本的交叉引用指向其后的第 %[1]d 字节，该处不在所签范围内", "the cross-reference of the signed revision leads to byte %[1]d, which was not signed"},
		{"shadow-object", Indeterminate, "对象 %[1]d 在第 %[2]d 字节另有一个定义，交叉引用未列出；重建交叉引用的阅读器会显示它",
			"object %[1]d is defined a second time at byte %[2]d, where no cross-reference names it; a reader that rebuilds the cross-reference shows that one"},
		{"shadow-trailer", Indeterminate, "第 %[1]d 字节有一个不属于任何交叉引用的 trailer，指向另一个目录", "a trailer at byte %[1]d, which belongs to no cross-reference, names another catalog"},
		{"xref-twice", Indeterminate, "同一交叉引用把对象 %[1]d 列在两处", "one section of the cross-reference lists object %[1]d in two places"},
		{"hybrid-differs", Indeterminate, "混合交叉引用的表和流把对象 %[1]d 列在不同的位置", "table and stream of a hybrid cross-reference list object %[1]d in different places"},
		{"offsets-ambiguous", Indeterminate, "文件头之前有字节，偏移量从文件开头和从文件头计算都能读到交叉引用", "there are bytes before the header, and a cross-reference is found with offsets from the beginning of the file and from the header"},
		{"object-stream", Indeterminate, "对象流 %[1]d 与交叉引用对对象 %[2]d 的说法不一：%[3]s", "object stream %[1]d and the cross-reference disagree on object %[2]d: %[4]s"},
		{"structure-unread", Indeterminate, "无法核对交叉引用与文件中的对象：%[1]s", "the cross-reference cannot be compared with the objects in the file: %[2]s"},
	},
}

// An anatomy is what the bytes of the file say beside its cross-reference.
type anatomy struct {
	listing *pdf.Listing
	survey  *pdf.Survey
	checks  []Check // what is wrong with the file, whichever signature is judged
	unread  error   // why the sections cannot be compared; nil: they can
}

// beginStructure prepares to look at the bytes of the file as they are hashed.
func (d *document) beginStructure(cases []*pdfCase) error {
	d.bytes = new(anatomy)
	var ends []int64
	later, first := 0, d.firstSigned(cases)
	for i, r := range slices.Backward(d.revisions) {
		for range r.sections {
			ends = append(ends, r.end)
		}
		if i > first {
			later = len(ends)
		}
	}
	var err error
	if d.bytes.listing, err = d.file.Listing(ends, later); err != nil {
		if !isOfFile(err) {
			return err
		}
		d.bytes.unread, d.bytes.listing = err, new(pdf.Listing)
	}
	d.bytes.survey = d.file.Survey(d.bytes.listing, d.bytes.listing.Later)
	return nil
}

// firstSigned is the index of the oldest revision that a signature may have signed.
func (d *document) firstSigned(cases []*pdfCase) int {
	first := len(d.revisions)
	for _, c := range cases {
		for i, r := range d.revisions {
			if c.whole && r.end > 0 && r.end <= c.span.end && (i+1 == len(d.revisions) || d.revisions[i+1].end > c.span.end) {
				first = min(first, i)
			}
		}
	}
	return first
}

// endStructure looks at what was not hashed, and says what is wrong with the file as a whole.
func (d *document) endStructure() error {
	b := d.bytes
	if err := b.survey.Finish(d.ctx); err != nil {
		return err
	}
	d.tellUnreached()
	if d.file.Repaired() != nil || len(d.found) == 0 {
		return nil
	}
	if s := b.survey; s.Strays > 0 {
		d.notes = append(d.notes, Note{"unlisted-objects", Text{
			fmt.Sprintf("文件中有 %d 个对象不在任何交叉引用中，第一个是第 %d 字节的对象 %d", s.Strays, s.First.Offset, s.First.Ref.Num),
			fmt.Sprintf("no cross-reference names %d of the objects in the file; the first is object %d at byte %d", s.Strays, s.First.Ref.Num, s.First.Offset),
		}})
	}
	add := func(code string, args ...any) { b.checks = append(b.checks, structureRule.check(code, args...)) }
	trailer, err := b.survey.Trailer()
	if err != nil {
		return err
	}
	if trailer > 0 {
		add("shadow-trailer", trailer)
	}
	if c := b.listing.Twice; c != nil {
		add("xref-twice", c.Num)
	}
	if c := b.listing.Hybrid; c != nil {
		add("hybrid-differs", c.Num)
	}
	ambiguous, err := d.file.Ambiguous()
	if err != nil {
		return err
	}
	if ambiguous {
		add("offsets-ambiguous")
	}
	fault, err := b.survey.Streams()
	if err != nil && !isOfFile(err) {
		return err
	}
	if fault != nil {
		zh, en := "它定义了不归它的对象", "it defines an object that is not its own"
		switch {
		case fault.Twice:
			zh, en = "它两次列出该对象", "it names the object twice"
		case fault.Other:
			zh, en = "交叉引用所指之处是另一个对象", "another object is where the cross-reference says"
		}
		add("object-stream", fault.Stream, fault.Num, zh, en)
	}
	switch err = errors.Join(b.unread, err); {
	case err != nil:
		add("structure-unread", err.Error(), err.Error())
	case b.survey.Unsettled.Objects:
		add("structure-unread", "有对象无法辨认", "there are objects that cannot be told apart")
	}
	return nil
}

// structure says of one signature whether the file has one meaning, as it was signed and as it is. revision: the one that
// was signed; -1: none.
func (d *document) structure(c *pdfCase, revision int) {
	b := d.bytes
	if d.file.Repaired() != nil || c.field.Dict == nil {
		return // pdf-revision and pdf-signature say so
	}
	good := true
	add := func(checks ...Check) {
		for _, k := range checks {
			c.add(k)
			good = false
		}
	}
	if revision >= 0 {
		if at := d.outside(c.span.end, revision); at > 0 {
			add(structureRule.check("chain-outside", at))
		}
	}
	for _, end := range []int64{c.span.end, d.size} {
		if x, ok := b.survey.Shadow(end); ok {
			add(structureRule.check("shadow-object", x.Ref.Num, x.Offset))
			break
		}
	}
	if add(b.checks...); good {
		c.add(structureRule.check(codeOK))
	}
}

// outside is a place behind end to which the sections up to a revision lead; 0: there is none.
func (d *document) outside(end int64, revision int) int64 {
	for _, r := range d.revisions[:revision+1] {
		for _, s := range r.sections {
			if at := max(s.Offset, s.End, s.XRefStm); at > end {
				return at
			}
		}
	}
	for _, x := range d.bytes.listing.Ahead {
		if x.Offset < end || x.Section < len(d.file.Sections())-d.sectionsUpTo(revision) {
			continue
		}
		if o, err := d.file.Load(pdf.Ref{Num: x.Num, Gen: x.Gen}); err == nil && o.Value != nil {
			return x.Offset
		}
	}
	return 0
}

// sectionsUpTo counts the sections of the revisions up to one.
func (d *document) sectionsUpTo(revision int) (n int) {
	for _, r := range d.revisions[:revision+1] {
		n += len(r.sections)
	}
	return n
}

// tellUnreached notes signature dictionaries to which no field leads.
func (d *document) tellUnreached() {
	var known []pdf.Range
	know := func(o *pdf.Indirect) {
		if o != nil && o.Offset >= 0 {
			known = append(known, pdf.Range{Offset: o.Header, Length: o.Offset + int64(len(o.Raw)) - o.Header})
		}
	}
	for i := range d.found {
		know(d.found[i].Value)
	}
	if catalog, err := d.file.Catalog(); err == nil { // rights that a maker of readers grants are no signature of anybody's
		perms, _ := d.file.GetDict(catalog.Dict(), "Perms")
		for _, k := range []pdf.Name{"UR", "UR3"} {
			if r, ok := perms.Get(k).(pdf.Ref); ok {
				o, _ := d.file.Load(r)
				know(o)
			}
		}
	}
	for _, m := range d.bytes.survey.Marks {
		if m.Object.Ref.Num == 0 || slices.ContainsFunc(known, func(r pdf.Range) bool { return r.Offset <= m.Offset && m.Offset < r.End() }) {
			continue
		}
		d.notes = append(d.notes, Note{"unreached-signature", Text{
			fmt.Sprintf("第 %d 字节有一个签名字典（对象 %d），没有签名域指向它：文件曾被签名，或有人复制了签名", m.Object.Offset, m.Object.Ref.Num),
			fmt.Sprintf("there is a signature dictionary at byte %d (object %d) to which no field leads: the file was signed once, or a signature was copied", m.Object.Offset, m.Object.Ref.Num),
		}})
		return
	}
}
