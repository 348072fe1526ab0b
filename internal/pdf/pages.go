package pdf

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// A Page is a leaf of the page tree with what it inherits.
type Page struct {
	*Indirect
	MediaBox, CropBox [4]float64 // normalised: left, bottom, right, top, in points / UserUnit; CropBox inside MediaBox
	Rotate            int        // 0, 90, 180, 270, clockwise
	UserUnit          float64
	Resources         Object
}

// Bits of /F of an annotation (ISO 32000-2, table 167).
const (
	AnnotHidden  = 1<<1 | 1<<5 // not shown (Hidden, NoView)
	AnnotPrinted = 1 << 2
)

// inherited are the keys a page may have from the nodes above it.
var inherited = [4]Name{"MediaBox", "CropBox", "Rotate", "Resources"}

// A node of the page tree with the values it hands down.
type node struct {
	*Indirect
	dict  *Dict
	hands [len(inherited)]Object
}

func (n *node) leaf() bool { return n.dict.Get("Kids") == nil }

// A walk goes through the page tree. No object is loaded twice for its sake but a page that is listed twice.
type walk struct {
	f     *File
	nodes int             // still allowed
	work  int64           // bytes still allowed
	seen  map[uint32]bool // true: a page
	trust bool            // /Count
}

// errCount says that /Count is not what the tree holds.
var errCount = errors.New("pdf: wrong /Count in the page tree")

func (f *File) walk(trust bool) *walk {
	// An honest tree reads each of its objects once. More is for object streams read again and again.
	return &walk{f: f, nodes: f.opt.Limits.Pages, work: 64<<20 + 16*f.src.size, seen: map[uint32]bool{}, trust: trust}
}

func (w *walk) root() (*node, error) {
	c, err := w.f.Catalog()
	if err != nil {
		return nil, err
	}
	r, ok := c.Dict().Get("Pages").(Ref)
	if !ok {
		return nil, fmt.Errorf("%w: the catalog has no reference for /Pages", ErrSyntax)
	}
	return w.load(r, nil)
}

// load loads a node. Nil: there is none.
func (w *walk) load(r Ref, parent *node) (*node, error) {
	if w.nodes--; w.nodes < 0 {
		return nil, fmt.Errorf("%w: more than %d nodes in the page tree", ErrLimit, w.f.opt.Limits.Pages)
	}
	o, work, err := w.f.load(r, maxChain)
	if err != nil {
		return nil, fmt.Errorf("page tree node %s: %w", r, err)
	}
	if w.work -= int64(work) + 64; w.work < 0 {
		return nil, fmt.Errorf("%w: the page tree takes too much work to read", ErrLimit)
	}
	d := o.Dict()
	if d == nil {
		return nil, nil
	}
	n := &node{Indirect: o, dict: d}
	if parent != nil {
		n.hands = parent.hands
	}
	for i, k := range inherited {
		if v := d.Get(k); v != nil {
			n.hands[i] = v
		}
	}
	return n, nil
}

// kid loads kid i of a node and notes what it is.
func (w *walk) kid(parent *node, o Object) (*node, error) {
	r, ok := o.(Ref)
	if !ok {
		if o == nil {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: page tree node %s: a kid that is not a reference", ErrSyntax, parent.Ref)
	}
	if page, seen := w.seen[r.Num]; seen && !page {
		return nil, fmt.Errorf("%w: page tree node %s is reached twice", ErrSyntax, r)
	}
	n, err := w.load(r, parent)
	if n != nil {
		w.seen[r.Num] = n.leaf()
	}
	return n, err
}

func (w *walk) kids(n *node) ([]Object, error) {
	o, err := w.f.Resolve(n.dict.Get("Kids"))
	if err != nil {
		return nil, err
	}
	a, ok := o.(*Array)
	if !ok {
		return nil, fmt.Errorf("%w: page tree node %s: /Kids is not an array", ErrSyntax, n.Ref)
	}
	return a.Items, nil
}

// count is the value of a node's /Count; -1: not to be believed.
func (w *walk) count(n *node) int {
	o, err := w.f.Resolve(n.dict.Get("Count"))
	if c, ok := o.(int64); ok && err == nil && w.trust && c >= 0 && c <= int64(w.f.opt.Limits.Pages) {
		return int(c)
	}
	return -1
}

// find goes to page want (from 1) below n. Where it is not there, it says how many pages there are.
func (w *walk) find(n *node, want, depth int) (*node, int, error) {
	if depth == 0 {
		return nil, 0, fmt.Errorf("%w: page tree deeper than %d", ErrLimit, w.f.opt.Limits.Depth)
	}
	kids, err := w.kids(n)
	if err != nil {
		return nil, 0, err
	}
	if c := w.count(n); c == len(kids) && want <= c { // nothing but pages here
		k, err := w.kid(n, kids[want-1])
		if err == nil && (k == nil || !k.leaf()) {
			err = errCount
		}
		return k, want, err
	}
	pages := 0
	for _, o := range kids {
		if r, ok := o.(Ref); ok && want-pages > 1 && w.seen[r.Num] {
			pages++
			continue
		}
		k, err := w.kid(n, o)
		switch {
		case err != nil:
			return nil, 0, err
		case k == nil:
		case k.leaf():
			if pages++; pages == want {
				return k, pages, nil
			}
		default:
			if c := w.count(k); c >= 0 && pages+c < want {
				pages += c
				continue
			}
			found, below, err := w.find(k, want-pages, depth-1)
			if found != nil || err != nil {
				return found, below, err
			}
			if c := w.count(k); c >= 0 && c != below {
				return nil, 0, errCount
			}
			pages += below
		}
	}
	return nil, pages, nil
}

// NumPages counts the pages: what /Count says where the root of the page tree and its kids agree on it, otherwise by
// walking the tree.
func (f *File) NumPages() (int, error) {
	w := f.walk(true)
	root, err := w.root()
	if err != nil {
		return 0, err
	}
	if root == nil {
		return 0, fmt.Errorf("%w: the catalog's /Pages is not a dictionary", ErrSyntax)
	}
	if root.leaf() {
		return 0, fmt.Errorf("%w: the root of the page tree has no /Kids", ErrSyntax)
	}
	kids, err := w.kids(root)
	if err != nil {
		return 0, err
	}
	count := w.count(root)
	if count == len(kids) {
		return count, nil
	}
	sum := 0
	for _, o := range kids {
		if r, ok := o.(Ref); ok && w.seen[r.Num] {
			sum++
			continue
		}
		k, err := w.kid(root, o)
		if err != nil {
			return 0, err
		}
		c := 0
		if k != nil && k.leaf() {
			c = 1
		} else if k != nil {
			c = w.count(k)
		}
		if c < 0 {
			sum = -1
			break
		}
		sum += c
	}
	if sum == count && count >= 0 {
		return count, nil
	}
	w = f.walk(false)
	_, n, err := w.find(root, math.MaxInt, f.opt.Limits.Depth)
	return n, err
}

// Page returns page n, 1 the first, walking no more of the tree than it must. ErrNoPage: there is none.
func (f *File) Page(n int) (*Page, error) {
	if n < 1 {
		return nil, fmt.Errorf("%w: page %d", ErrNoPage, n)
	}
	leaf, pages, err := f.findPage(n, true)
	if err == errCount || err == nil && leaf == nil {
		leaf, pages, err = f.findPage(n, false)
	}
	if err != nil {
		return nil, err
	}
	if leaf == nil {
		return nil, fmt.Errorf("%w: page %d of %d", ErrNoPage, n, pages)
	}
	return f.page(leaf)
}

func (f *File) findPage(n int, trust bool) (*node, int, error) {
	w := f.walk(trust)
	root, err := w.root()
	if err != nil {
		return nil, 0, err
	}
	if root == nil || root.leaf() {
		return nil, 0, fmt.Errorf("%w: the root of the page tree has no /Kids", ErrSyntax)
	}
	w.seen[root.Ref.Num] = false
	return w.find(root, n, f.opt.Limits.Depth)
}

// PageAt returns the page that is object r, going up the page tree instead of down; nil: the tree has no such page.
func (f *File) PageAt(r Ref) (*Page, error) {
	w := f.walk(false)
	root, err := w.root()
	if err != nil || root == nil {
		return nil, err
	}
	leaf, err := w.load(r, nil)
	if err != nil || leaf == nil || !leaf.leaf() {
		return nil, err
	}
	for n, depth := leaf, 0; n.Ref != root.Ref; depth++ {
		if depth >= f.opt.Limits.Depth {
			return nil, fmt.Errorf("%w: page tree deeper than %d", ErrLimit, f.opt.Limits.Depth)
		}
		up, ok := n.dict.Get("Parent").(Ref)
		if !ok {
			return nil, nil
		}
		parent, err := w.load(up, nil)
		if err != nil || parent == nil || parent.leaf() {
			return nil, err
		}
		kids, err := w.kids(parent)
		if err != nil || !slices.Contains(kids, Object(n.Ref)) {
			return nil, err
		}
		for i, v := range leaf.hands {
			if v == nil {
				leaf.hands[i] = parent.hands[i]
			}
		}
		n = parent
	}
	return f.page(leaf)
}

// EachPage calls do for every page in order, 1 the first, and ends with its error. It reads each node of the page tree once,
// where Page begins at the root each time.
func (f *File) EachPage(do func(n int, p *Page) error) error {
	w := f.walk(false)
	root, err := w.root()
	if err != nil {
		return err
	}
	if root == nil || root.leaf() {
		return fmt.Errorf("%w: the root of the page tree has no /Kids", ErrSyntax)
	}
	w.seen[root.Ref.Num] = false
	n := 0
	return w.each(root, f.opt.Limits.Depth, func(leaf *node) error {
		p, err := f.page(leaf)
		if err != nil {
			return err
		}
		n++
		return do(n, p)
	})
}

func (w *walk) each(n *node, depth int, do func(*node) error) error {
	if depth == 0 {
		return fmt.Errorf("%w: page tree deeper than %d", ErrLimit, w.f.opt.Limits.Depth)
	}
	kids, err := w.kids(n)
	if err != nil {
		return err
	}
	for _, o := range kids {
		k, err := w.kid(n, o)
		switch {
		case err != nil:
		case k == nil:
		case k.leaf():
			err = do(k)
		default:
			err = w.each(k, depth-1, do)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *File) page(n *node) (*Page, error) {
	p := &Page{Indirect: n.Indirect, Resources: n.hands[3], UserUnit: 1}
	media, ok, err := f.Rectangle(n.hands[0])
	if err != nil {
		return nil, err
	}
	if !ok {
		media = [4]float64{0, 0, 612, 792} // as readers have it
	}
	crop, ok, err := f.Rectangle(n.hands[1])
	if err != nil {
		return nil, err
	}
	if ok {
		crop = [4]float64{max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3])}
	}
	if !ok || crop[0] >= crop[2] || crop[1] >= crop[3] {
		crop = media
	}
	p.MediaBox, p.CropBox = media, crop
	r, err := f.Resolve(n.hands[2])
	if err != nil {
		return nil, err
	}
	if v, ok := Number(r); ok && math.Mod(v, 90) == 0 {
		p.Rotate = (int(math.Mod(v, 360)) + 360) % 360
	}
	u, err := f.Resolve(n.dict.Get("UserUnit"))
	if err != nil {
		return nil, err
	}
	if v, ok := Number(u); ok && v > 0 {
		p.UserUnit = v
	}
	return p, nil
}

// Rectangle reads four numbers, normalised; ok is false where there is no rectangle with an area.
func (f *File) Rectangle(o Object) (r [4]float64, ok bool, err error) {
	o, err = f.Resolve(o)
	a, isArray := o.(*Array)
	if err != nil || !isArray || len(a.Items) != 4 {
		return r, false, err
	}
	for i, v := range a.Items {
		if v, err = f.Resolve(v); err != nil {
			return r, false, err
		}
		if r[i], ok = Number(v); !ok {
			return r, false, nil
		}
	}
	r = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	return r, r[0] < r[2] && r[1] < r[3], nil
}
