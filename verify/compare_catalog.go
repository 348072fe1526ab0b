package verify

import (
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// catalog compares what hangs on the trailer and the catalog, but for pages.
func (c *comparison) catalog() error {
	c.putRef(c.new.Trailer().Get("Root"), catalogs)
	if err := c.info(); err != nil {
		return err
	}
	was, err := c.old.Catalog()
	if err != nil {
		return err
	}
	is, err := c.new.Catalog()
	if err != nil {
		return err
	}
	a, okA := was.Value.(*pdf.Dict)
	b, okB := is.Value.(*pdf.Dict)
	if !okA || !okB {
		c.change(changeContent, "改变文档目录的类型", "changes what kind of object the catalog is")
		return nil
	}
	if b.Duplicate() != "" {
		c.change(changeContent, "文档目录的键 /%[1]s 重复", "has a catalog in which /%[1]s stands twice", plain.Text(string(b.Duplicate()))).Object = is.Ref.Num
	}
	for _, k := range unlike(a, b) {
		c.catalogKey(k, b, is.Ref.Num)
	}
	if err := c.form(a, b); err != nil {
		return err
	}
	if err := c.extensions(a, b); err != nil {
		return err
	}
	if err := c.xmp(a, b); err != nil {
		return err
	}
	return c.validation(a, b)
}

// catalogTexts say what is behind the keys of the catalog (ISO 32000-2, table 29).
var catalogTexts = map[pdf.Name]Text{
	"Pages": {"页树", "the page tree"}, "PageLabels": {"页码", "the page labels"}, "Names": {"名称表（附件、脚本、链接目标）", "the names (attachments, scripts, destinations)"},
	"Dests": {"链接目标", "the destinations"}, "ViewerPreferences": {"显示设置", "the viewer preferences"}, "PageLayout": {"版式", "the page layout"},
	"PageMode": {"打开方式", "the page mode"}, "Outlines": {"书签", "the outline"}, "Threads": {"文章线索", "the article threads"},
	"OpenAction": {"打开时的动作", "the action on opening"}, "AA": {"触发动作", "the actions on events"}, "URI": {"URI 基址", "the base of links"},
	"StructTreeRoot": {"结构树", "the structure tree"}, "MarkInfo": {"标记信息", "the mark information"}, "Lang": {"语言", "the language"},
	"OutputIntents": {"输出意图", "the output intents"}, "OCProperties": {"可选内容（图层）", "the optional content (layers)"}, "Perms": {"权限", "the permissions"},
	"Legal": {"法律声明", "the legal attestations"}, "Requirements": {"对阅读器的要求", "the requirements"}, "Collection": {"文件集", "the portfolio"},
	"NeedsRendering": {"XFA 重绘标志", "the flag that asks for XFA to be rendered"}, "AF": {"关联文件", "the associated files"}, "DPartRoot": {"文档部分", "the document parts"},
}

// catalogKey judges a key of the catalog that is not what it was; what is behind it is judged elsewhere where it may change.
func (c *comparison) catalogKey(k pdf.Name, b *pdf.Dict, num uint32) {
	switch k {
	case "AcroForm", "DSS", "Extensions", "Metadata", "StructTreeRoot":
		return
	case "Version":
		if v, ok := b.Get(k).(pdf.Name); ok && len(v) == 3 {
			c.change(changeMetadata, "版本号改为 %[1]s", "says version %[1]s", plain.Text(string(v))).Object = num
			return
		}
	}
	what, ok := catalogTexts[k]
	if !ok {
		name := "/" + plain.Text(string(k))
		what = Text{name, name}
	}
	c.change(changeContent, "改变目录中的%[1]s（/%[3]s）", "changes %[2]s (/%[3]s) in the catalog", what.ZH, what.EN, plain.Text(string(k))).Object = num
}

// info compares /Info of the trailer: dates, title, producer. Nothing on a page comes from there.
func (c *comparison) info() error {
	x, y := c.old.Trailer().Get("Info"), c.new.Trailer().Get("Info")
	if r, ok := x.(pdf.Ref); ok && !equal(x, y) {
		if w := c.written[r.Num]; w != nil && w.place == freed {
			return nil
		}
	}
	c.putRef(y, infos)
	r, ok := y.(pdf.Ref)
	if !ok {
		if !equal(x, y) {
			c.change(changeContent, "改变 trailer 的 /Info", "changes /Info of the trailer")
		}
		return nil
	}
	w := c.written[r.Num]
	if w == nil || w.is == nil {
		if !equal(x, y) {
			c.change(changeContent, "trailer 的 /Info 指向另一个对象", "has /Info of the trailer lead to another object").Object = r.Num
		}
		return nil
	}
	d, ok := w.is.Value.(*pdf.Dict)
	if !ok || d.Duplicate() != "" || !flat(d, 1) {
		c.change(changeContent, "文档信息（对象 %[1]d）有误", "has malformed document information (object %[1]d)", r.Num).Object = r.Num
		return nil
	}
	c.change(changeMetadata, "更新文档信息", "updates the document information").Object = r.Num
	return nil
}

// flat: a value holds strings, names, numbers and such, in dictionaries and arrays of that depth at most, and leads nowhere.
func flat(o pdf.Object, depth int) bool {
	switch v := o.(type) {
	case pdf.Ref, *pdf.Stream:
		return false
	case *pdf.Dict:
		return depth > 0 && !slices.ContainsFunc(v.Entries, func(e pdf.Entry) bool { return !flat(e.Value, depth-1) })
	case *pdf.Array:
		return depth > 0 && !slices.ContainsFunc(v.Items, func(o pdf.Object) bool { return !flat(o, depth-1) })
	}
	return true
}

// extensions compares /Extensions, by which developers say which additions to the standard a file uses.
func (c *comparison) extensions(a, b *pdf.Dict) error {
	c.putRef(b.Get("Extensions"), extensions)
	x, err := c.old.GetDict(a, "Extensions")
	if err != nil {
		return err
	}
	y, err := c.new.GetDict(b, "Extensions")
	if err != nil {
		return err
	}
	if equal(dictOrNil(x), dictOrNil(y)) {
		return c.extensionParts(y, false)
	}
	if y == nil || y.Duplicate() != "" {
		c.change(changeContent, "改变扩展声明 /Extensions", "changes /Extensions")
		return nil
	}
	c.change(changeMetadata, "更新扩展声明", "updates the declared extensions")
	return c.extensionParts(y, true)
}

// extensionParts looks at the dictionaries in /Extensions that are objects of their own.
func (c *comparison) extensionParts(d *pdf.Dict, told bool) error {
	if d == nil {
		return nil
	}
	for _, e := range d.Entries {
		list := []pdf.Object{e.Value}
		if a, ok := e.Value.(*pdf.Array); ok {
			list = a.Items
		}
		for _, o := range list {
			v, err := c.new.Resolve(o)
			if err != nil {
				return err
			}
			r, ref := o.(pdf.Ref)
			if !ref {
				if !flat(v, 2) {
					c.change(changeContent, "扩展声明有误", "has malformed /Extensions")
				}
				continue
			}
			w := c.written[r.Num]
			if w == nil {
				continue
			}
			c.put(r.Num, extensions)
			if _, ok := v.(*pdf.Dict); !ok || !flat(v, 2) {
				c.change(changeContent, "扩展声明有误", "has malformed /Extensions").Object = r.Num
			} else if !told {
				c.change(changeMetadata, "更新扩展声明", "updates the declared extensions").Object = r.Num
				told = true
			}
		}
	}
	return nil
}

func dictOrNil(d *pdf.Dict) pdf.Object {
	if d == nil {
		return nil
	}
	return d
}

// xmp compares /Metadata of the catalog: a stream of XML that no page shows.
func (c *comparison) xmp(a, b *pdf.Dict) error {
	x, y := a.Get("Metadata"), b.Get("Metadata")
	c.putRef(y, metadata)
	r, ok := y.(pdf.Ref)
	if !ok {
		if !equal(x, y) {
			c.change(changeContent, "改变 /Metadata", "changes /Metadata")
		}
		return nil
	}
	w := c.written[r.Num]
	if w == nil || w.is == nil {
		if !equal(x, y) {
			c.change(changeContent, "/Metadata 指向另一个对象", "has /Metadata lead to another object").Object = r.Num
		}
		return nil
	}
	s, ok := w.is.Value.(*pdf.Stream)
	if !ok || s.Dict.Duplicate() != "" || !plainData(s) || s.Dict.Get("Subtype") != pdf.Name("XML") {
		c.change(changeContent, "元数据（对象 %[1]d）有误", "has malformed metadata (object %[1]d)", r.Num).Object = r.Num
		return nil
	}
	c.change(changeMetadata, "更新元数据 XMP", "updates the metadata (XMP)").Object = r.Num
	return nil
}
