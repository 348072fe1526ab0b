package wordml

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

func fieldChar(kind string) string {
	return `<w:r><w:fldChar w:fldCharType="` + kind + `"/></w:r>`
}

func TestFind(t *testing.T) {
	plain := func(s string) string { return `<w:r><w:t>` + s + `</w:t></w:r>` }
	boxed := `<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><wp:docPr id="1" name="x"/><wps:txbx><w:txbxContent>` + paraOf(plain("公章")) +
		`</w:txbxContent></wps:txbx></wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict><v:textbox><w:txbxContent>` + paraOf(plain("公章")) +
		`</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>`
	for _, c := range []struct {
		name, body, text, want string // want: what is found, joined with |
	}{
		{"one run", paraOf(plain("盖公章处")), "公章", "公章"},
		{"twice", paraOf(plain("公章公章")) + paraOf(plain("公章")), "公章", "公章|公章|公章"},
		{"over runs", paraOf(plain("公") + plain("") + plain("章")), "公章", "公章"},
		{"over a tab", paraOf(`<w:r><w:t>公</w:t><w:tab/><w:t xml:space="preserve"> 章</w:t></w:r>`), "公章", "公\t 章"},
		{"wide and narrow", paraOf(plain("（ＡＢ１）")), "(AB 1)", "（ＡＢ１）"},
		{"white space in what is looked for", paraOf(plain("公章")), " 公\u3000章 ", "公章"},
		{"hyphen", paraOf(`<w:r><w:t>a</w:t><w:noBreakHyphen/><w:t>b</w:t></w:r>`), "a-b", "a-b"},
		{"soft hyphen", paraOf(`<w:r><w:t>a</w:t><w:softHyphen/><w:t>b</w:t></w:r>`), "ab", "ab"},
		{"symbol", paraOf(`<w:r><w:sym w:font="SimSun" w:char="7AE0"/></w:r>`), "章", "章"},
		{"references and CDATA", paraOf(plain("a&amp;&#x516C;<![CDATA[章<]]>")), "&公章<", "&公章<"},
		{"comment inside", paraOf(plain("公<!-- no -->章")), "公章", "公章"},
		{"over a line break", paraOf(`<w:r><w:t>公</w:t><w:br/><w:t>章</w:t></w:r>`), "公章", ""},
		{"over paragraphs", paraOf(plain("公")) + paraOf(plain("章")), "公章", ""},
		{"hyperlink", paraOf(plain("公") + `<w:hyperlink>` + plain("章") + `</w:hyperlink>`), "公章", "公章"},
		{"inserted", paraOf(`<w:ins>` + plain("公章") + `</w:ins><w:moveTo>` + plain("公章") + `</w:moveTo>`), "公章", "公章|公章"},
		{"deleted", paraOf(`<w:del><w:r><w:delText>公章</w:delText></w:r></w:del><w:del>` + plain("公章") + `</w:del><w:moveFrom>` + plain("公章") + `</w:moveFrom>`), "公章", ""},
		{"hidden", paraOf(`<w:r><w:rPr><w:vanish/></w:rPr><w:t>公章</w:t></w:r><w:r><w:rPr><w:vanish w:val="0"/></w:rPr><w:t>公章</w:t></w:r>`), "公章", "公章"},
		{"what was hidden before a change", paraOf(`<w:r><w:rPr><w:rPrChange><w:rPr><w:vanish/></w:rPr></w:rPrChange></w:rPr><w:t>公章</w:t></w:r>`), "公章", "公章"},
		{"field", paraOf(fieldChar("begin") + `<w:r><w:instrText>公章</w:instrText></w:r>` + plain("公章1") + fieldChar("separate") + plain("公章2") + fieldChar("end") + plain("公章3")), "公章", "公章|公章"},
		{"field over paragraphs", paraOf(fieldChar("begin")+plain("公章")) + paraOf(plain("公章")+fieldChar("end")) + paraOf(plain("公章")), "公章", "公章"},
		{"field in a field", paraOf(fieldChar("begin") + fieldChar("begin") + fieldChar("separate") + plain("公章") + fieldChar("end") + fieldChar("separate") + plain("公章") + fieldChar("end")), "公章", "公章"},
		{"simple field", paraOf(`<w:fldSimple w:instr="DATE">` + plain("公章") + `</w:fldSimple>`), "公章", "公章"},
		{"content controls", `<w:sdt><w:sdtPr><w:rPr><w:vanish/></w:rPr></w:sdtPr><w:sdtContent>` + paraOf(`<w:sdt><w:sdtContent>`+plain("公")+`</w:sdtContent></w:sdt><w:smartTag>`+plain("章")+`</w:smartTag>`) + `</w:sdtContent></w:sdt>`, "公章", "公章"},
		{"text box", paraOf(plain("公") + boxed + plain("章")), "公章", "公章|公章"},
		{"only a fallback", paraOf(`<w:r><mc:AlternateContent><mc:Fallback><w:pict><v:textbox><w:txbxContent>` + paraOf(plain("公章")) + `</w:txbxContent></v:textbox></w:pict></mc:Fallback></mc:AlternateContent></w:r>`), "公章", "公章"},
		{"ruby", paraOf(`<w:r><w:ruby><w:rt>` + plain("gong") + `</w:rt><w:rubyBase>` + plain("公") + `</w:rubyBase></w:ruby></w:r>` + plain("章")), "公章", "公章"},
		{"table", `<w:tbl><w:tr><w:tc>` + paraOf(plain("公")) + `</w:tc><w:tc>` + paraOf(plain("公章")) + `</w:tc></w:tr></w:tbl>`, "公章", "公章"},
		{"not of the language", paraOf(`<m:r xmlns:m="m"><w:t>公章</w:t></m:r>`), "公章", ""},
		{"nothing", paraOf(plain("公章")), " ", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ns := range []*family{&transitional, &strict} {
				found, err := open(t, document(ns, c.body)).Find(c.text)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, s := range found {
					got = append(got, s.Text)
				}
				if g := strings.Join(got, "|"); g != c.want {
					t.Errorf("found %q, not %q", g, c.want)
				}
			}
		})
	}
	many := document(&transitional, paraOf(plain(strings.Repeat("a", maxFound+1))))
	if _, err := open(t, many).Find("a"); !errors.Is(err, ErrLimit) {
		t.Errorf("a text that stands everywhere: %v", err)
	}
}

func TestDates(t *testing.T) {
	plain := func(s string) string { return paraOf(`<w:r><w:t xml:space="preserve">` + s + `</w:t></w:r>`) }
	const newPage = `<w:p><w:r><w:br w:type="page"/></w:r></w:p>`
	for _, c := range []struct{ name, body, want string }{
		{"in ideographs", plain("二〇二六年十一月二十四日"), "二〇二六年十一月二十四日"},
		{"with a note", plain("（院印）") + plain("2026年11月24日（公章）"), "2026年11月24日"},
		{"in a sentence", plain("于2026年11月24日作出"), ""},
		{"the better kind", plain("二〇二六年十一月二十四日") + plain("2026年11月25日"), "二〇二六年十一月二十四日"},
		{"the later page", plain("二〇二六年十一月二十四日") + newPage + plain("2026-11-25"), "2026-11-25"},
		{"a page that Word noted", plain("二〇二六年十一月二十四日") + paraOf(`<w:r><w:lastRenderedPageBreak/><w:t>2026-11-25</w:t></w:r>`), "2026-11-25"},
		{"before a page without", plain("二〇二六年十一月二十四日") + newPage + plain("附件"), "二〇二六年十一月二十四日"},
		{"two", plain("2026年11月24日") + plain("2026年11月25日"), "2026年11月24日|2026年11月25日"},
		{"behind a tab", paraOf(`<w:r><w:t>审判长</w:t><w:tab/><w:t>2026年11月24日</w:t></w:r>`), "2026年11月24日"},
		{"behind much white space", plain("审判长　　　　　2026年11月24日"), "2026年11月24日"},
		{"behind little white space", plain("审判长　2026年11月24日"), ""},
		{"behind a line break", paraOf(`<w:r><w:t>某法院</w:t><w:br/><w:t>2026年11月24日</w:t></w:r>`), "2026年11月24日"},
		{"spread", plain("二 〇 二 六 年 十 一 月 二 十 四 日"), "二 〇 二 六 年 十 一 月 二 十 四 日"},
	} {
		var got []string
		for _, s := range open(t, document(&transitional, c.body+sectA4)).Dates() {
			got = append(got, s.Text)
		}
		if g := strings.Join(got, "|"); g != c.want {
			t.Errorf("%s: %q, not %q", c.name, g, c.want)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range []struct {
		part string
		want error
	}{
		{`<a/>`, ErrNotWord},
		{`<w:styles xmlns:w="` + transitional.w + `"/>`, ErrNotWord},
		{`<document><body/></document>`, ErrNotWord},
		{`<!DOCTYPE a><a/>`, xmldoc.ErrDoctype},
		{document(&transitional, `<w:p>`), xmldoc.ErrSyntax},
		{"\xff\xfe<\x00a\x00/\x00>\x00", xmldoc.ErrEncoding},
	} {
		if _, err := Open([]byte(c.part), xmldoc.Limits{}); !errors.Is(err, c.want) {
			t.Errorf("%q: %v, not %v", c.part, err, c.want)
		}
	}
}

func TestNoPlace(t *testing.T) {
	d := open(t, `<w:document xmlns:w="`+transitional.w+`"/>`)
	if _, _, err := d.Place(d.End(), seal45, 0, 0); !errors.Is(err, ErrPlace) {
		t.Errorf("no body: %v", err)
	}
	if _, _, err := d.Place(d.Margin(d.LastSection()), seal45, 0, 0); !errors.Is(err, ErrPlace) {
		t.Errorf("no paragraph: %v", err)
	}
	d = open(t, document(&transitional, paraOf(runOf("公章"))+`<w:sectPr/>`))
	if _, err := d.UseMargin(false, "rId1"); !errors.Is(err, ErrPlace) {
		t.Errorf("a section that is one tag: %v", err)
	}
	s := find(t, d, "公章")
	for _, p := range []Picture{{}, {RelID: "a", Width: 45}, {RelID: "a", Width: 45, Height: 1e9}, {Width: 45, Height: 45}, {RelID: "\x00", Width: 45, Height: 45}} {
		if _, _, err := d.Place(s, p, 0, 0); !errors.Is(err, ErrPicture) {
			t.Errorf("%+v: %v", p, err)
		}
	}
	if _, _, err := d.Place(s, seal45, 0, 1e300); !errors.Is(err, ErrPlace) {
		t.Errorf("far away: %v", err)
	}
	if _, ok := d.Bookmark("seal"); ok {
		t.Error("a bookmark that is not there was found")
	}
}

// What is inserted is bound to the right namespaces whatever the part's own prefixes are.
func TestPrefixes(t *testing.T) {
	for _, part := range []string{
		`<document xmlns="NS"><body><p><r><t>公章在此</t></r></p></body></document>`,
		`<w:document xmlns:w="NS"><w:body><w:p><w:r><q:t xmlns:q="NS" xmlns:w="else" xml:space='preserve' q:a="x>y">公章 在此</q:t></w:r></w:p></w:body></w:document>`,
		`<a:document xmlns:a="NS" xmlns:w="else" xmlns:pic="else" xmlns:r="else"><a:body><a:p><a:r><a:t>公章在此</a:t></a:r></a:p></a:body></a:document>`,
	} {
		for _, ns := range []*family{&transitional, &strict} {
			d := open(t, strings.ReplaceAll(part, "NS", ns.w))
			for _, s := range []Spot{find(t, d, "公章在此"), d.End()} {
				out, _ := seal(t, d, s, 0, 0)
				again := open(t, out)
				if got := again.Seals(); len(got) != 1 || got[0].ESID != seal45.ESID || got[0].Width != 45 || got[0].Height != 45 || got[0].RelID != "rIdSeal" || got[0].Hidden {
					t.Fatalf("%+v\n%s", got, out)
				}
				if found, _ := again.Find("公章在此"); len(found) != 1 {
					t.Errorf("the text is no longer there\n%s", out)
				}
			}
		}
	}
}

// White space at the ends of a w:t without xml:space is lost, so none gets there.
func TestWhiteSpaceStays(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"<w:t>a b c</w:t>", "b"},
		{"<w:t> 公 章 </w:t>", "公章"},
		{"<w:t>x  公  y</w:t>", "公"},
	} {
		d := open(t, document(&transitional, paraOf(`<w:r>`+c.text+`</w:r>`)))
		out, _ := seal(t, d, find(t, d, c.want), 0, 0)
		for s := range strings.SplitSeq(out, "<w:t>") {
			text, _, ok := strings.Cut(s, "</w:t>")
			if inner := strings.TrimSuffix(strings.TrimPrefix(c.text, "<w:t>"), "</w:t>"); ok && text != inner &&
				(strings.HasPrefix(text, " ") && !strings.HasPrefix(inner, text) || strings.HasSuffix(text, " ") && !strings.HasSuffix(inner, text)) {
				t.Errorf("%q is left of %q", text, inner)
			}
		}
	}
}

func TestBookmarks(t *testing.T) {
	mark := func(id int, name, inside string) string {
		return fmt.Sprintf(`<w:bookmarkStart w:id="%d" w:name="%s"/>%s<w:bookmarkEnd w:id="%[1]d"/>`, id, name, inside)
	}
	d := open(t, document(&transitional, paraOf(runOf("一")+mark(1, "text", runOf("二")+runOf("三"))+mark(2, "point", ""))+
		`<w:bookmarkStart w:id="3" w:name="more"/>`+paraOf(`<w:bookmarkStart w:id="4" w:name="over"/>`+runOf("四"))+paraOf(runOf("五")+`<w:bookmarkEnd w:id="4"/>`)+`<w:bookmarkEnd w:id="3"/>`+
		paraOf(fieldChar("begin")+mark(5, "code", "")+fieldChar("end"))+paraOf(`<w:del>`+mark(6, "deleted", "")+`</w:del>`)+mark(7, "last", "")+`<w:p/>`+sectA4))
	for name, want := range map[string]string{"TEXT": "二三", "point": "", "more": "", "over": "四", "last": ""} {
		s, ok := d.Bookmark(name)
		if !ok || s.Text != want {
			t.Errorf("%s: %q, %v", name, s.Text, ok)
			continue
		}
		seal(t, d, s, 0, 0)
	}
	for _, name := range []string{"code", "deleted", "none", ""} {
		if _, ok := d.Bookmark(name); ok {
			t.Errorf("bookmark %q was found", name)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, body := range map[string]string{
		"paragraphs": strings.Repeat(`<w:p/>`, maxParas+1),
		"pieces":     paraOf(`<w:r>` + strings.Repeat(`<w:tab/>`, maxPieces+1) + `</w:r>`),
	} {
		if _, err := Open([]byte(document(&transitional, body)), xmldoc.Limits{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var marks strings.Builder
	for i := range maxRow + 1 {
		fmt.Fprintf(&marks, `<w:r><w:drawing><wp:anchor><wp:positionH relativeFrom="character"><wp:posOffset>%d</wp:posOffset></wp:positionH><wp:extent cx="36000" cy="36000"/><wp:docPr id="%d" name="Courtseal 1"/></wp:anchor></w:drawing></w:r>`, i, i)
	}
	d := open(t, document(&transitional, paraOf(runOf("公章")+marks.String())))
	if _, _, err := d.Place(find(t, d, "公章"), seal45, 0, 0); !errors.Is(err, ErrPlace) {
		t.Errorf("%d seals: %v", maxRow+1, err)
	}
}

// LibreOffice writes an empty header or footer as a paragraph of one tag; some have nothing but a table.
func TestMarginWithoutParagraph(t *testing.T) {
	for _, inner := range []string{`<w:p/>`, `<w:tbl><w:tr><w:tc><w:p><w:r><w:t>眉</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/>`} {
		for _, root := range []string{"hdr", "ftr"} {
			d := open(t, `<w:`+root+` xmlns:w="`+transitional.w+`">`+inner+`</w:`+root+`>`)
			part, _ := seal(t, d, d.Margin(a4), 0, 0)
			if end := "</w:p></w:" + root + ">"; len(open(t, part).seals) != 1 || !strings.HasSuffix(part, end) {
				t.Errorf("%s: %s", inner, part)
			}
		}
	}
}
