package verify

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/ziptest"
)

// unsaid finds the bytes of a zip file that say nothing of what is in it: in local headers the version that is needed and the time, in
// the directory these, who made it, and what the attributes of a file were. Programs that read documents use none of them.
func unsaid(file []byte) map[int]bool {
	out := map[int]bool{}
	add := func(at int, ranges ...int) {
		for i := 0; i < len(ranges); i += 2 {
			for k := ranges[i]; k < ranges[i+1]; k++ {
				out[at+k] = true
			}
		}
	}
	le := binary.LittleEndian
	end := len(file) - 22
	for at := int(le.Uint32(file[end+16:])); at < end; {
		add(at, 4, 8, 12, 16, 36, 42)
		add(int(le.Uint32(file[at+42:])), 4, 6, 10, 14)
		at += 46 + int(le.Uint16(file[at+28:])) + int(le.Uint16(file[at+30:])) + int(le.Uint16(file[at+32:]))
	}
	return out
}

// sameParts says whether two files inflate to the same parts. Deflate fills up bytes with bits that no code uses.
func sameParts(t testing.TB, a, b []byte) bool {
	x, y := ziptest.Read(t, a), ziptest.Read(t, b)
	return slices.EqualFunc(x.Entries, y.Entries, func(x, y *ziptest.Entry) bool { return x.Central == y.Central && x.Text(t) == y.Text(t) })
}

// Whatever bit is changed in a sealed file, the file is not valid any more, but for bytes that say nothing.
func TestOfficeEveryByte(t *testing.T) {
	for i, way := range []string{wayES, wayECC, wayDual} {
		file := sealed().file(t, way)
		step := 1
		if i > 0 {
			step = 4 // most of it is the same again
		}
		nothing := unsaid(file)
		for _, at := range eachByte(file, step) {
			if !nothing[at] && !sameParts(t, file, changed(file, at, 1<<(at/step%8))) {
				t.Errorf("%s: byte %d of %d is changed, and the file is valid", way, at, len(file))
			}
		}
	}
}

// eachByte verifies a file once for each of its bytes, with one bit of it changed, and gives the places where it stays valid.
func eachByte(file []byte, step int) (valid []int) {
	s := sealed()
	var mu sync.Mutex
	var wg sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for k := range n {
		wg.Go(func() {
			for i := k * step; i < len(file); i += n * step {
				if r, err := s.verify(changed(file, i, 1<<(i/step%8))); err == nil && r.Verdict == Valid {
					mu.Lock()
					valid = append(valid, i)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(valid)
	return valid
}

// Every part cut short by a byte, emptied, taken away or doubled: the file is not valid any more. Three things change
// nothing: white space behind relationships, content types and signatures, which are signed for what they say; the properties where only
// native signatures are there; and there how the record of what was before is found, which the signature names by itself.
func TestOfficeEveryPart(t *testing.T) {
	s := sealed()
	for _, way := range ways {
		for _, name := range names(ziptest.Read(t, s.file(t, way))) {
			white := name == typesName || strings.HasSuffix(name, ".rels") || strings.HasPrefix(name, "_xmlsignatures/sig")
			property := name == "docProps/core.xml" || name == "docProps/app.xml"
			for what, change := range map[string]mutation{
				"cut short": func(t testing.TB, a *ziptest.Archive) {
					text := a.Entry(name).Text(t)
					put(name, text[:max(0, len(text)-1)])(t, a)
				},
				"emptied":         put(name, ""),
				"a byte longer":   func(t testing.TB, a *ziptest.Archive) { put(name, a.Entry(name).Text(t)+" ")(t, a) },
				"taken away":      drop(name),
				"doubled":         func(t testing.TB, a *ziptest.Archive) { a.Entries = append(a.Entries, a.Entry(name)) },
				"packed cut off":  func(_ testing.TB, a *ziptest.Archive) { pack(a.Entry(name), -1) },
				"packed and more": func(_ testing.TB, a *ziptest.Archive) { pack(a.Entry(name), 1) },
			} {
				a := ziptest.Read(t, s.file(t, way))
				if a.Entry(name).Central.Size == 0 && (what == "cut short" || what == "emptied" || what == "packed cut off") {
					continue // that is no change
				}
				change(t, a)
				r, err := s.verify(a.Bytes())
				if err != nil && !errors.Is(err, ErrUnsigned) && !errors.Is(err, ErrFormat) {
					t.Errorf("%s: %s %s: no verdict: %v", way, name, what, err)
				}
				if err != nil || r.Verdict != Valid {
					continue
				}
				if white && what == "a byte longer" {
					continue
				}
				alone := way == wayRSA || way == wayECC
				if alone && name == sealRels && what == "taken away" {
					continue
				}
				if property && alone && (what == "cut short" || what == "emptied" || what == "a byte longer" || what == "taken away") {
					continue
				}
				t.Errorf("%s: %s %s, and the file is valid", way, name, what)
			}
		}
	}
}

func names(a *ziptest.Archive) (all []string) {
	for _, e := range a.Entries {
		all = append(all, e.Central.Name)
	}
	return all
}

// pack takes a packed byte away, or adds one.
func pack(e *ziptest.Entry, n int) {
	if n < 0 {
		e.Data = e.Data[:len(e.Data)+n]
	} else {
		e.Data = append(e.Data[:len(e.Data):len(e.Data)], make([]byte, n)...)
	}
	e.Both(func(f *ziptest.Fields) { f.Packed = uint32(len(e.Data)) })
}
