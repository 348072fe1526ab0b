package wordscan

import (
	"io"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Namespaces. Those of ISO 29500 Strict say the same as the transitional ones of everybody's files.
const (
	nsW       = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
	nsWStrict = "http://purl.oclc.org/ooxml/wordprocessingml/main"
	nsW14     = "http://schemas.microsoft.com/office/word/2010/wordml"
	nsW15     = "http://schemas.microsoft.com/office/word/2012/wordml"
	nsWP15    = "http://schemas.microsoft.com/office/word/2012/wordprocessingDrawing"
	nsWNE     = "http://schemas.microsoft.com/office/word/2006/wordml"
	nsMC      = "http://schemas.openxmlformats.org/markup-compatibility/2006"
	nsV       = "urn:schemas-microsoft-com:vml"
	nsR       = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
	nsRStrict = "http://purl.oclc.org/ooxml/officeDocument/relationships"
	nsO       = "urn:schemas-microsoft-com:office:office"
)

const (
	insertion = "insertion"
	deletion  = "deletion"
	move      = "move"
	format    = "formatting change"
	cell      = "cell change"
	conflict  = "conflict"
)

// changes names the elements of tracked changes; a range is counted where it begins.
var changes = map[string]string{
	"ins": insertion, "del": deletion, "moveFrom": move, "moveTo": move,
	"moveFromRangeStart": move, "moveToRangeStart": move,
	"customXmlInsRangeStart": insertion, "customXmlDelRangeStart": deletion,
	"customXmlMoveFromRangeStart": move, "customXmlMoveToRangeStart": move,
	"rPrChange": format, "pPrChange": format, "sectPrChange": format, "numberingChange": format,
	"tblPrChange": format, "tblPrExChange": format, "tblGridChange": format, "trPrChange": format, "tcPrChange": format,
	"cellIns": cell, "cellDel": cell, "cellMerge": cell,
}

// conflicts are changes of two people to one place (MS-DOCX 2.6).
var conflicts = map[string]string{
	"conflictIns": conflict, "conflictDel": conflict,
	"customXmlConflictInsRangeStart": conflict, "customXmlConflictDelRangeStart": conflict,
}

// markup is other markup of the main namespace that says by itself what is there.
var markup = map[string]struct {
	kind  Kind
	text  string
	named bool // it names a relationship, by which it has been counted when that is there
}{
	"comment":          {Comments, "comment", false},
	"commentReference": {Comments, "mark of a comment|marks of comments", false},
	"altChunk":         {AltChunk, "imported document", true},
	"attachedTemplate": {Template, "attached template", true},
	"object":           {Embedded, "embedded object", true},
	"control":          {Embedded, "control", true},
	"subDoc":           {External, "sub-document", true},
	"sourceFileName":   {External, "frame", true},
	"mailMerge":        {External, "mail merge", false},
	"saveThroughXslt":  {External, "transformation on saving|transformations on saving", false},
	"trackRevisions":   {Tracking, "setting", false},
	"updateFields":     {UpdateOnOpen, "setting", false},
	"entryMacro":       {Macros, "macro of a form field|macros of form fields", false},
	"exitMacro":        {Macros, "macro of a form field|macros of form fields", false},
	"embedRegular":     {EmbeddedFonts, "font", false},
	"embedBold":        {EmbeddedFonts, "font", false},
	"embedItalic":      {EmbeddedFonts, "font", false},
	"embedBoldItalic":  {EmbeddedFonts, "font", false},
}

// partScan is the scan of one part.
type partScan struct {
	part    string
	tally   *tally
	dangles *tally // what names a relationship; told only when there is none
	fields  fieldReader
	simple  []int // depths of the w:fldSimple that are open
	deleted []int // depths of the elements open whose content is deleted
	text    int   // depth of the element open whose text counts, 0: none
	code    bool  // that text is an instruction
}

// scanMarkup reads the XML of a part to its end.
func scanMarkup(part string, b []byte, found, dangles *tally) error {
	s, err := xmldoc.NewScanner(b, xmldoc.Limits{})
	if err != nil {
		return err
	}
	p := &partScan{part: part, tally: found, dangles: dangles}
	p.fields.found = func(name, instr string) {
		if kind, ok := fieldKinds[name]; ok {
			p.tally.add(kind, part, name, with("field", name), instr)
		}
	}
	p.fields.odd = func(what string) { p.tally.add(Fields, part, what, what, "") }
	for {
		t, err := s.Next()
		if err == io.EOF {
			p.fields.finish()
			return nil
		}
		if err != nil {
			return err
		}
		switch t.Kind {
		case xmldoc.Start:
			p.start(&t)
		case xmldoc.End:
			p.end(&t)
		case xmldoc.Text, xmldoc.CData:
			switch {
			case p.text == 0 || t.Depth != p.text:
			case p.code:
				p.fields.code(t.Text(), len(p.deleted) > 0)
			case p.fields.wants():
				p.fields.text(t.Text(), len(p.deleted) > 0)
			}
		}
	}
}

func (p *partScan) start(t *xmldoc.Token) {
	switch t.Name.Space {
	case nsW, nsWStrict:
		p.word(t)
	case nsMC:
		if t.Name.Local == "Choice" || t.Name.Local == "Fallback" {
			p.fields.branch()
		}
	case nsW14:
		if text, ok := conflicts[t.Name.Local]; ok {
			p.tally.add(TrackedChanges, p.part, "", text, "")
		}
	case nsW15:
		if t.Name.Local == "dataBinding" {
			p.binding(t)
		}
	case nsWP15:
		if t.Name.Local == "webVideoPr" {
			p.tally.add(External, p.part, "", "video of the web|videos of the web", "")
		}
	case nsWNE:
		if t.Name.Local == "macro" || t.Name.Local == "mcd" {
			name, _ := t.Attr(nsWNE, "macroName")
			p.tally.add(Macros, p.part, "", "key or command bound to a macro|keys or commands bound to macros", name)
		}
	case nsO:
		if t.Name.Local == "OLEObject" {
			p.dangles.add(Embedded, p.part, "", "embedded object", "")
		}
	case nsV:
		p.vml(t)
	}
}

// word looks at an element of the main namespace.
func (p *partScan) word(t *xmldoc.Token) {
	switch local := t.Name.Local; local {
	case "r", "p", "rPr", "pPr", "rFonts", "sz", "tc", "tr", "tcPr": // most of a document
	case "t":
		p.text, p.code = t.Depth, false
	case "delText":
		p.text, p.code = t.Depth, false
	case "instrText", "delInstrText":
		p.text, p.code = t.Depth, true
	case "fldChar":
		switch kind, _ := t.Attr(t.Name.Space, "fldCharType"); kind {
		case "begin":
			p.fields.begin()
		case "separate":
			p.fields.separate()
		case "end":
			p.fields.end()
		}
	case "fldSimple":
		instr, _ := t.Attr(t.Name.Space, "instr")
		p.simple = append(p.simple, t.Depth)
		p.fields.simple(instr)
	default:
		p.other(t, local)
	}
}

func (p *partScan) other(t *xmldoc.Token, local string) {
	if local == "dataBinding" {
		p.binding(t)
		return
	}
	if text, ok := changes[local]; ok {
		p.tally.add(TrackedChanges, p.part, "", text, "")
		if local == "del" || local == "moveFrom" {
			p.deleted = append(p.deleted, t.Depth)
		}
		return
	}
	m, ok := markup[local]
	switch {
	case !ok || (m.kind == Tracking || m.kind == UpdateOnOpen) && off(t):
	case m.named:
		p.dangles.add(m.kind, p.part, "", m.text, "")
	default:
		p.tally.add(m.kind, p.part, "", m.text, "")
	}
}

// propertyStores are the data that hold the properties of a document, by the number that Word gives them and by their namespaces.
var propertyStores = []string{
	"{6C3C8BC8-F283-45AE-878A-BAB7291924A1}", "{6668398D-A668-4E3E-A5EB-62B293D839F1}",
	"HTTP://SCHEMAS.OPENXMLFORMATS.ORG/PACKAGE/2006/METADATA/CORE-PROPERTIES", "HTTP://PURL.ORG/DC/",
	"OFFICEDOCUMENT/2006/EXTENDED-PROPERTIES", "OFFICEDOCUMENT/EXTENDEDPROPERTIES",
	"OFFICEDOCUMENT/2006/CUSTOM-PROPERTIES", "OFFICEDOCUMENT/CUSTOMPROPERTIES",
}

// binding looks at what a content control shows: a property, where it names the store of properties or leaves it open which one.
func (p *partScan) binding(t *xmldoc.Token) {
	store, all := "", ""
	for _, a := range t.Attrs {
		if a.Name.Local == "storeItemID" {
			store = a.Value
		}
		all += strings.ToUpper(a.Value) + " "
	}
	if store == "" || slices.ContainsFunc(propertyStores, func(s string) bool { return strings.Contains(all, s) }) {
		xpath, _ := t.Attr(t.Name.Space, "xpath")
		p.tally.add(PropertyFields, p.part, "binding", "content control that shows a property|content controls that show properties", xpath)
	}
}

// off tells whether a setting is there to say no.
func off(t *xmldoc.Token) bool {
	v, ok := t.Attr(t.Name.Space, "val")
	return ok && (v == "0" || v == "false" || v == "off")
}

// vml looks for pictures that are named by a URL, without a relationship.
func (p *partScan) vml(t *xmldoc.Token) {
	switch t.Name.Local {
	case "imagedata", "fill", "stroke", "image":
	default:
		return
	}
	url := ""
	for _, a := range t.Attrs {
		switch {
		case a.Value == "":
		case a.Name.Space == nsR || a.Name.Space == nsRStrict || a.Name.Space == nsO && a.Name.Local == "relid":
			return // the picture is in the package, or its relationship says where
		case a.Name.Space == "" && a.Name.Local == "src" || a.Name.Space == nsO && a.Name.Local == "href":
			url = a.Value
		}
	}
	if url != "" {
		p.tally.add(External, p.part, "vml", "linked picture", url)
	}
}

func (p *partScan) end(t *xmldoc.Token) {
	switch {
	case t.Depth == p.text:
		p.text = 0
	case closes(&p.deleted, t.Depth):
	case closes(&p.simple, t.Depth):
		p.fields.end()
	case t.Name.Space == nsMC && (t.Name.Local == "Choice" || t.Name.Local == "Fallback"):
		p.fields.unbranch()
	}
}

// closes takes the depth from the end of the list.
func closes(depths *[]int, depth int) bool {
	n := len(*depths) - 1
	if n < 0 || (*depths)[n] != depth {
		return false
	}
	*depths = (*depths)[:n]
	return true
}
