package wordscan

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/internal/xmldoc"
)

const docType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

// sample is a package in the making: what is not given is a plain document.
type sample struct {
	main    string            // content type of the main part
	body    string            // inside w:body
	strict  bool              // in the namespaces of ISO 29500 Strict
	rels    []string          // relationships of the document: "type target" or "type !target outside"
	parts   map[string]string // more parts, with "contentType|content"
	setting string            // inside w:settings
}

func (s sample) open(t testing.TB) *opc.Package {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	write := func(name, content string) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, content)
	}
	w, base := nsW, nsR
	if s.strict {
		w, base = nsWStrict, nsRStrict
	}
	if s.main == "" {
		s.main = docType
	}
	const settings = "application/vnd.openxmlformats-officedocument.wordprocessingml.settings+xml"
	types := fmt.Sprintf(`<Override PartName="/word/document.xml" ContentType="%s"/><Override PartName="/word/settings.xml" ContentType="%s"/>`,
		s.main, settings)
	rels := fmt.Sprintf(`<Relationship Id="s" Type="%s/settings" Target="settings.xml"/>`, base)
	for i, r := range s.rels {
		kind, target, _ := strings.Cut(r, " ")
		if !strings.Contains(kind, "://") {
			kind = base + "/" + kind
		}
		mode := ""
		if outside, ok := strings.CutPrefix(target, "!"); ok {
			target, mode = outside, ` TargetMode="External"`
		}
		rels += fmt.Sprintf(`<Relationship Id="r%d" Type="%s" Target="%s"%s/>`, i, kind, target, mode)
	}
	more := []string{}
	for name := range s.parts {
		more = append(more, name)
	}
	slices.Sort(more)
	for _, name := range more {
		contentType, _, _ := strings.Cut(s.parts[name], "|")
		types += fmt.Sprintf(`<Override PartName="/%s" ContentType="%s"/>`, name, contentType)
	}
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`
	const relsNS = "http://schemas.openxmlformats.org/package/2006/relationships"
	write("[Content_Types].xml", head+`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">`+
		`<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>`+types+`</Types>`)
	write("_rels/.rels", head+`<Relationships xmlns="`+relsNS+`"><Relationship Id="d" Type="`+base+`/officeDocument" Target="word/document.xml"/></Relationships>`)
	write("word/document.xml", head+document(w, base, s.body))
	write("word/_rels/document.xml.rels", head+`<Relationships xmlns="`+relsNS+`">`+rels+`</Relationships>`)
	write("word/settings.xml", head+`<w:settings xmlns:w="`+w+`">`+s.setting+`</w:settings>`)
	for _, name := range more {
		_, content, _ := strings.Cut(s.parts[name], "|")
		write(name, content)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := opc.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), opc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func document(w, r, body string) string {
	return `<w:document xmlns:w="` + w + `" xmlns:r="` + r + `" xmlns:mc="` + nsMC + `" xmlns:w14="` + nsW14 + `" xmlns:wp15="` + nsWP15 +
		`" xmlns:v="` + nsV + `" xmlns:o="` + nsO + `"><w:body>` + body + `</w:body></w:document>`
}

// complexField writes a field in pieces; each piece of an instruction is a run of its own.
func complexField(pieces ...string) string {
	s := char("begin")
	for _, p := range pieces {
		if strings.HasPrefix(p, "<") {
			s += p
		} else {
			s += code(p)
		}
	}
	return s + char("separate") + `<w:r><w:t>result</w:t></w:r>` + char("end")
}

func char(kind string) string {
	return `<w:r><w:fldChar w:fldCharType="` + kind + `"/></w:r>`
}

func code(s string) string {
	return `<w:r><w:rPr><w:b/></w:rPr><w:instrText xml:space="preserve">` + s + `</w:instrText></w:r>`
}

func para(s string) string { return `<w:p>` + s + `</w:p>` }

const macroMain = "application/vnd.ms-word.document.macroEnabled.main+xml"

func scanTests() map[string]struct {
	sample
	want []string
} {
	const (
		wordType = "application/vnd.openxmlformats-officedocument.wordprocessingml."
		msRel    = "http://schemas.microsoft.com/office/"
	)
	part := func(kind, root, content string) string {
		return wordType + kind + `+xml|<w:` + root + ` xmlns:w="` + nsW + `">` + content + `</w:` + root + `>`
	}
	picture := complexField(` INCLUDEPICTURE "http://a.example/x.png" \d `)
	linked := []string{`fields in /word/document.xml: 1 field INCLUDEPICTURE: INCLUDEPICTURE "http://a.example/x.png" \d`}
	change := func(what string) []string { return []string{"tracked-changes in /word/document.xml: 1 " + what} }
	return map[string]struct {
		sample
		want []string
	}{
		"plain":                {sample{body: para(`<w:r><w:t>INCLUDEPICTURE</w:t></w:r>`)}, nil},
		"plain, strict":        {sample{body: para(`<w:r><w:t>x</w:t></w:r>`), strict: true}, nil},
		"ordinary hyperlink":   {sample{rels: []string{"hyperlink !http://a.example/"}}, nil},
		"ordinary fields":      {sample{body: para(complexField(" PAGE ") + complexField(` HYPERLINK "http://a.example/LINK" `) + complexField(` TOC \o "1-3" `) + complexField(" REF LINK ") + complexField(" SEQ 图 ") + `<w:fldSimple w:instr=" NUMPAGES "/>`)}, nil},
		"no field":             {sample{body: para(complexField(""))}, nil},
		"includes":             {sample{body: para(picture)}, linked},
		"includes, strict":     {sample{body: para(picture), strict: true}, linked},
		"in pieces":            {sample{body: para(complexField(" INC", "LUDEPIC", `TURE "http://a.example/x.png" \d`))}, linked},
		"without space":        {sample{body: para(complexField(`INCLUDEPICTURE"x"`))}, []string{`fields in /word/document.xml: 1 field INCLUDEPICTURE: INCLUDEPICTURE"x"`}},
		"switch at once":       {sample{body: para(complexField(`includepicture\d "x"`))}, []string{`fields in /word/document.xml: 1 field INCLUDEPICTURE: includepicture\d "x"`}},
		"ideographic space":    {sample{body: para(complexField("\u3000\u00a0DDEAUTO\u3000cmd"))}, []string{`fields in /word/document.xml: 1 field DDEAUTO: DDEAUTO cmd`}},
		"simple":               {sample{body: para(`<w:fldSimple w:instr=" LINK Excel.Sheet.12 x "><w:r><w:t>1</w:t></w:r></w:fldSimple>`)}, []string{"fields in /word/document.xml: 1 field LINK: LINK Excel.Sheet.12 x"}},
		"several":              {sample{body: para(complexField(" DDE a ") + complexField("DDE b") + complexField("RD c"))}, []string{"fields in /word/document.xml: 2 fields DDE, the first: DDE a", "fields in /word/document.xml: 1 field RD: RD c"}},
		"nested":               {sample{body: para(complexField(" IF 1 = 1 ", complexField(" INCLUDETEXT x "), ` "" `))}, []string{"fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT x"}},
		"in a result":          {sample{body: para(char("begin") + code("TOC") + char("separate") + complexField("IMPORT x") + char("end"))}, []string{"fields in /word/document.xml: 1 field IMPORT: IMPORT x"}},
		"named by a field":     {sample{body: para(complexField("INCLUDE", char("begin")+code("QUOTE")+char("separate")+`<w:r><w:t>TEXT</w:t></w:r>`+char("end"), " x"))}, []string{"fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT x"}},
		"name made by a field": {sample{body: para(complexField(complexField("QUOTE x"), " y"))}, []string{"fields in /word/document.xml: 1 field whose name another field makes"}},
		"never separated":      {sample{body: para(char("begin") + code("DATABASE x") + char("end"))}, []string{"fields in /word/document.xml: 1 field DATABASE: DATABASE x"}},
		"never ended":          {sample{body: para(char("begin") + code("DATABASE x"))}, []string{"fields in /word/document.xml: 1 field DATABASE: DATABASE x"}},
		"never begun":          {sample{body: para(code("DATABASE x"))}, []string{"fields in /word/document.xml: 1 field DATABASE: DATABASE x"}},
		"separated too early":  {sample{body: para(char("begin") + char("separate") + code("DATABASE x") + char("end"))}, []string{"fields in /word/document.xml: 1 field DATABASE: DATABASE x"}},
		"over paragraphs":      {sample{body: para(char("begin")+code("INCLUDE")) + para(code("TEXT x")+char("end"))}, []string{"fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT x"}},
		"with a deleted piece": {sample{body: para(complexField("INCLUDE", `<w:del><w:r><w:delInstrText>x</w:delInstrText></w:r></w:del>`, "TEXT x"))},
			[]string{"tracked-changes in /word/document.xml: 1 deletion", "fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT x"}},
		"whose name is deleted": {sample{body: para(complexField(`<w:del><w:r><w:delInstrText>DDE</w:delInstrText></w:r></w:del>`, " x"))},
			[]string{"tracked-changes in /word/document.xml: 1 deletion", "fields in /word/document.xml: 1 field DDE: DDE x"}},
		"in alternative content": {sample{body: para(`<mc:AlternateContent><mc:Choice Requires="wps">` + picture + `</mc:Choice><mc:Fallback>` + complexField("PAGE") + `</mc:Fallback></mc:AlternateContent>`)}, linked},
		"divided by alternatives": {sample{body: para(char("begin") + code("INCLUDE") + `<mc:AlternateContent><mc:Fallback>` + code("x") + `</mc:Fallback></mc:AlternateContent>` + code("TEXT y") + char("end"))},
			[]string{"fields in /word/document.xml: 1 field divided by alternative content"}},
		"ended in an alternative": {sample{body: para(char("begin") + `<mc:AlternateContent><mc:Fallback>` + char("end") + `</mc:Fallback></mc:AlternateContent>` + code("INCLUDE") + code("TEXT y") + char("end"))},
			[]string{"fields in /word/document.xml: 2 fields divided by alternative content", "fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT y"}},
		"begun in an alternative": {sample{body: para(`<mc:AlternateContent><mc:Fallback>` + char("begin") + code("x") + `</mc:Fallback></mc:AlternateContent>` + char("end"))},
			[]string{"fields in /word/document.xml: 1 field divided by alternative content"}},
		"too many inside": {sample{body: para(strings.Repeat(char("begin")+code("IF "), 101))}, []string{"fields in /word/document.xml: 1 field inside too many others"}},
		"a long one":      {sample{body: para(complexField(strings.Repeat(" ", 9000)+"INCLUDETEXT ", strings.Repeat("x", 9000)))}, []string{"fields in /word/document.xml: 1 field INCLUDETEXT: INCLUDETEXT " + strings.Repeat("x", 68) + "…"}},
		"a hostile one":   {sample{body: para(complexField("DDE a&#x202e;b&#xd;c"))}, []string{"fields in /word/document.xml: 1 field DDE: DDE a\ufffdb c"}},
		"live":            {sample{body: para(complexField(` DATE \@ "yyyy年M月d日" `))}, []string{`live-fields in /word/document.xml: 1 field DATE: DATE \@ "yyyy年M月d日"`}},
		"of the properties": {sample{body: para(complexField(` DOCPROPERTY 案号 `))},
			[]string{`property-fields in /word/document.xml: 1 field DOCPROPERTY: DOCPROPERTY 案号`}},

		"in a header": {sample{rels: []string{"header header1.xml"}, parts: map[string]string{"word/header1.xml": part("header", "hdr", para(complexField("DDE x")))}},
			[]string{"fields in /word/header1.xml: 1 field DDE: DDE x"}},
		"in a note, whatever its type says": {sample{rels: []string{"footnotes n.bin"}, parts: map[string]string{"word/n.bin": strings.Replace(part("x", "footnotes", para(complexField("DDE x"))), "|", "x|", 1)}},
			[]string{"fields in /word/n.bin: 1 field DDE: DDE x"}},
		"in a glossary": {sample{rels: []string{"glossaryDocument glossary/document.xml"}, parts: map[string]string{"word/glossary/document.xml": part("document.glossary", "glossaryDocument", para(complexField("DDE x")))}},
			[]string{"fields in /word/glossary/document.xml: 1 field DDE: DDE x"}},
		"in a comment": {sample{rels: []string{"comments comments.xml"}, parts: map[string]string{"word/comments.xml": part("comments", "comments", `<w:comment>`+para(complexField("DDE x"))+`</w:comment>`)}},
			[]string{"comments in /word/comments.xml: 1 comment", "fields in /word/comments.xml: 1 field DDE: DDE x"}},
		"in a text box": {sample{body: para(`<w:r><w:pict><v:shape><v:textbox><w:txbxContent>` + para(complexField("DDE x")) + `</w:txbxContent></v:textbox></v:shape></w:pict></w:r>`)},
			[]string{"fields in /word/document.xml: 1 field DDE: DDE x"}},

		"inserted":         {sample{body: para(`<w:ins><w:r><w:t>x</w:t></w:r></w:ins>`)}, change("insertion")},
		"inserted, strict": {sample{body: para(`<w:ins/>`), strict: true}, change("insertion")},
		"paragraph mark":   {sample{body: para(`<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>`)}, change("deletion")},
		"moved": {sample{body: para(`<w:moveFromRangeStart/><w:moveFrom><w:r/></w:moveFrom><w:moveFromRangeEnd/><w:moveToRangeStart/><w:moveTo/><w:moveToRangeEnd/>`)},
			[]string{"tracked-changes in /word/document.xml: 4 moves"}},
		"formatted": {sample{body: `<w:tbl><w:tblPr><w:tblPrChange/></w:tblPr><w:tblGrid><w:tblGridChange/></w:tblGrid><w:tr><w:tblPrEx><w:tblPrExChange/></w:tblPrEx><w:trPr><w:trPrChange/><w:ins/></w:trPr><w:tc><w:tcPr><w:cellIns/><w:tcPrChange/></w:tcPr></w:tc><w:tc><w:tcPr><w:cellDel/></w:tcPr></w:tc><w:tc><w:tcPr><w:cellMerge/></w:tcPr></w:tc></w:tr></w:tbl>` +
			para(`<w:pPr><w:numPr><w:numberingChange/></w:numPr><w:pPrChange/></w:pPr><w:r><w:rPr><w:rPrChange/></w:rPr></w:r>`) + `<w:sectPr><w:sectPrChange/></w:sectPr>`},
			[]string{"tracked-changes in /word/document.xml: 9 formatting changes, 1 insertion, 3 cell changes"}},
		"custom markup": {sample{body: `<w:customXmlInsRangeStart/><w:customXmlInsRangeEnd/><w:customXmlDelRangeStart/><w:customXmlMoveFromRangeStart/><w:customXmlMoveToRangeStart/>`},
			[]string{"tracked-changes in /word/document.xml: 1 insertion, 1 deletion, 2 moves"}},
		"conflict":          {sample{body: para(`<w14:conflictIns/>`)}, change("conflict")},
		"in the styles":     {sample{rels: []string{"styles styles.xml"}, parts: map[string]string{"word/styles.xml": part("styles", "styles", `<w:style><w:rPr><w:rPrChange/></w:rPr></w:style>`)}}, []string{"tracked-changes in /word/styles.xml: 1 formatting change"}},
		"to be tracked":     {sample{setting: `<w:trackRevisions/>`}, []string{"tracking in /word/settings.xml: 1 setting"}},
		"not to be tracked": {sample{setting: `<w:trackRevisions w:val="0"/><w:trackRevisions w:val="false"/>`}, nil},
		"data that looks so": {sample{rels: []string{"customXml ../customXml/item1.xml"}, parts: map[string]string{"customXml/item1.xml": `application/xml|<!DOCTYPE x><w:ins xmlns:w="` + nsW + `"/>`}},
			nil},

		"comments": {sample{body: para(`<w:commentRangeStart/><w:commentRangeEnd/><w:r><w:commentReference/></w:r>`), rels: []string{"comments comments.xml"}, parts: map[string]string{"word/comments.xml": part("comments", "comments", `<w:comment/><w:comment/>`)}},
			[]string{"comments in /word/document.xml: 1 mark of a comment", "comments in /word/comments.xml: 2 comments"}},
		"no comments": {sample{rels: []string{"comments comments.xml"}, parts: map[string]string{"word/comments.xml": part("comments", "comments", ``)}}, nil},

		"template":         {sample{setting: `<w:attachedTemplate r:id="r" xmlns:r="` + nsR + `"/>`, parts: map[string]string{"word/_rels/settings.xml.rels": relsWith("attachedTemplate", "file:///C:/court.dotx")}}, []string{"template in /word/settings.xml: 1 attached template outside the document: file:///C:/court.dotx"}},
		"template, markup": {sample{setting: `<w:attachedTemplate/>`}, []string{"template in /word/settings.xml: 1 attached template"}},
		"alternative format": {sample{body: `<w:altChunk r:id="r0"/>`, rels: []string{"aFChunk x.html"}, parts: map[string]string{"word/x.html": "text/html|<html>"}},
			[]string{"alt-chunk in /word/document.xml: 1 imported document: /word/x.html"}},
		"alternative format, outside": {sample{rels: []string{"aFChunk !http://a.example/x"}, strict: true},
			[]string{"alt-chunk in /word/document.xml: 1 imported document outside the document: http://a.example/x"}},

		"macros": {sample{main: macroMain, rels: []string{msRel + "2006/relationships/vbaProject vbaProject.bin"}, parts: map[string]string{"word/vbaProject.bin": "application/vnd.ms-office.vbaProject|x"}},
			[]string{"macros in /word/document.xml: 1 content type of documents with macros", "macros in /word/document.xml: 1 macro project: /word/vbaProject.bin"}},
		"macros that nobody names": {sample{parts: map[string]string{"word/vbaProject.bin": "application/vnd.ms-office.vbaProject|x"}},
			[]string{"macros in /word/vbaProject.bin: 1 macro project that no relationship names"}},
		"macros of keys": {sample{rels: []string{msRel + "2006/relationships/keyMapCustomizations customizations.xml"}, parts: map[string]string{"word/customizations.xml": `application/vnd.ms-word.keyMapCustomizations+xml|<wne:tcg xmlns:wne="` + nsWNE + `"><wne:macro wne:macroName="X"/></wne:tcg>`}},
			[]string{"macros in /word/customizations.xml: 1 key or command bound to a macro: X"}},
		"toolbars": {sample{rels: []string{msRel + "2006/relationships/attachedToolbars t.bin"}, parts: map[string]string{"word/t.bin": "application/vnd.ms-word.attachedToolbars|x"}},
			[]string{"macros in /word/document.xml: 1 attached toolbar: /word/t.bin"}},
		"form field": {sample{body: para(`<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:entryMacro w:val="x"/></w:ffData></w:fldChar></w:r>` + code("FORMTEXT") + char("end"))},
			[]string{"macros in /word/document.xml: 1 macro of a form field"}},

		"embedded": {sample{body: para(`<w:r><w:object><o:OLEObject/></w:object></w:r>`), rels: []string{"oleObject o.bin", "package w.xlsx", "control c.xml"}, parts: map[string]string{"word/o.bin": "application/vnd.openxmlformats-officedocument.oleObject|x", "word/w.xlsx": "application/x|x", "word/c.xml": "application/vnd.ms-office.activeX+xml|<ax/>"}},
			[]string{"embedded in /word/document.xml: 1 embedded object: /word/o.bin", "embedded in /word/document.xml: 1 embedded file: /word/w.xlsx", "embedded in /word/document.xml: 1 control: /word/c.xml"}},
		"embedded, markup alone": {sample{body: para(`<w:r><w:object><o:OLEObject/></w:object></w:r>`)},
			[]string{"embedded in /word/document.xml: 2 embedded objects"}},

		"linked pictures":  {sample{rels: []string{"image !http://a.example/1.png", "image !http://a.example/2.png"}}, []string{"external in /word/document.xml: 2 images outside the document, the first: http://a.example/1.png"}},
		"linked object":    {sample{rels: []string{"oleObject !file:///x.xlsx"}}, []string{"external in /word/document.xml: 1 embedded object outside the document: file:///x.xlsx"}},
		"unknown, outside": {sample{rels: []string{"http://a.example/types/thing !http://a.example/"}}, []string{"external in /word/document.xml: 1 thing outside the document: http://a.example/"}},
		"sub-document":     {sample{body: `<w:subDoc r:id="r0"/>`, rels: []string{"subDocument !x.docx"}}, []string{"external in /word/document.xml: 1 sub-document outside the document: x.docx"}},
		"picture by URL":   {sample{body: para(`<w:r><w:pict><v:shape><v:imagedata src="http://a.example/x"/></v:shape></w:pict></w:r>`)}, []string{"external in /word/document.xml: 1 linked picture: http://a.example/x"}},
		"picture, reference": {sample{body: para(`<w:r><w:pict><v:shape><v:imagedata r:id="r1" o:href="http://a.example/x"/></v:shape></w:pict></w:r>`)},
			nil},
		"mail merge":   {sample{setting: `<w:mailMerge><w:connectString w:val="DSN=x"/></w:mailMerge>`}, []string{"external in /word/settings.xml: 1 mail merge"}},
		"web video":    {sample{body: para(`<wp15:webVideoPr/>`)}, []string{"external in /word/document.xml: 1 video of the web"}},
		"update all":   {sample{setting: `<w:updateFields w:val="true"/>`}, []string{"update-on-open in /word/settings.xml: 1 setting"}},
		"a font in it": {sample{rels: []string{"fontTable fontTable.xml"}, parts: map[string]string{"word/fontTable.xml": part("fontTable", "fonts", `<w:font><w:embedRegular/></w:font>`)}}, []string{"embedded-fonts in /word/fontTable.xml: 1 font"}},
	}
}

func relsWith(kind, target string) string {
	return `application/vnd.openxmlformats-package.relationships+xml|<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="r" Type="` + nsR + `/` + kind + `" Target="` + target + `" TargetMode="External"/></Relationships>`
}

func TestScan(t *testing.T) {
	for name, tt := range scanTests() {
		t.Run(name, func(t *testing.T) {
			p := tt.open(t)
			for _, f := range p.Faults() {
				t.Errorf("the sample: %s", f)
			}
			found, err := Scan(p)
			if err != nil {
				t.Fatal(err)
			}
			if got := texts(found); !slices.Equal(got, tt.want) {
				t.Errorf("found\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(tt.want, "\n  "))
			}
		})
	}
}

// What skim passes over has nothing in it.
func TestSkim(t *testing.T) {
	for name, tt := range scanTests() {
		p := tt.open(t)
		for _, part := range p.Parts() {
			b, err := p.Read(part)
			if err != nil {
				t.Fatal(err)
			}
			unseen(t, name+" "+part.Name, b)
		}
	}
	for doc, want := range map[string]bool{
		`<a><b c="<ins>"/></a>`: true, `<a>ins</a>`: false, `<x:ins>`: true, `<ins`: true, `<inst/>`: false, `<a ins=""/>`: false,
		`<!DOCTYPE a>`: true, `<a><!-- --></a>`: true, `<?xml version="1.0"?><a/>`: false, "ï»¿<a/>": false,
		`<?xml version="1.0" encoding='utf-8'?><a/>`: false, `<?xml version="1.0" encoding="IBM037"?><a/>`: true,
		"<\x00a\x00": true, "": true, "<a\n/><w:fldChar\r/>": true,
	} {
		if skim([]byte(doc)) != want {
			t.Errorf("%q: not %v", doc, want)
		}
	}
	if skim(utf16File("<a/>")) != true {
		t.Error("UTF-16")
	}
}

func unseen(t *testing.T, name string, b []byte) {
	t.Helper()
	var found, dangles tally
	if err := scanMarkup("x", b, &found, &dangles); err == nil && !skim(b) && len(found.list)+len(dangles.list) > 0 {
		t.Errorf("%s: passed over %v %v", name, found.findings(), dangles.findings())
	}
}

// FuzzMarkup reads documents with fields: nothing panics, nothing is passed over, and a document has the same findings twice.
func FuzzMarkup(f *testing.F) {
	for _, tt := range scanTests() {
		if tt.body != "" {
			f.Add(tt.body)
		}
	}
	f.Fuzz(func(t *testing.T, body string) {
		doc := []byte(document(nsW, nsR, body))
		unseen(t, "document", doc)
		var found, again, dangles tally
		err := scanMarkup("x", doc, &found, &dangles)
		if err != nil && !errors.Is(err, xmldoc.ErrSyntax) && !errors.Is(err, xmldoc.ErrLimit) && !errors.Is(err, xmldoc.ErrEncoding) && !errors.Is(err, xmldoc.ErrDoctype) {
			t.Errorf("not a typed error: %v", err)
		}
		for _, x := range found.findings() {
			if len([]rune(x.Detail)) > 300 || plain.Text(x.Detail) != x.Detail {
				t.Errorf("a detail nobody can read: %q", x.Detail)
			}
		}
		if err == nil {
			scanMarkup("x", utf16File(string(doc)), &again, &dangles)
			if !slices.Equal(texts(again.findings()), texts(found.findings())) {
				t.Errorf("%q and in UTF-16 %q", found.findings(), again.findings())
			}
		}
	})
}

func texts(found []Finding) (all []string) {
	for _, f := range found {
		all = append(all, f.String())
	}
	return all
}

// What is not XML where XML should be is said, with what was found before.
func TestScanDamaged(t *testing.T) {
	s := sample{body: para(`<w:ins/>`), rels: []string{"header h.xml"}, parts: map[string]string{"word/h.xml": "application/x|<a><x:ins>"}}
	found, err := Scan(s.open(t))
	if !errors.Is(err, xmldoc.ErrSyntax) || !strings.Contains(err.Error(), "/word/h.xml") || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
}

// Every unsigned vector, looked through by hand.
func TestScanVectors(t *testing.T) {
	want := map[string][]string{
		"EmbeddedDocument":           {"embedded in /word/document.xml: 1 embedded object: /word/embeddings/Microsoft_Office_Excel_97-2003_Worksheet1.xls"},
		"FieldCodes":                 {`property-fields in /word/document.xml: 1 field AUTHOR: AUTHOR \* Upper \* MERGEFORMAT`, `property-fields in /word/document.xml: 1 field CREATEDATE: CREATEDATE \@ "d MMMM yyyy" \* MERGEFORMAT`},
		"HeaderFooterUnicode":        nil,
		"SampleDoc":                  nil,
		"VariousPictures":            nil,
		"bookmarks":                  nil,
		"hello-world-unsigned":       nil,
		"signed-word2007":            nil,
		"signed-word2010":            nil,
		"bug56075-changeTracking_on": {"tracking in /word/settings.xml: 1 setting"},
		"comment":                    {"comments in /word/comments.xml: 1 comment", "comments in /word/document.xml: 1 mark of a comment"},
		"delins":                     {"tracked-changes in /word/document.xml: 32 insertions, 4 deletions, 46 formatting changes", "tracking in /word/settings.xml: 1 setting"},
		"WordWithAttachments": {
			"comments in /word/document.xml: 3 marks of comments", "comments in /word/comments.xml: 3 comments",
			"macros in /word/customizations.xml: 1 key or command bound to a macro: PROJECT.NEWMACROS.MACRO_MY",
			"embedded in /word/document.xml: 1 embedded file: /word/embeddings/_____Microsoft_Office_Excel1.xlsx",
			"embedded in /word/document.xml: 4 embedded objects, the first: /word/embeddings/_________Microsoft_Office_Word_97_-_20032.doc",
		},
	}
	for _, name := range shared(t, "vectors/docx/*.docx") {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, err := opc.Open(bytes.NewReader(b), int64(len(b)), opc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if f := Main(p); f != DOCX {
			t.Errorf("%s is %s", name, f)
		}
		found, err := Scan(p)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		base := strings.TrimSuffix(filepath.Base(name), ".docx")
		expected, ok := want[base]
		if got := texts(found); !ok || !slices.Equal(got, expected) {
			t.Errorf("%s: found\n  %s\nwant\n  %s", base, strings.Join(got, "\n  "), strings.Join(expected, "\n  "))
		}
	}
}

func TestMainPart(t *testing.T) {
	of := func(contentType string) *opc.Package { return sample{main: contentType}.open(t) }
	const office = "application/vnd.openxmlformats-officedocument."
	for contentType, want := range map[string]Format{
		docType: DOCX,
		office + "wordprocessingml.template.main+xml": DOTX,
		macroMain: DOCM,
		"application/vnd.ms-word.template.macroEnabledTemplate.main+xml": DOTM,
		office + "spreadsheetml.sheet.main+xml":                          Excel,
		"application/vnd.ms-excel.sheet.macroEnabled.main+xml":           Excel,
		office + "presentationml.presentation.main+xml":                  PowerPoint,
		"application/vnd.ms-visio.drawing.main+xml":                      Visio,
		strings.ToUpper(docType):                                         DOCX,
		office + "wordprocessingml.document.main+xmlx":                   Zip,
		"application/xml": Zip,
	} {
		if got := Main(of(contentType)); got != want {
			t.Errorf("%s: %s, want %s", contentType, got, want)
		}
	}
	for content, want := range map[string]Format{
		"mimetype=application/vnd.oasis.opendocument.text": ODF,
		"mimetype=application/epub+zip":                    EPUB,
		"mimetype=text/plain":                              Zip,
		"OFD.xml=<ofd:OFD/>":                               OFD,
		"readme.txt=x":                                     Zip,
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		name, data, _ := strings.Cut(content, "=")
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(w, data)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		p, err := opc.Open(bytes.NewReader(b.Bytes()), int64(b.Len()), opc.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := Main(p); got != want {
			t.Errorf("%s: %s, want %s", content, got, want)
		}
	}
}
