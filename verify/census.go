package verify

import (
	"fmt"
	"slices"

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
	w := &walk{document: d, seen: map[uint32]bool{}, strayed: map[uint32]bool{}}
	for _, s := range d.strays {
		w.strayed[s.num] = true
	}
	err := w.run()
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		for _, s := range steps {
			s.unread(err)
		}
	}
	for _, s := range d.strays {
		if err == nil && !w.seen[s.num] {
			continue // nothing leads to it: nobody sees it
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
	w.trailer(func(pdf.Ref) {})
	for _, list := range [][]pdf.Ref{s.Referring, packed} {
		for i, r := range list {
			if i%1024 == 0 {
				if err := d.ctx.Err(); err != nil {
					return false, err
				}
			}
			if w.told > 0 || d.budget == 0 {
				d.budget = budget
				return false, nil
			}
			if err := w.from(r, func(pdf.Ref) {}); err != nil {
				return false, err
			}
		}
	}
	if w.told > 0 {
		d.budget = budget
	}
	return w.told == 0, nil
}

type walk struct {
	*document
	silent  bool // nothing is told but that there is something
	seen    map[uint32]bool
	strayed map[uint32]bool
	queue   []pdf.Ref
	told    int
}

// trailer judges the references of the trailer, and hands each on.
func (w *walk) trailer(meet func(pdf.Ref)) {
	for _, e := range w.file.Trailer().Entries {
		eachRef(e.Value, func(r pdf.Ref, _ []pdf.Name) {
			if e.Key != "Root" && e.Key != "Info" {
				w.judge(0, r.Num, []pdf.Name{e.Key})
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

func (w *walk) meet(r pdf.Ref) {
	if !w.seen[r.Num] {
		w.seen[r.Num] = true
		w.queue = append(w.queue, r)
	}
}

func (w *walk) visit(r pdf.Ref) error {
	if len(w.seen)%1024 == 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
	}
	return w.from(r, w.meet)
}

// from judges the references of one object, and hands each on.
func (w *walk) from(r pdf.Ref, meet func(pdf.Ref)) error {
	if err := w.spend(1); err != nil {
		return err
	}
	o, err := w.file.Load(r)
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		return nil // unreadable now as it was when it was signed: the object itself is not of the later revisions, or compare has told
	}
	fresh := w.added[r.Num]
	section := w.silent && slices.ContainsFunc(w.file.Sections(), func(s pdf.Section) bool { return s.Offset == o.Header || s.XRefStm > 0 && s.XRefStm == o.Header })
	eachRef(o.Value, func(to pdf.Ref, path []pdf.Name) {
		if trailer := section && len(path) > 0 && (path[0] == "Root" || path[0] == "Info"); !fresh && !trailer {
			w.judge(r.Num, to.Num, path)
		}
		meet(to)
	})
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

// reachedBy says under which keys an object that was redefined may be met; the outermost key counts.
var reachedBy = map[place][]pdf.Name{
	catalogs:   {"Reference"}, // of a signature: what its lock is about
	forms:      {"AcroForm"},
	fieldLists: {"Fields", "AcroForm"},
	annotLists: {"Annots"},
	fields:     {"Fields", "AcroForm", "Kids", "Annots", "Parent", "K", "CO", "Popup", "IRT"},
	notes:      {"Annots", "Parent", "Popup", "IRT", "K"},
	metadata:   {"Metadata"},
	extensions: {"Extensions"},
	infos:      {},
}

// judge looks at one reference from an object that a later revision did not add; 0 is the trailer.
func (w *walk) judge(from, to uint32, path []pdf.Name) {
	p, redone := w.redone[from]
	top := pdf.Name("")
	if len(path) > 0 {
		top = path[0]
	}
	if w.added[to] {
		keys, known := mayLead[p]
		if !redone || !known || keys != nil && !slices.Contains(keys, top) {
			w.tell(from, to)
		}
		return
	}
	q, redone := w.redone[to]
	if !redone {
		return
	}
	ok := false
	switch q {
	case pages, tags: // a page may be named anywhere; only its /Annots changed
		ok = true
	case freed:
	case validations:
		ok = top == "DSS" || w.inStore[from]
	case looks:
		ok = w.owners[to][from] && (top == "AP" || p == looks)
	case resources:
		ok = top == "DR" || top == "AcroForm" && len(path) > 1 && path[1] == "DR" || p == resources
	default:
		ok = slices.Contains(reachedBy[q], top) || p == fieldLists && q == fields || p == annotLists && (q == notes || q == fields)
		ok = ok || len(path) == 0 && (q == fields || q == notes) // from an array, which whoever leads to it answers for
	}
	if !ok {
		w.tell(from, to)
	}
}

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
