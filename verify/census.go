package verify

import (
	"fmt"

	"github.com/courtseal/courtseal/internal/pdf"
)

// census walks everything that the newest revision reaches, and sees how the objects that later revisions added or
// redefined are reached: what a signature added only from the signature, what it redefined only in the one place in
// which that was allowed. An array that is at once the form's /Fields and the /Kids of the page tree would grow a page.
//
// What does not change between revisions refers to the same things in each, so one walk serves them all.
func (d *document) census() error {
	w := &walk{document: d, seen: map[uint32]bool{}}
	for _, k := range []pdf.Name{"Root", "Info"} {
		if r, ok := d.file.Trailer().Get(k).(pdf.Ref); ok {
			w.meet(r, k, 0)
		}
	}
	for len(w.queue) > 0 && w.found == nil {
		next := w.queue[len(w.queue)-1]
		w.queue = w.queue[:len(w.queue)-1]
		if err := w.visit(next); err != nil {
			return err
		}
	}
	if w.found == nil {
		return nil
	}
	for _, s := range d.steps { // whichever it was: none of them can be trusted to be a signature alone
		if s != nil {
			s.changes = append(s.changes, *w.found)
		}
	}
	return nil
}

type walk struct {
	*document
	seen  map[uint32]bool
	queue []visit
	found *Text
}

type visit struct {
	ref pdf.Ref
	key pdf.Name // that led to it
}

func (w *walk) meet(r pdf.Ref, key pdf.Name, from uint32) {
	if !w.seen[r.Num] {
		w.seen[r.Num] = true
		w.queue = append(w.queue, visit{r, key})
	}
}

func (w *walk) visit(v visit) error {
	if err := w.spend(1); err != nil {
		return err
	}
	if len(w.seen)%1024 == 0 {
		if err := w.ctx.Err(); err != nil {
			return err
		}
	}
	o, err := w.file.Load(v.ref)
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		return nil // unreadable now as it was when it was signed: the object itself is not of the later revisions, or step has told
	}
	fresh, num := w.added[v.ref.Num], v.ref.Num
	eachRef(o.Value, v.key, func(r pdf.Ref, key pdf.Name) {
		if !fresh {
			w.judge(num, r.Num, key)
		}
		w.meet(r, key, num)
	})
	return nil
}

// reachedBy says under which keys an object that was redefined may be met.
var reachedBy = map[place][]pdf.Name{
	catalogPlace: {"Data"}, // of a signature's /Reference: what its lock is about
	formPlace:    {"AcroForm"},
	fieldsPlace:  {"Fields"},
	annotsPlace:  {"Annots"},
	fieldPlace:   {"Fields", "Kids", "Annots", "Parent", "Obj", "CO"},
}

// judge looks at one reference from an object that a later revision did not add.
func (w *walk) judge(from, to uint32, key pdf.Name) {
	if w.added[to] {
		p, redone := w.redone[from]
		allowed := redone && (contains(changeable[p], key) || p == fieldsPlace || p == annotsPlace)
		// In a catalog that holds its form directly, the form's own keys are met.
		allowed = allowed || redone && p == catalogPlace && (key == "Fields" || key == "AcroForm") || redone && p == fieldPlace && (key == "N" || key == "D" || key == "R")
		if !allowed {
			w.tell(from, to)
		}
		return
	}
	p, redone := w.redone[to]
	if !redone || p == pagePlace { // a page may be named anywhere; only its /Annots changed
		return
	}
	if !contains(reachedBy[p], key) {
		w.tell(from, to)
	}
}

func (w *walk) tell(from, to uint32) {
	if w.found == nil {
		w.found = &Text{
			fmt.Sprintf("对象 %d 以其他方式引用了其后改写或新增的对象 %d", from, to),
			fmt.Sprintf("object %d leads, in another way, to object %d, which was added or redefined later", from, to),
		}
	}
}
