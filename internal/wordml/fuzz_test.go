package wordml

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// Whatever a part has in it: what is inserted leaves it well-formed and can be taken out again.
func FuzzPlace(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(document(&transitional, s)), "甲")
		f.Add([]byte(document(&strict, s)), "seal")
	}
	f.Fuzz(func(t *testing.T, part []byte, text string) {
		d, err := Open(part, xmldoc.Limits{Size: 1 << 20})
		if err != nil {
			return
		}
		sameEnd(t, d, part)
		spots, err := d.Find(text)
		if err != nil && !errors.Is(err, ErrLimit) {
			t.Fatal(err)
		}
		spots = append(spots[:min(len(spots), 20)], d.Dates()...)
		spots = append(spots[:min(len(spots), 40)], d.End(), d.Margin(d.LastSection()))
		for _, m := range d.bookmarks[:min(len(d.bookmarks), 20)] {
			if s, ok := d.Bookmark(m.name); ok {
				spots = append(spots, s)
			}
		}
		for i, s := range spots {
			list, _, err := d.Place(s, seal45, 1, 0)
			if i%2 == 1 {
				list, _, err = d.PlaceLine(s, Line{GUID: someGUID, RelID: "r", Width: 42, Height: 42}, 1, 0)
			}
			if err != nil {
				continue
			}
			out := Apply(part, list)
			if !bytes.Equal(without(out, list), part) {
				t.Fatalf("%v cannot be taken out of %q again", list, out)
			}
			again, err := Open(out, xmldoc.Limits{})
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			before, after := len(d.Seals())+len(d.Lines()), len(again.Seals())+len(again.Lines())
			if after != before+1 && before < maxLines {
				t.Fatalf("%d seals and signature lines\n%s", after, out)
			}
		}
	})
}

func FuzzLock(f *testing.F) {
	f.Add([]byte(`<w:settings xmlns:w="` + transitional.w + `"><w:zoom/><w:documentProtection w:edit="forms" w:enforcement="0"/><w:compat/></w:settings>`))
	f.Add([]byte(`<settings xmlns="` + strict.w + `"/>`))
	f.Fuzz(func(t *testing.T, part []byte) {
		out, err := Lock(part, xmldoc.Limits{Size: 1 << 20})
		if err != nil {
			return
		}
		if again, err := Lock(out, xmldoc.Limits{}); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q was locked as %q, then %q, %v", part, out, again, err)
		}
	})
}

func FuzzStyles(f *testing.F) {
	f.Add([]byte(strings.ReplaceAll(stylesPart, "NS", transitional.w)))
	d, err := Open([]byte(document(&transitional, withPPr(`<w:pStyle w:val="c"/>`, runOf("甲"))+sectA4)), xmldoc.Limits{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, part []byte) {
		d.UseStyles(part, xmldoc.Limits{Size: 1 << 20})
		if _, _, err := d.Place(find(t, d, "甲"), seal45, 0, 0); err != nil && !errors.Is(err, ErrPlace) {
			t.Fatal(err)
		}
	})
}

// samples are bodies with what texts can stand in.
var samples = []string{
	paraOf(runOf("甲乙 seal 丙")) + sectA4,
	paraOf(runOf("甲")+`<w:hyperlink><w:bookmarkStart w:id="1" w:name="b"/>`+runOf("乙&amp;&#x4e2d;")+`<w:bookmarkEnd w:id="1"/></w:hyperlink><w:fldSimple w:instr="x">`+runOf("丙")+`</w:fldSimple>`) + sectA4,
	paraOf(`<w:r><w:t xml:space="preserve"> 甲<!-- x --><![CDATA[乙]]> 丙 </w:t><w:tab/><w:noBreakHyphen/><w:sym w:char="4E01"/><w:br/><w:t>二〇二六年十一月二十四日</w:t></w:r>`),
	paraOf(`<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><wp:docPr id="4294967295" name="x"/><w:txbxContent>`+paraOf(runOf("甲"))+`</w:txbxContent></wp:anchor></w:drawing></mc:Choice>`+
		`<mc:Fallback><w:pict><w:txbxContent>`+paraOf(runOf("甲"))+`</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>`+runOf("甲")) + sectA4,
	`<w:bookmarkStart w:id="7" w:name="c"/><w:p/><w:sdt><w:sdtContent>` + paraOf(`<w:sdt><w:sdtContent>`+runOf("甲")+`</w:sdtContent></w:sdt><w:smartTag>`+runOf("甲")+`</w:smartTag><w:del>`+runOf("甲")+`</w:del>`) + `</w:sdtContent></w:sdt>`,
	paraOf(`<w:r><w:ruby><w:rt><w:r><w:t>a</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>甲乙</w:t></w:r></w:rubyBase></w:ruby></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:t>甲</w:t></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r>`+runOf("甲")+`<w:r><w:fldChar w:fldCharType="end"/></w:r>`) + `<w:sectPr/>`,
}
