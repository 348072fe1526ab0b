package pdfx

import (
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// texts are what stands with a seal: the remark at its side, the line of signer, time and reason below it; nil: none.
type texts struct{ remark, line *appearance.Block }

func (t texts) none() bool { return t.remark == nil && t.line == nil }

const (
	remarkSize  = 9   // points
	lineSize    = 7   // points
	remarkWidth = 50  // mm, before it is broken
	lineWidth   = 70  // mm
	textGap     = 1.5 // mm between seal and text
)

// texts sets the texts that are asked for.
func (pl *planner) texts(p sign.Profile, o Options) (t texts, err error) {
	style := appearance.Style{Size: remarkSize, Width: remarkWidth * appearance.MM}
	if o.Font != nil {
		style.Face = o.Font.face
	}
	if o.Remark != "" {
		if t.remark, err = appearance.SetText(o.Remark, style); err != nil {
			return t, fmt.Errorf("remark: %w", err)
		}
	}
	if o.Text {
		style.Size, style.Width = lineSize, lineWidth*appearance.MM
		if t.line, err = appearance.SetText(pl.who(p, o), style); err != nil {
			return t, fmt.Errorf("text below the seal: %w", err)
		}
	}
	return t, nil
}

// who says who signs, when and why.
func (pl *planner) who(p sign.Profile, o Options) string {
	name := o.Name
	if chain := p.Specs[p.Format].Chain; name == "" && len(chain) > 0 {
		if c, err := gm.ParseCertificate(chain[0]); err == nil {
			name = c.Subject.CommonName
		}
	}
	text := ""
	for _, s := range []string{name, pl.now.Truncate(time.Second).Format("2006-01-02 15:04:05 -07:00"), o.Reason} {
		if s != "" && text != "" {
			text += "  "
		}
		text += s
	}
	return text
}

// frame is the window of a seal and its texts, with the seal at the place wanted: the remark at the right, or at the left where
// the right has no room; the line below, or above where the page ends.
func (t texts) frame(a *appearance.Appearance, w wish, sheet box) spot {
	width, height := a.Width/appearance.MM, a.Height/appearance.MM
	seal := box{w.at.X - width/2, w.at.Y - height/2, width, height}
	if t.none() {
		return spot{page: w.page, n: w.n, box: seal, view: a.Whole(w.page.Rotate)}
	}
	all := seal
	var remark, line box
	if b := t.remark; b != nil {
		remark = box{seal.X + seal.W + textGap, 0, b.Width / appearance.MM, b.Height / appearance.MM}
		if remark.X+remark.W > sheet.W && seal.X-textGap-remark.W >= 0 {
			remark.X = seal.X - textGap - remark.W
		}
		remark.Y = w.at.Y - remark.H/2
		all = all.with(remark)
	}
	if b := t.line; b != nil {
		line = box{0, seal.Y + seal.H + textGap, b.Width / appearance.MM, b.Height / appearance.MM}
		if line.Y+line.H > sheet.H && seal.Y-textGap-line.H >= 0 {
			line.Y = seal.Y - textGap - line.H
		}
		line.X = max(0, min(w.at.X-line.W/2, sheet.W-line.W))
		all = all.with(line)
	}
	v := a.Whole(w.page.Rotate)
	v.Width, v.Height = all.W*appearance.MM, all.H*appearance.MM
	v.X, v.Y = all.corner(seal)
	for i, b := range []*appearance.Block{t.remark, t.line} {
		if b != nil {
			v.Text[i].Block = b
			v.Text[i].X, v.Text[i].Y = all.corner([]box{remark, line}[i])
		}
	}
	return spot{page: w.page, n: w.n, box: all, view: v}
}

// with is the smallest box around two.
func (b box) with(c box) box {
	x, y := min(b.X, c.X), min(b.Y, c.Y)
	return box{x, y, max(b.X+b.W, c.X+c.W) - x, max(b.Y+b.H, c.Y+c.H) - y}
}

// corner is the lower left corner of a box inside b, in points from that of b.
func (b box) corner(c box) (x, y float64) {
	return (c.X - b.X) * appearance.MM, (b.Y + b.H - c.Y - c.H) * appearance.MM
}
