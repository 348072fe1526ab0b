package pdf

import (
	"cmp"
	"slices"
)

// Numbers is a set of object numbers.
type Numbers struct {
	bits   []uint64
	lo, hi int // words that may hold one
}

// Add puts n into the set.
func (s *Numbers) Add(n uint32) {
	w := int(n / 64)
	if w >= len(s.bits) {
		s.bits = append(s.bits, make([]uint64, max(w+1, len(s.bits)*3/2)-len(s.bits))...)
	}
	if s.hi == 0 || w < s.lo {
		s.lo = w
	}
	s.hi = max(s.hi, w+1)
	s.bits[w] |= 1 << (n % 64)
}

// Has reports whether n is in the set. The nil set is empty.
func (s *Numbers) Has(n uint32) bool {
	if s == nil || int(n/64) >= len(s.bits) {
		return false
	}
	return s.bits[n/64]&(1<<(n%64)) != 0
}

func (s *Numbers) remove(n uint32) {
	if s.Has(n) {
		s.bits[n/64] &^= 1 << (n % 64)
	}
}

// Empty reports whether nothing is in the set.
func (s *Numbers) Empty() bool {
	return s == nil || !slices.ContainsFunc(s.bits, func(w uint64) bool { return w != 0 })
}

func (s *Numbers) clear() {
	clear(s.bits[s.lo:s.hi])
	s.lo, s.hi = 0, 0
}

// A Listing is what the sections of a file say beside what is in force.
type Listing struct {
	Twice    *Clash   // the first number that one section lists twice, not alike; nil: none
	Hybrid   *Clash   // the first number that table and stream of one section define, not alike; nil: none
	Ahead    []Ahead  // what sections list behind the end of their saving, where nothing of it can stand, and is in force
	Later    *Numbers // what the newest sections list otherwise than those before them
	Complete bool     // all that was superseded is remembered; false: it is too much

	older []listedBefore // by number, the newest first
}

// A Clash is one number with two meanings in one section.
type Clash struct {
	Section int // index in Sections
	Num     uint32
	A, B    XRef
}

// An Ahead is an object that a section lists ahead of time.
type Ahead struct {
	Section int // index in Sections
	XRef
}

// A listedBefore is an entry that a newer section, or another entry of the same, has superseded.
type listedBefore struct {
	num     uint32
	section int32
	entry   entry
}

// maxAhead is how many objects that are listed ahead of time are told of.
const maxAhead = 64

// Listing reads all sections once more. ends are the ends of the savings they belong to, 0: not known; later is how many of
// them, the newest ones, Later is about.
func (f *File) Listing(ends []int64, later int) (*Listing, error) {
	l := &Listing{Later: new(Numbers), Complete: true}
	if f.repaired != nil {
		return l, nil
	}
	budget, room := 2*f.entryBudget(), 1<<16+int(f.src.size/24) // two dozen bytes: no object is shorter, with its entry
	var seen, here, before, mixed Numbers
	for i, s := range f.sections {
		overlap := false
		_, err := f.readSection(s.Offset, &budget, func(num uint32, e entry) error {
			if overlap = overlap || here.Has(num); !overlap {
				here.Add(num)
			}
			now := f.index.get(num)
			switch same := e.means(now); {
			case i < later:
				l.Later.Add(num)
				if !same {
					mixed.Add(num)
				}
			case l.Later.Has(num) && !before.Has(num):
				before.Add(num)
				if same && !mixed.Has(num) {
					l.Later.remove(num)
				}
			}
			if e.kind() == inFile && e == now && i < len(ends) && ends[i] > 0 && ends[i] <= e.offset() && e.offset() < f.src.size && len(l.Ahead) < maxAhead {
				x, _ := e.xref(num)
				l.Ahead = append(l.Ahead, Ahead{i, x})
			}
			if seen.Has(num) && e != now && e.kind() != free {
				if l.Complete = len(l.older) < room; l.Complete {
					l.older = append(l.older, listedBefore{num, int32(i), e})
				}
			}
			seen.Add(num)
			return nil
		})
		if err != nil {
			return nil, damaged(s.Offset, "cross-reference section", err)
		}
		if here.clear(); overlap {
			if err := f.clashes(i, l, &budget); err != nil {
				return nil, damaged(s.Offset, "cross-reference section", err)
			}
		}
	}
	slices.SortStableFunc(l.older, func(a, b listedBefore) int { return cmp.Compare(a.num, b.num) })
	return l, nil
}

// means: two entries name the same place, or none.
func (e entry) means(g entry) bool {
	switch e.kind() {
	case inFile:
		return g.kind() == inFile && e.offset() == g.offset()
	case inStream:
		return e == g
	}
	return g.kind() != inFile && g.kind() != inStream
}

// clashes reads a section in which numbers stand twice again, and compares.
func (f *File) clashes(i int, l *Listing, budget *int64) error {
	var parts [2]index // what the table says, and what the stream of a hybrid section says
	clash := func(p **Clash, num uint32, a, b entry) {
		if *p == nil && num > 0 && !a.means(b) {
			x, _ := a.xref(num)
			y, _ := b.xref(num)
			*p = &Clash{i, num, x, y}
		}
	}
	into := func(part int) emit {
		return func(num uint32, e entry) error {
			if old := parts[part].get(num); old.kind() != absent {
				clash(&l.Twice, num, old, e)
				return nil
			}
			parts[part].set(num, e)
			if table := parts[0].get(num); part == 1 && (table.kind() == inFile || table.kind() == inStream) {
				clash(&l.Hybrid, num, table, e)
			}
			return nil
		}
	}
	_, err := f.readParts(f.sections[i].Offset, budget, into(0), into(1))
	return err
}

// superseded gives the older entries of a number, newest first.
func (l *Listing) superseded(num uint32) []listedBefore {
	i, _ := slices.BinarySearchFunc(l.older, num, func(o listedBefore, n uint32) int { return cmp.Compare(o.num, n) })
	j := i
	for j < len(l.older) && l.older[j].num == num {
		j++
	}
	return l.older[i:j]
}
