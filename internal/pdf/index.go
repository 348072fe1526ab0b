package pdf

// An XRef is one entry of a section.
type XRef struct {
	Num    uint32
	Gen    uint16
	Type   byte  // 0 free, 1 in the file, 2 in an object stream
	Offset int64 // type 1: of the object; type 2: number of the object stream
	Index  int   // type 2
}

// An entry is an XRef without its number in 64 bits: two for what it is, then
//
//	inFile    offset 46, generation 16
//	inStream  index 30, object stream 32
//	free      section in which it is free 46 (0: the newest), generation 16
type entry uint64

const (
	absent = iota
	inFile
	inStream
	free
)

func fileEntry(off int64, gen uint16) entry { return inFile<<62 | entry(off)<<16 | entry(gen) }

func streamEntry(container uint32, index int) entry {
	return inStream<<62 | entry(index&(1<<30-1))<<32 | entry(container)
}

func freeEntry(section int, gen uint16) entry { return free<<62 | entry(section)<<16 | entry(gen) }

const maxOffset = 1<<46 - 1

func (e entry) kind() int         { return int(e >> 62) }
func (e entry) offset() int64     { return int64(e >> 16 & maxOffset) } // of free: the section
func (e entry) gen() uint16       { return uint16(e) }
func (e entry) container() uint32 { return uint32(e) }
func (e entry) index() int        { return int(e >> 32 & (1<<30 - 1)) }

func (e entry) xref(num uint32) (XRef, bool) {
	switch e.kind() {
	case inFile:
		return XRef{Num: num, Gen: e.gen(), Type: 1, Offset: e.offset()}, true
	case inStream:
		return XRef{Num: num, Type: 2, Offset: int64(e.container()), Index: e.index()}, true
	case free:
		return XRef{Num: num, Gen: e.gen()}, true
	}
	return XRef{}, false
}

// An index holds the entries in force, in blocks, so that a few high numbers cost little.
type index struct {
	blocks []*[blockLen]entry
	used   int    // blocks there are
	max    uint32 // highest number in use
}

const blockLen = 256

func (x *index) get(num uint32) entry {
	if i := int(num / blockLen); i < len(x.blocks) && x.blocks[i] != nil {
		return x.blocks[i][num%blockLen]
	}
	return 0
}

func (x *index) set(num uint32, e entry) {
	i := int(num / blockLen)
	if i >= len(x.blocks) {
		x.blocks = append(x.blocks, make([]*[blockLen]entry, i+1-len(x.blocks))...)
	}
	if x.blocks[i] == nil {
		x.blocks[i] = new([blockLen]entry)
		x.used++
	}
	x.blocks[i][num%blockLen] = e
	if k := e.kind(); num > x.max && (k == inFile || k == inStream) {
		x.max = num
	}
}

// all calls f for each entry in force, by number, until f returns an error.
func (x *index) all(f func(num uint32, e entry) error) error {
	for i, b := range x.blocks {
		if b == nil {
			continue
		}
		for j, e := range b {
			if e == 0 {
				continue
			}
			if err := f(uint32(i*blockLen+j), e); err != nil {
				return err
			}
		}
	}
	return nil
}
