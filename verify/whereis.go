package verify

import (
	"slices"

	"github.com/courtseal/courtseal/internal/pdf"
)

// A pageMap says on which page things are, in the newest revision. It is made when somebody asks.
type pageMap struct {
	number map[uint32]int    // of page objects
	notes  map[uint32]int    // of annotations, the first page that lists them
	twice  map[uint32]bool   // annotations that more than one page lists
	lists  map[uint32]uint32 // the page object whose /Annots an array is
}

func (d *document) pageMap() (*pageMap, error) {
	if d.onPages != nil {
		return d.onPages, nil
	}
	m := &pageMap{map[uint32]int{}, map[uint32]int{}, map[uint32]bool{}, map[uint32]uint32{}}
	err := d.file.EachPage(func(n int, p *pdf.Page) error {
		if err := d.spend(1); err != nil {
			return err
		}
		if n%256 == 0 {
			if err := d.ctx.Err(); err != nil {
				return err
			}
		}
		m.number[p.Ref.Num] = n
		annots := p.Dict().Get("Annots")
		if r, ok := annots.(pdf.Ref); ok {
			m.lists[r.Num] = p.Ref.Num
		}
		list, err := items(d.file, annots)
		if err != nil && !isOfFile(err) {
			return err
		}
		if err := d.spend(len(list) / 16); err != nil {
			return err
		}
		for _, o := range list {
			if r, ok := o.(pdf.Ref); ok {
				if at, ok := m.notes[r.Num]; ok && at != n {
					m.twice[r.Num] = true
					continue
				}
				m.notes[r.Num] = n
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.onPages = m
	return m, nil
}

// pageNumber is the number of a page object; 0: it is none.
func (d *document) pageNumber(num uint32) (int, error) {
	m, err := d.pageMap()
	if err != nil {
		return 0, err
	}
	return m.number[num], nil
}

// pageOf is the page that lists an annotation; 0: none does.
func (d *document) pageOf(num uint32) (int, error) {
	m, err := d.pageMap()
	if err != nil {
		return 0, err
	}
	return m.notes[num], nil
}

// pageOfList is the page object whose /Annots an array object is; 0: none.
func (d *document) pageOfList(num uint32) (uint32, error) {
	m, err := d.pageMap()
	if err != nil {
		return 0, err
	}
	return m.lists[num], nil
}

// A hop is how an object was reached.
type hop struct {
	num  uint32
	page int
	path []pdf.Name // keys from the page or the catalog
}

// pathTo finds the page whose content or annotations reach an object, in the newest revision, with the keys that lead to it; where no
// page does, the keys from the catalog.
func (d *document) pathTo(num uint32) ([]pdf.Name, int, error) {
	if d.hops == nil {
		d.hops = map[uint32]hop{}
		if err := d.hopAll(); err != nil {
			if !isOfFile(err) {
				return nil, 0, err
			}
		}
	}
	h := d.hops[num]
	return h.path, h.page, nil
}

// upward are keys that lead from what is on a page to elsewhere.
var upward = []pdf.Name{"Parent", "P", "Pg", "Dest", "A", "AA", "StructParent", "B", "PresSteps"}

// hopAll goes from every page, in order, to what it reaches, and then from the catalog to the rest. It is asked for only where there is
// something to tell, and ends with the budget: then some things are named without their page.
func (d *document) hopAll() error {
	var queue []hop
	put := func(h hop) {
		if _, seen := d.hops[h.num]; !seen {
			d.hops[h.num] = h
			queue = append(queue, h)
		}
	}
	drain := func(skip []pdf.Name) error {
		for len(queue) > 0 {
			h := queue[0]
			queue = queue[1:]
			if err := d.spend(1); err != nil {
				return err
			}
			if err := d.ctx.Err(); err != nil {
				return err
			}
			o, err := d.file.Load(pdf.Ref{Num: h.num, Gen: d.generation(h.num)})
			if err != nil {
				if isOfFile(err) {
					continue
				}
				return err
			}
			eachRef(o.Value, func(r pdf.Ref, path []pdf.Name) {
				if slices.ContainsFunc(path, func(k pdf.Name) bool { return slices.Contains(skip, k) }) {
					return
				}
				full := h.path
				if len(full) < maxPath {
					full = slices.Concat(h.path, path)
				}
				put(hop{r.Num, h.page, full})
			})
		}
		return nil
	}
	m, err := d.pageMap()
	if err != nil {
		return err
	}
	numbers := make([]uint32, 0, len(m.number))
	for n := range m.number {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b uint32) int { return m.number[a] - m.number[b] })
	for _, n := range numbers {
		put(hop{n, m.number[n], nil})
		if err := drain(upward); err != nil {
			return err
		}
	}
	if r, ok := d.file.Trailer().Get("Root").(pdf.Ref); ok {
		put(hop{r.Num, 0, nil})
	}
	return drain(nil)
}

// maxPath is how many keys are kept of a way to an object.
const maxPath = 8

func (d *document) generation(num uint32) uint16 {
	x, _ := d.file.Lookup(num)
	return x.Gen
}
