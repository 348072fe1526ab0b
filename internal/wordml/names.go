package wordml

// A family is the namespaces of one conformance class.
type family struct{ w, wp, a, pic, r string }

var (
	transitional = family{
		w:   "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
		wp:  "http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing",
		a:   "http://schemas.openxmlformats.org/drawingml/2006/main",
		pic: "http://schemas.openxmlformats.org/drawingml/2006/picture",
		r:   "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
	}
	strict = family{
		w:   "http://purl.oclc.org/ooxml/wordprocessingml/main",
		wp:  "http://purl.oclc.org/ooxml/drawingml/wordprocessingDrawing",
		a:   "http://purl.oclc.org/ooxml/drawingml/main",
		pic: "http://purl.oclc.org/ooxml/drawingml/picture",
		r:   "http://purl.oclc.org/ooxml/officeDocument/relationships",
	}
)

const (
	mcNS = "http://schemas.openxmlformats.org/markup-compatibility/2006"
	vNS  = "urn:schemas-microsoft-com:vml"
	oNS  = "urn:schemas-microsoft-com:office:office"
	xml  = "http://www.w3.org/XML/1998/namespace"
)

// A role is what an element is to a scan.
type role uint8

const (
	other     role = iota
	story          // w:body, w:hdr, w:ftr: what has paragraphs of its own, the text of a page
	block          // w:p
	paraPr         // w:pPr
	run            // w:r
	runPr          // w:rPr
	text           // w:t
	inline         // what stands between a paragraph and its runs, and has runs
	simple         // w:fldSimple: a field that has its code in an attribute
	ruby           // w:ruby
	sect           // w:sectPr
	box            // w:txbxContent
	cell           // w:tc
	cellPr         // w:tcPr
	alternate      // mc:AlternateContent
	drawing        // wp:anchor, wp:inline
	pict           // w:pict
	fromSide       // wp:positionH
	fromTop        // wp:positionV
	offset         // wp:posOffset in either
)

var roles = map[string]role{
	"body": story, "hdr": story, "ftr": story, "p": block, "pPr": paraPr, "r": run, "rPr": runPr, "t": text,
	"hyperlink": inline, "ins": inline, "moveTo": inline, "smartTag": inline, "sdtContent": inline, "fldSimple": simple,
	"customXml": inline, "dir": inline, "bdo": inline,
	"ruby": ruby, "sectPr": sect, "txbxContent": box, "tc": cell, "tcPr": cellPr, "pict": pict,
}
