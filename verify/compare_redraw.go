package verify

import "github.com/courtseal/courtseal/internal/pdf"

// redrawn judges a change of /NeedAppearances. With true, readers draw every field anew, from its value and its colours, and not as the
// file has it; to ask for that later would show what nobody has seen. To ask for it no longer is what programs do that fill a form and
// draw it; then readers show what is in the file, and where that is something the saving did not draw, it was hidden until now.
func (c *comparison) redrawn() error {
	if !c.redraws {
		return nil
	}
	if c.newForm.Get("NeedAppearances") == true {
		c.change(changeContent, "要求阅读器重绘各域（/NeedAppearances）", "asks readers to draw all fields anew (/NeedAppearances)")
		return nil
	}
	show, err := c.othersShow()
	if err != nil {
		return err
	}
	c.change(changeFill, "不再要求阅读器重绘各域", "no longer asks readers to draw the fields anew").seen = show
	return nil
}

// othersShow: a field that this saving did not fill had a value or an appearance.
func (c *comparison) othersShow() (bool, error) {
	filled := map[uint32]bool{}
	for _, f := range c.fills {
		filled[f.num] = true
	}
	type node struct {
		num   uint32
		ft    pdf.Name
		depth int
	}
	var queue []node
	for n := range c.roots {
		queue = append(queue, node{n, "", 0})
	}
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if filled[at.num] {
			continue
		}
		o, err := c.load(c.old, at.num)
		if err != nil {
			return true, err
		}
		d := o.Dict()
		if d == nil || at.depth > maxFieldDepth {
			return true, nil
		}
		if ft, ok := d.Get("FT").(pdf.Name); ok {
			at.ft = ft
		}
		if at.ft == "Sig" {
			continue
		}
		if shows, err := c.hadValue(at.ft, d); err != nil || shows || d.Get("AP") != nil {
			return true, err
		}
		kids, err := items(c.old, d.Get("Kids"))
		if err != nil {
			return true, err
		}
		for _, k := range kids {
			r, ok := k.(pdf.Ref)
			if !ok {
				return true, nil
			}
			queue = append(queue, node{r.Num, at.ft, at.depth + 1})
		}
	}
	return false, nil
}
