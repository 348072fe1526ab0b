package verify

import (
	"bytes"
	"fmt"
	"maps"
	"strings"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// blank is an interactive form with a field of every kind, all of them empty but Case, beside the text of two pages. Objects are
// known by their numbers; mod replaces some.
func blank(mod map[int]string) pdftest.Objects {
	text := func(line string) string {
		return pdftest.Stream("", "BT /F 12 Tf 50 780 Td ("+line+") Tj ET")
	}
	tick := func(mark string) string {
		return pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 14 14] /Resources << >> ", "0 0 14 14 re S "+mark)
	}
	widget := func(rect, more string) string {
		return fmt.Sprintf("<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [%s] %s >>", rect, more)
	}
	states := " /AP << /N << /Yes 30 0 R /Off 31 0 R >> /D << /Yes 30 0 R /Off 31 0 R >> >> /AS /Off /MK << /CA (8) >> "
	round := func(n int) string {
		return fmt.Sprintf(" /Parent 14 0 R /AS /Off /AP << /N << /%d 30 0 R /Off 31 0 R >> >> /MK << /CA (l) >>", n)
	}
	objects := pdftest.Objects{
		1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842] /Resources << /Font << /F 6 0 R >> >> >>",
		3: "<< /Type /Page /Parent 2 0 R /Contents 8 0 R /Annots [10 0 R 11 0 R 12 0 R 13 0 R 15 0 R 16 0 R 17 0 R 18 0 R 19 0 R 22 0 R 23 0 R 24 0 R 25 0 R 26 0 R] >>",
		4: "<< /Type /Page /Parent 2 0 R /Contents 9 0 R >>",
		5: "<< /Fields [10 0 R 11 0 R 12 0 R 13 0 R 14 0 R 18 0 R 19 0 R 20 0 R 24 0 R 25 0 R 26 0 R] /DA (/Helv 0 Tf 0 g) " +
			"/DR << /Font << /Helv 6 0 R /ZaDb 7 0 R >> >> >>",
		6: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		7: "<< /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >>",
		8: text("Statement of claim"), 9: text("Second page"),
		10: widget("50 700 250 720", "/FT /Tx /T (Name) /DA (/Helv 12 Tf 0 g)"),
		11: widget("50 620 250 690", "/FT /Tx /T (Reasons) /Ff 4096 /DA (/Helv 10 Tf 0 g)"),
		12: widget("50 590 250 610", "/FT /Tx /T (Number) /Ff 16777216 /MaxLen 8 /DA (/Helv 12 Tf 0 g)"),
		13: widget("50 560 64 574", "/FT /Btn /T (Agree) /V /Off"+states),
		14: "<< /FT /Btn /T (Way) /Ff 49152 /Kids [15 0 R 16 0 R 17 0 R] >>",
		15: widget("100 560 114 574", round(1)), 16: widget("120 560 134 574", round(2)), 17: widget("140 560 154 574", round(3)),
		18: widget("50 530 250 550", "/FT /Ch /T (Court) /Ff 131072 /Opt [(Basic) (Intermediate) (High)] /DA (/Helv 12 Tf 0 g)"),
		19: widget("50 460 250 520", "/FT /Ch /T (Annexes) /Ff 2097152 /Opt [[(a) (Contract)] [(b) (Receipt)] [(c) (Letter)]] /DA (/Helv 12 Tf 0 g)"),
		20: "<< /T (Party) /Kids [21 0 R 22 0 R] >>",
		21: "<< /Parent 20 0 R /FT /Tx /T (Plaintiff) /DA (/Helv 12 Tf 0 g) /Kids [23 0 R] >>",
		22: widget("50 400 250 420", "/Parent 20 0 R /FT /Tx /T (Defendant) /DA (/Helv 12 Tf 0 g)"),
		23: widget("50 430 250 450", "/Parent 21 0 R"),
		24: widget("300 400 450 550", "/FT /Sig /T (Clerk)"),
		25: widget("300 200 450 350", "/FT /Sig /T (Judge)"),
		26: widget("50 370 250 390", "/FT /Tx /T (Case) /V (2026-1) /DA (/Helv 12 Tf 0 g) /AP << /N 32 0 R >>"),
		27: "<< /Title (Claim) /Producer (by hand) /CreationDate (D:20260601080000Z) >>",
		28: "<< /Unused true >>", 29: "null",
		30: tick("3 3 m 11 11 l S"), 31: tick(""),
		32: value("2026-1"),
	}
	maps.Copy(objects, mod)
	return objects
}

// value is the appearance of a text field of blank, 20 high.
func value(text string) string {
	return pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /Helv 6 0 R >> >> ",
		"/Tx BMC q BT /Helv 12 Tf 0 g 2 5 Td ("+text+") Tj ET Q EMC")
}

// informed is a file whose trailer names object 27 as its information.
func informed(k pdftest.Kind, objects pdftest.Objects) []byte {
	b := pdftest.File(k, objects)
	i := bytes.LastIndex(b, []byte("/Root "))
	return append(append(bytes.Clone(b[:i]), "/Info 27 0 R "...), b[i:]...)
}

// filledHands fill in what was empty, and change what was not.
var filledHands = []hand{
	{name: "fill: text", codes: fillingCodes, do: func(d *draft) { d.fill(10, "/V (Zhang San)", value("Zhang San")); d.save() }},
	{name: "fill: text in other letters", codes: fillingCodes, do: func(d *draft) { d.fill(10, "/V <FEFF5F204E09>", value("..")); d.save() }},
	{name: "fill: text on lines", codes: fillingCodes, do: func(d *draft) { d.fill(11, "/V (First\\rSecond)", value("First")); d.save() }},
	{name: "fill: comb", codes: fillingCodes, do: func(d *draft) { d.fill(12, "/V (12345678)", value("1 2 3 4 5 6 7 8")); d.save() }},
	{name: "fill: without an appearance", codes: fillingCodes, do: func(d *draft) { d.with(10, "/V (Zhang San)"); d.save() }},
	{name: "fill: an appearance dictionary of its own", codes: fillingCodes, do: func(d *draft) {
		d.with(10, "/V (Zhang San) /AP "+d.add("<< /N %s >>", d.add("%s", value("Zhang San"))))
		d.save()
	}},
	{name: "fill: a value of its own", codes: fillingCodes, do: func(d *draft) { d.fill(10, "/V "+d.add("(Zhang San)"), value("Zhang San")); d.save() }},
	{name: "fill: with the time", codes: fillingCodes, do: func(d *draft) { d.fill(10, "/V (Zhang San) /M (D:20260602)", value("Zhang San")); d.save() }}, // as pdf.js does
	{name: "fill: in another size", codes: fillingCodes, do: func(d *draft) {
		d.swap(10, "/Helv 12 Tf", "/Helv 9 Tf")
		d.fill(10, "/V (Zhang San) /Q 1", value("Zhang San"))
		d.save()
	}},
	{name: "fill: a box is ticked", codes: fillingCodes, do: func(d *draft) {
		d.swap(13, "/V /Off", "/V /Yes")
		d.swap(13, "/AS /Off", "/AS /Yes")
		d.save()
	}},
	{name: "fill: a button is chosen", codes: fillingCodes, do: func(d *draft) {
		d.with(14, "/V /2")
		d.swap(16, "/AS /Off", "/AS /2")
		d.save()
	}},
	{name: "fill: a button is chosen, all are written", codes: fillingCodes, do: func(d *draft) {
		d.with(14, "/V /2")
		d.swap(16, "/AS /Off", "/AS /2")
		d.put(15, "%s", d.body(15))
		d.put(17, "%s", d.body(17))
		d.save()
	}},
	{name: "fill: one of a list", codes: fillingCodes, do: func(d *draft) { d.fill(18, "/V (High)", value("High")); d.save() }},
	{name: "fill: one of a list by index", codes: fillingCodes, do: func(d *draft) { d.fill(18, "/V (High) /I [2]", value("High")); d.save() }},
	{name: "fill: several of a list", codes: fillingCodes, do: func(d *draft) { d.fill(19, "/V [(a) (c)] /I [0 2] /TI 0", value("Contract, Letter")); d.save() }},
	{name: "fill: below a parent", codes: fillingCodes, do: func(d *draft) { d.fill(22, "/V (Li Si)", value("Li Si")); d.save() }},
	{name: "fill: with a widget apart", codes: fillingCodes, do: func(d *draft) {
		d.with(21, "/V (Wang Wu)")
		d.fill(23, "", value("Wang Wu"))
		d.save()
	}},
	{name: "fill: everything", codes: fillingCodes, do: func(d *draft) {
		for n, v := range map[int]string{10: "Zhang San", 11: "Reasons", 12: "12345678", 22: "Li Si"} {
			d.fill(n, "/V ("+v+")", value(v))
		}
		d.fill(18, "/V (Basic)", value("Basic"))
		d.save()
	}},
	{name: "fill: packed", codes: fillingCodes, do: func(d *draft) {
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.Packed = []int{10}
		d.save()
	}},
	{name: "fill: one saving after the other", codes: fillingCodes, do: func(d *draft) {
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
		d.fill(22, "/V (Li Si)", value("Li Si"))
		d.save()
	}},
	{name: "fill: then sign", codes: fillingCodes, do: func(d *draft) {
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
	}},
	{name: "fill: then stamp", codes: fillingCodes, do: func(d *draft) { d.fill(10, "/V (Zhang San)", value("Zhang San")); d.save(); d.stamp("Stamp1") }},
	{name: "fill: corrected later", codes: fillingCodes, do: func(d *draft) {
		was := d.body(10)
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
		d.put(10, "%s", was)
		d.fill(10, "/V (Zhang Shan)", value("Zhang Shan"))
		d.save()
	}},
	{name: "fill: over a value", codes: refillingCodes, do: func(d *draft) {
		d.swap(26, "(2026-1)", "(2026-12)")
		d.swap(26, "/N 32 0 R", "/N "+d.add("%s", value("2026-12")))
		d.save()
	}},
	{name: "fill: over a value, in place", codes: refillingCodes, do: func(d *draft) {
		d.swap(26, "(2026-1)", "(2026-12)")
		d.put(32, "%s", value("2026-12"))
		d.save()
	}},
	{name: "fill: a value taken away", codes: refillingCodes, do: func(d *draft) { d.swap(26, "/V (2026-1)", ""); d.put(32, "%s", value("")); d.save() }},
	{name: "fill: the empty appearance, in place", codes: fillingCodes, mod: looked, do: func(d *draft) {
		d.with(10, "/V (Zhang San)")
		d.put(29, "%s", value("Zhang San"))
		d.save()
	}},
	{name: "fill: the empty appearance, anew", codes: fillingCodes, mod: looked, do: func(d *draft) {
		d.with(10, "/V (Zhang San)")
		d.swap(10, "29 0 R", d.add("%s", value("Zhang San")))
		d.save()
	}},
}

// looked has an empty appearance in Name, and looks that are ready for what is missing.
var looked = map[int]string{
	10: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [50 700 250 720] /FT /Tx /T (Name) /DA (/Helv 12 Tf 0 g) /AP << /N 29 0 R >> >>",
	29: value(""),
}

// fill gives a field or widget its value and an appearance.
func (d *draft) fill(n int, v, look string) {
	d.with(n, v+" /AP << /N "+d.add("%s", look)+" >>")
}

// formHands change the form beside its values, as programs do who fill it.
var formHands = []hand{
	{name: "form: a font more", codes: fillingCodes, do: func(d *draft) {
		d.swap(5, "/ZaDb 7 0 R", "/ZaDb 7 0 R /HeBo "+d.add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>"))
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
	}},
	{name: "form: an encoding more", codes: fillingCodes, do: func(d *draft) {
		d.swap(5, "/DR <<", "/DR << /Encoding << /PDFDocEncoding "+d.add("<< /Type /Encoding /Differences [24 /breve] >>")+" >>")
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
	}},
	{name: "form: appearances are there now", codes: fillingCodes, do: func(d *draft) {
		d.swap(5, "/NeedAppearances true", "")
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
	}, mod: undrawn},
	{name: "form: appearances are said to be there", codes: fillingCodes, do: func(d *draft) {
		d.swap(5, "/NeedAppearances true", "/NeedAppearances false")
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
	}, mod: undrawn},
	{name: "form: appearances are there, for those too that had them", codes: refillingCodes, mod: map[int]string{5: undrawn[5]}, do: func(d *draft) {
		d.swap(5, "/NeedAppearances true", "")
		d.save()
	}},
	{name: "form: moved out of the catalog", codes: signingCodes, mod: formless(5), do: func(d *draft) {
		b := d.body(1)
		i := strings.Index(b, "<< /Fields")
		j := i + 2
		for depth := 1; depth > 0; j++ {
			switch b[j : j+2] {
			case "<<":
				depth, j = depth+1, j+1
			case ">>":
				depth, j = depth-1, j+1
			}
		}
		form := d.add("%s", b[i:j])
		d.put(1, "%s", b[:i]+form+b[j:])
		n := 0
		fmt.Sscan(form, &n)
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Moved) /V %d 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>", sig)
		d.into(n, "/Fields", f)
		d.into(3, "/Annots", f)
		d.sign(sig, "", nil)
	}},
	{name: "form: the page's list moved out", codes: signingCodes, do: func(d *draft) {
		b := d.body(3)
		i := strings.Index(b, "/Annots [")
		j := i + strings.IndexByte(b[i:], ']') + 1
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Listed) /V %d 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>", sig)
		list := d.add("%s", b[i+8:j-1]+" "+f+"]")
		d.put(3, "%s", b[:i]+"/Annots "+list+b[j:])
		d.into(5, "/Fields", f)
		d.sign(sig, "", nil)
	}},
	{name: "form: the order of tabs", codes: signingCodes, do: func(d *draft) {
		d.with(3, "/Tabs /S")
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
	}},
	{name: "form: tagged", codes: signingCodes, mod: taggedForm, do: func(d *draft) { // as Acrobat tags a new field
		sig := d.field("Signature1", "/Rect [400 20 550 80] /StructParent 1 "+d.acrobatLook())
		field := fmt.Sprintf("%d 0 R", d.next-1)
		elem := d.add("<< /Type /StructElem /S /Form /P 36 0 R /Pg 3 0 R /K << /Type /OBJR /Obj %s /Pg 3 0 R >> >>", field)
		d.swap(36, "/K [37 0 R", "/K [37 0 R "+elem)
		d.swap(34, "/Nums [0 [37 0 R]", "/Nums [0 [37 0 R] 1 "+elem)
		d.swap(33, "/ParentTreeNextKey 1", "/ParentTreeNextKey 2")
		d.sign(sig, "", nil)
	}},
	{name: "form: empty fields for others", codes: signingCodes, do: func(d *draft) {
		for _, name := range []string{"A", "B"} {
			f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /P 3 0 R /F 4 /Rect [400 20 550 80] /MK << >> >>", name)
			d.into(5, "/Fields", f)
			d.into(3, "/Annots", f)
		}
		d.save()
	}},
	{name: "form: flags of signatures", codes: signingCodes, mod: map[int]string{5: strings.Replace(blank(nil)[5], "/DA", "/SigFlags 1 /DA", 1)}, do: func(d *draft) {
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
	}},
}

// undrawn leaves it to readers to draw what is filled in, and has nothing filled in.
var undrawn = map[int]string{
	5:  strings.Replace(blank(nil)[5], "/DA", "/NeedAppearances true /DA", 1),
	26: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [50 370 250 390] /FT /Tx /T (Case) /DA (/Helv 12 Tf 0 g) >>",
	13: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [50 560 64 574] /FT /Btn /T (Agree) >>",
	15: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [100 560 114 574] /Parent 14 0 R >>",
	16: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [120 560 134 574] /Parent 14 0 R >>",
	17: "<< /Type /Annot /Subtype /Widget /F 4 /P 3 0 R /Rect [140 560 154 574] /Parent 14 0 R >>",
}

// formless has its form in the catalog.
func formless(n int) map[int]string {
	return map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm " + blank(nil)[n] + " >>", n: "null"}
}

// taggedForm has a structure tree: the text of the first page is a paragraph of it.
var taggedForm = map[int]string{
	1:  "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /MarkInfo << /Marked true >> /StructTreeRoot 33 0 R >>",
	3:  strings.Replace(blank(nil)[3], "/Contents", "/StructParents 0 /Contents", 1),
	8:  pdftest.Stream("", "/P << /MCID 0 >> BDC BT /F 12 Tf 50 780 Td (Statement of claim) Tj ET EMC"),
	33: "<< /Type /StructTreeRoot /K 36 0 R /ParentTree 34 0 R /ParentTreeNextKey 1 >>",
	34: "<< /Nums [0 [37 0 R]] >>", 35: "null",
	36: "<< /Type /StructElem /S /Document /P 33 0 R /K [37 0 R] >>",
	37: "<< /Type /StructElem /S /P /P 36 0 R /Pg 3 0 R /K 0 >>",
}
