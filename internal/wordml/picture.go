package wordml

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// A Picture is a seal as a picture.
type Picture struct {
	RelID         string  // relationship of the part to the image
	ESID          string  // identifier of the seal
	Name          string  // name of the seal
	Width, Height float64 // as it is shown, mm
}

func (p Picture) check() error {
	for _, s := range []string{p.RelID, p.ESID, p.Name} {
		if len(s) > 1<<10 || !xmldoc.Legal(s) {
			return fmt.Errorf("%w: %q is too long, or cannot stand in XML", ErrPicture, clip(s))
		}
	}
	if p.RelID == "" {
		return fmt.Errorf("%w: it has no relationship", ErrPicture)
	}
	return nil
}

func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// mark begins the names of the pictures that are ours.
const mark = "Courtseal "

const emuPerMM = 36000

func emu(mm float64) string { return strconv.Itoa(int(math.Round(mm * emuPerMM))) }

// newID gives a number that no drawing of the part has. Word has none of 31 bits or more.
func (d *Document) newID() uint32 { return d.lastID + 1 }

// drawing writes w:drawing (ISO/IEC 29500-1, 20.4.2).
func (d *Document) drawing(p Picture, at position) string {
	ns, id := d.ns, d.newID()
	size := `cx="` + emu(p.Width) + `" cy="` + emu(p.Height) + `"`
	name := string(xmldoc.AppendAttr(nil, mark+p.ESID))
	what := p.Name
	if !strings.Contains(what, p.ESID) {
		what = strings.TrimSpace(what + " " + p.ESID)
	}
	descr := string(xmldoc.AppendAttr(nil, what))
	var b strings.Builder
	b.WriteString(`<w:drawing xmlns:w="` + ns.w + `">`)
	end := `</wp:anchor>`
	if at.inline {
		end = `</wp:inline>`
		fmt.Fprintf(&b, `<wp:inline xmlns:wp="%s" distT="0" distB="0" distL="0" distR="36000"><wp:extent %s/>`+
			`<wp:effectExtent l="0" t="0" r="0" b="0"/>`, ns.wp, size)
	} else {
		fmt.Fprintf(&b, `<wp:anchor xmlns:wp="%s" distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="%d" behindDoc="0" locked="0" `+
			`layoutInCell="%d" allowOverlap="1"><wp:simplePos x="0" y="0"/>`, ns.wp, 251658240+id%(1<<20), at.layout)
		fmt.Fprintf(&b, `<wp:positionH relativeFrom="%s"><wp:posOffset>%s</wp:posOffset></wp:positionH>`, at.horizontal, emu(at.x))
		if at.centred {
			fmt.Fprintf(&b, `<wp:positionV relativeFrom="%s"><wp:align>center</wp:align></wp:positionV>`, at.vertical)
		} else {
			fmt.Fprintf(&b, `<wp:positionV relativeFrom="%s"><wp:posOffset>%s</wp:posOffset></wp:positionV>`, at.vertical, emu(at.y))
		}
		fmt.Fprintf(&b, `<wp:extent %s/><wp:effectExtent l="0" t="0" r="0" b="0"/><wp:wrapNone/>`, size)
	}
	fmt.Fprintf(&b, `<wp:docPr id="%d" name="%s" descr="%s"/><wp:cNvGraphicFramePr>`+
		`<a:graphicFrameLocks xmlns:a="%s" noChangeAspect="1"/></wp:cNvGraphicFramePr>`, id, name, descr, ns.a)
	fmt.Fprintf(&b, `<a:graphic xmlns:a="%s"><a:graphicData uri="%s"><pic:pic xmlns:pic="%[2]s">`+
		`<pic:nvPicPr><pic:cNvPr id="%d" name="%s"/><pic:cNvPicPr/></pic:nvPicPr>`,
		ns.a, ns.pic, id, name)
	fmt.Fprintf(&b, `<pic:blipFill><a:blip xmlns:r="%s" r:embed="%s"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>`,
		ns.r, xmldoc.AppendAttr(nil, p.RelID))
	fmt.Fprintf(&b, `<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext %s/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom>`+
		`</pic:spPr></pic:pic></a:graphicData></a:graphic>`, size)
	b.WriteString(end + `</w:drawing>`)
	return b.String()
}
