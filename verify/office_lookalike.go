package verify

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/resemble"
	"github.com/courtseal/courtseal/internal/wordml"
	"github.com/courtseal/courtseal/internal/xmldoc"
)

// relImage ends the type of a relationship to a picture, in both kinds of Office Open XML.
const relImage = "/relationships/image"

const (
	maxImages     = 200      // of one package that are looked at
	maxImageBytes = 64 << 20 // of them together
)

// A shownImage is a picture of the package and where it is shown.
type shownImage struct {
	part  *opc.Part
	by    string // the part that shows it
	sizes [][2]float64
}

// lookalikes notes pictures in the document that look like a seal and belong to no signature with it. Nothing is done where no seal is known.
func (d *office) lookalikes() error {
	g := d.newGallery()
	for _, c := range d.cases {
		if e := c.sealUsed(); e != nil {
			g.hang(e)
		}
	}
	if len(g.exhibits) == 0 {
		return nil
	}
	room := int64(maxImageBytes)
	for i, m := range d.images() {
		if err := d.ctx.Err(); err != nil {
			return err
		}
		if !slices.ContainsFunc(m.sizes, func(s [2]float64) bool { return g.sized(s[0], s[1]) }) && len(m.sizes) > 0 {
			continue
		}
		where := Text{fmt.Sprintf("部件 %s 所示 %s 中", m.by, m.part.Name), fmt.Sprintf("%s, shown by %s", m.part.Name, m.by)}
		if room -= m.part.Size; room < 0 || i == maxImages {
			g.skipped(where, errTooMany)
			break
		}
		if err := d.compareImage(g, &m, where); err != nil {
			return err
		}
	}
	d.notes = append(d.notes, g.told()...)
	return nil
}

// compareImage looks whether one picture looks like a seal.
func (d *office) compareImage(g *gallery, m *shownImage, where Text) error {
	b, err := d.pkg.Read(m.part)
	switch {
	case errors.Is(err, opc.ErrDamaged) || errors.Is(err, opc.ErrLimit) || errors.Is(err, opc.ErrEncrypted) || errors.Is(err, opc.ErrMethod):
		g.skipped(where, err)
		return nil
	case err != nil:
		return err
	}
	n, err := appearance.Pixels(b)
	if err == nil {
		if g.pixels -= n; g.pixels < 0 {
			g.skipped(where, errTooMany)
			return nil
		}
		img, errDecode := appearance.Decode(b)
		if err = errDecode; err == nil {
			x, likeness, known := g.most(resemble.OfImage(img), nil)
			switch {
			case x != nil:
				g.unsigned(where, x, likeness)
			case !known:
				g.skipped(where, errTooMany)
			}
			return nil
		}
	}
	if len(m.sizes) > 0 { // else it may be anything: a chart, a drawing
		g.skipped(where, err)
	}
	return nil
}

// images lists the pictures that parts of the document show and that belong to no signature, each once. One that is shown in ways that are
// not looked at (VML, groups, sheets and slides) has no size.
func (d *office) images() (list []shownImage) {
	of := map[*opc.Part]int{}
	for _, source := range d.pkg.Sources() {
		var leads []opc.Relationship
		for _, r := range d.pkg.Rels(source).All() {
			if p := d.pkg.Part(r.Part); p != nil && strings.HasSuffix(r.Type, relImage) && !d.signs(source, r.ID) {
				leads = append(leads, r)
			}
		}
		if len(leads) == 0 {
			continue
		}
		drawn := d.drawings(source)
		for _, r := range leads {
			p := d.pkg.Part(r.Part)
			i, ok := of[p]
			if !ok {
				i = len(list)
				of[p] = i
				list = append(list, shownImage{part: p, by: source})
			}
			for _, x := range drawn {
				switch {
				case x.RelID != r.ID:
				case x.Hidden:
					list[i].sizes = append(list[i].sizes, [2]float64{})
				default:
					list[i].sizes = append(list[i].sizes, [2]float64{x.Width, x.Height})
				}
			}
		}
	}
	return list
}

// signs says whether a relationship leads to a picture that the document shows as the seal of one of its signatures, and that is its picture:
// the check picture has answered for it.
func (d *office) signs(source, id string) bool {
	return slices.ContainsFunc(d.seen.seals, func(s sighting) bool {
		return s.part.Name == source && s.RelID == id && slices.ContainsFunc(d.cases, func(c *officeCase) bool {
			e := c.sealUsed()
			return e != nil && e.ID == s.ESID && answered[c.sig.Check("picture").Code]
		})
	})
}

// drawings are those of a part; none where it cannot be read.
func (d *office) drawings(source string) []wordml.Shown {
	p := d.pkg.Part(source)
	if p == nil {
		return nil
	}
	b := d.kept[p]
	if b == nil {
		var err error
		if b, err = d.pkg.Read(p); err != nil {
			return nil
		}
	}
	list, err := wordml.Pictures(b, xmldoc.Limits{})
	if err != nil {
		return nil
	}
	return list
}
