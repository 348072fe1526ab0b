package pdftext

import (
	"slices"
	"sort"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A composite is a Type 0 font: codes of any length, CIDs, and a font whose glyphs the CIDs choose.
type composite struct {
	encoding   *cmap
	toUnicode  *cmap
	collection string // of the CIDs: the ordering of CIDSystemInfo
	width      float64
	widths     []widthRange // by lo
	vy, down   float64      // DW2: above the baseline, where a column begins; to the next character
	columns    []widthRange // W2, by lo: three numbers each
	program    func(in *interpreter) *program
}

// A widthRange is a value, or one for each, of the CIDs from lo to hi.
type widthRange struct {
	lo, hi uint32
	values []float64 // of each CID
	each   bool
}

func (in *interpreter) loadComposite(d *pdf.Dict, toUnicode *cmap) (*font, error) {
	c := &composite{toUnicode: toUnicode}
	var err error
	if c.encoding, err = in.cmap(d.Get("Encoding"), maxUse); err != nil {
		return nil, err
	}
	if c.encoding == nil {
		c.encoding = namedCMap("Identity-H")
	}
	list, err := in.resolve(d.Get("DescendantFonts"))
	if err != nil {
		return nil, err
	}
	var cid *pdf.Dict
	if a, ok := list.(*pdf.Array); ok && len(a.Items) > 0 {
		if cid, err = in.dict(a.Items[0]); err != nil {
			return nil, err
		}
	}
	desc, err := in.dict(cid.Get("FontDescriptor"))
	if err != nil {
		return nil, err
	}
	f := &font{vertical: c.encoding.vertical, composite: c, chars: map[uint64]char{}}
	if err := in.height(f, desc); err != nil {
		return nil, err
	}
	info, err := in.dict(cid.Get("CIDSystemInfo"))
	if err != nil {
		return nil, err
	}
	if o, err := in.resolve(info.Get("Ordering")); err != nil {
		return nil, err
	} else if s, ok := o.(*pdf.String); ok {
		c.collection = string(s.Value)
	}
	if err := in.cidWidths(c, cid); err != nil {
		return nil, err
	}
	c.program = in.later(cid, desc)
	return f, nil
}

// cidWidths reads DW, W, DW2 and W2.
func (in *interpreter) cidWidths(c *composite, cid *pdf.Dict) error {
	c.width, c.vy, c.down = 1, 0.88, -1
	o, err := in.resolve(cid.Get("DW"))
	if err != nil {
		return err
	}
	if v, ok := pdf.Number(o); ok {
		c.width = v / 1000
	}
	two, err := in.floats(cid.Get("DW2"))
	if err != nil {
		return err
	}
	if len(two) == 2 {
		c.vy, c.down = two[0]/1000, two[1]/1000
	}
	if c.widths, err = in.widthRanges(cid.Get("W"), 1); err != nil {
		return err
	}
	c.columns, err = in.widthRanges(cid.Get("W2"), 3)
	return err
}

// widthRanges reads W (one number a CID) or W2 (three): "first last number…" or "first [number…]".
func (in *interpreter) widthRanges(o pdf.Object, each int) ([]widthRange, error) {
	o, err := in.resolve(o)
	a, ok := o.(*pdf.Array)
	if err != nil || !ok {
		return nil, err
	}
	if err := in.spend(16 * len(a.Items)); err != nil {
		return nil, err
	}
	var ranges []widthRange
	items := a.Items
	for len(items) >= 2 {
		first, ok := pdf.Number(items[0])
		second, err := in.resolve(items[1])
		if err != nil {
			return nil, err
		}
		if !ok || first < 0 || first > 1<<24 {
			items = items[1:]
			continue
		}
		lo := uint32(first)
		if _, isArray := second.(*pdf.Array); isArray {
			values, err := in.floats(second)
			if err != nil {
				return nil, err
			}
			if n := len(values) / each; n > 0 {
				ranges = append(ranges, widthRange{lo, lo + uint32(n) - 1, values, true})
			}
			items = items[2:]
			continue
		}
		if len(items) < 2+each {
			break
		}
		r := widthRange{lo: lo, hi: lo, values: make([]float64, each)}
		if v, ok := pdf.Number(second); ok && v >= first && v < 1<<24 {
			r.hi = uint32(v)
		}
		for i := range r.values {
			if o, err = in.resolve(items[2+i]); err != nil {
				return nil, err
			}
			r.values[i], _ = pdf.Number(o)
		}
		ranges = append(ranges, r)
		items = items[2+each:]
	}
	slices.SortStableFunc(ranges, func(a, b widthRange) int { return order(a.lo, b.lo) })
	return ranges, nil
}

// lookUp gives the numbers of a CID, each of them; nil: there are none.
func lookUp(ranges []widthRange, cid uint32, each int) []float64 {
	i := sort.Search(len(ranges), func(i int) bool { return ranges[i].lo > cid }) - 1
	for stop := max(0, i-maxOverlap); i >= stop; i-- {
		r := ranges[i]
		if cid > r.hi {
			continue
		}
		at := 0
		if r.each {
			at = int(cid-r.lo) * each
		}
		return r.values[at : at+each]
	}
	return nil
}

// char says what a code of n bytes is.
func (c *composite) char(in *interpreter, code uint32, n int) char {
	cid, known := c.encoding.cid(code, n)
	ch := char{text: c.text(in, code, n, cid, known), width: c.width, down: c.down}
	if known {
		if w := lookUp(c.widths, cid, 1); w != nil {
			ch.width = w[0] / 1000
		}
	} else if n == 1 {
		ch.width = c.width / 2
	}
	ch.vx = ch.width / 2
	if known {
		if w := lookUp(c.columns, cid, 3); w != nil {
			ch.down, ch.vx = w[0]/1000, w[1]/1000
		}
	}
	return ch
}

func (c *composite) text(in *interpreter, code uint32, n int, cid uint32, known bool) string {
	if s := c.toUnicode.text(code, n); s != "" {
		return s
	}
	if s := c.encoding.text(code, n); s != "" {
		return s
	}
	if !known {
		return ""
	}
	if c.collection == "GB1" {
		if s := gbText(cid); s != "" {
			return s
		}
	}
	return c.program(in).text(cid)
}
