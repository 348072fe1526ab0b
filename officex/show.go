package officex

import (
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/wordml"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// places counts the places that are named.
func (o *Options) places() (n int) {
	for _, there := range []bool{o.Bookmark != "", o.Keyword != nil, o.DateLine, o.Header, o.Footer, o.Line != "", o.Invisible} {
		if there {
			n++
		}
	}
	return n
}

// check asks that options go together.
func (o *Options) check(profile sign.Profile) error {
	places := o.places()
	_, reference := xmldsig.SplitComments(o.Reason)
	switch {
	case reference != "":
		return fmt.Errorf("%w: the reason ends as the reference of a ledger's entry does, %q", ErrOptions, reference)
	case places > 1:
		return fmt.Errorf("%w: a seal is shown at one place of a Word document", ErrOptions)
	case o.AsLine && (o.Invisible || o.Line != ""):
		return fmt.Errorf("%w: AsLine is for a new place that is seen", ErrOptions)
	case (o.AsLine || o.Line != "") && profile.Format == sign.SES:
		return fmt.Errorf("%w: a signature line is filled by a native signature, and %q has none", ErrOptions, profile.Format)
	case profile.Picture == nil && (o.AsLine || places > 0 && !o.Invisible):
		return fmt.Errorf("%w: the signer has no picture", ErrPlace)
	case o.Keyword != nil && o.Keyword.Text == "":
		return fmt.Errorf("%w: an empty text stands everywhere", ErrOptions)
	}
	return nil
}

// show puts the seal's picture, or its signature line, into the document, and locks it. The answer is the line to be filled; nil: none.
func (p *plan) show(e *edit, main *opc.Part, found acts, profile sign.Profile, o Options) (*opcsig.Line, error) {
	visible := !o.Invisible && o.Line == "" && profile.Picture != nil
	if found.sealed() && (visible || o.Lock) {
		return nil, fmt.Errorf("%w: fill a signature line that was reserved, or seal invisibly; a lock comes with the first seal", ErrSealed)
	}
	pl := placer{edit: e, main: main, plan: p}
	line, err := pl.show(visible, found, profile, o)
	if err != nil {
		return nil, err
	}
	if o.Lock {
		return line, pl.lock()
	}
	return line, nil
}

func (pl *placer) show(visible bool, found acts, profile sign.Profile, o Options) (*opcsig.Line, error) {
	switch {
	case o.Line != "":
		l, err := pl.emptyLine(o.Line, found)
		if err != nil {
			return nil, err
		}
		pl.plan.Shown, pl.plan.Line = l.Part, l.GUID
		return l.fill(profile.Picture)
	case !visible:
		return nil, nil
	}
	s, err := pl.find(o)
	if err != nil {
		return nil, err
	}
	if !o.AsLine {
		return nil, pl.picture(s, profile, o)
	}
	l := Line{GUID: guid(pl.plan.Act.ID, 0, pl.text)}
	size := wordml.Line{GUID: l.GUID, Width: float64(profile.Picture.Width), Height: float64(profile.Picture.Height)}
	if err := pl.put(s, size, o); err != nil {
		return nil, err
	}
	pl.plan.Shown, pl.plan.Line = pl.part, l.GUID
	return l.fill(profile.Picture)
}

// A placer finds a place in the document and puts something there.
type placer struct {
	edit *edit
	main *opc.Part
	plan *plan
	doc  *wordml.Document // of the part in which the place is
	part string
	text []byte
}

func (pl *placer) open(name string) error {
	if err := pl.read(name, wordml.Open); err != nil {
		return err
	}
	return pl.styles()
}

func (pl *placer) read(name string, how func([]byte, xmldoc.Limits) (*wordml.Document, error)) error {
	b, err := pl.edit.read(name)
	if err != nil {
		return err
	}
	d, err := how(b, xmldoc.Limits{})
	if err != nil {
		return packageError(fmt.Errorf("%s: %w", name, err))
	}
	pl.doc, pl.part, pl.text = d, name, b
	return nil
}

// styles tells the document how large its text is where only a style says so.
func (pl *placer) styles() error {
	for _, r := range pl.edit.relations(pl.main.Name).ByType(pl.family() + "styles") {
		p := pl.edit.pkg.Part(r.Part)
		if p == nil {
			continue
		}
		b, err := pl.edit.read(p.Name)
		if err == nil {
			err = pl.doc.UseStyles(b, xmldoc.Limits{})
		}
		if err != nil {
			return packageError(fmt.Errorf("%s: %w", p.Name, err))
		}
	}
	return nil
}

// find finds the place that the options name.
func (pl *placer) find(o Options) (wordml.Spot, error) {
	if o.Bookmark == "" && o.Keyword == nil && !o.DateLine && !o.Header && !o.Footer {
		err := pl.read(pl.main.Name, wordml.OpenEnd)
		if err != nil {
			return wordml.Spot{}, err
		}
		return pl.doc.End(), nil
	}
	if err := pl.open(pl.main.Name); err != nil {
		return wordml.Spot{}, err
	}
	switch {
	case o.Bookmark != "":
		s, ok := pl.doc.Bookmark(o.Bookmark)
		if !ok {
			return s, fmt.Errorf("%w: there is no bookmark %.80q", ErrPlace, o.Bookmark)
		}
		return s, nil
	case o.Keyword != nil:
		return pl.keyword(o.Keyword)
	case o.DateLine:
		dates := pl.doc.Dates()
		if len(dates) == 0 {
			return wordml.Spot{}, fmt.Errorf("%w: there is no date of a signature block", ErrPlace)
		}
		if len(dates) > 1 {
			pl.note("dates", fmt.Sprintf("There are %d dates of signature blocks; the seal is on the last one.", len(dates)))
		}
		return dates[len(dates)-1], nil
	}
	return pl.margin(o.Footer)
}

func (pl *placer) note(code, detail string) {
	pl.plan.Notes = append(pl.plan.Notes, sign.Note{Code: code, Detail: detail})
}

func (pl *placer) keyword(k *Keyword) (wordml.Spot, error) {
	found, err := pl.doc.Find(k.Text)
	if err != nil {
		return wordml.Spot{}, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	n := k.Occurrence
	switch {
	case len(found) == 0:
		return wordml.Spot{}, fmt.Errorf("%w: the text %.80q does not stand in the document", ErrPlace, k.Text)
	case n == 0 && len(found) > 1:
		return wordml.Spot{}, fmt.Errorf("%w: %.80q, %d times", ErrSeveral, k.Text, len(found))
	case n < 0:
		n += len(found) + 1
	case n == 0:
		n = 1
	}
	if n < 1 || n > len(found) {
		return wordml.Spot{}, fmt.Errorf("%w: %.80q stands %d times, and occurrence %d is asked for", ErrPlace, k.Text, len(found), k.Occurrence)
	}
	return found[n-1], nil
}

// overDate is how far above the middle of a date the seal's centre stands, in radii: its lower arc lies over the date (骑年盖月).
const overDate = 0.6

// offset is how far from the text that was found a seal of a height is to be.
func (o *Options) offset(height float64) (dx, dy float64) {
	switch {
	case o.Keyword != nil:
		return o.Keyword.DX, o.Keyword.DY
	case o.DateLine:
		return 0, -overDate * height / 2
	}
	return 0, 0
}

const (
	headerType = "application/vnd.openxmlformats-officedocument.wordprocessingml.header+xml"
	footerType = "application/vnd.openxmlformats-officedocument.wordprocessingml.footer+xml"
)

// margin is the place in the header or footer of the last section, which is made where it has none.
func (pl *placer) margin(footer bool) (s wordml.Spot, err error) {
	section := pl.doc.LastSection()
	id, kind, contentType := section.Header, "header", headerType
	if footer {
		id, kind, contentType = section.Footer, "footer", footerType
	}
	var name string
	if id != "" {
		r, ok := pl.edit.relations(pl.main.Name).ByID(id)
		if name = pl.edit.spelled(r.Part); !ok || r.External || name == "" {
			return s, fmt.Errorf("%w: the %s of the last section is missing", ErrPackage, kind)
		}
	} else {
		name = pl.unused("courtseal-"+kind, ".xml")
		if err := pl.edit.add(name, contentType, pl.doc.NewMargin(footer)); err != nil {
			return s, err
		}
		id, err := pl.edit.relate(pl.main.Name, pl.family()+kind, name)
		if err != nil {
			return s, err
		}
		splices, err := pl.doc.UseMargin(footer, id)
		if err != nil {
			return s, fmt.Errorf("%w: %w", ErrPlace, err)
		}
		pl.edit.replace(pl.main.Name, wordml.Apply(pl.text, splices))
	}
	if section.FirstDiffers {
		pl.note("first-page", "The first page has a "+kind+" of its own, which does not show the seal.")
	}
	if section.EvenDiffers {
		pl.note("even-pages", "Pages with even numbers may have a "+kind+" of their own, which does not show the seal.")
	}
	if err := pl.open(name); err != nil {
		return s, err
	}
	return pl.doc.Margin(section), nil
}

func (pl *placer) family() string {
	if pl.doc.Strict() {
		return strictRel
	}
	return officeRel
}

// unused is the name of a part that is not there, in the folder of the main document.
func (pl *placer) unused(stem, ext string) string {
	folder := pl.main.Name[:strings.LastIndexByte(pl.main.Name, '/')+1]
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s%s%d%s", folder, stem, i, ext)
		if pl.edit.pkg.Part(name) == nil {
			return name
		}
	}
}

// pictures that Word shows, by the type that a seal gives.
var pictures = map[string]struct{ ext, contentType string }{
	"PNG": {".png", "image/png"}, "JPG": {".jpeg", "image/jpeg"}, "JPEG": {".jpeg", "image/jpeg"},
	"GIF": {".gif", "image/gif"}, "BMP": {".bmp", "image/bmp"},
}

// image puts the seal's picture into the package as it is, and relates the part to it.
func (pl *placer) image(p *sign.Picture) (id string, err error) {
	t, ok := pictures[strings.ToUpper(p.Type)]
	if !ok {
		return "", fmt.Errorf("%w: type %.20q; PNG, JPG, GIF and BMP are", ErrPicture, p.Type)
	}
	name := pl.unused("media/courtseal", t.ext)
	if err := pl.edit.add(name, t.contentType, p.Data); err != nil {
		return "", err
	}
	return pl.edit.relate(pl.part, pl.family()+"image", name)
}

// picture shows the seal as a picture of true size.
func (pl *placer) picture(s wordml.Spot, profile sign.Profile, o Options) error {
	id, err := pl.image(profile.Picture)
	if err != nil {
		return err
	}
	dx, dy := o.offset(float64(profile.Picture.Height))
	p := wordml.Picture{RelID: id, ESID: profile.Seal, Name: profile.Seal, Width: float64(profile.Picture.Width), Height: float64(profile.Picture.Height)}
	splices, notes, err := pl.doc.Place(s, p, dx, dy)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPlace, err)
	}
	for _, n := range notes {
		pl.note(n.Code, n.Detail)
	}
	pl.edit.replace(pl.part, wordml.Apply(pl.text, splices))
	pl.plan.Shown = pl.part
	return nil
}
