package wordml

import (
	"math"
	"testing"
)

func one(t testing.TB, list []Spot, err error) Spot {
	t.Helper()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d places, %v", len(list), err)
	}
	return list[0]
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

func TestPlacesAsRendered(t *testing.T) {
	lines := paraOf(runOf("本院认为，上述事实清楚。")) + paraOf(runOf("判决如下：")) + paraOf(runOf("审判员甲乙丙")) + paraOf(runOf("丁戊己庚"))
	for _, c := range []struct {
		name, body, find, shown string
		page                    int
	}{
		{"right", lines + right(runOf("二〇二六年十一月二十四日")) + lines, "二〇二六年十一月二十四日", "", 0},
		{"left", lines + lines + paraOf(runOf("在此盖章公章")) + lines, "盖章", "", 0},
		{"odd", lines + lines + paraOf(runOf("此处（院印）之上")) + lines, "(院印)", "（院印）", 0},
		{"split runs", lines + lines + paraOf(runOf("此处（院")+runOf("印")+runOf("）之上")) + lines, "(院印)", "（院印）", 0},
		{"latin", lines + lines + paraOf(runOf("Sign and seal here, please")) + lines, "seal", "", 0},
		{"cell", lines + lines + `<w:tbl><w:tblPr/><w:tblGrid><w:gridCol w:w="4000"/><w:gridCol w:w="4000"/></w:tblGrid><w:tr><w:tc><w:tcPr><w:tcW w:w="4000" w:type="dxa"/></w:tcPr>` + paraOf(runOf("甲方")) +
			`</w:tc><w:tc><w:tcPr><w:tcW w:w="4000" w:type="dxa"/></w:tcPr>` + paraOf(runOf("盖章处")) + `</w:tc></w:tr></w:tbl>` + lines, "盖章处", "", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, ns := range []*family{&transitional, &strict} {
				d := open(t, document(ns, c.body+sectA4))
				found, err := d.Find(c.find)
				part := placed(t, d, one(t, found, err), seal45)
				pages := render(t, pack(ns, part, nil))
				if len(pages[c.page].images) != 1 {
					t.Fatalf("%d pictures", len(pages[c.page].images))
				}
				if c.shown == "" {
					c.shown = c.find
				}
				x, y := pages[c.page].middle(t, c.shown)
				near(t, pages[c.page].images[0], 45, 45, x, y, 1.5)
			}
		})
	}
}
