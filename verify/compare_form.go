package verify

import (
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// signatures finds those whose value stands in what this saving wrote.
func (c *comparison) signatures() error {
	c.fields, c.widgets = map[uint32]bool{}, map[uint32]bool{}
	from, to := c.revisions[c.index].end, c.revisions[c.index+1].end
	names := map[string]uint32{}
	for i := range c.found {
		if s := &c.found[i]; s.Field != nil && s.Value != nil && s.Value.Offset < from {
			names[s.Name] = s.Field.Ref.Num
		}
	}
	for i := range c.found {
		s := &c.found[i]
		if s.Value == nil || s.Value.Offset < from || s.Value.Offset >= to {
			continue
		}
		kind, name := changeSignature, plain.Text(clipName(s.Name))
		texts := [2]string{"增加签名 %[1]s", "adds signature %[1]s"}
		if c.stamps[i] {
			kind, texts = changeStamp, [2]string{"增加文档时间戳 %[1]s", "adds the document time stamp %[1]s"}
		}
		ch := c.change(kind, texts[0], texts[1], name)
		ch.Field, ch.Object = s.Name, s.Field.Ref.Num
		c.signings[i] = ch
		c.fields[s.Field.Ref.Num] = true
		if x, ok := c.old.Lookup(s.Field.Ref.Num); ok && x.Type != 0 {
			ch.waiting = true
		}
		for _, w := range s.Widgets {
			c.widgets[w.Num] = true
		}
		if n, ok := names[s.Name]; ok && n != s.Field.Ref.Num { // to readers they are one field
			ch := c.change(changeContent, "签名域与已有签名域 %[1]s 同名", "gives its signature field the name of the signed field %[1]s", name)
			ch.Field, ch.Object = s.Name, s.Field.Ref.Num
		}
	}
	return nil
}

// form compares the interactive form itself, and which fields it names.
func (c *comparison) form(a, b *pdf.Dict) error {
	c.putRef(b.Get("AcroForm"), forms)
	before, _, err := c.old.Form()
	if err != nil {
		return err
	}
	after, _, err := c.new.Form()
	if err != nil {
		return err
	}
	if after == nil {
		if before != nil {
			c.change(changeContent, "删除表单", "removes the form")
		}
		return nil
	}
	c.newForm = after
	if k := after.Duplicate(); k != "" {
		c.change(changeContent, "表单的键 /%[1]s 重复", "has a form in which /%[1]s stands twice", plain.Text(string(k)))
	}
	if before == nil {
		before = new(pdf.Dict)
	}
	for _, k := range unlike(before, after) {
		c.formKey(k, before, after)
	}
	if err := c.resources(before, after); err != nil {
		return err
	}
	return c.fieldList(before.Get("Fields"), after.Get("Fields"))
}

// formKey judges a key of the form that is not what it was.
func (c *comparison) formKey(k pdf.Name, before, after *pdf.Dict) {
	switch k {
	case "Fields", "DR":
		return
	case "SigFlags":
		if _, ok := after.Get(k).(int64); ok {
			return
		}
	case "NeedAppearances":
		c.redraws = c.redraws || (before.Get(k) == true) != (after.Get(k) == true) // see redrawn
		if _, ok := after.Get(k).(bool); ok || after.Get(k) == nil {
			return
		}
	}
	c.change(changeContent, "改变表单的 /%[1]s", "changes /%[1]s of the form", plain.Text(string(k)))
}

// resources: what the form keeps for its fields (/DR) may get further entries; those that were there stay what they were.
func (c *comparison) resources(before, after *pdf.Dict) error {
	x, err := c.old.GetDict(before, "DR")
	if err != nil {
		return err
	}
	y, err := c.new.GetDict(after, "DR")
	if err != nil {
		return err
	}
	c.putRef(after.Get("DR"), resources)
	if x == nil && y == nil {
		return nil
	}
	if y == nil || y.Duplicate() != "" {
		c.change(changeContent, "改变表单的资源 /DR", "changes the resources of the form (/DR)")
		return nil
	}
	for _, e := range y.Entries {
		c.putRef(e.Value, resources)
		to, err := c.new.GetDict(y, e.Key)
		if err != nil {
			return err
		}
		from, err := c.old.GetDict(x, e.Key)
		if err != nil {
			return err
		}
		if to == nil {
			if !equal(x.Get(e.Key), e.Value) {
				c.change(changeContent, "改变表单的资源 /%[1]s", "changes the resources of the form, /%[1]s", plain.Text(string(e.Key)))
			}
			continue
		}
		for _, k := range unlike(from, to) {
			if from.Get(k) != nil || to.Duplicate() != "" {
				c.change(changeContent, "改变表单的资源 /%[1]s /%[2]s", "changes the resources of the form, /%[1]s /%[2]s", plain.Text(string(e.Key)), plain.Text(string(k)))
			}
		}
	}
	if x != nil {
		for _, e := range x.Entries {
			if e.Value != nil && y.Get(e.Key) == nil {
				c.change(changeContent, "删除表单的资源 /%[1]s", "removes resources of the form, /%[1]s", plain.Text(string(e.Key)))
			}
		}
	}
	return nil
}

// fieldList: /Fields is what it was and, after it, new signature fields.
func (c *comparison) fieldList(a, b pdf.Object) error {
	c.putRef(b, fieldLists)
	before, after, err := c.lists(0, "Fields", a, b)
	if err != nil {
		return err
	}
	c.roots = make(map[uint32]bool, len(before))
	for _, o := range before {
		if r, ok := o.(pdf.Ref); ok {
			c.roots[r.Num] = true
		}
	}
	for i, o := range after {
		if i < len(before) {
			if !equal(before[i], o) {
				c.change(changeContent, "改变表单域的列表", "changes the list of form fields")
				return nil
			}
			continue
		}
		if err := c.fieldNew(o); err != nil {
			return err
		}
	}
	if len(after) < len(before) {
		c.change(changeContent, "删除表单域", "removes form fields")
	}
	return nil
}

// fieldNew judges a field that was added to a list: of a signature of this saving, or a signature field that is empty yet. A node above
// such fields is as good as they are.
func (c *comparison) fieldNew(o pdf.Object) error {
	r, ok := o.(pdf.Ref)
	if ok && c.fields[r.Num] && c.isNew(r.Num) {
		if err := c.newField(r.Num); err != nil {
			return err
		}
		return c.newKids(c.written[r.Num].is.Dict())
	}
	v, err := c.new.Resolve(o)
	if err != nil {
		return err
	}
	d, isDict := v.(*pdf.Dict)
	switch {
	case v == nil:
		return nil
	case !ok || !isDict || !c.isNew(r.Num):
	case d.Get("FT") == pdf.Name("Sig") && d.Get("V") == nil:
		c.fields[r.Num] = true
		ch := c.change(changeField, "增加空的签名域", "adds an empty signature field")
		ch.Object = r.Num
		if t, ok := d.Get("T").(*pdf.String); ok {
			ch.Field = pdf.Text(t.Value)
			ch.Detail = Text{"增加空的签名域 " + plain.Text(clipName(ch.Field)), "adds the empty signature field " + plain.Text(clipName(ch.Field))}
		}
		c.fillings[ch] = map[uint32]bool{r.Num: true}
		if err := c.emptyShows(ch, d); err != nil {
			return err
		}
		if err := c.newField(r.Num); err != nil {
			return err
		}
		return c.newKids(d)
	case d.Get("T") != nil && d.Get("V") == nil && d.Get("Subtype") == nil && d.Get("Kids") != nil && (d.Get("FT") == nil || d.Get("FT") == pdf.Name("Sig")):
		if err := c.spend(1); err != nil {
			return err
		}
		c.fields[r.Num] = true
		return c.newKids(d)
	}
	c.change(changeContent, "增加签名以外的表单域", "adds a form field that is not a signature's").Object = r.Num
	return nil
}

// emptyShows: a signature field that is empty and shows more than its background and border is a remark, whatever it is called.
func (c *comparison) emptyShows(ch *Change, d *pdf.Dict) error {
	kids, err := items(c.new, d.Get("Kids"))
	if err != nil {
		return err
	}
	for _, o := range append(kids, d) {
		v, err := c.new.Resolve(o)
		if err != nil {
			return err
		}
		w, ok := v.(*pdf.Dict)
		if !ok {
			continue
		}
		if shows, err := c.shows(c.new, w, draws); err != nil {
			return err
		} else if shows {
			ch.Kind = changeAnnotation
			ch.Detail = Text{ch.Detail.ZH + "，其外观有内容", ch.Detail.EN + ", which shows something"}
		}
	}
	return nil
}

// newKids judges what stands below a new field: its widgets, or further fields.
func (c *comparison) newKids(d *pdf.Dict) error {
	kids, err := items(c.new, d.Get("Kids"))
	if err != nil {
		return err
	}
	for _, o := range kids {
		r, ok := o.(pdf.Ref)
		if !ok || !c.isNew(r.Num) {
			c.change(changeContent, "新的签名域之下有原有的对象", "has an object that was there below a new signature field")
			continue
		}
		if c.written[r.Num].met {
			continue
		}
		c.written[r.Num].met = true
		if k := c.written[r.Num].is.Dict(); k != nil && k.Get("T") == nil && k.Get("V") == nil && k.Get("Subtype") == pdf.Name("Widget") {
			c.widgets[r.Num] = true
		}
		if c.widgets[r.Num] {
			err = c.newField(r.Num)
		} else {
			err = c.fieldNew(o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
