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
		{"picture-foreign", NotAsked, "页面外观由其他软件生成，无法与印章图像比较", "the appearance was made by other software and cannot be compared with the seal's picture"},
		{"invisible", NotAsked, "签章不可见", "the signature shows nothing"},
		{"picture-unreadable", NotAsked, "印章图像或页面外观无法读取：%[1]s", "the seal's picture or the appearance cannot be read: %[1]s"},
	},
}

// picture compares what the pages show with what the seal holds: the whole picture, or all of its parts.
func (d *document) picture(j *judge, s *pdf.Signature, e *seal.Seal) error {
	whole, size := 0, 1.0
	var texts []string
	var parts []appearance.Sight
	for _, ref := range s.Widgets {
		w, err := d.file.Load(ref)
		if err != nil {
			return d.unreadable(j, err)
		}
		seen, visible, err := d.appearance(w.Dict(), &e.Picture)
		switch {
		case err != nil:
			return d.unreadable(j, err)
		case !visible:
		case seen.Outcome == appearance.Different:
			j.add(pictureRule.check("picture-differs"))
			return nil
		case seen.Outcome == appearance.Foreign:
			j.add(pictureRule.check("picture-foreign"))
			return nil
		case seen.From > hair || seen.To < 1-hair:
			parts = append(parts, seen)
			size = further(size, seen.Scale)
		default:
			size = further(size, seen.Scale)
			whole++
		}
		for _, text := range seen.Texts {
			if !slices.Contains(texts, text) {
				texts = append(texts, text)
				j.note("text-beside", "印章旁的文字："+text, "beside the seal stands: "+text)
			}
		}
	}
	switch {
	case !complete(parts):
		j.add(pictureRule.check("picture-cut"))
	case math.Abs(size-1) > 0.01:
		j.add(pictureRule.check("picture-size", int(math.Round(100*size))))
	case whole > 0:
		j.add(pictureRule.check(codeOK))
	case len(parts) > 0:
		j.add(pictureRule.check("picture-parts", len(parts)))
	default:
		j.add(pictureRule.check("invisible"))
	}
	return nil
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

// complete: the parts leave no gap in the picture. No part at all is complete too.
func complete(parts []appearance.Sight) bool {
	if len(parts) == 0 {
		return true
	}
	slices.SortFunc(parts, func(a, b appearance.Sight) int { return cmp.Compare(a.From, b.From) })
	to := 0.0
	for _, p := range parts {
		if p.From > to+hair {
			return false
		}
		to = max(to, p.To)
	}
	return to > 1-hair
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
	if seen.Turned {
		width, height = height, width
	}
	if d := width*seen.Height - height*seen.Width; math.Abs(d) > 0.01*(seen.Width+seen.Height) {
		seen.Outcome = appearance.Different
	}
	unit, err := d.unit(w)
	seen.Scale *= width * unit / seen.Width
	return seen, true, err
}

// unit is how many points a unit of the page has on which a widget stands.
func (d *document) unit(w *pdf.Dict) (float64, error) {
	page, err := d.file.GetDict(w, "P")
	if err != nil {
		return 1, err
	}
	o, err := d.file.Resolve(page.Get("UserUnit"))
	if v, ok := pdf.Number(o); ok && v > 0 {
		return v, err
	}
	return 1, err
}
