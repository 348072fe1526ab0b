package wordml

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Providers of signature lines: who draws them. Word has both of its own.
const (
	PlainProvider = "{00000000-0000-0000-0000-000000000000}" // a line with a name below
	StampProvider = "{000CD6A4-0000-0000-C000-000000000046}" // a stamp and nothing else
)

// A Line is a signature line of Word ([MS-OI29500], o:signatureline): a shape that shows the picture which the signature has that
// names its GUID, and until then a picture of the document.
type Line struct {
	GUID          string // {…} in upper case
	Provider      string // GUID; empty: PlainProvider
	Signer        string // suggested: name, title, address
	Title         string
	Email         string
	Instructions  string
	Comments      bool    // the signer may give a reason
	RelID         string  // relationship of the part to the picture shown until it is signed
	Width, Height float64 // mm; of one that was found 0 where its shape does not say

	para, at int
	style    string
}

const maxLines = 1 << 10

// check holds a line to what Word takes.
func (l *Line) check() error {
	for _, s := range []string{l.Signer, l.Title, l.Email, l.Instructions, l.RelID} {
		if len(s) > 1<<10 || !xmldoc.Legal(s) {
			return fmt.Errorf("%w: %q is too long, or cannot stand in XML", ErrPicture, clip(s))
		}
	}
	if l.RelID == "" {
		return fmt.Errorf("%w: a signature line without a picture that is shown before it is signed", ErrPicture)
	}
	if l.Provider == "" {
		l.Provider = PlainProvider
	}
	for _, s := range []string{l.GUID, l.Provider} {
		if !isGUID(s) {
			return fmt.Errorf("%w: %q is not a GUID as Word writes it", ErrPicture, clip(s))
		}
	}
	return nil
}

// isGUID says whether a text is a GUID in braces and upper case.
func isGUID(s string) bool {
	const form = "{XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}"
	if len(s) != len(form) {
		return false
	}
	for i := range len(form) {
		c := s[i]
		if hex := c >= '0' && c <= '9' || c >= 'A' && c <= 'F'; form[i] == 'X' && !hex || form[i] != 'X' && c != form[i] {
			return false
		}
	}
	return true
}

// PlaceLine puts a signature line at a place, as Place does a picture. The strict class has no signature lines: ErrPlace.
func (d *Document) PlaceLine(s Spot, l Line, dx, dy float64) ([]Splice, []Note, error) {
	e := extent{l.Width, l.Height}
	if err := e.check(); err != nil {
		return nil, nil, err
	}
	if err := l.check(); err != nil {
		return nil, nil, err
	}
	if d.ns == &strict {
		return nil, nil, fmt.Errorf("%w: documents of the strict class have no signature lines; save it as an ordinary Word document", ErrPlace)
	}
	for _, o := range d.sigLines {
		if strings.EqualFold(o.GUID, l.GUID) {
			return nil, nil, fmt.Errorf("%w: there is a signature line %s already", ErrPlace, l.GUID)
		}
	}
	at, notes, err := d.locate(s, e, dx, dy)
	if err != nil {
		return nil, nil, err
	}
	if !at.inline && (relatives[at.horizontal] == "" || relatives[at.vertical] == "") {
		return nil, nil, fmt.Errorf("%w: the text box is placed by something that a signature line cannot be placed by", ErrPlace)
	}
	return d.insert(s, at, d.vml(l, at.position)), notes, nil
}

// shapeType is what Word defines once in a part for all its pictures in VML.
const shapeType = `<v:shapetype id="_x0000_t75" coordsize="21600,21600" o:spt="75" o:preferrelative="t" ` +
	`path="m@4@5l@4@11@9@11@9@5xe" filled="f" stroked="f">` +
	`<v:stroke joinstyle="miter"/><v:formulas><v:f eqn="if lineDrawn pixelLineWidth 0"/><v:f eqn="sum @0 1 0"/><v:f eqn="sum 0 0 @1"/>` +
	`<v:f eqn="prod @2 1 2"/><v:f eqn="prod @3 21600 pixelWidth"/><v:f eqn="prod @3 21600 pixelHeight"/><v:f eqn="sum @0 0 1"/>` +
	`<v:f eqn="prod @6 1 2"/><v:f eqn="prod @7 21600 pixelWidth"/><v:f eqn="sum @8 21600 0"/><v:f eqn="prod @7 21600 pixelHeight"/>` +
	`<v:f eqn="sum @10 21600 0"/></v:formulas><v:path o:extrusionok="f" gradientshapeok="t" o:connecttype="rect"/>` +
	`<o:lock v:ext="edit" aspectratio="t"/></v:shapetype>`

func points(mm float64) string {
	return strconv.FormatFloat(math.Round(mm/pt*100)/100, 'f', -1, 64) + "pt"
}

// relatives are the names in VML of what something is placed by.
var relatives = map[string]string{"character": "char", "line": "line", "paragraph": "text", "text": "text", "column": "text",
	"page": "page", "margin": "margin"}

// vml writes w:pict with a signature line.
func (d *Document) vml(l Line, at position) string {
	style := "width:" + points(l.Width) + ";height:" + points(l.Height)
	if !at.inline {
		if at.instead != "" { // not every program knows what a shape is placed by in VML
			at.horizontal, at.x = at.instead, at.insteadX
		}
		vertical := "margin-top:" + points(at.y)
		if at.centred {
			vertical = "margin-top:0;mso-position-vertical:center"
		}
		style = "position:absolute;margin-left:" + points(at.x) + ";" + vertical + ";" + style +
			";z-index:" + strconv.Itoa(251658240+int(d.newID()%(1<<20))) +
			";mso-position-horizontal-relative:" + relatives[at.horizontal] + ";mso-position-vertical-relative:" + relatives[at.vertical]
	}
	attr := func(name, value string) string {
		if value == "" {
			return ""
		}
		return " " + name + `="` + string(xmldoc.AppendAttr(nil, value)) + `"`
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<w:pict xmlns:w="%s" xmlns:v="%s" xmlns:o="%s" xmlns:r="%s">`, d.ns.w, vNS, oNS, d.ns.r)
	if !d.shapeType {
		b.WriteString(shapeType)
	}
	layout := ""
	if at.layout == 0 && !at.inline {
		layout = ` o:allowincell="f"`
	}
	id := strings.ToLower(strings.ReplaceAll(strings.Trim(l.GUID, "{}"), "-", ""))
	fmt.Fprintf(&b, `<v:shape id="courtseal_%s" type="#_x0000_t75"%s style="%s"%s><v:imagedata%s o:title=""/>`,
		id, attr("alt", l.Signer), style, layout, attr("r:id", l.RelID))
	b.WriteString(`<o:lock v:ext="edit" ungrouping="t" rotation="t" cropping="t" verticies="t" text="t" grouping="t"/>`)
	fmt.Fprintf(&b, `<o:signatureline v:ext="edit" id="%s" provid="%s"`, l.GUID, l.Provider)
	b.WriteString(attr("o:suggestedsigner", l.Signer) + attr("o:suggestedsigner2", l.Title) + attr("o:suggestedsigneremail", l.Email))
	if l.Instructions != "" {
		b.WriteString(attr("o:signinginstructions", l.Instructions) + ` signinginstructionsset="t"`)
	}
	if l.Comments {
		b.WriteString(` allowcomments="t"`)
	}
	b.WriteString(` issignatureline="t"/></v:shape></w:pict>`)
	return b.String()
}

// Lines gives the signature lines, in the order in which they stand.
func (d *Document) Lines() []Line { return d.sigLines }

// vmlPart looks at an element of VML.
func (s *scan) vmlPart(t *xmldoc.Token) {
	if t.Name.Space == vNS && t.Name.Local == "shapetype" {
		if id, _ := t.Attr("", "id"); id == "_x0000_t75" {
			s.d.shapeType = true
		}
	}
	if !s.inPict {
		return
	}
	get := func(space, name string) string {
		v, _ := t.Attr(space, name)
		return strings.Clone(v)
	}
	l := &s.line
	switch {
	case t.Name.Space == vNS && (t.Name.Local == "shape" || t.Name.Local == "rect"):
		s.endLine()
		l.style = get("", "style")
		l.at = t.Start
	case t.Name.Space == vNS && t.Name.Local == "imagedata":
		l.RelID = get(s.d.ns.r, "id")
	case t.Name.Space == oNS && t.Name.Local == "signatureline":
		if is := get("", "issignatureline"); is != "t" && is != "true" {
			return
		}
		l.GUID, l.Provider = get("", "id"), get("", "provid")
		l.Signer, l.Title, l.Email = get(oNS, "suggestedsigner"), get(oNS, "suggestedsigner2"), get(oNS, "suggestedsigneremail")
		l.Instructions = get(oNS, "signinginstructions")
		may := get("", "allowcomments")
		l.Comments = may == "t" || may == "true"
	}
}

// endLine takes down the signature line that was read; a w:pict has one shape after another.
func (s *scan) endLine() {
	l := s.line
	s.line = Line{}
	if l.GUID == "" || len(s.d.sigLines) == maxLines {
		return
	}
	style := map[string]string{}
	for part := range strings.SplitSeq(l.style, ";") {
		k, v, _ := strings.Cut(part, ":")
		style[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	l.Width, l.Height = length(style["width"]), length(style["height"])
	p := s.para()
	if p != nil {
		l.para = p.number
		from := style["mso-position-horizontal-relative"]
		switch {
		case style["position"] != "absolute":
			p.row = true
		case from == "char" || from == "page" || from == "text":
			s.d.anchored = append(s.d.anchored, obstacle{para: l.para, at: l.at, from: from, x: length(style["margin-left"]), w: l.Width})
		}
	}
	s.d.sigLines = append(s.d.sigLines, l)
}

// length reads a length of CSS, in millimetres; 0: it is none.
func length(s string) float64 {
	if len(s) < 2 {
		return 0
	}
	unit, ok := units[s[len(s)-2:]]
	v, err := strconv.ParseFloat(s[:len(s)-2], 64)
	if !ok || err != nil || math.IsNaN(v) || math.Abs(v*unit*twip) > maxMM {
		return 0
	}
	return v * unit * twip
}
