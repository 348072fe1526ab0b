package verify

import (
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
)

// standing is the page on which a widget is seen. lost is the code of pictureRule that says why it is seen on none.
func (d *document) standing(ref pdf.Ref, w *pdf.Dict) (page *pdf.Page, lost string, err error) {
	page, err = d.listing(ref, w)
	switch {
	case err != nil:
		return nil, "", err
	case page == nil:
		return nil, "picture-on-no-page", nil
	}
	on, err := d.layerOn(w.Get("OC"))
	switch {
	case err != nil:
		return nil, "", err
	case !on:
		return nil, "picture-layer-off", nil
	}
	rect, _, err := d.file.Rectangle(w.Get("Rect"))
	if c := page.CropBox; err == nil && area(rect[0], rect[1], rect[2], rect[3])/2 > area(max(rect[0], c[0]), max(rect[1], c[1]), min(rect[2], c[2]), min(rect[3], c[3])) {
		return nil, "picture-outside", nil // a seal may overhang, but not by half of it
	}
	return page, "", err
}

func area(left, bottom, right, top float64) float64 { return max(0, right-left) * max(0, top-bottom) }

// listing is the page whose /Annots lists a widget: the one that the widget names, or where it names none, the first that does; nil: none.
func (d *document) listing(ref pdf.Ref, w *pdf.Dict) (*pdf.Page, error) {
	named, ok := w.Get("P").(pdf.Ref)
	if !ok {
		n, err := d.pageOf(ref.Num)
		if err != nil || n == 0 {
			return nil, err
		}
		return d.file.Page(n)
	}
	page, err := d.pageNamed(named)
	if err != nil || page == nil {
		return nil, err
	}
	list, err := items(d.file, page.Dict().Get("Annots"))
	if err != nil || !slices.Contains(list, pdf.Object(ref)) {
		return nil, err
	}
	return page, nil
}

// maxClimbs is how many pages are looked up one by one, each from its object up to the root of the page tree.
const maxClimbs = 16

// pageNamed is the page that is object r; nil: none. Where widgets name many pages, all are looked up in one walk.
func (d *document) pageNamed(r pdf.Ref) (*pdf.Page, error) {
	if p, ok := d.named[r]; ok || d.allNamed {
		return p, nil
	}
	if len(d.named) < maxClimbs {
		p, err := d.file.PageAt(r)
		if err == nil {
			d.named[r] = p
		}
		return p, err
	}
	wanted := map[pdf.Ref]bool{}
	for i := range d.found {
		for _, ref := range d.found[i].Widgets {
			o, err := d.file.Load(ref)
			if err != nil && !isOfFile(err) {
				return nil, err
			}
			if p, ok := o.Dict().Get("P").(pdf.Ref); ok {
				wanted[p] = true
			}
		}
	}
	err := d.file.EachPage(func(_ int, p *pdf.Page) error {
		if wanted[p.Ref] {
			d.named[p.Ref] = p
		}
		return d.ctx.Err()
	})
	d.allNamed = err == nil
	return d.named[r], err
}

// layerOn says whether optional content is shown (ISO 32000-2, 8.11) as the document begins, whatever a reader of it may switch. Where that
// depends on how it is used (/AS), or on an expression (/VE), it is not sure to be.
func (d *document) layerOn(oc pdf.Object) (bool, error) {
	if oc == nil {
		return true, nil
	}
	o, err := d.file.Resolve(oc)
	member, _ := o.(*pdf.Dict)
	if err != nil || member == nil {
		return err == nil && o == nil, err
	}
	if member.Get("Type") != pdf.Name("OCMD") {
		return d.groupOn(oc)
	}
	policy, err := d.file.Resolve(member.Get("P"))
	if err != nil || member.Get("VE") != nil || policy != nil && policy != pdf.Name("AnyOn") {
		return false, err
	}
	groups := []pdf.Object{member.Get("OCGs")}
	if list, err := items(d.file, groups[0]); err != nil {
		return false, err
	} else if list != nil {
		groups = list
	}
	for _, g := range groups[:min(len(groups), maxGroups)] {
		if on, err := d.groupOn(g); on || err != nil {
			return on, err
		}
	}
	return false, nil
}

const maxGroups = 64 // of one membership that are looked at

// groupOn says whether a group is on by the default configuration.
func (d *document) groupOn(group pdf.Object) (bool, error) {
	ref, ok := group.(pdf.Ref)
	if !ok {
		return false, nil
	}
	catalog, err := d.file.Catalog()
	if err != nil {
		return false, err
	}
	all, err := d.file.GetDict(catalog.Dict(), "OCProperties")
	if err != nil || all == nil {
		return true, err
	}
	config, err := d.file.GetDict(all, "D")
	if err != nil {
		return false, err
	}
	base, err := d.file.Resolve(config.Get("BaseState"))
	if err != nil {
		return false, err
	}
	on := base == nil || base == pdf.Name("ON")
	for _, k := range []pdf.Name{"ON", "OFF"} {
		list, err := items(d.file, config.Get(k))
		if err != nil {
			return false, err
		}
		if slices.Contains(list, pdf.Object(ref)) {
			on = k == "ON"
		}
	}
	uses, err := items(d.file, config.Get("AS"))
	if err != nil || !on {
		return false, err
	}
	for _, u := range uses[:min(len(uses), maxGroups)] {
		o, err := d.file.Resolve(u)
		use, _ := o.(*pdf.Dict)
		if err != nil {
			return false, err
		}
		list, err := items(d.file, use.Get("OCGs"))
		if err != nil || slices.Contains(list, pdf.Object(ref)) {
			return false, err
		}
	}
	return true, nil
}
