package verify

import (
	"cmp"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// A tagging looks at what a saving did to the structure tree (ISO 32000-2, 14.7), which says what the parts of a page are. Programs
// that add a field or an annotation to a tagged document add an element for it: the parent tree gets an entry, and an element that was
// there gets a kid with no other content than the annotation. That is explained. Anything else that changes in the tree, an order, an
// attribute, a text, is not.
type tagging struct {
	old, new *pdf.File
	wrote    map[uint32]bool // what the saving defined
	shown    map[uint32]bool // of it the widgets and annotations that are new
	spend    func(int) error // counts objects

	explained map[uint32]bool // of what was defined again: nothing but elements for shown was added
	refused   map[uint32]Text // of what was defined again: why that is not so; 0 stands for the catalog

	grown map[uint32]bool // elements, and the root, that got kids in this way or are such kids
	met   map[uint32]bool // new elements
	nodes map[uint32]bool // of the new parent tree
}

const (
	maxTagDepth   = 64      // of the parent tree
	maxTagged     = 1 << 18 // entries of the parent tree
	maxTagNesting = 16      // of new elements
)

// explainTags compares the structure trees of two revisions: a and b are /StructTreeRoot of their catalogs. Objects that it names
// neither as explained nor as refused have nothing to do with the tree, or have not changed.
func explainTags(old, new *pdf.File, a, b pdf.Object, wrote, shown map[uint32]bool, spend func(int) error) (*tagging, error) {
	t := &tagging{old: old, new: new, wrote: wrote, shown: shown, spend: spend, explained: map[uint32]bool{}, refused: map[uint32]Text{},
		grown: map[uint32]bool{}, met: map[uint32]bool{}, nodes: map[uint32]bool{}}
	return t, t.run(a, b)
}

func (t *tagging) run(a, b pdf.Object) error {
	root, isRef := b.(pdf.Ref)
	was, err := t.dict(t.old, a)
	if err != nil {
		return err
	}
	is, err := t.dict(t.new, b)
	if err != nil {
		return err
	}
	_, wasRef := a.(pdf.Ref)
	switch {
	case was == nil && is == nil:
		return nil
	case was == nil || is == nil || isRef != wasRef || isRef && a != b:
		t.refuse(0, "换了另一棵结构树", "has another structure tree")
		return nil
	}
	holders, touched, err := t.written()
	if err != nil {
		return err
	}
	if !touched && equal(was, is) {
		return nil
	}
	added, why, err := t.parentTrees(was, is)
	if err != nil {
		return err
	}
	for _, e := range added {
		if r, ok := e.value.(pdf.Ref); ok {
			if err := t.above(r, holders); err != nil {
				return err
			}
		}
	}
	if err := t.root(root, was, is); err != nil {
		return err
	}
	for _, num := range slices.Sorted(maps.Keys(holders)) {
		if num != root.Num {
			if err := t.element(num); err != nil {
				return err
			}
		}
	}
	for _, e := range added {
		if why == nil {
			if why, err = t.entry(e); err != nil {
				return err
			}
		}
	}
	t.judgeNodes(root.Num, was, is, why)
	return nil
}

// refuse says why an object that was defined again is not explained.
func (t *tagging) refuse(num uint32, zh, en string) {
	if _, ok := t.refused[num]; !ok {
		t.refused[num] = Text{zh, en}
	}
	delete(t.explained, num)
}

func (t *tagging) explain(num uint32) {
	if _, no := t.refused[num]; !no && t.isRedone(num) {
		t.explained[num] = true
	}
}

func (t *tagging) existed(num uint32) bool {
	x, ok := t.old.Lookup(num)
	return ok && x.Type != 0
}

func (t *tagging) isNew(num uint32) bool    { return t.wrote[num] && !t.existed(num) }
func (t *tagging) isRedone(num uint32) bool { return t.wrote[num] && t.existed(num) }

// resolve is File.Resolve that counts.
func (t *tagging) resolve(f *pdf.File, o pdf.Object) (pdf.Object, error) {
	if _, ok := o.(pdf.Ref); !ok {
		return o, nil
	}
	if err := t.spend(1); err != nil {
		return nil, err
	}
	return f.Resolve(o)
}

func (t *tagging) dict(f *pdf.File, o pdf.Object) (*pdf.Dict, error) {
	o, err := t.resolve(f, o)
	d, _ := o.(*pdf.Dict)
	return d, err
}

// numbered is the dictionary of an object, by its number.
func (t *tagging) numbered(f *pdf.File, num uint32) (*pdf.Dict, error) {
	x, ok := f.Lookup(num)
	if !ok || x.Type == 0 {
		return nil, nil
	}
	return t.dict(f, pdf.Ref{Num: num, Gen: x.Gen})
}

// written finds in what the saving defined the elements that may have got kids. touched: something may belong to the tree.
func (t *tagging) written() (holders map[uint32]bool, touched bool, err error) {
	holders = map[uint32]bool{}
	for _, num := range slices.Sorted(maps.Keys(t.wrote)) {
		x, ok := t.new.Lookup(num)
		if !ok || x.Type == 0 {
			continue
		}
		o, err := t.resolve(t.new, pdf.Ref{Num: num, Gen: x.Gen})
		if err != nil {
			return nil, false, err
		}
		switch v := o.(type) {
		case *pdf.Array:
			touched = touched || t.existed(num)
		case *pdf.Dict:
			kind := v.Get("Type")
			switch {
			case kind == pdf.Name("StructElem") || kind == nil && v.Get("S") != nil && v.Get("P") != nil && v.Get("Subtype") == nil:
				touched = true
				if err := t.above(pdf.Ref{Num: num, Gen: x.Gen}, holders); err != nil {
					return nil, false, err
				}
			case kind == pdf.Name("StructTreeRoot"), kind == nil && (v.Get("Nums") != nil || v.Get("Kids") != nil):
				touched = touched || t.existed(num)
			}
		}
	}
	return holders, touched, nil
}

// above adds the element that was there before and has, at whatever depth, a new one among its kids.
func (t *tagging) above(r pdf.Ref, holders map[uint32]bool) error {
	for range maxTagNesting {
		if !t.isNew(r.Num) {
			holders[r.Num] = true
			return nil
		}
		d, err := t.numbered(t.new, r.Num)
		if err != nil {
			return err
		}
		up, ok := d.Get("P").(pdf.Ref)
		if !ok {
			return nil
		}
		r = up
	}
	return nil
}

// root compares the root of the tree.
func (t *tagging) root(r pdf.Ref, was, is *pdf.Dict) error {
	why, err := t.growth(r, was, is, "ParentTree", "ParentTreeNextKey")
	if err != nil {
		return err
	}
	x, okA := was.Get("ParentTreeNextKey").(int64)
	y, okB := is.Get("ParentTreeNextKey").(int64)
	if why == nil && (was.Get("ParentTreeNextKey") != nil && !okA || is.Get("ParentTreeNextKey") != nil && !okB || okA && (!okB || y < x)) {
		why = &Text{"/ParentTreeNextKey 变小", "its /ParentTreeNextKey gets smaller"}
	}
	if why != nil {
		t.refuse(r.Num, why.ZH, why.EN)
		return nil
	}
	t.explain(r.Num)
	return nil
}

// element compares an element that was there before.
func (t *tagging) element(num uint32) error {
	was, err := t.numbered(t.old, num)
	if err != nil {
		return err
	}
	is, err := t.numbered(t.new, num)
	if err != nil {
		return err
	}
	x, _ := t.new.Lookup(num)
	if was == nil || is == nil || was.Get("S") == nil || was.Get("Subtype") != nil {
		return nil // it is no element, whatever has it for one
	}
	why, err := t.growth(pdf.Ref{Num: num, Gen: x.Gen}, was, is)
	if err != nil {
		return err
	}
	if why != nil {
		t.refuse(num, why.ZH, why.EN)
		return nil
	}
	t.explain(num)
	return nil
}

// growth says why one of two dictionaries is more than the other with new kids for what is shown, under /K; nil: it is no more. The
// other keys that are named may change.
func (t *tagging) growth(r pdf.Ref, was, is *pdf.Dict, besides ...pdf.Name) (*Text, error) {
	if was.Duplicate() != "" || is.Duplicate() != "" {
		return &Text{"结构元素有重复的键", "an element of it has a key that stands twice"}, nil
	}
	for _, k := range unlike(was, is) {
		if k != "K" && !slices.Contains(besides, k) {
			key := plain.Text(string(k))
			return &Text{"改变结构元素的 /" + key, "/" + key + " of an element of it changes"}, nil
		}
	}
	before, err := t.list(t.old, was.Get("K"))
	if err != nil {
		return nil, err
	}
	after, err := t.list(t.new, is.Get("K"))
	if err != nil {
		return nil, err
	}
	// What led nowhere may not lead to something now.
	if t.dangling(was) || slices.ContainsFunc(before, t.dangling) {
		return &Text{"使原来的空引用指向新对象", "what led nowhere leads to a new object now"}, nil
	}
	i := 0
	for _, o := range after {
		if i < len(before) && equal(before[i], o) {
			i++
			continue
		}
		if why, err := t.added(o, r, 0); err != nil || why != nil {
			return why, err
		}
	}
	if i < len(before) {
		return &Text{"结构元素的子项被删除、替换或改变次序", "kids of an element of it are removed, replaced or change their order"}, nil
	}
	t.grown[r.Num] = true
	if list, ok := is.Get("K").(pdf.Ref); ok && was.Get("K") == is.Get("K") {
		if d, err := t.dict(t.new, list); err != nil || d == nil { // an array, not the only kid
			t.explain(list.Num)
			return nil, err
		}
	}
	return nil, nil
}

// dangling: a definition from before leads to a new object.
func (t *tagging) dangling(o pdf.Object) (yes bool) {
	eachRef(o, func(r pdf.Ref, _ []pdf.Name) { yes = yes || t.isNew(r.Num) })
	return yes
}

// list gives the kids of an element: none, one, or an array.
func (t *tagging) list(f *pdf.File, k pdf.Object) ([]pdf.Object, error) {
	if k == nil {
		return nil, nil
	}
	o, err := t.resolve(f, k)
	if err != nil {
		return nil, err
	}
	if a, ok := o.(*pdf.Array); ok {
		return a.Items, t.spend(len(a.Items) / 16)
	}
	return []pdf.Object{k}, nil
}

// added judges a kid that an element got: a new element, or a reference to what is shown.
func (t *tagging) added(o pdf.Object, parent pdf.Ref, depth int) (*Text, error) {
	r, isRef := o.(pdf.Ref)
	if isRef && !t.isNew(r.Num) {
		return &Text{"原有对象成为结构元素的子项", "an object that was there becomes a kid of an element of it"}, nil
	}
	d, err := t.dict(t.new, o)
	if err != nil {
		return nil, err
	}
	switch {
	case d == nil:
		return &Text{"结构元素增加了页面内容", "an element of it gets content of a page"}, nil
	case d.Duplicate() != "":
		return &Text{"结构元素有重复的键", "an element of it has a key that stands twice"}, nil
	case d.Get("Type") == pdf.Name("OBJR"):
		return t.reference(d), nil
	case !isRef:
		return &Text{"结构元素的子项有误", "a kid of an element of it is malformed"}, nil
	}
	return t.addedElement(r, d, parent, depth)
}

// reference: an object reference names what is shown, and has nothing else.
func (t *tagging) reference(d *pdf.Dict) *Text {
	for _, e := range d.Entries {
		switch e.Key {
		case "Type":
		case "Pg":
			if _, ok := e.Value.(pdf.Ref); !ok {
				return &Text{"对象引用有误", "a reference to an object is malformed"}
			}
		case "Obj":
			if r, ok := e.Value.(pdf.Ref); !ok || !t.shown[r.Num] {
				return &Text{"结构元素引用了新域和新注释以外的对象", "an element of it gets an object that is no new field or annotation"}
			}
		default:
			return &Text{"对象引用有误", "a reference to an object is malformed"}
		}
	}
	if d.Get("Obj") == nil {
		return &Text{"对象引用有误", "a reference to an object is malformed"}
	}
	return nil
}

// elementKeys are what a new element may have: what it is, what it is called, and attributes. Nothing that stands for the content of
// others.
var elementKeys = []pdf.Name{"Type", "S", "P", "Pg", "K", "A", "T", "Lang", "Alt"}

func (t *tagging) addedElement(r pdf.Ref, d *pdf.Dict, parent pdf.Ref, depth int) (*Text, error) {
	if depth >= maxTagNesting || t.met[r.Num] {
		return &Text{"新结构元素嵌套过深或出现两次", "new elements of it are nested too deep, or met twice"}, nil
	}
	t.met[r.Num] = true
	for _, e := range d.Entries {
		ok := slices.Contains(elementKeys, e.Key)
		switch e.Key {
		case "P":
			ok = e.Value == parent
		case "Pg":
			_, ok = e.Value.(pdf.Ref)
		case "Type":
			ok = e.Value == pdf.Name("StructElem")
		case "S":
			_, ok = e.Value.(pdf.Name)
		case "A", "T", "Lang", "Alt":
			ok = flat(e.Value, 2)
		}
		if !ok {
			key := plain.Text(string(e.Key))
			return &Text{"新结构元素的 /" + key + " 不应如此", "a new element of it has /" + key + ", which it may not, or not so"}, nil
		}
	}
	if d.Get("S") == nil || d.Get("P") == nil {
		return &Text{"新结构元素有误", "a new element of it is malformed"}, nil
	}
	kids, err := t.list(t.new, d.Get("K"))
	if err != nil {
		return nil, err
	}
	if len(kids) == 0 {
		return &Text{"新结构元素没有内容", "a new element of it has no content"}, nil
	}
	if array, ok := d.Get("K").(pdf.Ref); ok && !t.isNew(array.Num) {
		return &Text{"新结构元素使用原有对象", "a new element of it has kids that were there"}, nil
	}
	for _, o := range kids {
		if why, err := t.added(o, r, depth+1); err != nil || why != nil {
			return why, err
		}
	}
	t.grown[r.Num] = true
	return nil, nil
}

// A tagEntry of the parent tree says to which element an annotation, or the content of a page, belongs.
type tagEntry struct {
	key   int64
	value pdf.Object
}

// parentTrees gives what the new parent tree has and the old one has not; why: something else is different.
func (t *tagging) parentTrees(was, is *pdf.Dict) (added []tagEntry, why *Text, err error) {
	bad := &Text{"父树有误或有原条目被改变", "the parent tree is malformed, or entries of it change"}
	oldNodes := map[uint32]bool{}
	before, okA, err := t.flatten(t.old, was.Get("ParentTree"), oldNodes, nil, 0)
	if err != nil {
		return nil, nil, err
	}
	after, okB, err := t.flatten(t.new, is.Get("ParentTree"), t.nodes, nil, 0)
	if err != nil {
		return nil, nil, err
	}
	byKey := func(a, b tagEntry) int { return cmp.Compare(a.key, b.key) }
	slices.SortStableFunc(before, byKey)
	slices.SortStableFunc(after, byKey)
	i := 0
	for n, e := range after {
		switch {
		case n > 0 && after[n-1].key == e.key:
			return nil, bad, nil
		case i < len(before) && before[i].key == e.key && equal(before[i].value, e.value):
			if t.dangling(e.value) {
				return nil, bad, nil
			}
			i++
		default:
			added = append(added, e)
		}
	}
	for n := range t.nodes { // what was anything else before is no node now
		if t.isRedone(n) && !oldNodes[n] {
			return nil, bad, nil
		}
	}
	if !okA || !okB || i < len(before) {
		return nil, bad, nil
	}
	return added, nil, nil
}

// flatten lists the entries of a number tree, and the objects that it is made of. false: it is malformed.
func (t *tagging) flatten(f *pdf.File, o pdf.Object, nodes map[uint32]bool, list []tagEntry, depth int) ([]tagEntry, bool, error) {
	if o == nil {
		return list, depth == 0, nil
	}
	if r, ok := o.(pdf.Ref); ok {
		if nodes[r.Num] || depth > maxTagDepth {
			return list, false, nil
		}
		nodes[r.Num] = true
	}
	d, err := t.dict(f, o)
	if err != nil || d == nil || d.Duplicate() != "" {
		return list, false, err
	}
	for _, e := range d.Entries {
		if !slices.Contains([]pdf.Name{"Kids", "Nums", "Limits", "Type"}, e.Key) {
			return list, false, nil
		}
	}
	kids, ok, err := t.array(f, d.Get("Kids"), nodes)
	if err != nil || !ok {
		return list, false, err
	}
	for _, k := range kids {
		if list, ok, err = t.flatten(f, k, nodes, list, depth+1); err != nil || !ok {
			return list, false, err
		}
	}
	nums, ok, err := t.array(f, d.Get("Nums"), nodes)
	if err != nil || !ok || len(nums)%2 != 0 {
		return list, false, err
	}
	for i := 0; i < len(nums); i += 2 {
		key, ok := nums[i].(int64)
		if !ok || len(list) >= maxTagged {
			return list, false, nil
		}
		list = append(list, tagEntry{key, nums[i+1]})
	}
	return list, true, nil
}

// array gives the elements of an array that is part of a number tree.
func (t *tagging) array(f *pdf.File, o pdf.Object, nodes map[uint32]bool) ([]pdf.Object, bool, error) {
	if o == nil {
		return nil, true, nil
	}
	if r, ok := o.(pdf.Ref); ok {
		if nodes[r.Num] {
			return nil, false, nil
		}
		nodes[r.Num] = true
	}
	v, err := t.resolve(f, o)
	a, ok := v.(*pdf.Array)
	if err != nil || !ok {
		return nil, false, err
	}
	return a.Items, true, t.spend(len(a.Items) / 16)
}

// entry judges a new entry of the parent tree: its element grew, or is new, and has what is shown and names the entry by /StructParent.
func (t *tagging) entry(e tagEntry) (*Text, error) {
	wrong := &Text{"父树的新条目不属于新域或新注释", "the parent tree gets an entry that belongs to no new field or annotation"}
	r, ok := e.value.(pdf.Ref)
	if !ok || !t.grown[r.Num] {
		return wrong, nil
	}
	d, err := t.numbered(t.new, r.Num)
	if err != nil {
		return nil, err
	}
	kids, err := t.list(t.new, d.Get("K"))
	if err != nil {
		return nil, err
	}
	for _, o := range kids {
		if k, ok := o.(pdf.Ref); ok && !t.isNew(k.Num) {
			continue
		}
		kid, err := t.dict(t.new, o)
		if err != nil {
			return nil, err
		}
		if obj, ok := kid.Get("Obj").(pdf.Ref); ok && t.shown[obj.Num] {
			annotation, err := t.dict(t.new, obj)
			if err != nil {
				return nil, err
			}
			if annotation.Get("StructParent") == e.key {
				return nil, nil
			}
		}
	}
	return wrong, nil
}

// judgeNodes explains the parent tree as a whole, or not.
func (t *tagging) judgeNodes(root uint32, was, is *pdf.Dict, why *Text) {
	if why == nil {
		for n := range t.nodes {
			t.explain(n)
		}
		return
	}
	if !equal(was.Get("ParentTree"), is.Get("ParentTree")) {
		t.refuse(root, why.ZH, why.EN)
	}
	for _, n := range slices.Sorted(maps.Keys(t.nodes)) {
		if t.isRedone(n) {
			t.refuse(n, why.ZH, why.EN)
		}
	}
}
