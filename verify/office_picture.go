package verify

import (
	"bytes"
	"cmp"
	"math"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/wordml"
	"github.com/courtseal/courtseal/internal/wordscan"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/seal"
)

// A sighting is a picture in a Word document that claims to be a seal.
type sighting struct {
	wordml.Shown
	part *opc.Part // in which it stands
}

// A look is what was seen of a document's text.
type look struct {
	found  []wordscan.Finding
	err    error // the rest could not be looked at
	seals  []sighting
	unread error // the pictures of a part could not be looked at
}

// look looks through the text of the document, for what is not settled by what is signed and for pictures of seals.
func (d *office) look() *look {
	l := new(look)
	l.found, l.err = wordscan.ScanWith(d.pkg, func(p *opc.Part) (b []byte, err error) {
		if b = d.kept[p]; b == nil {
			if b, err = d.pkg.Read(p); err != nil {
				return nil, err
			}
		}
		shown, err := wordml.Seals(b, xmldoc.Limits{})
		if err != nil {
			l.unread = err
		}
		for _, s := range shown {
			l.seals = append(l.seals, sighting{s, p})
		}
		return b, nil
	})
	return l
}

// picture compares what the document shows as a seal with what the seal holds: pictures in the text, and those of signature lines.
func (d *office) picture(c *officeCase, e *seal.Seal) {
	if err := cmp.Or(d.seen.unread, d.seen.err); err != nil {
		c.add(pictureRule.check("picture-unreadable", err.Error()))
		return
	}
	shown, size := false, 1.0
	for _, s := range d.seen.seals {
		if s.ESID != e.ID || s.Hidden || s.Width == 0 || s.Height == 0 {
			continue
		}
		r, _ := d.pkg.Rels(s.part.Name).ByID(s.RelID)
		image := d.pkg.Part(r.Part)
		if image == nil {
			c.add(pictureRule.check("picture-differs"))
			return
		}
		b, err := d.pkg.Read(image)
		if err != nil {
			c.add(pictureRule.check("picture-unreadable", err.Error()))
			return
		}
		w, h := float64(e.Picture.Width), float64(e.Picture.Height)
		if !bytes.Equal(b, e.Picture.Data) || math.Abs(s.Width*h-s.Height*w) > 0.01*(s.Width*h+s.Height*w) {
			c.add(pictureRule.check("picture-differs"))
			return
		}
		if s.Altered {
			c.add(pictureRule.check("picture-foreign"))
			return
		}
		shown, size = true, further(size, s.Width/w)
	}
	if n := c.native; n != nil && n.Info != nil && len(n.Info.Valid) > 0 && !bytes.Equal(n.Info.Valid, e.Picture.Data) {
		c.add(pictureRule.check("picture-differs"))
		return
	}
	for _, other := range d.cases { // a signature line shows the picture that stands in the signature
		if n := other.native; n != nil && n.Info != nil && bytes.Equal(n.Info.Valid, e.Picture.Data) {
			shown = true
		}
	}
	switch {
	case !shown:
		c.add(pictureRule.check("invisible"))
	case math.Abs(size-1) > 0.01:
		c.add(pictureRule.check("picture-size", int(math.Round(100*size))))
	default:
		c.add(pictureRule.check(codeOK))
	}
}

// unsealed notes pictures that claim to be a seal with which nothing in the file is signed.
func (d *office) unsealed() {
	used := map[string]bool{}
	for _, c := range d.cases {
		if c.ses != nil {
			used[c.ses.Seal.ID] = true
		}
		if c.native != nil && c.native.seal != nil {
			used[c.native.seal.ID] = true
		}
	}
	for _, s := range d.seen.seals {
		if !used[s.ESID] && !s.Hidden {
			used[s.ESID] = true
			id := clipName(s.ESID)
			d.notes = append(d.notes, Note{"picture-without-seal", Text{"文档显示印章 " + id + " 的图像，但没有使用该印章的签章",
				"the document shows a picture of the seal " + id + ", with which nothing in it is signed"}})
		}
	}
}
