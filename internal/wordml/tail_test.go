package wordml

import (
	"reflect"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// sameEnd asks that what the end of a part tells is what all of it tells.
func sameEnd(t *testing.T, d *Document, part []byte) (told bool) {
	t.Helper()
	short := endOnly(part, xmldoc.Limits{})
	if short == nil {
		return false
	}
	want, got := d.End(), short.End()
	if got != want || short.ns != d.ns || short.lastID != d.lastID || short.shapeType != d.shapeType || len(d.seals)+len(d.sigLines) > 0 {
		t.Fatalf("%+v, and %+v by its end alone, in %q", want, got, part)
	}
	a, _, err := d.Place(want, seal45, 0, 0)
	b, _, err2 := short.Place(got, seal45, 0, 0)
	if err != nil || err2 != nil || !reflect.DeepEqual(a, b) {
		t.Fatalf("%v %v, and %v %v", a, err, b, err2)
	}
	return true
}

func TestOpenEnd(t *testing.T) {
	text := paraOf(runOf("甲"))
	doc := func(body string) string { return document(&transitional, body) }
	for _, c := range []struct {
		name, part string
		told       bool // by the end alone
	}{
		{"section", doc(text + sectA4), true},
		{"strict", document(&strict, text+sectA4), true},
		{"empty section", doc(text + `<w:sectPr/>`), true},
		{"white space", doc(text+"\n"+sectA4+"\n ") + "\n", true},
		{"no section", doc(text), true},
		{"an empty paragraph", doc(text + `<w:p/>`), true},
		{"a table", doc(`<w:tbl><w:tr><w:tc>` + text + `</w:tc></w:tr></w:tbl>`), true},
		{"another prefix", strings.NewReplacer("w:", "x:", "xmlns:w=", "xmlns:x=").Replace(doc(text + sectA4)), true},
		{"> in a value", doc(text + `<w:sectPr w:x="a/>b"><w:pgSz w:w='>'/></w:sectPr>`), true},
		{"body in an address", strings.Replace(doc(text+sectA4), "<w:document ", `<w:document xmlns:z="urn:body" `, 1), false},
		{"a section that is not the last", doc(text + sectA4 + text), false},
		{"sections in paragraphs", doc(`<w:p><w:pPr>` + sectA4 + `</w:pPr></w:p>` + text), false},
		{"a section in a paragraph and the last", doc(`<w:p><w:pPr>` + sectA4 + `</w:pPr></w:p>` + sectA4), true},
		{"another namespace", doc(text + `<w:sectPr xmlns:w="urn:x"/>`), false},
		{"a drawing", doc(paraOf(`<w:r><w:drawing><wp:inline><wp:docPr id="7" name="x"/></wp:inline></w:drawing></w:r>`) + sectA4), false},
		{"a comment", doc(text + sectA4 + `<!-- <w:sectPr/> -->`), false},
		{"an instruction", doc(text + sectA4 + `<?x <w:sectPr/>?>`), false},
		{"CDATA", doc(paraOf(`<w:r><w:t><![CDATA[<w:p>]]></w:t></w:r>`) + sectA4), false},
		{"nothing", doc(""), false},
		{"a header", `<w:hdr xmlns:w="` + transitional.w + `"><w:p/></w:hdr>`, false},
	} {
		if told := sameEnd(t, open(t, c.part), []byte(c.part)); told != c.told {
			t.Errorf("%s: %v", c.name, told)
		}
		if d, err := OpenEnd([]byte(c.part), xmldoc.Limits{}); err != nil || d.End() != open(t, c.part).End() {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, bad := range []string{"", "<", "body>", "<body></w:body></w:document>", doc(text)[:200], doc(text + `</w:p>`), doc(`<w:p></w:t>`), doc("text"),
		doc(text + "text"), doc(`<w:t></w:p>`), doc(`<`), doc(`<>`), doc(`/>`), doc(`<w:p a="`)} {
		if d := endOnly([]byte(bad), xmldoc.Limits{}); d != nil {
			t.Errorf("%q: %+v", bad, d.End())
		}
	}
}
