package verify

import (
	"maps"
	"slices"
)

// tagged judges what the saving did to the structure tree of a tagged document: elements for what it added to pages, and nothing else.
func (c *comparison) tagged() error {
	was, err := c.old.Catalog()
	if err != nil {
		return err
	}
	is, err := c.new.Catalog()
	if err != nil {
		return err
	}
	a, b := was.Dict(), is.Dict()
	if a == nil || b == nil || a.Get("StructTreeRoot") == nil && b.Get("StructTreeRoot") == nil {
		return nil
	}
	wrote, shown := map[uint32]bool{}, map[uint32]bool{}
	for num, w := range c.written {
		wrote[num] = true
		if w.was == nil && (c.widgets[num] || c.fields[num]) {
			shown[num] = true
		}
	}
	for _, ch := range c.changes {
		if ch.note != nil && c.isNew(ch.Object) {
			shown[ch.Object] = true
		}
	}
	t, err := explainTags(c.old, c.new, a.Get("StructTreeRoot"), b.Get("StructTreeRoot"), wrote, shown, c.spend)
	if err != nil {
		return err
	}
	for num := range t.explained {
		c.put(num, tags)
	}
	for _, num := range slices.Sorted(maps.Keys(t.refused)) {
		why := t.refused[num]
		if w := c.written[num]; w != nil {
			if w.place != nowhere { // told in that place
				continue
			}
			w.place = tags
		}
		c.change(changeContent, "改变结构树：%[1]s", "changes the structure tree: %[2]s", why.ZH, why.EN).Object = num
	}
	return nil
}
