package verify

import (
	"bytes"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// fieldKeys are what a new signature field or widget may have: nothing that acts.
var fieldKeys = map[pdf.Name]bool{}

func init() {
	for _, k := range []pdf.Name{"Type", "Subtype", "FT", "T", "TU", "TM", "V", "F", "Ff", "Rect", "P", "AP", "AS", "Kids", "Parent", "DA", "DR", "Q",
		"MK", "BS", "Border", "C", "H", "Lock", "SV", "NM", "M", "Contents", "StructParent", "Lang"} {
		fieldKeys[k] = true
	}
}

// newField vets a new field or widget of a signature. What it leads to (appearance, fonts, certificates) shows nothing by itself.
func (c *comparison) newField(num uint32) error {
	d, ok := c.written[num].is.Value.(*pdf.Dict)
	if !ok || d.Duplicate() != "" {
		c.change(changeContent, "签名域 %[1]d 有误", "has a malformed signature field, object %[1]d", num).Object = num
		return nil
	}
	for _, e := range d.Entries {
		if e.Key == "DV" && equal(e.Value, d.Get("V")) { // as LibreOffice writes: to reset the field changes nothing
			continue
		}
		if !fieldKeys[e.Key] {
			c.change(changeContent, "签名域 %[1]d 带有 /%[2]s", "has /%[2]s in signature field %[1]d", num, plain.Text(string(e.Key))).Object = num
		}
	}
	if t := d.Get("Type"); t != nil && t != pdf.Name("Annot") {
		c.change(changeContent, "签名域 %[1]d 不是注释", "has a signature field, object %[1]d, that is no annotation", num).Object = num
	}
	return nil
}

// A filling is what a saving did to one field that is no signature's.
type filling struct {
	num     uint32 // of the field
	ft      pdf.Name
	widgets map[uint32]bool // whose dictionary or appearance was written
}

// fieldsAndNotes judges the fields, widgets and other annotations that were defined again, told by what they were.
func (c *comparison) fieldsAndNotes() error {
	for _, num := range c.order {
		w := c.written[num]
		if c.widgets[num] && w.was == nil {
			if err := c.newField(num); err != nil {
				return err
			}
		}
		if w.was == nil || w.is == nil || w.place != nowhere {
			continue
		}
		a, okA := w.was.Value.(*pdf.Dict)
		b, okB := w.is.Value.(*pdf.Dict)
		if !okA || !okB {
			continue
		}
		kind := a.Get("Subtype")
		var err error
		switch {
		case c.fields[num] || c.widgets[num]:
			err = c.signedField(w, a, b)
		case kind == pdf.Name("Widget") || kind == nil && (a.Get("FT") != nil || a.Get("T") != nil):
			err = c.field(w, a, b)
		case kind != nil && a.Get("Rect") != nil && a.Get("Type") != pdf.Name("Page"):
			err = c.note(w, a, b)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// signedField judges a field that was there and is signed now, or a widget of it.
func (c *comparison) signedField(w *wrote, a, b *pdf.Dict) error {
	c.put(w.num, fields)
	what := func() Text { return Text{"签名域", "the signature field"} }
	v, err := c.old.Resolve(a.Get("V"))
	if err != nil {
		return err
	}
	if v != nil && !equal(a.Get("V"), b.Get("V")) {
		c.change(changeContent, "取代域 %[1]d 中的签名", "replaces the signature in field %[1]d", w.num).Object = w.num
	}
	allowed := []pdf.Name{"V", "AP", "AS", "F", "Ff", "M", "MK", "Kids"}
	if gone, err := c.placeGivenUp(a, b); err != nil {
		return err
	} else if gone {
		allowed = append(allowed, "Rect")
	}
	if c.keys(w.num, a, b, what, allowed...) && !flagsKept(a, b) {
		c.change(changeContent, "改变签名域（对象 %[1]d）的标志", "changes the flags of the signature field (object %[1]d)", w.num).Object = w.num
	}
	if !equal(a.Get("Kids"), b.Get("Kids")) {
		if err := c.kids(a, b); err != nil {
			return err
		}
	}
	c.look(w.num, a)
	c.look(w.num, b)
	return nil
}

// placeGivenUp: a field that showed nothing has no place any more, as PDFBox leaves one that it signs without an appearance.
func (c *comparison) placeGivenUp(a, b *pdf.Dict) (bool, error) {
	list, err := items(c.new, b.Get("Rect"))
	if err != nil || len(list) != 4 || a.Get("AP") != nil {
		return false, err
	}
	return equal(list[0], list[2]) && equal(list[1], list[3]), nil
}

// Bits of /F (ISO 32000-2, table 167) that a field may get when it is signed, as Acrobat gives them; and of /Ff.
const (
	mayGet   = 1<<2 | 1<<6 | 1<<7 | 1<<9 // Print, ReadOnly, Locked, LockedContents
	readOnly = 1
)

// flagsKept: a field lost no flag, and got none but those that lock it.
func flagsKept(a, b *pdf.Dict) bool {
	f, g := number(a, "F"), number(b, "F")
	ff, gg := number(a, "Ff"), number(b, "Ff")
	return f&^g == 0 && (g&^f)&^mayGet == 0 && ff&^gg == 0 && (gg&^ff)&^readOnly == 0
}

func number(d *pdf.Dict, k pdf.Name) int64 {
	n, _ := d.Get(k).(int64)
	return n
}

// kids: a field got nothing but new signature fields below it.
func (c *comparison) kids(a, b *pdf.Dict) error {
	before, err := items(c.old, a.Get("Kids"))
	if err != nil {
		return err
	}
	after, err := items(c.new, b.Get("Kids"))
	if err != nil {
		return err
	}
	if len(after) < len(before) || !slices.EqualFunc(before, after[:len(before)], equal) {
		c.change(changeContent, "改变域的 /Kids", "changes /Kids of a field")
		return nil
	}
	for _, o := range after[len(before):] {
		if err := c.fieldNew(o); err != nil {
			return err
		}
	}
	return nil
}

// valueKeys are what filling a field changes.
var valueKeys = []pdf.Name{"V", "AS", "AP", "I", "TI", "RV", "M", "F", "Ff", "DA", "Q"}

// field judges a field of the form, or a widget of one, that is not signed now.
func (c *comparison) field(w *wrote, a, b *pdf.Dict) error {
	l, err := c.lineage(w.num)
	if err != nil {
		return err
	}
	if !l.ok {
		return nil // it belongs to no field: whatever leads to it decides
	}
	c.put(w.num, fields)
	name := plain.Text(clipName(l.name))
	what := func() Text { return Text{"域 " + name, "the field " + name} }
	if keys := unlike(a, b); len(keys) == 1 && keys[0] == "Kids" && a.Get("Subtype") == nil {
		return c.kids(a, b)
	}
	if l.ft == "Sig" {
		for _, k := range unlike(a, b) {
			ch := c.change(changeContent, "改变签名域 %[1]s 的 /%[2]s", "changes /%[2]s of the signature field %[1]s", name, plain.Text(string(k)))
			ch.Object, ch.Field = w.num, l.name
		}
		return nil
	}
	if !slices.Contains([]pdf.Name{"Tx", "Ch", "Btn"}, l.ft) {
		c.change(changeContent, "改变域 %[1]s", "changes the field %[1]s", name).Object = w.num
		return nil
	}
	if c.keys(w.num, a, b, what, valueKeys...) && !flagsKept(a, b) {
		c.change(changeContent, "改变域 %[1]s（对象 %[2]d）的标志", "changes the flags of the field %[1]s (object %[2]d)", name, w.num).Object = w.num
	}
	if ok, err := c.isValue(l.ft, b.Get("V")); err != nil {
		return err
	} else if !ok {
		c.change(changeContent, "域 %[1]s（对象 %[2]d）的值不是其类型的值", "gives the field %[1]s (object %[2]d) a value that is none of its kind", name, w.num).Object = w.num
	}
	if keys := unlike(a, b); len(keys) == 1 && keys[0] == "Ff" && flagsKept(a, b) {
		// As Acrobat does with the fields that a signature locks. Nobody sees it, and what is shown stays what it was.
		ch := c.change(changeField, "将域 %[1]s 设为只读", "makes the field %[1]s read-only", name)
		ch.Object, ch.Field = w.num, l.name
		return nil
	}
	f := c.fills[l.name]
	if f == nil {
		f = &filling{l.field, l.ft, map[uint32]bool{}}
		c.fills[l.name] = f
	}
	if a.Get("Subtype") == pdf.Name("Widget") {
		f.widgets[w.num] = true
	}
	return nil
}

// isValue: a field of this type may have this value (ISO 32000-2 12.7.5).
func (c *comparison) isValue(ft pdf.Name, v pdf.Object) (bool, error) {
	v, err := c.new.Resolve(v)
	if err != nil {
		return false, err
	}
	switch v.(type) {
	case nil:
		return true, nil
	case *pdf.String:
		return ft == "Tx" || ft == "Ch", nil
	case *pdf.Stream:
		return ft == "Tx", nil
	case *pdf.Array:
		return ft == "Ch" && flat(v, 1), nil
	case pdf.Name:
		return ft == "Btn", nil
	}
	return false, nil
}

// A lineage is where a field stands in the form.
type lineage struct {
	name  string
	ft    pdf.Name
	field uint32 // the node that has the name: of a widget, the one above
	ok    bool   // each node is among the kids of the one above, and the first one among /Fields
}

// lineage climbs from a node to the form, in the older revision, and sees that it leads down again.
func (c *comparison) lineage(num uint32) (l lineage, err error) {
	at := num
	for range maxFieldDepth {
		o, err := c.load(c.old, at)
		if err != nil {
			return l, err
		}
		d, ok := o.Value.(*pdf.Dict)
		if !ok || d.Duplicate() != "" {
			return l, nil
		}
		if n, ok := d.Get("FT").(pdf.Name); ok && l.ft == "" {
			l.ft = n
		}
		t, err := c.old.Resolve(d.Get("T"))
		if err != nil {
			return l, err
		}
		if s, ok := t.(*pdf.String); ok {
			name := pdf.Text(s.Value[:min(len(s.Value), maxFieldName)])
			if l.field == 0 {
				l.field, l.name = at, name
			} else {
				l.name = name + "." + l.name
			}
		}
		up, ok := d.Get("Parent").(pdf.Ref)
		if !ok {
			l.ok = c.roots[at] && l.field != 0
			return l, nil
		}
		p, err := c.load(c.old, up.Num)
		if err != nil || p.Dict() == nil {
			return l, err
		}
		kids, err := items(c.old, p.Dict().Get("Kids"))
		if err != nil {
			return l, err
		}
		if err := c.spend(len(kids) / 16); err != nil {
			return l, err
		}
		if !slices.ContainsFunc(kids, func(k pdf.Object) bool { r, ok := k.(pdf.Ref); return ok && r.Num == at }) {
			return l, nil
		}
		at = up.Num
	}
	return l, nil
}

const (
	maxFieldDepth = 64
	maxFieldName  = 4096 // bytes
)

// look lets what a widget or annotation shows be written again: its appearances are its own.
func (c *comparison) look(owner uint32, d *pdf.Dict) {
	ap, owner := c.lookAt(owner, d.Get("AP"))
	if ap == nil {
		return
	}
	for _, e := range ap.Entries[:min(len(ap.Entries), 8)] {
		states, owner := c.lookAt(owner, e.Value)
		if states == nil {
			continue
		}
		for _, s := range states.Entries[:min(len(states.Entries), maxStates)] {
			c.lookAt(owner, s.Value)
		}
	}
}

// lookAt lets one object of an appearance be written again, and gives the dictionary that it is, with the object that holds it.
func (c *comparison) lookAt(owner uint32, o pdf.Object) (*pdf.Dict, uint32) {
	r, ok := o.(pdf.Ref)
	if !ok {
		d, _ := o.(*pdf.Dict)
		return d, owner
	}
	if c.owners[r.Num] == nil {
		c.owners[r.Num] = map[uint32]bool{}
	}
	c.owners[r.Num][owner] = true
	w := c.written[r.Num]
	if w == nil || w.was == nil || w.is == nil {
		v, err := c.new.Resolve(o)
		d, ok := v.(*pdf.Dict)
		if err != nil || !ok {
			return nil, 0
		}
		if w == nil {
			c.guarded[r.Num] = true
		}
		return d, r.Num
	}
	if f := w.was.Dict(); f == nil || f.Get("Subtype") != nil && f.Get("Subtype") != pdf.Name("Form") {
		return nil, 0
	}
	c.put(r.Num, looks)
	d, _ := w.is.Value.(*pdf.Dict)
	return d, r.Num
}

const maxStates = 256 // of one button

// filled says of each field that was filled whether that took the place of something, and on which page.
func (c *comparison) filled() error {
	for _, name := range slices.Sorted(maps.Keys(c.fills)) {
		f := c.fills[name]
		was, err := c.load(c.old, f.num)
		if err != nil {
			return err
		}
		a := was.Dict()
		if a == nil {
			continue
		}
		seen, err := c.hadValue(f.ft, a)
		if err != nil {
			return err
		}
		kids, err := items(c.old, a.Get("Kids"))
		if err != nil {
			return err
		}
		of := []pdf.Object{pdf.Ref{Num: f.num}}
		if len(kids) > 0 {
			of = kids
		}
		page := 0
		for _, k := range of {
			r, ok := k.(pdf.Ref)
			if !ok {
				continue
			}
			w, err := c.load(c.old, r.Num)
			if err != nil {
				return err
			}
			d := w.Dict()
			if d == nil {
				continue
			}
			is, err := c.load(c.new, r.Num)
			if err != nil {
				return err
			}
			c.look(r.Num, d)
			if is.Dict() != nil {
				c.look(r.Num, is.Dict())
			}
			f.widgets[r.Num] = true
			if !seen && f.ft != "Btn" {
				if seen, err = c.shows(c.old, d, writes); err != nil {
					return err
				}
			}
			if !seen && f.ft == "Btn" {
				s, _ := d.Get("AS").(pdf.Name)
				seen = s != "" && s != "Off"
			}
			if page == 0 {
				if page, err = c.pageOf(r.Num); err != nil {
					return err
				}
			}
		}
		text := plain.Text(clipName(name))
		ch := (*Change)(nil)
		if seen {
			ch = c.change(changeFill, "改写域 %[1]s 的值", "replaces the value of the field %[1]s", text)
		} else {
			ch = c.change(changeFill, "填写域 %[1]s", "fills the field %[1]s", text)
		}
		ch.Field, ch.Object, ch.Page, ch.seen = name, f.num, page, seen
		if seen {
			ch.since = c.filledIn[f.num]
		} else {
			c.filledIn[f.num] = c.revision
		}
		c.fillings[ch] = f.widgets
	}
	return nil
}

// hadValue: the field had a value that was shown.
func (c *comparison) hadValue(ft pdf.Name, d *pdf.Dict) (bool, error) {
	v, err := c.old.Resolve(d.Get("V"))
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case *pdf.String:
		return len(slices.DeleteFunc([]rune(pdf.Text(v.Value)), func(r rune) bool { return r <= ' ' || r == 0xa0 || r == 0x3000 })) > 0, nil
	case pdf.Name:
		return v != "Off" && v != "", nil
	case *pdf.Array:
		return len(v.Items) > 0, nil
	}
	return true, nil
}

// shows: the normal appearance of a widget has something besides its background: an empty field that shows text is not empty to who
// signs.
func (c *comparison) shows(f *pdf.File, d *pdf.Dict, something func([]byte) bool) (bool, error) {
	ap, err := f.GetDict(d, "AP")
	if err != nil || ap == nil {
		return false, err
	}
	o, err := f.Resolve(ap.Get("N"))
	if err != nil {
		return false, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return false, nil
	}
	if err := c.spend(1 + int(s.Length/1024)); err != nil {
		return false, err
	}
	b, err := f.Data(s)
	if err != nil {
		return false, err
	}
	return something(b), nil
}

// writes: content shows letters, pictures or other content.
func writes(content []byte) bool {
	s := pdf.NewScanner(content)
	text := false
	for n := 0; n < maxTokens; n++ {
		switch t := s.Next(); t.Kind {
		case pdf.End:
			return false
		case pdf.StringToken:
			text = text || len(bytes.TrimSpace(t.Bytes)) > 0
		case pdf.Operator:
			switch string(t.Bytes) {
			case "Tj", "TJ", "'", "\"":
				if text {
					return true
				}
			case "Do", "BI", "sh":
				return true
			}
			text = false
		}
	}
	return true
}

// draws: content shows more than a background and a border, which are rectangles.
func draws(content []byte) bool {
	if writes(content) {
		return true
	}
	s := pdf.NewScanner(content)
	rectangles := 0
	for {
		switch t := s.Next(); {
		case t.Kind == pdf.End:
			return rectangles > maxRectangles
		case t.Kind != pdf.Operator:
		case string(t.Bytes) == "re":
			rectangles++
		case string(t.Bytes) == "l", string(t.Bytes) == "c", string(t.Bytes) == "v", string(t.Bytes) == "y":
			return true
		}
	}
}

const maxRectangles = 4

const maxTokens = 1 << 16 // of an appearance, before it counts as showing something
