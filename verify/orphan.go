package verify

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/courtseal/courtseal/internal/pdf"
)

// orphans: the bytes of the saving are its objects, its cross-reference and its end, and nothing else. An object that no
// cross-reference names is not seen by this reader, and by another one that rebuilds the cross-reference it is.
func (c *comparison) orphans() error {
	parts, err := c.parts()
	if err != nil {
		return err
	}
	slices.SortFunc(parts, func(a, b pdf.Range) int { return cmp.Compare(a.Offset, b.Offset) })
	at, end := c.revisions[c.index].end, c.revisions[c.index+1].end
	for _, e := range c.ends { // the signed revision goes on to where its signature ends
		if e > at && e <= at+maxEOL {
			at = e
		}
	}
	for _, p := range append(parts, pdf.Range{Offset: end}) {
		if p.Offset > at {
			blank, err := c.blank(at, p.Offset)
			if err != nil {
				return err
			}
			if !blank {
				c.change(changeBytes, "在 %[1]d - %[2]d 有不属于任何对象的字节", "has bytes that belong to no object at %[1]d - %[2]d", at, p.Offset)
				return nil
			}
		}
		at = max(at, p.End())
	}
	return nil
}

// parts lists what the saving is made of.
func (c *comparison) parts() ([]pdf.Range, error) {
	var parts []pdf.Range
	from := c.revisions[c.index].end
	add := func(num uint32, gen uint16) error {
		o, err := c.new.Load(pdf.Ref{Num: num, Gen: gen})
		if err != nil || o.Header < from {
			return err
		}
		end, err := c.objectEnd(o)
		if err == nil && end > 0 {
			parts = append(parts, pdf.Range{Offset: o.Header, Length: end - o.Header})
		}
		return err
	}
	for _, s := range c.revisions[c.index+1].sections {
		ok, err := c.endsProperly(s)
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, pdf.Range{Offset: s.Offset, Length: s.EOF - s.Offset})
		}
		entries, err := c.new.Entries(s)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if x, ok := c.new.Lookup(e.Num); e.Type != 1 || !ok || x != e {
				continue
			}
			if err := c.spend(1); err != nil {
				return nil, err
			}
			if err := add(e.Num, e.Gen); err != nil {
				return nil, err
			}
		}
	}
	return parts, nil
}

// objectEnd is the offset after endobj; 0: there is none where it should be.
func (c *comparison) objectEnd(o *pdf.Indirect) (int64, error) {
	at := o.Offset + int64(len(o.Raw))
	words := []string{"endobj"}
	if s, ok := o.Value.(*pdf.Stream); ok {
		at = s.Offset + s.Length
		words = []string{"endstream", "endobj"}
	}
	b, err := c.read(at, min(c.size, at+128))
	if err != nil {
		return 0, err
	}
	i := 0
	for _, w := range words {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if !bytes.HasPrefix(b[i:], []byte(w)) {
			return 0, nil
		}
		i += len(w)
	}
	return at + int64(i), nil
}

// endsProperly: between the section's end and its %%EOF there are startxref and a number, and nothing else.
func (c *comparison) endsProperly(s pdf.Section) (bool, error) {
	if s.EOF-s.End > 256 {
		return false, nil
	}
	b, err := c.read(s.End, s.EOF)
	if err != nil {
		return false, err
	}
	w := bytes.Fields(b)
	if len(w) != 3 || string(w[0]) != "startxref" || string(w[2]) != "%%EOF" {
		return false, nil
	}
	_, err = strconv.ParseInt(string(w[1]), 10, 64)
	return err == nil, nil
}

func (d *document) blank(from, to int64) (bool, error) {
	if to-from > 4096 {
		return false, nil
	}
	b, err := d.read(from, to)
	for _, ch := range b {
		if !isSpace(ch) {
			return false, err
		}
	}
	return true, err
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}
