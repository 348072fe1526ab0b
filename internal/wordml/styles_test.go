package wordml

import (
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

const stylesPart = `<w:styles xmlns:w="NS"><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts w:ascii="Noto Serif CJK SC" w:hAnsi="Noto Serif CJK SC" w:eastAsia="Noto Serif CJK SC"/><w:sz w:val="24"/></w:rPr></w:rPrDefault>` +
	`<w:pPrDefault><w:pPr><w:spacing w:after="0"/></w:pPr></w:pPrDefault></w:docDefaults><w:style w:type="paragraph" w:default="1" w:styleId="a"><w:name w:val="Normal"/></w:style>` +
	`<w:style w:type="paragraph" w:styleId="b"><w:name w:val="Big"/><w:basedOn w:val="a"/><w:pPr><w:ind w:right="600"/></w:pPr><w:rPr><w:sz w:val="52"/></w:rPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="c"><w:name w:val="Sign"/><w:basedOn w:val="b"/><w:pPr><w:jc w:val="right"/></w:pPr></w:style>` +
	`<w:style w:type="paragraph" w:styleId="x"><w:basedOn w:val="y"/></w:style><w:style w:type="paragraph" w:styleId="y"><w:basedOn w:val="x"/></w:style></w:styles>`

// Where styles say how a paragraph looks, seals stand in the middle of its text all the same.
func TestStylesAsRendered(t *testing.T) {
	plain := func(s string) string { return `<w:r><w:t>` + s + `</w:t></w:r>` }
	body := document(&transitional, above+withPPr(`<w:pStyle w:val="c"/>`, plain("某院盖章处"))+paraOf(plain("子丑寅卯"))+sectA4)
	sheetOf := strings.ReplaceAll(stylesPart, "NS", transitional.w)
	styled := func() *Document {
		d := open(t, body)
		if err := d.UseStyles([]byte(sheetOf), xmldoc.Limits{}); err != nil {
			t.Fatal(err)
		}
		return d
	}
	var docs [][]byte
	texts := []string{"盖章处", "子丑寅卯"}
	for _, text := range texts {
		d := styled()
		part, _ := seal(t, d, find(t, d, text), 0, 0)
		docs = append(docs, pack(&transitional, part, map[string]string{"word/styles.xml": sheetOf}))
		list, _, err := d.PlaceLine(find(t, d, text), Line{GUID: someGUID, RelID: "rIdSeal", Width: 45, Height: 45}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, pack(&transitional, spliced(t, d, list), map[string]string{"word/styles.xml": sheetOf}))
	}
	for i, pages := range render(t, docs) {
		if len(pages[0].images) != 1 {
			t.Fatalf("document %d shows %d pictures", i, len(pages[0].images))
		}
		x, y := pages[0].middle(t, texts[i/2])
		near(t, pages[0].images[0], 45, 45, x, y, 1.5)
	}
}

func TestStyles(t *testing.T) {
	for _, ns := range []*family{&transitional, &strict} {
		d := open(t, document(ns, withPPr(`<w:pStyle w:val="c"/><w:spacing w:line="360"/>`, runOf("一"))+withPPr(`<w:pStyle w:val="x"/>`, runOf("二"))+paraOf(runOf("三"))))
		if err := d.UseStyles([]byte(strings.ReplaceAll(stylesPart, "NS", ns.w)), xmldoc.Limits{}); err != nil {
			t.Fatal(err)
		}
		got := d.look(&d.paras[0])
		got.has = 0
		if want := (shape{line: 360, jc: "right", right: 600, half: 52}); got != want {
			t.Errorf("%+v, not %+v", got, want)
		}
		for i := 1; i < 3; i++ {
			if got := d.look(&d.paras[i]); got.half != 24 || got.jc != "" {
				t.Errorf("paragraph %d: %+v", i, got)
			}
		}
	}
	d := open(t, document(&strict, ""))
	for part, want := range map[string]error{strings.ReplaceAll(stylesPart, "NS", transitional.w): ErrNotWord, "<a": xmldoc.ErrSyntax} {
		if err := d.UseStyles([]byte(part), xmldoc.Limits{}); !errors.Is(err, want) {
			t.Errorf("%.40s: %v", part, err)
		}
	}
}
