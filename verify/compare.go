package verify

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// A comparison looks at every object that one saving wrote, and finds what it did beyond adding signatures. Allowed are:
// new objects that only the signature reaches; /AcroForm of the catalog; /Fields and /SigFlags of the form; /Annots of a
// page; /V and /AP of the field that is signed. Everything else is a change.
type comparison struct {
	*document
	*step
	index    int // of the old revision
	old, new *pdf.File

	signing  map[uint32]bool // values, fields and widgets of the signatures this saving added
	widgets  map[uint32]bool
	fields   map[uint32]bool
	added    map[uint32]bool
	redone   map[uint32]place
	newForm  *pdf.Dict
	newPages map[uint32]bool // pages whose /Annots may have changed
}

// A place is the one role in which an object may be defined again.
type place int

const (
	nowhere place = iota
	twice         // in two of the places below at once: not allowed
	catalogPlace
	formPlace
	fieldsPlace
	pagePlace
	annotsPlace
	fieldPlace
)

// changeable are the keys that a redefined dictionary may change, by its place.
var changeable = map[place][]pdf.Name{
	catalogPlace: {"AcroForm"},
	formPlace:    {"Fields", "SigFlags"},
	pagePlace:    {"Annots"},
	fieldPlace:   {"V", "AP"},
}

func (c *comparison) run() error {
	if err := c.trailers(); err != nil {
		return err
	}
	if err := c.signatures(); err != nil {
		return err
	}
	places, err := c.places()
	if err != nil {
		return err
	}
	if err := c.objects(places); err != nil {
		return err
	}
	if err := c.form(); err != nil {
		return err
	}
	for _, p := range sorted(c.newPages) {
		if err := c.annotations(p); err != nil {
			return err
		}
	}
	if err := c.orphans(); err != nil {
		return err
	}
	if len(c.changes) == 0 {
		c.remember()
	}
	return nil
}

// trailers: what everything hangs on is the same.
func (c *comparison) trailers() error {
	a, b := c.old.Trailer(), c.new.Trailer()
	for _, k := range []pdf.Name{"Root", "Encrypt", "Info"} {
		if !equal(a.Get(k), b.Get(k)) {
			c.change("改变 trailer 的 /%[1]s", "changes /%[1]s of the trailer", k)
		}
	}
	if x, y := firstID(c.old), firstID(c.new); x != nil && !bytes.Equal(x, y) {
		c.change("改变文件标识 /ID", "changes the file identifier /ID")
	}
	if k := b.Duplicate(); k != "" {
		c.change("trailer 的键 /%[1]s 重复", "has a trailer in which /%[1]s stands twice", k)
	}
	return nil
}

func firstID(f *pdf.File) []byte {
	o, _ := f.Resolve(f.Trailer().Get("ID"))
	a, ok := o.(*pdf.Array)
	if !ok || len(a.Items) == 0 {
		return nil
	}
	s, ok := a.Items[0].(*pdf.String)
	if !ok {
		return nil
	}
	return s.Value
}

// signatures finds those whose value stands in what this saving wrote.
func (c *comparison) signatures() error {
	c.signing, c.widgets, c.fields = map[uint32]bool{}, map[uint32]bool{}, map[uint32]bool{}
	from, to := c.revisions[c.index].end, c.revisions[c.index+1].end
	for i := range c.found {
		s := &c.found[i]
		if s.Value == nil || s.Value.Offset < from || s.Value.Offset >= to {
			continue
		}
		c.signed = append(c.signed, plain.Text(s.Name))
		c.signing[s.Value.Ref.Num] = true
		c.fields[s.Field.Ref.Num] = true
		if x, ok := c.old.Lookup(s.Field.Ref.Num); ok && x.Type != 0 {
			c.filled = append(c.filled, s.Name)
		}
		for _, w := range s.Widgets {
			c.widgets[w.Num] = true
		}
	}
	if len(c.signed) == 0 {
		c.change("没有增加签名", "adds no signature")
	}
	return nil
}

// places says where, in the new revision, the objects are that a signature may define again.
func (c *comparison) places() (map[uint32]place, error) {
	out := map[uint32]place{}
	c.newPages = map[uint32]bool{}
	put := func(o pdf.Object, p place) {
		if r, ok := o.(pdf.Ref); ok {
			if q := out[r.Num]; q != nowhere && q != p {
				p = twice
			}
			out[r.Num] = p
		}
	}
	put(c.new.Trailer().Get("Root"), catalogPlace)
	catalog, err := c.new.Catalog()
	if err != nil {
		return nil, err
	}
	if d := catalog.Dict(); d != nil {
		put(d.Get("AcroForm"), formPlace)
	}
	form, _, err := c.new.Form()
	if err != nil {
		return nil, err
	}
	if c.newForm = form; form != nil {
		put(form.Get("Fields"), fieldsPlace)
	}
	for n := range c.fields {
		put(pdf.Ref{Num: n}, fieldPlace)
	}
	for n := range c.widgets {
		put(pdf.Ref{Num: n}, fieldPlace)
		w, err := c.load(c.new, n)
		if err != nil {
			return nil, err
		}
		var page pdf.Ref
		if d := w.Dict(); d != nil {
			page, _ = d.Get("P").(pdf.Ref)
		}
		if page.Num == 0 {
			continue
		}
		put(page, pagePlace)
		p, err := c.load(c.new, page.Num)
		if err != nil {
			return nil, err
		}
		if p.Dict() != nil {
			c.newPages[page.Num] = true
			put(p.Dict().Get("Annots"), annotsPlace)
		}
	}
	return out, nil
}

// load reads an object by number, of the generation in force.
func (c *comparison) load(f *pdf.File, num uint32) (*pdf.Indirect, error) {
	if err := c.spend(1); err != nil {
		return nil, err
	}
	x, _ := f.Lookup(num)
	o, err := f.Load(pdf.Ref{Num: num, Gen: x.Gen})
	if err != nil {
		return nil, fmt.Errorf("object %d: %w", num, err)
	}
	return o, nil
}

// objects vets every entry that the saving wrote.
func (c *comparison) objects(places map[uint32]place) error {
	c.added, c.redone = map[uint32]bool{}, map[uint32]place{}
	for _, s := range c.revisions[c.index+1].sections {
		entries, err := c.new.Entries(s)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.spend(1); err != nil {
				return err
			}
			if err := c.object(e.Num, places[e.Num]); err != nil {
				return err
			}
		}
	}
	for _, num := range sorted(c.redone) {
		if err := c.dangling(num); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) object(num uint32, where place) error {
	was, existed := c.old.Lookup(num)
	is, exists := c.new.Lookup(num)
	existed, exists = existed && was.Type != 0, exists && is.Type != 0
	switch {
	case !existed && !exists, existed && exists && was == is:
		return nil
	case existed && !exists:
		c.change("删除对象 %[1]d", "removes object %[1]d", num)
		return nil
	case !existed:
		c.added[num] = true
		return c.addition(num)
	}
	a, err := c.load(c.old, num)
	if err != nil {
		return err
	}
	b, err := c.load(c.new, num)
	if err != nil {
		return err
	}
	if same, err := c.same(a, b); err != nil || same {
		return err
	}
	c.redone[num] = where
	if was.Gen != is.Gen {
		where = nowhere
	}
	switch where {
	case fieldsPlace, annotsPlace: // form and annotations compare what they hold
		_, okA := a.Value.(*pdf.Array)
		_, okB := b.Value.(*pdf.Array)
		if okA && okB {
			return nil
		}
	case catalogPlace, formPlace, pagePlace, fieldPlace:
		x, okA := a.Value.(*pdf.Dict)
		y, okB := b.Value.(*pdf.Dict)
		if okA && okB {
			c.keys(num, x, y, changeable[where])
			if where == fieldPlace {
				return c.replaced(num, x, y)
			}
			return nil
		}
	}
	c.change("改变对象 %[1]d%[2]s", "changes object %[1]d%[3]s", num, kindText(b).ZH, kindText(b).EN)
	return nil
}

// kindText helps people to see what an object is.
func kindText(o *pdf.Indirect) Text {
	d := o.Dict()
	if d == nil {
		return Text{}
	}
	if t, ok := d.Get("Type").(pdf.Name); ok {
		return Text{"（" + plain.Text(string(t)) + "）", " (" + plain.Text(string(t)) + ")"}
	}
	if _, ok := o.Value.(*pdf.Stream); ok {
		return Text{"（数据流）", " (a stream)"}
	}
	return Text{}
}

// keys: two dictionaries differ in no other key than those allowed.
func (c *comparison) keys(num uint32, a, b *pdf.Dict, allowed []pdf.Name) {
	if a.Duplicate() != "" || b.Duplicate() != "" {
		c.change("对象 %[1]d 有重复的键", "has a key that stands twice in object %[1]d", num)
		return
	}
	for _, k := range unlike(a, b) {
		if !contains(allowed, k) {
			c.change("改变对象 %[1]d 的 /%[2]s", "changes /%[2]s of object %[1]d", num, plain.Text(string(k)))
		}
	}
}

// replaced: a field that had a value has it still. Another one in its place hides a signature.
func (c *comparison) replaced(num uint32, a, b *pdf.Dict) error {
	v, err := c.old.Resolve(a.Get("V"))
	if err == nil && v != nil && !equal(a.Get("V"), b.Get("V")) {
		c.change("取代域 %[1]d 中的签名", "replaces the signature in field %[1]d", num)
	}
	return err
}

func contains(list []pdf.Name, k pdf.Name) bool {
	for _, n := range list {
		if n == k {
			return true
		}
	}
	return false
}

// unlike lists the keys whose values differ.
func unlike(a, b *pdf.Dict) []pdf.Name {
	values := make(map[pdf.Name]pdf.Object, len(a.Entries))
	for _, e := range a.Entries {
		values[e.Key] = e.Value
	}
	var out []pdf.Name
	for _, e := range b.Entries {
		v, ok := values[e.Key]
		if !ok && e.Value != nil || ok && !equal(v, e.Value) {
			out = append(out, e.Key)
		}
		delete(values, e.Key)
	}
	for _, e := range a.Entries {
		if v, left := values[e.Key]; left && v != nil {
			out = append(out, e.Key)
			delete(values, e.Key)
		}
	}
	return out
}

// same compares two definitions of an object; of streams, the encoded bytes.
func (c *comparison) same(a, b *pdf.Indirect) (bool, error) {
	x, okA := a.Value.(*pdf.Stream)
	y, okB := b.Value.(*pdf.Stream)
	if !okA || !okB {
		return !okA && !okB && equal(a.Value, b.Value), nil
	}
	if x.Length != y.Length || !equal(x.Dict, y.Dict) {
		return false, nil
	}
	return c.sameBytes(x.Offset, y.Offset, x.Length)
}

func (d *document) sameBytes(a, b, n int64) (bool, error) {
	const chunk = 64 << 10
	x, y := make([]byte, min(n, chunk)), make([]byte, min(n, chunk))
	r, s := io.NewSectionReader(d.src, a, n), io.NewSectionReader(d.src, b, n)
	for n > 0 {
		k := min(n, chunk)
		if _, err := io.ReadFull(r, x[:k]); err != nil {
			return false, err
		}
		if _, err := io.ReadFull(s, y[:k]); err != nil {
			return false, err
		}
		if !bytes.Equal(x[:k], y[:k]) {
			return false, nil
		}
		n -= k
	}
	return true, nil
}

// widgetKeys are what a new signature field or widget may have: nothing that acts.
var widgetKeys = map[pdf.Name]bool{}

func init() {
	for _, k := range []pdf.Name{"Type", "Subtype", "FT", "T", "TU", "TM", "V", "F", "Ff", "Rect", "P", "AP", "AS", "Kids", "Parent", "DA", "DR", "Q",
		"MK", "BS", "Border", "C", "H", "Lock", "SV", "NM", "M", "Contents", "StructParent", "Lang"} {
		widgetKeys[k] = true
	}
}

// addition vets a new object: fields and widgets of the signature only have what they need. What the signature reaches
// from there (appearance, fonts, certificates) shows nothing by itself; census sees to it that nothing else reaches it.
func (c *comparison) addition(num uint32) error {
	if !c.fields[num] && !c.widgets[num] {
		return nil
	}
	o, err := c.load(c.new, num)
	if err != nil {
		return err
	}
	d, ok := o.Value.(*pdf.Dict)
	if !ok || d.Duplicate() != "" {
		c.change("签名域 %[1]d 有误", "has a malformed signature field, object %[1]d", num)
		return nil
	}
	for _, e := range d.Entries {
		if !widgetKeys[e.Key] {
			c.change("签名域 %[1]d 带有 /%[2]s", "has /%[2]s in signature field %[1]d", num, plain.Text(string(e.Key)))
		}
	}
	if t := d.Get("Type"); t != nil && t != pdf.Name("Annot") {
		c.change("签名域 %[1]d 不是注释", "has a signature field, object %[1]d, that is no annotation", num)
	}
	return nil
}

// dangling: no unchanged key of a redefined object led to nothing before and leads to a new object now.
func (c *comparison) dangling(num uint32) error {
	o, err := c.load(c.old, num)
	if err != nil {
		return err
	}
	eachRef(o.Value, "", func(r pdf.Ref, _ pdf.Name) {
		if c.added[r.Num] {
			c.change("使对象 %[1]d 中的空引用指向新对象 %[2]d", "gives object %[1]d, which led nowhere, the new object %[2]d", num, r.Num)
		}
	})
	return nil
}

// form compares the interactive form: no key but /Fields and /SigFlags, and no field but those that are signed now.
func (c *comparison) form() error {
	before, _, err := c.old.Form()
	if err != nil {
		return err
	}
	if c.newForm == nil {
		if before != nil {
			c.change("删除表单", "removes the form")
		}
		return nil
	}
	if c.newForm.Duplicate() != "" {
		c.change("表单有重复的键", "has a form in which a key stands twice")
	}
	if before == nil {
		before = new(pdf.Dict)
	}
	for _, k := range unlike(before, c.newForm) {
		if !contains(changeable[formPlace], k) {
			c.change("改变表单的 /%[1]s", "changes /%[1]s of the form", plain.Text(string(k)))
		}
	}
	return c.appended(before.Get("Fields"), c.newForm.Get("Fields"), c.fields, Text{"表单域", "a form field"})
}

// annotations: nothing was appended to a page but widgets of the signatures.
func (c *comparison) annotations(page uint32) error {
	was, existed := c.old.Lookup(page)
	if !existed || was.Type == 0 {
		c.change("增加第 %[1]d 号页面对象", "adds page object %[1]d", page)
		return nil
	}
	a, err := c.load(c.old, page)
	if err != nil {
		return err
	}
	b, err := c.load(c.new, page)
	if err != nil {
		return err
	}
	if a.Dict() == nil || b.Dict() == nil {
		return nil // objects has told of it
	}
	return c.appended(a.Dict().Get("Annots"), b.Dict().Get("Annots"), c.widgets, Text{"注释", "an annotation"})
}

// appended: the new array is the old one and, after it, references to objects of set.
func (c *comparison) appended(a, b pdf.Object, set map[uint32]bool, what Text) error {
	before, err := items(c.old, a)
	if err != nil {
		return err
	}
	after, err := items(c.new, b)
	if err != nil {
		return err
	}
	if len(after) < len(before) {
		c.change("删除%[1]s", "removes %[2]s", what.ZH, what.EN)
		return nil
	}
	for i, o := range after {
		if i < len(before) {
			if !equal(before[i], o) {
				c.change("改变%[1]s", "changes %[2]s", what.ZH, what.EN)
				return nil
			}
			continue
		}
		if r, ok := o.(pdf.Ref); !ok || !set[r.Num] {
			c.change("增加签名以外的%[1]s", "adds %[2]s that is not the signature's", what.ZH, what.EN)
			return nil
		}
	}
	return nil
}

func items(f *pdf.File, o pdf.Object) ([]pdf.Object, error) {
	o, err := f.Resolve(o)
	if err != nil {
		return nil, err
	}
	if a, ok := o.(*pdf.Array); ok {
		return a.Items, nil
	}
	return nil, nil
}

// remember keeps what census must look at.
func (c *comparison) remember() {
	for n := range c.added {
		c.document.added[n] = true
	}
	for n, p := range c.redone {
		if !c.document.added[n] {
			if q, ok := c.document.redone[n]; ok && q != p {
				p = nowhere
			}
			c.document.redone[n] = p
		}
	}
}

func sorted[V any](m map[uint32]V) []uint32 { return slices.Sorted(maps.Keys(m)) }

// equal compares two values as they mean, not as they are written: the order of keys and the form of strings do not count.
func equal(a, b pdf.Object) bool {
	switch x := a.(type) {
	case *pdf.String:
		y, ok := b.(*pdf.String)
		return ok && bytes.Equal(x.Value, y.Value)
	case *pdf.Array:
		y, ok := b.(*pdf.Array)
		if !ok || len(x.Items) != len(y.Items) {
			return false
		}
		for i := range x.Items {
			if !equal(x.Items[i], y.Items[i]) {
				return false
			}
		}
		return true
	case *pdf.Dict:
		y, ok := b.(*pdf.Dict)
		return ok && len(x.Entries) == len(y.Entries) && len(unlike(x, y)) == 0
	case *pdf.Stream:
		return false
	}
	switch b.(type) {
	case *pdf.String, *pdf.Array, *pdf.Dict, *pdf.Stream:
		return false
	}
	return a == b
}

// eachRef calls do for the references in a value, with the nearest key above each; top is the key that led to the value.
func eachRef(o pdf.Object, top pdf.Name, do func(pdf.Ref, pdf.Name)) {
	switch v := o.(type) {
	case pdf.Ref:
		do(v, top)
	case *pdf.Array:
		for _, x := range v.Items {
			eachRef(x, top, do)
		}
	case *pdf.Dict:
		for _, e := range v.Entries {
			eachRef(e.Value, e.Key, do)
		}
	case *pdf.Stream:
		eachRef(v.Dict, top, do)
	}
}
