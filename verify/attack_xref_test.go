package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// Cross-references: entries that lead elsewhere, sections that contradict each other, object streams that are defined again, headers
// that move every offset.

// only are the kinds for which an attack makes sense.
func only(make func(testing.TB, *victim) []byte, kinds ...pdftest.Kind) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		if !slices.Contains(kinds, v.kind) {
			return nil
		}
		return make(t, v)
	}
}

// container is the number of the first object stream of a file.
func container(t testing.TB, v *victim) int {
	t.Helper()
	for n := range uint32(v.free) {
		if x, ok := v.pdf.Lookup(n); ok && x.Type == 2 {
			return int(x.Offset)
		}
	}
	t.Fatal("no object stream")
	return 0
}

// packedAgain defines the object stream anew that holds the resources: with others in it.
func packedAgain(t testing.TB, v *victim) []byte {
	bodies := ""
	var index string
	c := container(t, v)
	n := 0
	for num := 0; num < v.free; num++ {
		if x, ok := v.pdf.Lookup(uint32(num)); ok && x.Type == 2 && int(x.Offset) == c {
			body := v.body(t, num)
			if num == resourcesNum {
				body = otherResources
			}
			index += fmt.Sprintf("%d %d ", num, len(bodies))
			bodies += body + "\n"
			n++
		}
	}
	return v.update(pdftest.Objects{c: pdftest.Flate(fmt.Sprintf("/Type /ObjStm /N %d /First %d", n, len(index)), index+bodies)})
}

func streamFreed(t testing.TB, v *victim) []byte {
	r := v.saving(nil)
	r.Freed = map[int]int{container(t, v): 1}
	return r.Append(v.file)
}

func streamGone(t testing.TB, v *victim) []byte {
	return v.update(pdftest.Objects{container(t, v): "null"})
}

var xrefAttacks = map[level][]attack{approval: {
	{"an entry to another object", "later-unreadable", saved(nil, func(v *victim, r *pdftest.Revision) {
		r.Places = map[int]int{contentNum: bytes.Index(v.file, []byte("\n9 0 obj")) + 1}
	})},
	{"an entry to the middle of an object", "later-unreadable", saved(nil, func(v *victim, r *pdftest.Revision) {
		r.Places = map[int]int{contentNum: bytes.Index(v.file, []byte("\n4 0 obj")) + 20}
	})},
	{"an entry to nowhere", "later-unreadable", saved(nil, func(v *victim, r *pdftest.Revision) { r.Places = map[int]int{contentNum: 9999999} })},
	{"an entry to the header", "later-unreadable", saved(nil, func(v *victim, r *pdftest.Revision) { r.Places = map[int]int{shadowNum: 1} })},
	{"the page's contents freed", "later-changed", saved(nil, func(_ *victim, r *pdftest.Revision) { r.Freed = map[int]int{contentNum: 1} })},
	{"the page freed", "later-changed", saved(nil, func(_ *victim, r *pdftest.Revision) { r.Freed = map[int]int{pageNum: 1} })},
	{"freed, and used again", "later-changed", func(_ testing.TB, v *victim) []byte {
		r := v.saving(nil)
		r.Freed = map[int]int{contentNum: 1}
		next := v.saving(red)
		next.Gens = map[int]int{contentNum: 1}
		return next.Append(r.Append(v.file))
	}},
	{"the contents of another generation", "later-changed", saved(red, func(_ *victim, r *pdftest.Revision) { r.Gens = map[int]int{contentNum: 1} })},
	{"the page of another generation", "later-changed", func(t testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{pageNum: judgment()[shadowPageNum], pagesNum: v.edited(t, pagesNum, "[3 0 R", "[3 1 R")})
		r.Packed, r.Gens = nil, map[int]int{pageNum: 1}
		return r.Append(v.file)
	}},
	{"the resources of generation 65535", "later-changed", func(t testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{resourcesNum: otherResources})
		r.Packed, r.Gens = nil, map[int]int{resourcesNum: 65535}
		return r.Append(v.file)
	}},
	{"an object that no section names", "later-bytes", saved(red.With(pdftest.Objects{60: "null"}), func(_ *victim, r *pdftest.Revision) { r.Hidden = []int{contentNum} })},
	{"an object twice", "later-bytes", func(_ testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{contentNum: judgment()[contentNum]})
		r.Junk = "4 0 obj\n" + red[contentNum] + "\nendobj\n"
		return r.Append(v.file)
	}},
	{"an object stream again", "later-changed", only(packedAgain, pdftest.XRefStream, pdftest.Hybrid)},
	{"an object stream freed, with the catalog in it", isUnreadable, only(streamFreed, pdftest.XRefStream)},
	{"an object stream freed, with resources in it", "later-changed", only(streamFreed, pdftest.Hybrid)},
	{"an object stream that is no more, with the catalog in it", isUnreadable, only(streamGone, pdftest.XRefStream)},
	{"an object stream that is no more, with resources in it", "later-changed", only(streamGone, pdftest.Hybrid)},
	{"an object out of its stream", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{resourcesNum: otherResources})
		r.Packed = nil
		return r.Append(v.file)
	}, pdftest.XRefStream, pdftest.Hybrid)},
	{"another index in the stream", "object-stream", only(func(t testing.TB, v *victim) []byte {
		return packedAt(v, resourcesNum, container(t, v), 0)
	}, pdftest.XRefStream, pdftest.Hybrid)},
	{"an index beyond the stream", "object-stream", only(func(t testing.TB, v *victim) []byte {
		return packedAt(v, resourcesNum, container(t, v), 200)
	}, pdftest.XRefStream, pdftest.Hybrid)},

	{"a table after a stream", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Objects: red}.Append(v.file)
	}, pdftest.XRefStream)},
	{"a stream after a table", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Kind: pdftest.XRefStream, Objects: red}.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},
	{"hybrid: only the stream knows", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Kind: pdftest.Hybrid, Second: red}.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},
	{"hybrid: the table frees what the stream has", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Kind: pdftest.Hybrid, Freed: map[int]int{contentNum: 0}, Second: red}.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},
	{"hybrid: the table has the old one, the stream another", "later-bytes", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Kind: pdftest.Hybrid, Objects: pdftest.Objects{contentNum: judgment()[contentNum]}, Second: red}.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},
	{"hybrid: the stream has the old one, the table another", "later-changed", only(func(_ testing.TB, v *victim) []byte {
		return pdftest.Revision{Kind: pdftest.Hybrid, Objects: red, Second: pdftest.Objects{contentNum: judgment()[contentNum]}}.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},
	{"hybrid: a stream that is not there", "rebuilt", only(func(_ testing.TB, v *victim) []byte {
		r := v.saving(nil)
		r.Kind, r.Trailer = pdftest.Table, map[string]string{"XRefStm": "5"}
		return r.Append(v.file)
	}, pdftest.Table, pdftest.Hybrid)},

	{"a line before the header", "gap-differs", func(_ testing.TB, v *victim) []byte { return append([]byte("\n"), v.file...) }},
	{"a program before the header", "gap-differs", func(_ testing.TB, v *victim) []byte { return append([]byte("MZ"+strings.Repeat("x", 500)), v.file...) }},
	{"another header before it", "gap-differs", func(_ testing.TB, v *victim) []byte { return append([]byte(pdftest.Header), v.file...) }},
	{"another file before it", "gap-differs", func(_ testing.TB, v *victim) []byte { return append(pdftest.Page(), v.file...) }},
	{"a circle of sections", "rebuilt", func(_ testing.TB, v *victim) []byte {
		r := v.saving(pdftest.Objects{60: "null"})
		r.Trailer = map[string]string{"Prev": "##########"}
		out := r.Append(v.file)
		i := bytes.LastIndex(out, []byte("startxref"))
		return bytes.Replace(out, []byte("##########"), fmt.Appendf(nil, "%010s", strings.Fields(string(out[i+9:]))[0]), 1)
	}},
	{"a section before that is none", "rebuilt", trailed(map[string]string{"Prev": "12"}, nil)},
}}
