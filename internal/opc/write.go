package opc

import (
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"slices"
	"sync"
)

// A Change is a part that is new, or has new content.
type Change struct {
	Name string
	Data []byte // it is kept, and must not change
}

// With gives the package as it will be with the changes: parts replaced where they stand, new ones at the end. Nothing is
// written. The new package has its own Faults, of a part without content type for instance; Write refuses it then.
// Errors: ErrFaults, ErrName, ErrLimit.
func (p *Package) With(changes []Change) (*Package, error) {
	if err := p.sound(); err != nil {
		return nil, err
	}
	q := &Package{src: p.src, size: p.size, limits: p.limits, dir: p.dir, kept: p.kept}
	place := make(map[string]int, len(p.parts))
	for i, part := range p.parts {
		c := *part
		q.parts = append(q.parts, &c)
		place[part.key] = i
	}
	seen := map[string]bool{}
	for _, c := range changes {
		key := nameKey(c.Name)
		if why := nameFault(c.Name); why != "" && c.Name != typesName {
			return nil, fmt.Errorf("%w: %q: %s", ErrName, c.Name, why)
		}
		if seen[key] {
			return nil, fmt.Errorf("%w: %s is changed twice", ErrName, c.Name)
		}
		seen[key] = true
		i, ok := place[key]
		if !ok {
			i = len(q.parts)
			q.parts = append(q.parts, &Part{Name: c.Name, e: entry{start: p.dir.start + int64(i)}})
		}
		part := q.parts[i]
		part.data, part.fresh = c.Data, true
		part.Size, part.Packed = int64(len(c.Data)), int64(len(c.Data))
	}
	if len(q.parts) > q.limits.Entries || len(q.parts) >= max16 {
		return nil, fmt.Errorf("%w: %d entries, %d allowed", ErrLimit, len(q.parts), q.limits.Entries)
	}
	return q, q.open()
}

// Write writes the package with the changes. Entries that stay as they are are copied byte for byte: local header, packed
// data and descriptor. The same package and changes give the same bytes. Errors: those of With, ErrFaults where the result
// would have faults, those of the source and of dst.
func (p *Package) Write(dst io.Writer, changes []Change) error {
	q := p
	if len(changes) > 0 {
		var err error
		if q, err = p.With(changes); err != nil {
			return err
		}
	}
	if err := q.sound(); err != nil {
		return err
	}
	order := q.inFile()
	headers := p.packAll(order)
	w := &writer{dst: dst}
	at := make(map[*Part]int64, len(order))
	for i := 0; i < len(order) && w.err == nil; i++ {
		part := order[i]
		if part.fresh {
			at[part] = w.n
			w.write(headers[i].local)
			w.write(headers[i].packed)
			continue
		}
		// Neighbours that stay are copied in one go.
		last := part
		for ; i < len(order) && !order[i].fresh; i++ {
			last = order[i]
			at[last] = w.n + last.e.start - part.e.start
		}
		i--
		w.copy(q.src, part.e.start, last.e.end)
	}
	central := make(map[*Part][]byte, len(order))
	for i, part := range order {
		central[part] = part.e.central
		if part.fresh {
			central[part] = headers[i].central
		}
	}
	start := w.n
	for _, part := range q.parts {
		w.write(atPlace(central[part], at[part]))
	}
	if w.n > max32-endLen {
		return fmt.Errorf("%w: a file of more than 4 GiB", ErrLimit)
	}
	end := make([]byte, endLen)
	le.PutUint32(end, sigEnd)
	le.PutUint16(end[8:], uint16(len(q.parts)))
	le.PutUint16(end[10:], uint16(len(q.parts)))
	le.PutUint32(end[12:], uint32(w.n-start))
	le.PutUint32(end[16:], uint32(start))
	w.write(end)
	return w.err
}

// inFile lists the parts in the order of their entries, which need not be that of the directory.
func (p *Package) inFile() []*Part {
	order := slices.Clone(p.parts)
	slices.SortStableFunc(order, func(a, b *Part) int { return cmp.Compare(a.e.start, b.e.start) })
	return order
}

// A header is an entry that we write.
type header struct{ local, packed, central []byte }

// packAll deflates what is not in the file yet, large parts side by side.
func (p *Package) packAll(parts []*Part) []header {
	headers := make([]header, len(parts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, part := range parts {
		switch {
		case !part.fresh:
		case len(part.data) <= quick:
			headers[i] = p.pack(part)
		default:
			wg.Go(func() {
				slots <- struct{}{}
				headers[i] = p.pack(part)
				<-slots
			})
		}
	}
	wg.Wait()
	return headers
}

// quick is the size up to which a part is packed sooner than a goroutine is there for it.
const quick = 64 << 10

// Writers are large, and are used again. Packing as small as can be would take longer than all else in signing a document.
var deflaters = sync.Pool{New: func() any {
	z, _ := flate.NewWriter(nil, flate.BestSpeed) // it fails for a level that is none
	return z
}}

// pack makes an entry: deflated unless that is no use, with the date that Office writes (1980-01-01), and no descriptor.
func (p *Package) pack(part *Part) header {
	packed, method := part.data, uint16(stored)
	if b := p.deflate(part); len(b) > 0 && len(b) < len(part.data) {
		packed, method = b, deflated
	}
	name := part.Name[1:]
	// From the version that is needed to the length of the extra field, the same in both headers.
	common := make([]byte, 26)
	le.PutUint16(common, 20)
	if !ascii(name) {
		le.PutUint16(common[2:], flagUTF8)
	}
	le.PutUint16(common[4:], method)
	le.PutUint16(common[8:], 1<<5|1)
	le.PutUint32(common[10:], crc32.ChecksumIEEE(part.data))
	le.PutUint32(common[14:], uint32(len(packed)))
	le.PutUint32(common[18:], uint32(len(part.data)))
	le.PutUint16(common[22:], uint16(len(name)))

	h := header{packed: packed}
	h.local = append(le.AppendUint32(nil, sigLocal), common...)
	h.local = append(h.local, name...)
	h.central = le.AppendUint16(le.AppendUint32(nil, sigCentral), 20)
	h.central = append(h.central, common...)
	h.central = append(h.central, make([]byte, centralLen-6-len(common))...)
	h.central = append(h.central, name...)
	return h
}

// deflate packs what is XML. Pictures, values and undo records are packed already, or too short for it.
func (p *Package) deflate(part *Part) []byte {
	if !bytes.HasPrefix(bytes.TrimPrefix(part.data, []byte("\xef\xbb\xbf")), []byte("<")) {
		return nil
	}
	before, n := p.reusable(part)
	b := bytes.NewBuffer(before)
	rest := part.data[n:]
	if n == 0 {
		b.Grow(len(rest)/4 + 512)
	}
	z := deflaters.Get().(*flate.Writer)
	z.Reset(b)
	z.Write(rest)
	z.Close()
	deflaters.Put(z)
	return b.Bytes()
}

// atPlace gives a record of the directory for an entry at another place.
func atPlace(central []byte, at int64) []byte {
	c := slices.Clone(central)
	le.PutUint32(c[42:], uint32(at))
	return c
}

// A writer counts, and remembers the first error.
type writer struct {
	dst io.Writer
	n   int64
	err error
}

func (w *writer) write(b []byte) {
	if w.err != nil {
		return
	}
	_, w.err = w.dst.Write(b)
	w.n += int64(len(b))
}

var buffers = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// copy writes the bytes of src from one place to another.
func (w *writer) copy(src io.ReaderAt, from, to int64) {
	buf := buffers.Get().(*[256 << 10]byte)
	defer buffers.Put(buf)
	for from < to && w.err == nil {
		b := buf[:min(int64(len(buf)), to-from)]
		if err := readFull(src, b, from); err != nil {
			w.err = err
			return
		}
		w.write(b)
		from += int64(len(b))
	}
}
