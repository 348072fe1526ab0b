package verify

import (
	"fmt"
	"maps"
	"slices"

	"github.com/courtseal/courtseal/internal/pageink"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/plain"
)

// cover says what the things that were added later hide of what the page showed before. The picture of a seal may stand over text, that
// is what courts do, where it is exactly the picture of a seal that is valid here; anything else that stands over letters, pictures or
// another seal is told of, since it may be there to hide them (ISO 32000-2 does not forbid it at any level that allows the thing itself).
func (d *document) cover(cases []*pdfCase, steps []*step) error {
	for _, s := range steps {
		if s.dead || len(s.changes) == 0 {
			continue // it is not allowed anyhow
		}
		if err := d.coverStep(cases, s); err != nil {
			if !isOfFile(err) {
				return err
			}
			s.unread(err)
		}
	}
	return nil
}

func (d *document) coverStep(cases []*pdfCase, s *step) error {
	c := &covering{document: d, before: s.revision - 2}
	for i, ch := range s.signings {
		var own []uint32
		for _, w := range cases[i].field.Widgets {
			own = append(own, w.Num)
		}
		if showsSeal(cases[i]) {
			ch.shown = true
			if err := c.overSeals(cases, i, ch); err != nil {
				return err
			}
			continue
		}
		if err := c.widgets(ch, own); err != nil {
			return err
		}
	}
	for _, ch := range s.changes {
		switch ch.Kind {
		case changeFill, changeField:
			if err := c.widgets(ch, slices.Sorted(maps.Keys(d.fillings[ch]))); err != nil {
				return err
			}
		case changeAnnotation:
			if err := c.annotation(s, ch); err != nil {
				return err
			}
		}
	}
	return nil
}

// showsSeal: what is seen of a signature is exactly the picture of its seal, and nothing is wrong with it or doubtful.
func showsSeal(c *pdfCase) bool {
	return worst(c.sig.Checks) == Valid && slices.Contains([]string{codeOK, "picture-parts", "picture-size"}, c.sig.Check("picture").Code)
}

// A covering looks at one revision through what the next one put over it.
type covering struct {
	*document
	before   int // index of the revision
	old, new *pageink.Reader
	after    *pdf.File
}

func (c *covering) open() error {
	if c.old != nil {
		return nil
	}
	old, err := c.view(c.before)
	if err != nil {
		return err
	}
	if c.after, err = c.view(c.before + 1); err != nil {
		return err
	}
	c.old, c.new = pageink.New(old), pageink.New(c.after)
	return nil
}

// widgets looks under the widgets of a field that were added, or look otherwise than before.
func (c *covering) widgets(ch *Change, own []uint32) error {
	for _, num := range own {
		if err := c.spend(1); err != nil {
			return err
		}
		if err := c.open(); err != nil {
			return err
		}
		o, err := c.after.Load(pdf.Ref{Num: num, Gen: c.generation(num)})
		if err != nil {
			return err
		}
		if o.Dict() == nil {
			continue
		}
		if err := c.under(ch, num, o.Dict(), own); err != nil {
			return err
		}
	}
	return nil
}

// under looks under one widget; own are those that do not count.
func (c *covering) under(ch *Change, num uint32, d *pdf.Dict, own []uint32) error {
	n, err := c.pageOf(num)
	if err != nil {
		return err
	}
	if c.onPages.twice[num] {
		ch.covers = &Text{"不止一页列出它", "more than one page lists it"}
	}
	box, ok, err := c.after.Rectangle(d.Get("Rect"))
	if err != nil {
		return err
	}
	flags, err := c.after.Resolve(d.Get("F"))
	if err != nil {
		return err
	}
	if f, _ := flags.(int64); n == 0 || !ok || f&pdf.AnnotHidden != 0 {
		return nil
	}
	page, err := c.after.Page(n)
	if err != nil {
		return err
	}
	hides, err := c.new.Hides(c.ctx, page, d)
	if err != nil && !isOfFile(err) {
		return err
	}
	if !hides {
		return nil
	}
	ch.shown = true
	if ch.Page == 0 {
		ch.Page = n
	}
	return c.in(ch, n, box, own)
}

// in looks at what a box of a page showed before.
func (c *covering) in(ch *Change, page int, box [4]float64, own []uint32) error {
	found, err := c.old.Under(c.ctx, page, box, func(r pdf.Ref) bool { return slices.Contains(own, r.Num) })
	switch {
	case err != nil && !isOfFile(err):
		return err
	case err != nil:
		ch.covers = &Text{fmt.Sprintf("无法得知第 %d 页该处原有何物：%v", page, err), fmt.Sprintf("what stood there on page %d cannot be known: %v", page, err)}
	case !found.Empty():
		ch.covers = coverText(page, &found)
	}
	return nil
}

// coverText names what is covered.
func coverText(page int, f *pageink.Found) *Text {
	var t Text
	switch {
	case f.Letters > 0:
		text := plain.Text(f.Text)
		t = Text{fmt.Sprintf("文字“%s”等 %d 字", text, f.Letters), fmt.Sprintf("%d letters, %q", f.Letters, text)}
	case f.Pictures > 0:
		t = Text{"图像", "a picture"}
	case len(f.Widgets) > 0:
		t = Text{fmt.Sprintf("另一域（对象 %d）", f.Widgets[0].Num), fmt.Sprintf("another field (object %d)", f.Widgets[0].Num)}
	case len(f.Annots) > 0:
		t = Text{fmt.Sprintf("另一注释（对象 %d）", f.Annots[0].Num), fmt.Sprintf("another annotation (object %d)", f.Annots[0].Num)}
	default:
		t = Text{"图形", "a drawing"}
	}
	return &Text{fmt.Sprintf("遮盖第 %d 页的%s", page, t.ZH), fmt.Sprintf("over %s on page %d", t.EN, page)}
}

// annotation looks at an annotation that was added or changed, and under it.
func (c *covering) annotation(s *step, ch *Change) error {
	if ch.note == nil || ch.Page == 0 {
		return nil
	}
	if err := c.open(); err != nil {
		return err
	}
	page, err := c.after.Page(ch.Page)
	if err != nil {
		return err
	}
	look, err := laterLook(c.ctx, c.new, c.after, page, ch.note)
	switch {
	case err != nil && !isOfFile(err):
		return err
	case err != nil:
		ch.covers = &Text{fmt.Sprintf("无法得知其遮盖何物：%v", err), fmt.Sprintf("what it hides cannot be known: %v", err)}
		return nil
	case look.Wrong != nil:
		ch.Kind, s.dead = changeContent, true
		ch.covers = look.Wrong
		return nil
	case !look.Covers:
		return nil
	}
	return c.in(ch, ch.Page, look.Area, []uint32{ch.Object})
}

// overSeals notes where a seal stands over another one: several stand in a row, not touching.
func (c *covering) overSeals(cases []*pdfCase, i int, ch *Change) error {
	mine, err := c.boxes(cases[i])
	if err != nil {
		return err
	}
	for _, w := range cases[i].field.Widgets {
		if c.onPages.twice[w.Num] {
			ch.covers = &Text{"不止一页列出它", "more than one page lists it"}
		}
	}
	for k, other := range cases {
		if k == i || other.span.end == 0 || other.span.end >= cases[i].span.end {
			continue
		}
		theirs, err := c.boxes(other)
		if err != nil {
			return err
		}
		for _, a := range mine {
			for _, b := range theirs {
				if a.page == b.page && overlap(a.box, b.box) {
					cases[i].note("seals-overlap", fmt.Sprintf("第 %d 页：压在签章 %s 之上", a.page, plain.Text(clipName(other.field.Name))),
						fmt.Sprintf("page %d: it stands over the signature %s", a.page, plain.Text(clipName(other.field.Name))))
					return nil
				}
			}
		}
	}
	return nil
}

// A placed is a widget on a page.
type placed struct {
	page int
	box  [4]float64
}

// boxes are where a signature is seen.
func (c *covering) boxes(k *pdfCase) (out []placed, err error) {
	if k.boxes != nil {
		return k.boxes, nil
	}
	if _, err := c.pageMap(); err != nil {
		return nil, err
	}
	k.boxes = []placed{}
	for _, w := range k.field.Widgets {
		if err := c.spend(1); err != nil {
			return nil, err
		}
		o, err := c.file.Load(w)
		if err != nil || o.Dict() == nil {
			continue
		}
		n, err := c.pageOf(w.Num)
		if err != nil {
			return nil, err
		}
		if box, ok, err := c.file.Rectangle(o.Dict().Get("Rect")); err == nil && ok && n > 0 {
			k.boxes = append(k.boxes, placed{n, box})
		}
	}
	return k.boxes, nil
}

// overlap: two boxes have more in common than an edge.
func overlap(a, b [4]float64) bool {
	const hair = 0.5 // points
	return a[0] < b[2]-hair && b[0] < a[2]-hair && a[1] < b[3]-hair && b[1] < a[3]-hair
}
