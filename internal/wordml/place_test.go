package wordml

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// find gives the only place of a text.
func find(t testing.TB, d *Document, text string) Spot {
	t.Helper()
	list, err := d.Find(text)
	if err != nil || len(list) != 1 {
		t.Fatalf("%q has %d places, %v", text, len(list), err)
	}
	return list[0]
}

// seal shows the seal at a place, and gives the part and the codes of the notes.
func seal(t testing.TB, d *Document, s Spot, dx, dy float64) (string, string) {
	t.Helper()
	list, notes, err := d.Place(s, seal45, dx, dy)
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, n := range notes {
		codes = append(codes, n.Code)
	}
	return spliced(t, d, list), strings.Join(codes, " ")
}

// near checks where a picture is: its size to 0.5 mm, its centre to within mm.
func near(t *testing.T, got rectangle, w, h, x, y, mm float64) {
	t.Helper()
	gx, gy := got.middle()
	t.Logf("%.2f × %.2f mm; %.2f right and %.2f below", got.w, got.h, gx-x, gy-y)
	if math.Abs(got.w-w) > 0.5 || math.Abs(got.h-h) > 0.5 {
		t.Errorf("it is %.1f × %.1f mm", got.w, got.h)
	}
	if math.Abs(gx-x) > mm || math.Abs(gy-y) > mm {
		t.Errorf("its centre is %.1f mm right of and %.1f mm below where it should be", gx-x, gy-y)
	}
}

func withPPr(ppr, runs string) string { return `<w:p><w:pPr>` + ppr + `</w:pPr>` + runs + `</w:p>` }

const (
	someGUID  = "{5A7B3C11-0000-4000-8000-00000000000A}"
	otherGUID = "{5A7B3C11-0000-4000-8000-00000000000B}"
)

var (
	above = paraOf(runOf("本院认为，上述事实清楚。")) + paraOf(runOf("判决如下：")) + paraOf(runOf("审判员甲乙丙")) + paraOf(runOf("丁戊己庚")) + paraOf(runOf("辛壬"))
	below = paraOf(runOf("书记员丑寅"))
	long  = strings.Repeat("本院认为，上述事实清楚，证据确实充分，足以认定。", 8)
	table = `<w:tbl><w:tblPr/><w:tblGrid><w:gridCol w:w="4000"/><w:gridCol w:w="4000"/></w:tblGrid><w:tr><w:tc><w:tcPr><w:tcW w:w="4000" w:type="dxa"/></w:tcPr>` +
		paraOf(runOf("甲方")) + `</w:tc><w:tc><w:tcPr><w:tcW w:w="4000" w:type="dxa"/></w:tcPr>` + paraOf(runOf("盖章处")) + `</w:tc></w:tr></w:tbl>`
)

// What LibreOffice shows of a seal is in the middle of the text that was asked for.
func TestPlacesAsRendered(t *testing.T) {
	const date = "二〇二六年十一月二十四日"
	byText := func(text string) func(*Document) Spot {
		return func(d *Document) Spot { return find(t, d, text) }
	}
	byDate := func(d *Document) Spot {
		list := d.Dates()
		return list[len(list)-1]
	}
	byMark := func(d *Document) Spot {
		s, ok := d.Bookmark("SEAL")
		if !ok {
			t.Fatal("no bookmark")
		}
		return s
	}
	mark := func(inside string) string {
		return `<w:bookmarkStart w:id="3" w:name="seal"/>` + inside + `<w:bookmarkEnd w:id="3"/>`
	}
	line := func(runs string) string { return paraOf(runs) }
	cases := []struct {
		name, body string
		spot       func(*Document) Spot
		shown      string
		dx, dy     float64 // what is asked for
		off        float64 // where the point lies from the middle of what is shown
		mm         float64
		notes      string
	}{
		{"date at the right", above + right(runOf(date)) + below, byDate, date, 0, 0, 0, 1, ""},
		{"date with a note", above + right(runOf(date+"（院印）")) + below, byDate, date, 0, 0, 0, 1, ""},
		{"date behind a tab", above + line(`<w:r>`+font+`<w:t>审判长</w:t><w:tab/><w:t>2026年11月24日</w:t></w:r>`), byDate, "年11月", 0, 0, 0, 2, ""},
		{"keyword at the left", above + line(runOf("在此盖章公章")) + below, byText("盖章"), "盖章", 0, 0, 0, 1, ""},
		{"keyword of odd length", above + line(runOf("此处（院印戊）之上")) + below, byText("(院印戊)"), "（院印戊）", 0, 0, 0, 1, ""},
		{"keyword over runs", above + line(runOf("此处（院")+runOf("印")+runOf("戊）之上")) + below, byText("(院印戊)"), "（院印戊）", 0, 0, 0, 1, ""},
		{"keyword moved", above + line(runOf("在此盖章公章")) + below, byText("盖章"), "盖章", 12, -7, 0, 1, ""},
		{"keyword in Latin letters", above + line(runOf("Sign and seal here, please")) + below, byText("seal"), "seal", 0, 0, 0, 1, ""},
		{"keyword in a cell", above + table + below, byText("盖章处"), "盖章处", 0, 0, 0, 1, ""},
		{"keyword in a long paragraph", above + line(runOf(long+"加盖公章于此处。")), byText("加盖公章"), "加盖公章", 0, 0, 0, 5, "in-line"},
		{"line of exact height", above + withPPr(`<w:spacing w:line="560" w:lineRule="exact"/>`, runOf("在此盖章公章")) + below, byText("盖章"), "盖章", 0, 0, 0, 1.5, ""},
		{"line one and a half high", above + withPPr(`<w:spacing w:line="360" w:lineRule="auto"/>`, runOf("在此盖章公章")) + below, byText("盖章"), "盖章", 0, 0, 0, 1.5, ""},
		{"line of at least a height", above + withPPr(`<w:spacing w:line="700" w:lineRule="atLeast"/>`, runOf("在此盖章公章")) + below, byText("盖章"), "盖章", 0, 0, 0, 1.5, ""},
		{"text on a grid", above + withPPr(``, runOf("在此盖章公章")) + below + grid, byText("盖章"), "盖章", 0, 0, 0, 1.5, ""},
		{"bookmark with text", above + line(runOf("在此")+mark(runOf("加盖公章"))+runOf("为盼")), byMark, "加盖公章", 0, 0, 0, 1, ""},
		{"bookmark at a point", above + line(runOf("在此加盖")+mark("")+runOf("公章为盼")), byMark, "盖公", 0, 0, 0, 1, ""},
		{"bookmark between paragraphs", above + mark("") + line(runOf("盖")), byMark, "盖", 0, 0, -16 * pt / 2, 1, ""},
	}
	families := []*family{&transitional, &strict}
	var docs [][]byte
	notes := map[string]string{}
	for _, c := range cases {
		for _, ns := range families {
			d := open(t, document(ns, sectioned(c.body)))
			part, codes := seal(t, d, c.spot(d), c.dx, c.dy)
			docs, notes[c.name] = append(docs, pack(ns, part, nil)), codes
		}
	}
	pages := render(t, docs)
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if notes[c.name] != c.notes {
				t.Errorf("notes: %s", notes[c.name])
			}
			for k := range families {
				page := pages[i*len(families)+k][0]
				if len(page.images) != 1 {
					t.Fatalf("%d pictures", len(page.images))
				}
				x, y := page.middle(t, c.shown)
				near(t, page.images[0], 45, 45, x+c.dx+c.off, y+c.dy, c.mm)
			}
		})
	}
}

// The other places: at the end, in the margins, beside each other, and signature lines.
func TestOtherPlacesAsRendered(t *testing.T) {
	var docs [][]byte
	add := func(main string, more map[string]string) { docs = append(docs, pack(&transitional, main, more)) }
	at := func(part string, s func(*Document) Spot) string {
		d := open(t, part)
		out, _ := seal(t, d, s(d), 0, 0)
		return out
	}
	lineAt := func(part, guid string, s func(*Document) Spot) string {
		d := open(t, part)
		list, _, err := d.PlaceLine(s(d), Line{GUID: guid, Signer: "甲 & <乙>", RelID: "rIdSeal", Width: 42, Height: 42}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		return spliced(t, d, list)
	}
	end := func(d *Document) Spot { return d.End() }
	date := func(d *Document) Spot { return d.Dates()[0] }
	body := document(&transitional, above+right(runOf("二〇二六年十一月二十四日"))+below+sectA4)
	full := document(&transitional, strings.Repeat(paraOf(runOf("满页")), 28)+sectA4)

	add(at(body, end), nil)                      // 0
	add(at(full, end), nil)                      // 1: there is no room on the page
	add(at(at(at(body, end), end), end), nil)    // 2: a row
	add(at(at(at(body, date), date), date), nil) // 3: a row on the date
	withHeader := strings.Replace(body, `<w:sectPr>`, `<w:sectPr><w:headerReference w:type="default" r:id="header1"/>`, 1)
	d := open(t, withHeader)
	h := open(t, `<w:hdr xmlns:w="`+transitional.w+`">`+paraOf(runOf("眉"))+`</w:hdr>`)
	part, _ := seal(t, h, h.Margin(d.LastSection()), 0, 0)
	add(withHeader, map[string]string{"word/header1.xml": part}) // 4
	list, err := open(t, body).UseMargin(true, "footer1")
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, string(d.NewMargin(true)))
	part, _ = seal(t, f, f.Margin(d.LastSection()), 0, 0)
	add(spliced(t, open(t, body), list), map[string]string{"word/footer1.xml": part}) // 5
	add(lineAt(body, someGUID, date), nil)                                            // 6
	add(lineAt(lineAt(body, someGUID, end), otherGUID, end), nil)                     // 7
	add(lineAt(lineAt(body, someGUID, date), otherGUID, date), nil)                   // 8
	add(lineAt(document(&transitional, above+table+below+sectA4), someGUID, func(d *Document) Spot { return find(t, d, "盖章处") }), nil)
	box := document(&transitional, above+paraOf(textBoxOf(60, 100, 60, 30, runOf("盖章")))+below+sectA4)
	add(at(box, func(d *Document) Spot { return find(t, d, "盖章") }), nil)               // 10
	add(lineAt(box, someGUID, func(d *Document) Spot { return find(t, d, "盖章") }), nil) // 11
	const today = `DATE \@ &quot;yyyy年M月d日&quot;`
	result := `<w:r>` + font + `<w:t>2026年1月4日</w:t></w:r>`
	for _, runs := range []string{ // 12, 13: fields, whose results LibreOffice writes anew
		fieldChar("begin") + `<w:r><w:instrText>` + today + `</w:instrText></w:r>` + fieldChar("separate") + result + fieldChar("end"),
		`<w:fldSimple w:instr="` + today + `">` + result + `</w:fldSimple>`,
	} {
		add(at(document(&transitional, above+paraOf(runs+runOf("（院印）"))+below+sectA4), date), nil)
	}

	d = open(t, document(&strict, above+sectA4))
	part, _ = seal(t, d, d.End(), 0, 0)
	docs = append(docs, pack(&strict, part, nil)) // 14

	pages := render(t, docs)
	const rightEdge = 210 - 25.4
	images := func(i, page, n int) []rectangle {
		t.Helper()
		if len(pages[i]) <= page {
			t.Fatalf("document %d has %d pages", i, len(pages[i]))
		}
		list := pages[i][page].images
		if len(list) != n {
			t.Fatalf("document %d shows %d pictures", i, len(list))
		}
		slices.SortFunc(list, func(a, b rectangle) int { return int(a.x - b.x) })
		return list
	}
	_, last := pages[0][0].middle(t, "书记员丑寅")
	if got := images(0, 0, 1)[0]; got.y < last || got.y > last+15 {
		t.Errorf("at the end: %v, the last line is at %f", got, last)
	} else {
		near(t, got, 45, 45, rightEdge-22.5, got.y+22.5, 1)
	}
	near(t, images(1, 1, 1)[0], 45, 45, rightEdge-22.5, 25.4+22.5, 1)
	for i, got := range images(2, 0, 3) {
		near(t, got, 45, 45, rightEdge-22.5-float64(2-i)*45, images(2, 0, 3)[2].y+22.5, 3)
	}
	x, y := pages[3][0].middle(t, "二〇二六年十一月二十四日")
	for i, got := range images(3, 0, 3) {
		near(t, got, 45, 45, x-float64(2-i)*46, y, 1)
	}
	near(t, images(4, 0, 1)[0], 45, 45, rightEdge-22.5, 5+22.5, 0.5)
	near(t, images(5, 0, 1)[0], 45, 45, rightEdge-22.5, 297-5-22.5, 0.5)
	x, y = pages[6][0].middle(t, "二〇二六年十一月二十四日")
	near(t, images(6, 0, 1)[0], 42, 42, x, y, 1)
	for i, got := range images(7, 0, 2) {
		near(t, got, 42, 42, rightEdge-21-float64(1-i)*42, images(7, 0, 2)[1].y+21, 3)
	}
	for i, got := range images(8, 0, 2) {
		near(t, got, 42, 42, x-float64(1-i)*43, y, 1)
	}
	x, y = pages[9][0].middle(t, "盖章处")
	near(t, images(9, 0, 1)[0], 42, 42, x, y, 1)
	near(t, images(10, 0, 1)[0], 45, 45, 90, 115, 0.5)
	near(t, images(11, 0, 1)[0], 42, 42, 90, 115, 0.5)
	near(t, images(14, 0, 1)[0], 45, 45, rightEdge-22.5, images(14, 0, 1)[0].y+22.5, 1)
	for i := 12; i < 14; i++ {
		_, y := pages[i][0].middle(t, "（院印）")
		near(t, images(i, 0, 1)[0], 45, 45, 25.4+16*pt*3.5, y, 8)
	}
}

// textBoxOf is a text box at a place of the page, mm.
func textBoxOf(x, y, w, h float64, runs string) string {
	return `<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="1" behindDoc="0" locked="0" layoutInCell="1" allowOverlap="1">` +
		`<wp:simplePos x="0" y="0"/><wp:positionH relativeFrom="page"><wp:posOffset>` + emu(x) + `</wp:posOffset></wp:positionH><wp:positionV relativeFrom="page"><wp:posOffset>` + emu(y) + `</wp:posOffset></wp:positionV>` +
		`<wp:extent cx="` + emu(w) + `" cy="` + emu(h) + `"/><wp:wrapNone/><wp:docPr id="9" name="box"/><wp:cNvGraphicFramePr/><a:graphic xmlns:a="` + transitional.a + `">` +
		`<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="` + emu(w) + `" cy="` + emu(h) + `"/></a:xfrm>` +
		`<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:ln w="9525"><a:solidFill><a:srgbClr val="000000"/></a:solidFill></a:ln></wps:spPr><wps:txbx><w:txbxContent>` + paraOf(runs) + `</w:txbxContent></wps:txbx><wps:bodyPr/></wps:wsp></a:graphicData></a:graphic>` +
		`</wp:anchor></w:drawing></mc:Choice></mc:AlternateContent></w:r>`
}

// grid is a section whose lines keep to a grid, as in Chinese templates.
const grid = `<w:sectPr><w:pgSz w:w="11906" w:h="16838"/><w:pgMar w:top="1440" w:right="1440" w:bottom="1440" w:left="1440"/><w:docGrid w:type="lines" w:linePitch="312"/></w:sectPr>`

func sectioned(body string) string {
	if strings.HasSuffix(body, "</w:sectPr>") {
		return body
	}
	return body + sectA4
}
