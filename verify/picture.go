package verify

import (
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
		{"picture-differs", Invalid, "页面所示不是印章中的图像", "the page does not show the picture in the seal"},
		{"picture-foreign", NotAsked, "页面外观由其他软件生成，无法与印章图像比较", "the appearance was made by other software and cannot be compared with the seal's picture"},
		{"invisible", NotAsked, "签章不可见", "the signature shows nothing"},
		{"picture-unreadable", NotAsked, "印章图像或页面外观无法读取：%[1]s", "the seal's picture or the appearance cannot be read: %[1]s"},
	},
}

// picture compares what the page shows with what the seal holds.
func (d *document) picture(j *judge, s *pdf.Signature, e *seal.Seal) error {
	shown := 0
	for _, ref := range s.Widgets {
		w, err := d.file.Load(ref)
		if err != nil {
			return d.unreadable(j, err)
		}
		outcome, visible, err := d.appearance(w.Dict(), &e.Picture)
		if err != nil {
			return d.unreadable(j, err)
		}
		if !visible {
			continue
		}
		shown++
		switch outcome {
		case appearance.Different:
			j.add(pictureRule.check("picture-differs"))
			return nil
		case appearance.Foreign:
			j.add(pictureRule.check("picture-foreign"))
			return nil
		}
	}
	if shown == 0 {
		j.add(pictureRule.check("invisible"))
		return nil
	}
	j.add(pictureRule.check(codeOK))
	return nil
}

func (d *document) unreadable(j *judge, err error) error {
	if d.ctx.Err() != nil {
		return d.ctx.Err()
	}
	j.add(pictureRule.check("picture-unreadable", err.Error()))
	return nil
}

// appearance compares the appearance of one widget; a widget without size or normal appearance shows nothing.
func (d *document) appearance(w *pdf.Dict, p *sign.Picture) (appearance.Outcome, bool, error) {
	if w == nil {
		return 0, false, nil
	}
	ap, err := d.file.GetDict(w, "AP")
	if err != nil || ap == nil || ap.Get("N") == nil {
		return 0, false, err
	}
	rect, err := items(d.file, w.Get("Rect"))
	if err != nil {
		return 0, false, err
	}
	if len(rect) == 4 {
		var v [4]float64
		for i, o := range rect {
			if o, err = d.file.Resolve(o); err != nil {
				return 0, false, err
			}
			v[i], _ = pdf.Number(o)
		}
		if v[0] == v[2] || v[1] == v[3] {
			return 0, false, nil
		}
	}
	if len(ap.Entries) != 1 { // another look when touched: not ours
		return appearance.Foreign, true, nil
	}
	outcome, err := appearance.Compare(d.file, ap.Get("N"), p)
	return outcome, true, err
}
