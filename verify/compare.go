package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// A comparison looks at every object that one saving wrote, and says what it did. Each object that was defined again must stand in a
// place that is known, and may change there only what belongs to a kind of change other than content; whatever is left is content. New
// objects are nothing by themselves: reachedAnotherWay sees to it that only what was allowed to change leads to them, and that nothing
// else leads to what was defined again.
type comparison struct {
	*document
	*step
	index    int // of the old revision
	old, new *pdf.File

	written map[uint32]*wrote
	order   []uint32 // of written
	fields  map[uint32]bool
	widgets map[uint32]bool
	fills   map[string]*filling
	roots   map[uint32]bool // fields that /AcroForm named before
	newForm *pdf.Dict
	redraws bool // /NeedAppearances was changed
}

// A wrote is one object that the saving defined, and that is not what it was.
type wrote struct {
	num     uint32
	was, is *pdf.Indirect // nil: there was none; there is none any more
	place   place
	met     bool // as a new field
}

// A place is the one role in which an object may be defined again.
type place int

const (
	nowhere     place = iota
	several           // in two of the places below at once: not allowed
	catalogs          // the catalog
	forms             // /AcroForm
	fieldLists        // /Fields of the form
	resources         // /DR of the form, and the dictionaries in it
	pages             // a page
	annotLists        // /Annots of a page
	fields            // a field, or a widget of one
	notes             // an annotation that is no widget
	looks             // /AP of a widget whose field was filled, and what is in it
	validations       // DSS
	metadata          // XMP of the document
	infos             // /Info of the trailer
	extensions        // /Extensions of the catalog
	tags              // the structure tree
	freed             // it is none any more
)

// compare compares revision i with the one after it. Limits and damage are told as changes; only a failure to read the file, or the end
// of ctx, is an error.
func (d *document) compare(i int) error {
	if err := d.ctx.Err(); err != nil {
		return err
	}
	s := &step{revision: i + 2, signings: map[int]*Change{}}
	d.steps[i] = s
	before, err := d.view(i)
	if err == nil {
		var after *pdf.File
		if after, err = d.view(i + 1); err == nil {
			err = (&comparison{document: d, step: s, index: i, old: before, new: after}).run()
		}
	}
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		s.unread(err)
	}
	if d.told += len(s.changes); d.told > maxChanges {
		s.changes = s.changes[:0]
		s.unread(fmt.Errorf("%w: more than %d changes", pdf.ErrLimit, maxChanges))
	}
	return nil
}

// isOfFile: the error is about what the file says, not about reading it.
func isOfFile(err error) bool {
	for _, e := range []error{pdf.ErrSyntax, pdf.ErrDamaged, pdf.ErrLimit, pdf.ErrEncrypted, pdf.ErrPassword, pdf.ErrNotPDF, pdf.ErrFilter, pdf.ErrNoPage} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// view opens the file as revision i left it. The two most recent are kept.
func (d *document) view(i int) (*pdf.File, error) {
	if i == len(d.revisions)-1 {
		return d.file, nil
	}
	if f := d.views[i]; f != nil {
		return f, nil
	}
	cost := int(d.file.MaxObject()) / 8 // each view reads all its cross-reference again
	for _, r := range d.revisions[:i+1] {
		cost += sectionCost * len(r.sections)
	}
	if err := d.spend(cost); err != nil {
		return nil, err
	}
	f, err := d.file.At(d.revisions[i].end)
	if err != nil {
		return nil, err
	}
	for k := range d.views {
		if k < i-1 {
			delete(d.views, k)
		}
	}
	d.views[i] = f
	return f, nil
}

// sectionCost is what reading a cross-reference section again costs, in objects.
const sectionCost = 32

// spend counts objects against Limits.Objects.
func (d *document) spend(n int) error {
	if d.budget -= n; d.budget < 0 {
		return fmt.Errorf("%w: more than %d objects to compare", pdf.ErrLimit, d.limits.Objects)
	}
	return nil
}

func (c *comparison) run() error {
	c.written, c.fills = map[uint32]*wrote{}, map[string]*filling{}
	for _, do := range []func() error{c.trailers, c.collect, c.signatures, c.catalog, c.fieldsAndNotes, c.filled, c.redrawn, c.pageLists, c.tagged, c.unexplained, c.ledNowhere, c.orphans} {
		if err := do(); err != nil {
			return err
		}
	}
	if !c.dead {
		c.remember()
	}
	return nil
}

// trailers: what everything hangs on is the same, and the cross-reference goes on from the one before.
func (c *comparison) trailers() error {
	own := len(c.revisions[c.index+1].sections)
	x, y := c.old.Sections(), c.new.Sections()
	if len(y) != own+len(x) || !slices.EqualFunc(x, y[own:], func(a, b pdf.Section) bool { return a.Offset == b.Offset }) {
		c.change(changeContent, "交叉引用未接续前一版", "has a cross-reference that does not continue the one before")
	}
	a, b := c.old.Trailer(), c.new.Trailer()
	for _, k := range []pdf.Name{"Root", "Encrypt"} {
		if !equal(a.Get(k), b.Get(k)) {
			c.change(changeContent, "改变 trailer 的 /%[1]s", "changes /%[1]s of the trailer", string(k))
		}
	}
	if x, y := firstID(c.old), firstID(c.new); x != nil && !bytes.Equal(x, y) {
		c.change(changeContent, "改变文件标识 /ID", "changes the file identifier /ID")
	}
	if k := b.Duplicate(); k != "" {
		c.change(changeContent, "trailer 的键 /%[1]s 重复", "has a trailer in which /%[1]s stands twice", plain.Text(string(k)))
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

// collect reads every object that the saving wrote, and drops those that are as they were.
func (c *comparison) collect() error {
	for _, s := range c.revisions[c.index+1].sections {
		entries, err := c.new.Entries(s)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := c.spend(1); err != nil {
				return err
			}
			if err := c.collectOne(e.Num); err != nil {
				return err
			}
		}
	}
	c.order = slices.Sorted(maps.Keys(c.written))
	return nil
}

func (c *comparison) collectOne(num uint32) error {
	was, existed := c.old.Lookup(num)
	is, exists := c.new.Lookup(num)
	existed, exists = existed && was.Type != 0, exists && is.Type != 0
	if !existed && !exists || existed && exists && was == is {
		return nil
	}
	w := &wrote{num: num}
	var err error
	if existed {
		if w.was, err = c.load(c.old, num); err != nil {
			return err
		}
	}
	if exists {
		if w.is, err = c.load(c.new, num); err != nil {
			return err
		}
	}
	switch {
	case existed && exists:
		if same, err := c.same(w.was, w.is); err != nil || same {
			return err
		}
		if was.Gen != is.Gen { // what led to it leads nowhere now
			w.place = several
		}
	case existed:
		w.place = freed
	}
	c.written[num] = w
	return nil
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

// put says where an object stands that was defined again. Whoever stands in two places at once stands in none.
func (c *comparison) put(num uint32, p place) {
	w := c.written[num]
	switch {
	case w == nil || w.was == nil || w.is == nil || w.place == p:
	case w.place == nowhere:
		w.place = p
	default:
		w.place = several
	}
}

func (c *comparison) putRef(o pdf.Object, p place) {
	if r, ok := o.(pdf.Ref); ok {
		c.put(r.Num, p)
	}
}

// isNew reports whether the saving made an object of this number.
func (c *comparison) isNew(num uint32) bool {
	w := c.written[num]
	return w != nil && w.was == nil
}

// keys: two dictionaries differ in no other key than those allowed; what they are is asked for where there is something to tell.
func (c *comparison) keys(num uint32, a, b *pdf.Dict, what func() Text, allowed ...pdf.Name) bool {
	if a.Duplicate() != "" || b.Duplicate() != "" {
		t := what()
		c.change(changeContent, "%[1]s（对象 %[3]d）有重复的键", "has a key that stands twice in %[2]s (object %[3]d)", t.ZH, t.EN, num).Object = num
		return false
	}
	fine := true
	for _, k := range unlike(a, b) {
		if !slices.Contains(allowed, k) {
			t := what()
			c.change(changeContent, "改变%[1]s（对象 %[3]d）的 /%[4]s", "changes /%[4]s of %[2]s (object %[3]d)", t.ZH, t.EN, num, plain.Text(string(k))).Object = num
			fine = false
		}
	}
	return fine
}

// unexplained: whatever stands in no known place and was defined again is content, unless nothing leads to it.
func (c *comparison) unexplained() error {
	streams, err := c.objectStreams()
	if err != nil {
		return err
	}
	for _, num := range c.order {
		w := c.written[num]
		if d := w.was.Dict(); streams[num] || d != nil && d.Get("Type") == pdf.Name("ObjStm") {
			c.change(changeContent, "改变对象流 %[1]d", "changes the object stream %[1]d", num).Object = num
			continue
		}
		if w.was == nil {
			continue
		}
		switch w.place {
		case nowhere, several:
			c.strays = append(c.strays, stray{c.step, num, w.was})
		}
	}
	return nil
}

// objectStreams are the numbers of those streams in which, by the older cross-reference, objects stand: whatever they say of themselves,
// and whether they are there or not.
func (c *comparison) objectStreams() (map[uint32]bool, error) {
	out := map[uint32]bool{}
	most := c.old.MaxObject()
	if err := c.spend(int(most) / 64); err != nil || len(c.order) == 0 {
		return out, err
	}
	for num := range most {
		if x, ok := c.old.Lookup(num); ok && x.Type == 2 {
			out[uint32(x.Offset)] = true
		}
	}
	return out, nil
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
