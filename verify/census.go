package verify

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// A stray is an object that was defined again in no known place.
type stray struct {
	step *step
	num  uint32
	was  *pdf.Indirect
}

// remember keeps what reachedAnotherWay must look at.
func (c *comparison) remember() {
	for n, w := range c.written {
		switch {
		case w.was == nil:
			c.added[n] = true
			c.adders[n] = c.revision
		case w.place == nowhere || w.place == several: // a stray
			continue
		case !c.added[n]:
			p := w.place
			if q, ok := c.redone[n]; ok && q != p {
				p = several
			}
			c.redone[n] = p
		}
		c.writers[n] = append(c.writers[n], c.step)
	}
	for n := range c.guarded {
		if _, ok := c.redone[n]; !ok && !c.added[n] {
			c.redone[n] = looks
		}
	}
}

// reachedAnotherWay walks everything that the newest revision reaches, and sees how the objects that later revisions added or
// redefined are reached: what was added only from what was allowed to change, what was redefined only in the one place in which that was
// allowed. An array that is at once the form's /Fields and the /Kids of the page tree would grow a page.
//
// What does not change between revisions refers to the same things in each, so one walk serves them all. As a rule it is not
// needed: the survey of the bytes has found the few objects that may refer to those.
func (d *document) reachedAnotherWay(steps []*step) error {
	if len(d.added)+len(d.redone)+len(d.strays) == 0 {
		return nil
	}
	if innocent, err := d.referrersInnocent(); err != nil || innocent {
		return err
	}
	w := &walk{document: d, seen: map[uint32]bool{}}
	err := w.places()
	if err == nil {
		err = w.run()
	}
	if err == nil {
		err = w.blind
	}
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		for _, s := range steps {
			s.unread(err)
		}
	}
	for _, s := range d.strays {
		if !w.seen[s.num] {
			continue // nothing leads to it: nobody sees it, or the walk ended before, which is told
		}
		if err := d.tellStray(s); err != nil {
			return err
		}
	}
	return nil
}

// tellStray tells of a stray in words.
func (d *document) tellStray(s stray) error {
	what, page, err := d.whereIs(s.num, s.was)
	if err != nil {
		return err
	}
	c := s.step.change(changeContent, "改变%[1]s（对象 %[3]d）", "changes %[2]s (object %[3]d)", what.ZH, what.EN, s.num)
	c.Object, c.Page = s.num, page
	return nil
}

// referrersInnocent reports whether nothing that refers to an added or redefined object does so in another way than is allowed,
// whether the newest revision reaches it or not. false: a walk must tell.
func (d *document) referrersInnocent() (bool, error) {
	s, wanted := d.bytes.survey, d.bytes.listing.Later
	encrypted, _ := d.file.Encrypted()
	if len(d.strays) > 0 || encrypted || d.file.Repaired() != nil || s.Unsettled.References || d.bytes.unread != nil {
		return false, nil
	}
	for n := range d.added {
		if !wanted.Has(n) {
			return false, nil
		}
	}
	for n := range d.redone {
		if !wanted.Has(n) {
			return false, nil
		}
	}
	packed, err := s.Packed(d.ctx)
	if err != nil {
		if isOfFile(err) {
			err = nil
		}
		return false, err
	}
	budget := d.budget
	w := &walk{document: d, silent: true}
	if err := w.places(); err != nil {
		if isOfFile(err) {
			err = nil
		}
		return false, err
	}
	w.trailer(func(pdf.Ref) {})
	for _, list := range [][]pdf.Ref{s.Referring, packed} {
		for i, r := range list {
			if i%1024 == 0 {
				if err := d.ctx.Err(); err != nil {
					return false, err
				}
			}
			if w.told > 0 || w.blind != nil || d.budget == 0 {
				d.budget = budget
				return false, nil
			}
			if err := w.from(r.Num, func(pdf.Ref) {}); err != nil {
				return false, err
			}
		}
	}
	innocent := w.told == 0 && w.blind == nil
	if !innocent {
		d.budget = budget
	}
	return innocent, nil
}

type walk struct {
	*document
	*pageMap
	silent                 bool   // nothing is told but that there is something
	root, form, extensions uint32 // catalog, and what it calls so; 0: no object of its own
	seen                   map[uint32]bool
	queue                  []uint32
	blind                  error // an object could not be read: what it leads to is not known
	told                   int
}

// places finds the objects that decide what may lead where.
func (w *walk) places() (err error) {
	number := func(o pdf.Object) uint32 {
		r, _ := o.(pdf.Ref)
		return r.Num
	}
	w.root = number(w.file.Trailer().Get("Root"))
	catalog, err := w.file.Catalog()
	if err != nil {
		return err
	}
	w.form, w.extensions = number(catalog.Dict().Get("AcroForm")), number(catalog.Dict().Get("Extensions"))
	w.pageMap, err = w.document.pageMap()
	return err
}

// trailer judges the references of the trailer, and hands each on.
func (w *walk) trailer(meet func(pdf.Ref)) {
	for _, e := range w.file.Trailer().Entries {
		eachRef(e.Value, func(r pdf.Ref, _ []pdf.Name) {
			if e.Key != "Root" && e.Key != "Info" {
				w.judge(0, nil, r.Num, []pdf.Name{e.Key})
			}
			meet(r)
		})
	}
}

func (w *walk) run() error {
	w.trailer(w.meet)
	for len(w.queue) > 0 {
		next := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		if err := w.visit(next); err != nil {
			return err
		}
	}
	return nil
}

// meet: the generation of a reference does not count, there are readers that do not look at it.
func (w *walk) meet(r pdf.Ref) {
	if !w.seen[r.Num] {
		w.seen[r.Num] = true
		w.queue = append(w.queue, r.Num)
	}
}

func (w *walk) visit(num uint32) error {
	if len(w.seen)%1024 == 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
	}
	return w.from(num, w.meet)
}

// from judges the references of one object, and hands each on.
func (w *walk) from(num uint32, meet func(pdf.Ref)) error {
	if err := w.spend(1); err != nil {
		return err
	}
	o, err := w.file.Peek(pdf.Ref{Num: num, Gen: w.generation(num)})
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		return w.unparsed(num, err)
	}
	fresh, version := w.added[num], w.version(num)
	section := w.silent && slices.ContainsFunc(w.file.Sections(), func(s pdf.Section) bool { return s.Offset == o.Header || s.XRefStm > 0 && s.XRefStm == o.Header })
	eachRef(o.Value, func(to pdf.Ref, path []pdf.Name) {
		switch trailer := section && len(path) > 0 && (path[0] == "Root" || path[0] == "Info"); {
		case trailer:
		case w.adders[to.Num] > version:
			w.tell(num, to.Num)
		case !fresh:
			w.judge(num, o.Dict(), to.Num, path)
		}
		meet(to)
	})
	return nil
}

// mayRefer finds what may be a reference.
var mayRefer = regexp.MustCompile(`([0-9]+)[\x00\t\n\f\r ]+[0-9]+[\x00\t\n\f\r ]*R`)

// unparsed looks at the bytes of an object that cannot be read, as others may read it: it may lead to any object that stands there as a
// reference does. Where its end cannot be told, what it leads to is not known.
func (w *walk) unparsed(num uint32, why error) error {
	x, _ := w.file.Lookup(num)
	b := []byte(nil)
	if x.Type == 1 && x.Offset < w.size {
		var err error
		if b, err = w.read(x.Offset, min(w.size, x.Offset+maxUnparsed)); err != nil {
			return err
		}
	}
	end := bytes.Index(b, []byte("endobj"))
	if end < 0 || bytes.ContainsAny(b[:end], "(%") || bytes.Contains(b[:end], []byte("stream")) {
		if w.blind == nil {
			w.blind = why
		}
		return nil
	}
	for _, m := range mayRefer.FindAllSubmatch(b[:end], -1) {
		n, err := strconv.ParseUint(string(m[1]), 10, 32)
		if err != nil {
			continue
		}
		to := uint32(n)
		if _, redone := w.redone[to]; redone || w.added[to] {
			w.tell(num, to)
		}
		if !w.silent {
			w.meet(pdf.Ref{Num: to})
		}
	}
	return nil
}

const maxUnparsed = 64 << 10 // bytes

// version is the revision in which an object was last defined; 0: one that a signature signed, or before.
func (d *document) version(num uint32) int {
	if s := d.writers[num]; len(s) > 0 {
		return s[len(s)-1].revision
	}
	return 0
}

// ledNowhere: what an object led to before it was there must not be put there later. Until then nobody has seen it.
func (c *comparison) ledNowhere() error {
	for _, num := range c.order {
		w := c.written[num]
		if w.was == nil {
			continue
		}
		version := c.version(num)
		eachRef(w.was.Value, func(to pdf.Ref, _ []pdf.Name) {
			if c.isNew(to.Num) || c.adders[to.Num] > version {
				c.change(changeContent, "对象 %[1]d 中原先落空的引用，现指向对象 %[2]d", "has a reference in object %[1]d that led nowhere lead to object %[2]d", num, to.Num).Object = to.Num
			}
		})
	}
	return nil
}

// mayLead says under which keys of an object that was redefined in a place new objects may hang. nil: under any.
var mayLead = map[place][]pdf.Name{
	catalogs:   {"AcroForm", "DSS", "Extensions", "Metadata"},
	forms:      {"Fields", "DR"},
	pages:      {"Annots"},
	fields:     {"V", "AP", "MK", "Kids"},
	fieldLists: nil, annotLists: nil, notes: nil, looks: nil, validations: nil, extensions: nil, resources: nil, tags: nil,
}

// judge looks at one reference, from an object that a later revision did not add; 0 is the trailer. holder is its dictionary.
func (w *walk) judge(from uint32, holder *pdf.Dict, to uint32, path []pdf.Name) {
	p, redone := w.redone[from]
	if w.added[to] {
		keys, known := mayLead[p]
		if !redone || !known || keys != nil && (len(path) == 0 || !slices.Contains(keys, path[0])) {
			w.tell(from, to)
		}
		return
	}
	q, redone := w.redone[to]
	if redone && !w.mayMeet(from, holder, to, path, p, q) {
		w.tell(from, to)
	}
}

// mayMeet says whether a reference leads to an object that was redefined in a place, in the one way that belongs to that place. Keys
// alone do not tell: a dictionary of resources has whatever keys its maker likes, and what is metadata to the catalog may be a letter
// of a font. So it counts who refers.
func (w *walk) mayMeet(from uint32, holder *pdf.Dict, to uint32, path []pdf.Name, p, q place) bool {
	top := pdf.Name("")
	if len(path) > 0 {
		top = path[0]
	}
	catalog := from == w.root && from != 0
	is := func(keys ...pdf.Name) bool { return slices.Equal(path, keys) }
	_, page := w.number[from]
	_, note := w.notes[from]
	switch q {
	case pages: // a page may be named anywhere; only its /Annots changed
		return true
	case tags: // from the tree itself and what its numbers and names stand in, and from outlines and destinations
		return catalog && top == "StructTreeRoot" || p == tags || len(path) == 0 || slices.Contains(tagWays, top) ||
			slices.Contains([]pdf.Object{pdf.Name("StructTreeRoot"), pdf.Name("StructElem")}, holder.Get("Type"))
	case catalogs:
		return top == "Reference" // of a signature: what its lock is about
	case forms:
		return catalog && is("AcroForm")
	case fieldLists:
		return catalog && is("AcroForm", "Fields") || from == w.form && is("Fields")
	case annotLists:
		return page && is("Annots")
	case fields:
		return len(path) == 0 || slices.Contains(fieldWays, top)
	case notes:
		switch {
		case page:
			return top == "Annots"
		case note:
			return is("Popup") || is("Parent") || is("IRT")
		case len(path) == 0:
			return w.lists[from] != 0
		}
		return path[len(path)-1] == "Obj" && (holder.Get("Type") == pdf.Name("OBJR") || top == "K") // of the structure tree
	case looks:
		return w.owners[to][from] && (top == "AP" || p == looks)
	case resources:
		return top == "DR" || top == "AcroForm" && len(path) > 1 && path[1] == "DR" || p == resources
	case validations:
		return catalog && top == "DSS" || w.inStore[from]
	case metadata:
		return catalog && is("Metadata")
	case extensions:
		return catalog && top == "Extensions" || from == w.extensions && from != 0
	}
	return false
}

// tagWays are keys by which elements of the structure tree and nodes of its trees may be met, by whomever: no other dictionary that has
// them takes what is behind them for something that it shows.
var tagWays = []pdf.Name{"Kids", "Nums", "Names", "SE", "SD", "P"}

// fieldWays are the keys by which a field may be met, by whomever: filling it changes nothing that means anything elsewhere.
var fieldWays = []pdf.Name{"Fields", "AcroForm", "Kids", "Annots", "Parent", "K", "CO", "Popup", "IRT"}

// tell notes a reference in every step that wrote one of its ends: it was there when whoever signed later signed.
func (w *walk) tell(from, to uint32) {
	if w.told++; w.told > maxTold || w.silent {
		return
	}
	told := map[*step]bool{}
	for _, s := range slices.Concat(w.writers[to], w.writers[from]) {
		if told[s] {
			continue
		}
		told[s] = true
		s.change(changeContent, "对象 %[1]d 以其他方式引用了其后改写或新增的对象 %[2]d",
			"object %[1]d leads, in another way, to object %[2]d, which was added or redefined later", from, to).Object = to
	}
}

// whereIs says what an object is and on which page it is seen, for people.
func (d *document) whereIs(num uint32, was *pdf.Indirect) (Text, int, error) {
	path, page, err := d.pathTo(num)
	if err != nil {
		return Text{}, 0, err
	}
	kind := Text{"内容", "an object"}
	if dict := was.Dict(); dict != nil {
		if t := nameText(dict.Get("Type")); t != "" {
			kind = Text{t, t}
		} else if _, ok := was.Value.(*pdf.Stream); ok {
			kind = Text{"数据流", "a stream"}
		}
	}
	for i, k := range path { // the innermost that tells, but for an annotation and all that belongs to it
		if t, ok := pathTexts[k]; ok && (i == 0 || path[0] != "Annots") {
			kind = t
		}
	}
	switch {
	case page > 0:
		return Text{fmt.Sprintf("第 %d 页的%s", page, kind.ZH), fmt.Sprintf("%s of page %d", kind.EN, page)}, page, nil
	case len(path) > 0:
		if t, ok := catalogTexts[path[0]]; ok {
			return Text{t.ZH, t.EN}, 0, nil
		}
		name := plain.Text(string(path[0]))
		return Text{kind.ZH + "（/" + name + "）", kind.EN + " under /" + name}, 0, nil
	}
	return kind, 0, nil
}

var pathTexts = map[pdf.Name]Text{
	"Contents": {"页面内容", "the content"}, "Font": {"字体", "a font"}, "XObject": {"图像或表单", "a picture or form"}, "ExtGState": {"图形状态", "a graphics state"},
	"ColorSpace": {"色彩空间", "a colour space"}, "Pattern": {"图案", "a pattern"}, "Shading": {"渐变", "a shading"}, "Properties": {"标记属性", "marked content"},
	"Annots": {"注释", "an annotation"}, "Resources": {"资源", "the resources"},
}
