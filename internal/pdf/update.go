package pdf

import (
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
)

// An Update is an incremental update in the making: objects that are appended to the file, and the cross-reference section
// that puts them in force. Nothing of the earlier bytes changes.
type Update struct {
	f    *File
	next uint32
	objs []newObject
}

type newObject struct {
	ref   Ref
	value []byte
	data  []byte // of a stream; nil: none
}

// NewUpdate starts an update of the file.
func (f *File) NewUpdate() *Update { return &Update{f: f, next: max(f.MaxObject(), 1)} }

// maxObjectNumber is what ISO 32000-1, Annex C and most readers allow.
const maxObjectNumber = 8388607

// Alloc gives a new object its number.
func (u *Update) Alloc() (Ref, error) {
	if u.next > maxObjectNumber {
		return Ref{}, fmt.Errorf("%w: the file's object numbers are used up to %d", ErrLimit, u.next-1)
	}
	u.next++
	return Ref{Num: u.next - 1}, nil
}

// Put adds an object: value is written as it is. Objects are written in the order in which they are put.
func (u *Update) Put(r Ref, value []byte) { u.objs = append(u.objs, newObject{ref: r, value: value}) }

// PutStream adds a stream: its dictionary's entries without /Length, and its encoded data, which is encrypted here where the
// file is.
func (u *Update) PutStream(r Ref, entries string, data []byte) error {
	data, err := u.f.EncryptStream(r, data)
	if err != nil {
		return err
	}
	if data == nil {
		data = []byte{}
	}
	u.objs = append(u.objs, newObject{r, fmt.Appendf(nil, "<< %s /Length %d >>", entries, len(data)), data})
	return nil
}

// PutEdit adds an edited object in its own place.
func (u *Update) PutEdit(e *Edit) error {
	if on, _ := u.f.Encrypted(); on && e.obj.Container != 0 {
		if err := e.encryptStrings(u.f); err != nil {
			return err
		}
	}
	b, err := e.Bytes()
	if err != nil {
		return err
	}
	u.Put(e.obj.Ref, b)
	return nil
}

// A Tail is a finished update: the bytes to append.
type Tail struct {
	Bytes []byte
	at    map[Ref]int64
}

// ValueAt is where the value of an object begins: an index of Bytes.
func (t *Tail) ValueAt(r Ref) int64 { return t.at[r] }

// Encode writes the update. It begins with one LF, so that the earlier bytes can be told from it.
func (u *Update) Encode() (*Tail, error) {
	size := 1024
	for _, o := range u.objs {
		size += len(o.value) + len(o.data) + 96
	}
	t := &Tail{Bytes: append(make([]byte, 0, size), '\n'), at: make(map[Ref]int64, len(u.objs))}
	entries := make([]XRef, 0, len(u.objs)+1)
	for _, o := range u.objs {
		if _, twice := t.at[o.ref]; twice {
			return nil, fmt.Errorf("pdf: object %d put twice into an update", o.ref.Num)
		}
		entries = append(entries, XRef{Num: o.ref.Num, Gen: o.ref.Gen, Type: 1, Offset: u.offset(t)})
		t.Bytes = strconv.AppendUint(t.Bytes, uint64(o.ref.Num), 10)
		t.Bytes = append(t.Bytes, ' ')
		t.Bytes = strconv.AppendUint(t.Bytes, uint64(o.ref.Gen), 10)
		t.Bytes = append(t.Bytes, " obj\n"...)
		t.at[o.ref] = int64(len(t.Bytes))
		t.Bytes = append(t.Bytes, o.value...)
		if o.data != nil {
			t.Bytes = append(t.Bytes, "\nstream\n"...)
			t.Bytes = append(t.Bytes, o.data...)
			t.Bytes = append(t.Bytes, "\nendstream"...)
		}
		t.Bytes = append(t.Bytes, "\nendobj\n"...)
	}
	return t, u.section(t, entries)
}

// offset is where the next byte of the tail will stand, counted as the file's own cross-reference counts.
func (u *Update) offset(t *Tail) int64 { return u.f.Size() + int64(len(t.Bytes)) - u.f.Base() }

// section appends the cross-reference section, of the kind of the newest one, and the end of the file. In a file that had
// to be rebuilt it names every object and no earlier section.
func (u *Update) section(t *Tail, entries []XRef) error {
	kind := u.f.Sections()[0].Kind
	repaired := u.f.Repaired() != nil
	if repaired {
		entries = u.complete(entries)
	}
	slices.SortFunc(entries, func(a, b XRef) int { return int(int64(a.Num) - int64(b.Num)) })
	start := u.offset(t)
	if start > 9999999999 && kind != XRefStream {
		return fmt.Errorf("%w: a cross-reference table reaches no further than 9,999,999,999 bytes", ErrLimit)
	}
	id := u.id(t)
	if kind == XRefStream {
		if err := u.stream(t, entries, start, repaired, id[:16]); err != nil {
			return err
		}
	} else {
		t.Bytes = append(t.Bytes, "xref\n"...)
		for run := range runs(entries) {
			t.Bytes = fmt.Appendf(t.Bytes, "%d %d\n", run[0].Num, len(run))
			for _, e := range run {
				c := byte('n')
				if e.Type == 0 {
					c = 'f'
				}
				t.Bytes = fmt.Appendf(t.Bytes, "%010d %05d %c\r\n", e.Offset, e.Gen, c)
			}
		}
		t.Bytes = append(t.Bytes, "trailer\n<<"...)
		u.trailer(t, repaired, id[:16])
		t.Bytes = append(t.Bytes, " >>"...)
	}
	t.Bytes = fmt.Appendf(t.Bytes, "\nstartxref\n%d\n%%%%EOF\n", start)
	return nil
}

// id tells this state of the file from any other, as /ID wants it: by the size of the file and the bytes of the update. It protects
// nothing, so a checksum of the update does, which holds a seal's picture and the room of its signature.
func (u *Update) id(t *Tail) [sha256.Size]byte {
	sum := crc32.Checksum(t.Bytes, castagnoli)
	return sha256.Sum256(fmt.Appendf(nil, "%d %d %08x %s", u.f.Size(), len(t.Bytes), sum, t.Bytes[max(0, len(t.Bytes)-1024):]))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli) // a single instruction on most processors

// complete adds what the rebuilt cross-reference knows of the objects that the update leaves as they are.
func (u *Update) complete(entries []XRef) []XRef {
	changed := make(map[uint32]bool, len(entries))
	for _, e := range entries {
		changed[e.Num] = true
	}
	entries = append(entries, XRef{Gen: 65535}) // the head of the free list
	for n := uint32(1); n < u.f.MaxObject(); n++ {
		if e, ok := u.f.Lookup(n); ok && e.Type != 0 && !changed[n] {
			if e.Type == 1 {
				e.Offset -= u.f.Base()
			}
			entries = append(entries, e)
		}
	}
	return entries
}

// stream appends a cross-reference stream; it is an object itself and names itself.
func (u *Update) stream(t *Tail, entries []XRef, start int64, repaired bool, id []byte) error {
	self, err := u.Alloc()
	if err != nil {
		return err
	}
	entries = append(entries, XRef{Num: self.Num, Type: 1, Offset: start})
	w2, w3 := 1, 2
	for _, e := range entries {
		for w2 < 8 && e.Offset>>(8*w2) != 0 {
			w2++
		}
		for w3 < 8 && e.Index>>(8*w3) != 0 {
			w3++
		}
	}
	t.Bytes = fmt.Appendf(t.Bytes, "%d 0 obj\n<< /Type /XRef /W [1 %d %d] /Index [", self.Num, w2, w3)
	for run := range runs(entries) {
		t.Bytes = fmt.Appendf(t.Bytes, " %d %d", run[0].Num, len(run))
	}
	t.Bytes = fmt.Appendf(t.Bytes, " ] /Length %d", len(entries)*(1+w2+w3))
	u.trailer(t, repaired, id)
	t.Bytes = append(t.Bytes, " >>\nstream\n"...)
	for _, e := range entries {
		third := uint64(e.Gen)
		if e.Type == 2 {
			third = uint64(e.Index)
		}
		t.Bytes = append(t.Bytes, e.Type)
		t.Bytes = appendBig(t.Bytes, uint64(e.Offset), w2)
		t.Bytes = appendBig(t.Bytes, third, w3)
	}
	t.Bytes = append(t.Bytes, "\nendstream\nendobj"...)
	return nil
}

func appendBig(b []byte, v uint64, width int) []byte {
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(v>>(8*i)))
	}
	return b
}

// runs cuts sorted entries where the numbers are not consecutive.
func runs(entries []XRef) func(yield func([]XRef) bool) {
	return func(yield func([]XRef) bool) {
		for from := 0; from < len(entries); {
			to := from + 1
			for to < len(entries) && entries[to].Num == entries[to-1].Num+1 {
				to++
			}
			if !yield(entries[from:to]) {
				return
			}
			from = to
		}
	}
}

// ofSection are the keys that belong to one cross-reference section; every other key of a trailer is passed on.
var ofSection = []Name{"Size", "Prev", "XRefStm", "Type", "W", "Index", "Length", "Filter", "DecodeParms", "F", "FFilter", "FDecodeParms", "DL", "ID"}

// trailer appends the entries of the new trailer: those of the newest one with new /Size, /Prev and the second half of /ID.
func (u *Update) trailer(t *Tail, repaired bool, id []byte) {
	old := u.f.Trailer()
	seen := map[Name]bool{}
	for _, en := range old.Entries {
		if slices.Contains(ofSection, en.Key) || seen[en.Key] {
			continue
		}
		seen[en.Key] = true
		t.Bytes = append(AppendName(append(t.Bytes, ' '), en.Key), ' ')
		t.Bytes = AppendObject(t.Bytes, old.Get(en.Key))
	}
	if o, err := u.f.Resolve(old.Get("ID")); err == nil {
		if a, ok := o.(*Array); ok && len(a.Items) > 0 {
			if first, ok := a.Items[0].(*String); ok {
				t.Bytes = AppendHex(append(t.Bytes, " /ID ["...), first.Value)
				t.Bytes = append(AppendHex(append(t.Bytes, ' '), id), ']')
			}
		}
	}
	t.Bytes = fmt.Appendf(t.Bytes, " /Size %d", u.next)
	if !repaired {
		t.Bytes = fmt.Appendf(t.Bytes, " /Prev %d", u.f.Sections()[0].Offset-u.f.Base())
	}
}
