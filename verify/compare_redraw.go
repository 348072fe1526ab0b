package verify

import "github.com/courtseal/courtseal/internal/pdf"

// redrawn judges a change of /NeedAppearances. With true, readers draw every field anew from its value, and not as the file has it;
// without, they show what is in the file. So the two may differ in each field that shows something; where all do that the saving did
// not fill itself are empty, nobody sees another thing than before.
func (c *comparison) redrawn() error {
	if !c.redraws {
		return nil
	}
	show, err := c.othersShow()
	if err != nil {
		return err
	}
	switch on := c.newForm.Get("NeedAppearances") == true; {
	case on && show:
		c.change(changeContent, "要求阅读器重绘各域（/NeedAppearances）", "asks readers to draw all fields anew (/NeedAppearances)")
	case on:
		c.change(changeFill, "要求阅读器绘制所填的域", "asks readers to draw the fields that it fills")
	default:
		c.change(changeFill, "不再要求阅读器重绘各域", "no longer asks readers to draw the fields anew").seen = show
	}
	return nil
}

// othersShow: a field that this saving did not fill had a value, or an appearance that shows something.
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
		shows, err := c.hadValue(at.ft, d)
		if err == nil && !shows {
			shows, err = c.showsText(c.old, d)
		}
		if state, ok := d.Get("AS").(pdf.Name); ok && state != "Off" {
			shows = true
		}
		if err != nil || shows {
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
