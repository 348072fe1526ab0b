package verify

import (
	"errors"
	"fmt"
	"math"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdfimage"
	"github.com/courtseal/courtseal/internal/pdftext"
	"github.com/courtseal/courtseal/internal/resemble"
)

// A look over the pages for pictures of seals.
type pageLook struct {
	d      *document
	g      *gallery
	shown  map[pdf.Ref]bool     // widgets whose pictures the check picture has answered for
	owners map[pdf.Ref]*pdfCase // of widgets of signatures
	met    map[metPicture]pairing

	n      int // of the page
	page   *pdf.Page
	images int // left
}

// metPicture is a picture that was compared: where it is drawn again, that is not done again.
type metPicture struct {
	ref   pdf.Ref
	shape [4]int // in tenths of a millimetre
	owner *pdfCase
}

// A pairing is a picture and the seal that it looks like.
type pairing struct {
	x        *exhibit
	likeness float64
	err      error
}

const (
	maxPictures  = 2000 // that are drawn in the size of a seal
	maxLookPages = 5000
)

var errTooMany = fmt.Errorf("%w: too many pictures", pdf.ErrLimit)

// lookalikes notes pictures on the pages that look like a seal and belong to no signature with it. Nothing is done where no seal is known.
func (d *document) lookalikes(cases []*pdfCase) error {
	g := d.gallery
	l := &pageLook{d: d, g: g, shown: map[pdf.Ref]bool{}, owners: map[pdf.Ref]*pdfCase{}, met: map[metPicture]pairing{}, images: maxPictures}
	for _, c := range cases {
		if e := c.sealUsed(); e != nil {
			g.hang(e)
		}
		for _, w := range c.field.Widgets {
			l.owners[w] = c
			l.shown[w] = l.shown[w] || answered[c.sig.Check("picture").Code]
		}
	}
	if len(g.exhibits) == 0 {
		return nil
	}
	err := d.file.EachPage(func(n int, p *pdf.Page) error {
		if n > maxLookPages {
			return errTooMany
		}
		l.n, l.page = n, p
		_, err := d.painted.Pictures(d.ctx, p, l.picture)
		return err
	})
	if d.ctx.Err() != nil {
		return d.ctx.Err()
	}
	if err != nil {
		if !isOfFile(err) {
			return err
		}
		g.note("picture-not-compared", Text{fmt.Sprintf("未能查看所有页面的图像（自第 %d 页起）：%v", l.n, err),
			fmt.Sprintf("the pictures from page %d on were not all looked at: %v", l.n, err)})
	}
	d.notes = append(d.notes, g.told()...)
	return nil
}

// answered are the answers of the check picture after which nothing is left to say of a widget's appearance.
var answered = map[string]bool{codeOK: true, "picture-parts": true, "picture-size": true, "picture-turned": true, "picture-cut": true,
	"picture-differs": true, "picture-resembles": true}

// picture looks at one picture.
func (l *pageLook) picture(k *pdftext.Ink) error {
	if k.Tint.White() || k.Annot != nil && l.shown[k.Annot.Ref] {
		return nil
	}
	shape, x, y := seenOn(l.page, k.Image.Matrix)
	w, h := math.Hypot(shape[0], shape[1]), math.Hypot(shape[2], shape[3])
	if !l.g.sized(w, h) {
		return nil
	}
	if l.images--; l.images < 0 {
		return errTooMany
	}
	var owner *pdfCase
	if k.Annot != nil {
		owner = l.owners[k.Annot.Ref]
	}
	key := metPicture{ref: k.Image.Stream.Ref, owner: owner}
	for i, v := range shape {
		key.shape[i] = int(math.Round(10 * v))
	}
	m, ok := l.met[key]
	if !ok || k.Image.Inline != nil {
		m = l.compare(k.Image, shape, owner)
		l.met[key] = m
	}
	switch {
	case m.err == errTooMany || m.err != nil && !isPictureError(m.err):
		return m.err
	case m.err != nil:
		l.g.skipped(l.where(k, x, y), m.err)
	case m.x != nil:
		l.g.unsigned(l.where(k, x, y), m.x, m.likeness)
	}
	return nil
}

// isPictureError says that an error is of the picture, not of whoever reads the file.
func isPictureError(err error) bool {
	return isOfFile(err) || errors.Is(err, pdfimage.ErrKind) || errors.Is(err, pdfimage.ErrSize)
}

// compare looks whether a picture looks like a seal that is not its owner's.
func (l *pageLook) compare(image *pdftext.Image, shape [4]float64, owner *pdfCase) (m pairing) {
	p, err := l.g.printOf(l.d.file, image, shape)
	if err != nil {
		return pairing{err: err}
	}
	var known bool
	m.x, m.likeness, known = l.g.most(p, func(x *exhibit) bool {
		if owner == nil {
			return false
		}
		e := owner.sealUsed()
		return e != nil && x.is(e)
	})
	if !known {
		m.err = errTooMany
	}
	return m
}

// printOf takes the ink of a picture as it is seen; nil: it has none.
func (g *gallery) printOf(f *pdf.File, image *pdftext.Image, shape [4]float64) (*resemble.Print, error) {
	w, h, err := pdfimage.Size(f, image.Stream)
	if err != nil {
		return nil, err
	}
	if g.pixels -= int64(w) * int64(h); g.pixels < 0 {
		return nil, errTooMany
	}
	img, err := pdfimage.Open(f, image.Stream, image.Inline, image.Spaces)
	if err != nil {
		return nil, err
	}
	if g.pixels -= int64(img.Width)*int64(img.Height) - int64(w)*int64(h); g.pixels < 0 {
		return nil, errTooMany
	}
	return resemble.Of(img.Width, img.Height, img.Row, shape), nil
}

// seenOn turns the matrix of a picture to what is seen of the page: its sides, to the right and upwards, and its middle from the top left
// corner, in mm.
func seenOn(page *pdf.Page, m [6]float64) (shape [4]float64, x, y float64) {
	unit, crop := page.UserUnit/appearance.MM, page.CropBox
	turn := func(dx, dy float64) (float64, float64) {
		switch page.Rotate {
		case 90:
			dx, dy = dy, -dx
		case 180:
			dx, dy = -dx, -dy
		case 270:
			dx, dy = -dy, dx
		}
		return dx * unit, dy * unit
	}
	shape[0], shape[1] = turn(m[0], m[1])
	shape[2], shape[3] = turn(m[2], m[3])
	corner := map[int][2]float64{0: {crop[0], crop[3]}, 90: {crop[0], crop[1]}, 180: {crop[2], crop[1]}, 270: {crop[2], crop[3]}}[page.Rotate]
	x, y = turn(m[4]+(m[0]+m[2])/2-corner[0], m[5]+(m[1]+m[3])/2-corner[1])
	return shape, x, -y
}

// where says where a picture stands and what draws it.
func (l *pageLook) where(k *pdftext.Ink, x, y float64) Text {
	zh, en := "页面内容中", "drawn by the page itself"
	if k.Annot != nil {
		kind, _ := k.Annot.Dict.Get("Subtype").(pdf.Name)
		zh, en = fmt.Sprintf("注释（%s）中", clipName(string(kind))), fmt.Sprintf("in an annotation (%s)", clipName(string(kind)))
		if c := l.owners[k.Annot.Ref]; c != nil {
			name := clipName(c.sig.Name)
			zh, en = "签名域 "+name+" 中", "in the signature field "+name
		}
	}
	return Text{fmt.Sprintf("第 %d 页距左 %.0f mm、距上 %.0f mm 处%s", l.n, x, y, zh), fmt.Sprintf("page %d, %.0f mm from the left and %.0f mm from the top, %s", l.n, x, y, en)}
}
