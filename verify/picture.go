package verify

import (
	"cmp"
	"math"
	"slices"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var pictureRule = &rule{
	name:   "picture",
	clause: "GB/T 38540-2020 6.1 (picture); ISO 32000-2 12.5.5",
	stops:  "a page that shows another picture than the one in the seal",
	codes: []outcome{
		{codeOK, Valid, "页面所示正是印章中的图像", "the page shows exactly the picture in the seal"},
		{"picture-parts", Valid, "有 %[1]d 页各显示印章图像的一部分，合起来正是印章中的图像（骑缝章）", "%[1]d pages show parts of the seal's picture, which together are all of it (a straddle seal)"},
		{"picture-size", Valid, "页面所示正是印章中的图像，但为其真实大小的 %[1]d%%", "the page shows exactly the picture in the seal, at %[1]d%% of its true size"},
		{"picture-cut", Invalid, "页面只显示印章图像的一部分", "the pages show only a part of the picture in the seal"},
		{"picture-differs", Invalid, "页面所示不是印章中的图像", "the page does not show the picture in the seal"},
		{"picture-turned", Valid, "页面所示正是印章中的图像，但相对页面旋转了 %[1]d 度", "the page shows exactly the picture in the seal, turned by %[1]d degrees against the page"},
		{"picture-resembles", NotAsked, "页面外观由其他软件生成，其中的图像与印章图像相似（%[1]d%%）", "the appearance was made by other software, and a picture in it looks like the one in the seal by %[1]d%%"},
		{"picture-foreign", NotAsked, "页面外观由其他软件生成，无法与印章图像比较", "the appearance was made by other software and cannot be compared with the seal's picture"},
		{"invisible", NotAsked, "签章不可见", "the signature shows nothing"},
		{"picture-on-no-page", NotAsked, "签章的外观不在任何页面上，或不在其 /P 所指的页面上", "the appearance of the signature stands on no page, or not on the one that it names (/P)"},
		{"picture-outside", NotAsked, "签章的外观在页面边界之外", "the appearance of the signature lies beyond the edges of the page"},
		{"picture-layer-off", NotAsked, "签章的外观位于图层（可选内容）中，该图层未显示或可能不显示", "the appearance of the signature stands in a layer (optional content) that is not shown, or that may not be"},
		{"picture-unreadable", NotAsked, "印章图像或页面外观无法读取：%[1]s", "the seal's picture or the appearance cannot be read: %[1]s"},
	},
}

// A view is what all widgets of one signature show.
type view struct {
	whole   int // widgets that show the whole picture
	parts   []appearance.Sight
	size    float64 // the scale that is furthest from true size
	turned  int     // degrees, of a picture that is not upright
	differs bool
	foreign bool    // a widget cannot be compared
	alike   float64 // the least likeness of widgets of other software; 0: there is none
	lost    string  // why a widget is not seen that shows something
}

// picture compares what the pages show with what the seal holds: the whole picture, or all of its parts.
func (d *document) picture(j *judge, s *pdf.Signature, e *seal.Seal) error {
	v := view{size: 1}
	for _, ref := range s.Widgets {
		texts, err := d.widget(&v, ref, e)
		if err != nil {
			return d.unreadable(j, err)
		}
		for _, text := range texts {
			if n := (Note{"text-beside", Text{"印章旁的文字：" + text, "beside the seal stands: " + text}}); !slices.Contains(j.sig.Notes, n) {
				j.sig.Notes = append(j.sig.Notes, n)
			}
		}
	}
	code, args := v.answer()
	j.add(pictureRule.check(code, args...))
	return nil
}

// answer is what follows from all that was seen, the worst first.
func (v *view) answer() (code string, args []any) {
	switch {
	case v.differs:
		return "picture-differs", nil
	case v.foreign:
		return "picture-foreign", nil
	case !complete(v.parts):
		return "picture-cut", nil
	case v.alike > 0:
		return "picture-resembles", []any{percent(v.alike)}
	case v.turned != 0:
		return "picture-turned", []any{v.turned}
	case math.Abs(v.size-1) > 0.01:
		return "picture-size", []any{percent(v.size)}
	case v.whole > 0:
		return codeOK, nil
	case len(v.parts) > 0:
		return "picture-parts", []any{len(v.parts)}
	case v.lost != "":
		return v.lost, nil
	}
	return "invisible", nil
}

func percent(v float64) int { return int(math.Round(100 * v)) }

// widget adds what one widget shows, and gives the texts beside the picture.
func (d *document) widget(v *view, ref pdf.Ref, e *seal.Seal) ([]string, error) {
	o, err := d.file.Load(ref)
	if err != nil {
		return nil, err
	}
	w := o.Dict()
	seen, visible, err := d.appearance(w, &e.Picture)
	if err != nil || !visible {
		return nil, err
	}
	page, lost, err := d.standing(ref, w)
	if err != nil {
		return nil, err
	}
	if lost != "" {
		v.lost = lost
		return nil, nil
	}
	switch seen.Outcome {
	case appearance.Different:
		v.differs = true
		return nil, nil
	case appearance.Foreign:
		return nil, d.foreign(v, page, w, e)
	}
	v.size = further(v.size, seen.Scale*page.UserUnit)
	if turned := (page.Rotate - seen.Rotate + 360) % 360; turned != 0 {
		v.turned = turned
	}
	if seen.From > hair || seen.To < 1-hair {
		v.parts = append(v.parts, seen)
	} else {
		v.whole++
	}
	return seen.Texts, nil
}

// further is the scale that is further from true size.
func further(a, b float64) float64 {
	if math.Abs(math.Log(b)) > math.Abs(math.Log(a)) {
		return b
	}
	return a
}

// hair is what the edges of two parts may be apart, in fractions of the picture.
const hair = 0.001

// complete: the parts make whole pictures, all of it as often as any of it: a long document shows it again after some pages, and none of
// these may lack a part. No part at all is complete too.
func complete(parts []appearance.Sight) bool {
	type edge struct {
		at   float64
		step int
	}
	edges := []edge{{0, 0}, {1, 0}}
	for _, p := range parts {
		edges = append(edges, edge{p.From, 1}, edge{p.To, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Compare(a.at, b.at) })
	depth, all := 0, -1
	for i, e := range edges[:len(edges)-1] {
		depth += e.step
		if edges[i+1].at-e.at <= hair {
			continue
		}
		if all < 0 {
			all = depth
		}
		if depth != all {
			return false
		}
	}
	return all > 0 || len(parts) == 0
}

func (d *document) unreadable(j *judge, err error) error {
	if d.ctx.Err() != nil {
		return d.ctx.Err()
	}
	j.add(pictureRule.check("picture-unreadable", err.Error()))
	return nil
}

// appearance compares the appearance of one widget; a widget without size or normal appearance, or hidden, shows nothing. A reader
// stretches an appearance to the widget's /Rect, so that their proportions must be the same.
func (d *document) appearance(w *pdf.Dict, p *sign.Picture) (seen appearance.Sight, visible bool, err error) {
	if w == nil {
		return seen, false, nil
	}
	ap, err := d.file.GetDict(w, "AP")
	if err != nil || ap == nil || ap.Get("N") == nil {
		return seen, false, err
	}
	rect, err := items(d.file, w.Get("Rect"))
	if err != nil {
		return seen, false, err
	}
	flags, err := d.file.Resolve(w.Get("F"))
	if err != nil {
		return seen, false, err
	}
	if f, _ := flags.(int64); f&pdf.AnnotHidden != 0 || len(rect) != 4 {
		return seen, false, nil
	}
	var v [4]float64
	for i, o := range rect {
		if o, err = d.file.Resolve(o); err != nil {
			return seen, false, err
		}
		v[i], _ = pdf.Number(o)
	}
	if v[0] == v[2] || v[1] == v[3] {
		return seen, false, nil
	}
	if len(ap.Entries) != 1 { // another look when touched: not ours
		return seen, true, nil
	}
	if seen, err = d.shown.Compare(ap.Get("N"), p); err != nil || seen.Outcome != appearance.Same {
		return seen, true, err
	}
	width, height := math.Abs(v[2]-v[0]), math.Abs(v[3]-v[1])
	if seen.Rotate%180 != 0 {
		width, height = height, width
	}
	if d := width*seen.Height - height*seen.Width; math.Abs(d) > 0.01*(seen.Width+seen.Height) {
		seen.Outcome = appearance.Different
	}
	seen.Scale *= width / seen.Width
	return seen, true, nil
}
