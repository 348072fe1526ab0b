// Package imprint draws the picture of a round court seal: rim, name in a ring, emblem placeholder, and where wanted a
// line of text and a code.
//
//	picture, err := imprint.Draw(imprint.Options{Name: "示例省示例市示例区人民法院"})
//
// gives the 45 mm seal of a basic court as a sign.Picture, which goes into seal.Seal.Picture as it is.
//
// # Sizes
//
// The Supreme People's Court's rule on seals of local and special courts (关于地方各级人民法院和专门人民法院印章管理的规定,
// 2002) asks for a round seal with the national emblem in the centre and the court's statutory name around it from left
// to right, of 50 mm for a high court, 47 mm for an intermediate and 45 mm for a basic one: High, Intermediate, Basic.
// It gives no width of the rim; a chamber's seal has a star, the court's name around it and its own name below.
//
// # What it does not draw
//
// The national emblem (国徽) is not drawn and is not in this module: whoever may use it has it from the authority that
// cuts the seal. A plain five-pointed star stands in its place. A seal drawn here is a picture for tests, samples and
// chambers' seals; it is the certificate and the signature, not the picture, that make a seal.
//
// # The picture
//
// A PNG with one ink: 16 palette entries of one colour whose opacity rises with the index in even steps, 4 bits a pixel,
// transparent where nothing is printed. So the compressed pixels are at the same time a soft mask as PDF wants it, and
// go into a document without being decoded. It is as wide as the seal, edge to edge, and its pHYs chunk says how many
// pixels make a metre. A court's seal is about 20 KB at the default resolution.
//
// Letters are outlines of the font that package glyph embeds, so no font need be installed. The same Options give the
// same bytes, from the same build of the program.
package imprint

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/glyph"
	"github.com/courtseal/courtseal/sign"
)

// Diameters of court seals in mm, by the rule of 2002.
const (
	High         = 50 // 高级人民法院
	Intermediate = 47 // 中级人民法院
	Basic        = 45 // 基层人民法院
)

// Emblem is the figure in the centre.
type Emblem int

const (
	Star     Emblem = iota // a plain five-pointed star, also where a court's seal has the national emblem
	NoEmblem               // nothing
)

// Options describe a seal. Only Name is needed.
type Options struct {
	Name     string  // in the ring, from left to right over the top: the statutory name
	Diameter int     // mm, 10 to 60, over the rim; zero: Basic
	Rim      float64 // width of the rim in mm, at most a tenth of the diameter; zero: 1.2 mm on a seal of 50, in proportion on others
	Emblem   Emblem  // zero: Star
	Text     string  // on a straight line below the emblem, such as 民事审判庭; empty: none
	Code     string  // the seal's number, in small type along the lower arc; empty: none

	Ink color.RGBA // opaque; zero: the red #D7000F
	DPI int        // pixels an inch, 72 to 1200; zero: 400
}

var (
	// ErrTooLong: a text cannot be set legibly in its place.
	ErrTooLong = errors.New("imprint: text too long for the seal")
	// ErrCharacter: the embedded font lacks a character of a text; the error names all that are missing.
	ErrCharacter = errors.New("imprint: character not in the embedded font")
	// ErrOptions: a field of Options is out of its range.
	ErrOptions = errors.New("imprint: option out of range")
)

// red is the ink of a zero Options.Ink.
var red = color.RGBA{R: 0xD7, B: 0x0F, A: 0xFF}

// Draw makes the picture. Errors: ErrTooLong, ErrCharacter, ErrOptions.
func Draw(o Options) (sign.Picture, error) {
	if err := o.complete(); err != nil {
		return sign.Picture{}, err
	}
	d, err := o.design()
	if err != nil {
		return sign.Picture{}, err
	}
	size := float64(o.Diameter)
	png, err := encode(d.picture(size, o.DPI, o.Ink), size)
	if err != nil {
		return sign.Picture{}, err
	}
	return sign.Picture{Type: "PNG", Data: png, Width: o.Diameter, Height: o.Diameter}, nil
}

// complete puts what zero means into the zero fields and checks the others.
func (o *Options) complete() error {
	if o.Diameter == 0 {
		o.Diameter = Basic
	}
	if o.Rim == 0 {
		o.Rim = 1.2 / 50 * float64(o.Diameter)
	}
	if o.Ink == (color.RGBA{}) {
		o.Ink = red
	}
	if o.DPI == 0 {
		o.DPI = 400
	}
	switch {
	case o.Name == "":
		return fmt.Errorf("%w: Name is empty", ErrOptions)
	case o.Diameter < 10 || o.Diameter > 60:
		return fmt.Errorf("%w: Diameter is %d mm, want 10 to 60", ErrOptions, o.Diameter)
	case !(o.Rim > 0 && o.Rim <= float64(o.Diameter)/10):
		return fmt.Errorf("%w: Rim is %g mm, want more than 0 and at most a tenth of the diameter", ErrOptions, o.Rim)
	case o.Emblem != Star && o.Emblem != NoEmblem:
		return fmt.Errorf("%w: Emblem %d", ErrOptions, o.Emblem)
	case o.Ink.A != 0xFF:
		return fmt.Errorf("%w: Ink is not opaque", ErrOptions)
	case o.DPI < 72 || o.DPI > 1200:
		return fmt.Errorf("%w: DPI is %d, want 72 to 1200", ErrOptions, o.DPI)
	}
	return nil
}

// The layout of a 50 mm seal, in mm; other sizes are in proportion.
const (
	nameGap    = 1.1  // between rim and name
	nameHeight = 7.0  // of its characters' squares, when there is room
	nameLeast  = 4.5  // the least
	starRadius = 7.8  // centre to point
	textMiddle = 11.5 // of the straight line, below the centre
	textHeight = 4.4
	codeGap    = 0.8
	codeHeight = 2.1
)

// And its proportions.
const (
	widest    = 0.82 // of a character, width to height: a seal's letters are narrow
	narrowest = 0.45 // below this they are no longer read
	fill      = 0.88 // of the pitch that a character takes, at its foot

	pitchMost = 28.0 // degrees from one character of the name to the next, at most
	sweepMost = 290.0
	textSweep = 236.0 // most of the name over a straight line
	codeSpace = 16.0  // degrees between name and code, on either side
	codeMost  = 110.0
)

// design lays the seal out, in mm around its centre.
func (o *Options) design() (*drawing, error) {
	name, err := glyphs("Name", o.Name)
	if err != nil {
		return nil, err
	}
	text, err := glyphs("Text", o.Text)
	if err != nil {
		return nil, err
	}
	code, err := glyphs("Code", o.Code)
	if err != nil {
		return nil, err
	}

	var d drawing
	radius, k := float64(o.Diameter)/2, float64(o.Diameter)/High
	inside := radius - o.Rim
	d.circle(radius, true)
	d.circle(inside, false)

	most := sweepMost
	if len(text) > 0 {
		most = textSweep
	}
	if len(code) > 0 {
		sweep, err := d.code(code, inside-codeGap*k, codeHeight*k)
		if err != nil {
			return nil, err
		}
		most = math.Min(most, 360-sweep-2*codeSpace)
	}
	foot, err := d.name(name, inside-nameGap*k, nameHeight*k, nameLeast*k, most)
	if err != nil {
		return nil, err
	}
	if o.Emblem == Star {
		d.star(starRadius * k)
	}
	if len(text) > 0 {
		if err := d.text(text, foot, textMiddle*k, textHeight*k); err != nil {
			return nil, err
		}
	}
	return &d, nil
}

// glyphs finds the outlines of a text, and says which are missing.
func glyphs(field, text string) ([]*glyph.Glyph, error) {
	if len(text) > 400 { // no seal holds a hundred characters
		return nil, fmt.Errorf("%w: %s has %d characters", ErrTooLong, field, utf8.RuneCountInString(text))
	}
	var found []*glyph.Glyph
	var missing []rune
	for _, r := range text {
		g, err := glyph.Outline(r)
		var m *glyph.MissingError
		switch {
		case errors.As(err, &m):
			missing = append(missing, r)
		case err != nil:
			return nil, err
		default:
			found = append(found, g)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("%w: %s has %q (%U)", ErrCharacter, field, string(missing), missing)
	}
	return found, nil
}

// name sets the ring, upright to the centre, tops on the circle of radius top, over at most so many degrees. It answers
// the radius of the circle that its feet stand on. A long name is set closer, then narrower, then smaller.
func (d *drawing) name(name []*glyph.Glyph, top, height, least, most float64) (foot float64, err error) {
	n := float64(len(name))
	sweep := math.Min(math.Min(120+11*n, pitchMost*n), most)
	pitch := sweep / n
	for ; ; height -= 0.1 {
		if height < least {
			return 0, fmt.Errorf("%w: Name has %d characters", ErrTooLong, len(name))
		}
		foot = top - height
		width := math.Min(foot*radians(pitch)*fill, height*widest)
		if width < height*narrowest {
			continue
		}
		for i, g := range name {
			angle := (float64(i) - (n-1)/2) * pitch
			d.glyph(g, width, height, func(x, y float64) (float64, float64) { return turn(x, y-foot-height/2, angle) })
		}
		return foot, nil
	}
}

// code sets small type along the lower arc, its feet outwards, and answers how many degrees it takes.
func (d *drawing) code(code []*glyph.Glyph, outer, height float64) (sweep float64, err error) {
	const spacing = 1.12
	middle := outer - height/2
	var length float64
	for _, g := range code {
		length += float64(g.Advance) / glyph.Em * height * spacing
	}
	sweep = length / middle * 180 / math.Pi
	if sweep > codeMost {
		return 0, fmt.Errorf("%w: Code has %d characters", ErrTooLong, len(code))
	}
	at := sweep / 2
	for _, g := range code {
		step := float64(g.Advance) / glyph.Em * height * spacing / middle * 180 / math.Pi
		angle := at - step/2
		d.glyph(g, height, height, func(x, y float64) (float64, float64) { return turn(x, y+middle, angle) })
		at -= step
	}
	return sweep, nil
}

// text sets a straight line, its middle so far below the centre, inside the circle of the name's feet.
func (d *drawing) text(text []*glyph.Glyph, foot, middle, height float64) error {
	bottom := middle + height/2
	room := 2 * math.Sqrt(math.Max(0, foot*foot-bottom*bottom))
	var ems float64
	for _, g := range text {
		ems += float64(g.Advance) / glyph.Em
	}
	width := math.Min(room/ems, height)
	if width < height*narrowest {
		return fmt.Errorf("%w: Text has %d characters", ErrTooLong, len(text))
	}
	at := -ems * width / 2
	for _, g := range text {
		step := float64(g.Advance) / glyph.Em * width
		d.glyph(g, width, height, func(x, y float64) (float64, float64) { return x + at + step/2, y + middle })
		at += step
	}
	return nil
}
