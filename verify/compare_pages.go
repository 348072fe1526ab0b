package verify

import (
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// pageLists compares the annotations of every page that was written, or whose list was: objects may be added at the end, and those that
// are annotations of a kind that may come and go may go.
func (c *comparison) pageLists() error {
	for _, num := range c.order {
		w := c.written[num]
		if w.was == nil || w.is == nil {
			continue
		}
		switch v := w.was.Value.(type) {
		case *pdf.Dict:
			if v.Get("Type") != pdf.Name("Page") || w.place != nowhere && w.place != pages {
				continue
			}
			n, err := c.pageNumber(num)
			if err != nil {
				return err
			}
			if n == 0 { // it only says that it is one
				continue
			}
			c.put(num, pages)
			y, ok := w.is.Value.(*pdf.Dict)
			if !ok {
				w.place = nowhere
				continue
			}
			c.keys(num, v, y, func() Text { return c.pageText(num) }, "Annots", "Tabs")
			if _, ok := y.Get("Tabs").(pdf.Name); !ok && y.Get("Tabs") != nil && !equal(v.Get("Tabs"), y.Get("Tabs")) {
				c.notList(num, "Tabs")
			}
			if err := c.pageList(num, v.Get("Annots"), y.Get("Annots")); err != nil {
				return err
			}
		case *pdf.Array:
			if w.place != nowhere {
				continue
			}
			page, err := c.pageOfList(num)
			if err != nil {
				return err
			}
			if page == 0 {
				continue
			}
			c.put(num, annotLists)
			if p := c.written[page]; p != nil && p.was != nil {
				continue // told with its page
			}
			r := pdf.Ref{Num: num, Gen: w.is.Ref.Gen}
			if err := c.pageList(page, r, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// pageText names a page.
func (c *comparison) pageText(num uint32) Text {
	n, err := c.pageNumber(num)
	if err != nil || n == 0 {
		return Text{"页面", "a page"}
	}
	return Text{fill("第 %[1]d 页", []any{n}), fill("page %[1]d", []any{n})}
}

// pageList compares /Annots of one page before and after.
func (c *comparison) pageList(page uint32, a, b pdf.Object) error {
	c.putRef(b, annotLists)
	before, after, err := c.lists(page, "Annots", a, b)
	if err != nil {
		return err
	}
	i := 0
	var gone []pdf.Object
	for _, o := range before { // what is left stands in the same order as before
		if i < len(after) && equal(o, after[i]) {
			i++
			continue
		}
		gone = append(gone, o)
	}
	for _, o := range gone {
		if slices.ContainsFunc(after[i:], func(x pdf.Object) bool { return equal(o, x) }) {
			t := c.pageText(page)
			c.change(changeContent, "改变%[1]s注释的次序", "changes the order of the annotations of %[2]s", t.ZH, t.EN)
			return nil
		}
		if err := c.annotationGone(page, o); err != nil {
			return err
		}
	}
	for _, o := range after[i:] {
		if err := c.annotationNew(page, o); err != nil {
			return err
		}
	}
	return nil
}

// lists gives what a page or the form lists before and after: nothing or an array. Anything else is shown in another way.
func (c *comparison) lists(num uint32, k pdf.Name, a, b pdf.Object) (before, after []pdf.Object, err error) {
	for _, side := range []struct {
		f  *pdf.File
		o  pdf.Object
		to *[]pdf.Object
	}{{c.old, a, &before}, {c.new, b, &after}} {
		o, err := side.f.Resolve(side.o)
		if err != nil {
			return nil, nil, err
		}
		switch v := o.(type) {
		case nil:
		case *pdf.Array:
			*side.to = v.Items
		default:
			c.notList(num, k)
		}
	}
	return before, after, c.spend((len(before) + len(after)) / 16)
}

func (c *comparison) notList(num uint32, k pdf.Name) {
	c.change(changeContent, "对象 %[1]d 的 /%[2]s 有误", "has a malformed /%[2]s in object %[1]d", num, string(k)).Object = num
}

// annotationGone: only an annotation that could have been added later may be taken away.
func (c *comparison) annotationGone(on uint32, o pdf.Object) error {
	v, err := c.old.Resolve(o)
	if err != nil {
		return err
	}
	page, err := c.pageNumber(on)
	if err != nil {
		return err
	}
	num, kind, ch := uint32(0), "", (*Change)(nil)
	if r, ok := o.(pdf.Ref); ok {
		num = r.Num
	}
	d, ok := v.(*pdf.Dict)
	if ok {
		kind = nameText(d.Get("Subtype"))
	}
	if v == nil { // it led nowhere
		return nil
	}
	if why := laterAnnotation(d); !ok || why != nil {
		ch = c.change(changeContent, "删除第 %[1]d 页的注释 %[2]s", "removes the annotation %[2]s from page %[1]d", page, kind)
	} else {
		ch = c.change(changeAnnotation, "删除第 %[1]d 页的注释 %[2]s", "removes the annotation %[2]s from page %[1]d", page, kind)
	}
	ch.Page, ch.Object = page, num
	return nil
}

// annotationNew judges what was added to a page.
func (c *comparison) annotationNew(on uint32, o pdf.Object) error {
	num := uint32(0)
	if r, ok := o.(pdf.Ref); ok {
		num = r.Num
		if c.widgets[num] || c.fields[num] { // of a signature, which is told
			return nil
		}
	}
	v, err := c.new.Resolve(o)
	if err != nil {
		return err
	}
	page, err := c.pageNumber(on)
	if err != nil {
		return err
	}
	if v == nil {
		return nil // it leads nowhere; an object that takes this number later is seen by reachedAnotherWay
	}
	d, ok := v.(*pdf.Dict)
	if !ok || num != 0 && !c.isNew(num) {
		ch := c.change(changeContent, "将原有对象 %[2]d 列为第 %[1]d 页的注释", "makes object %[2]d, which was there, an annotation of page %[1]d", page, num)
		ch.Page, ch.Object = page, num
		return nil
	}
	kind := nameText(d.Get("Subtype"))
	if why := laterAnnotation(d); why != nil {
		ch := c.change(changeContent, "在第 %[1]d 页增加注释 %[2]s：%[3]s", "adds the annotation %[2]s to page %[1]d: %[4]s", page, kind, why.ZH, why.EN)
		ch.Page, ch.Object = page, num
		return nil
	}
	ch := c.change(changeAnnotation, "在第 %[1]d 页增加注释 %[2]s", "adds the annotation %[2]s to page %[1]d", page, kind)
	ch.Page, ch.Object, ch.note = page, num, d
	return nil
}

// note judges an annotation, no widget, that was defined again.
func (c *comparison) note(w *wrote, a, b *pdf.Dict) error {
	c.put(w.num, notes)
	kind := nameText(a.Get("Subtype"))
	page, err := c.pageOf(w.num)
	if err != nil {
		return err
	}
	why := laterAnnotation(a)
	if why == nil {
		why = laterAnnotation(b)
	}
	if slices.ContainsFunc(unlike(a, b), func(k pdf.Name) bool { return k == "ca" || k == "CA" || k == "BM" }) { // it may be a graphics state too
		why = &Text{"改变了不透明度或混合模式", "how opaque it is was changed"}
	}
	if why == nil && a.Get("Subtype") != b.Get("Subtype") {
		why = &Text{"改变了注释的种类", "the kind of annotation was changed"}
	}
	ch := (*Change)(nil)
	if why != nil {
		ch = c.change(changeContent, "改变注释 %[1]s（对象 %[2]d）：%[3]s", "changes the annotation %[1]s (object %[2]d): %[4]s", kind, w.num, why.ZH, why.EN)
	} else {
		ch = c.change(changeAnnotation, "改变注释 %[1]s（对象 %[2]d）", "changes the annotation %[1]s (object %[2]d)", kind, w.num)
	}
	ch.Object, ch.Page, ch.note = w.num, page, b
	c.look(w.num, a)
	c.look(w.num, b)
	return nil
}

func nameText(o pdf.Object) string {
	n, _ := o.(pdf.Name)
	return plain.Text(string(n))
}
