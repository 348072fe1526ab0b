package pdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
)

// large is a file of n objects, of which 1,000 are pages, with a classic table or a cross-reference stream.
func large(n int, stream bool) []byte {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	var kids bytes.Buffer
	for i := range 1000 {
		fmt.Fprintf(&kids, "%d 0 R ", i+3)
	}
	m.obj(2, "<< /Type /Pages /Count 1000 /Kids [%s] /MediaBox [0 0 595 842] >>", kids.Bytes())
	for i := 3; i < n; i++ {
		if i < 1003 {
			m.obj(i, "<< /Type /Page /Parent 2 0 R /Resources << >> >>")
		} else {
			m.obj(i, "<< /Filler %d /Text (object %d of a large file) >>", i, i)
		}
	}
	if !stream {
		m.table(n-1, "")
		return m.Bytes()
	}
	rows := make([]byte, 0, 6*n)
	for i := range n {
		row := make([]byte, 7)
		if off, ok := m.at[i]; ok {
			row[0] = 1
			binary.BigEndian.PutUint32(row[1:], uint32(off))
		}
		rows = append(rows, row...)
	}
	// As most makers write it: PNG "up" prediction below deflate.
	var png []byte
	last := make([]byte, 7)
	for i := 0; i < len(rows); i += 7 {
		png = append(png, 2)
		for j := range 7 {
			png = append(png, rows[i+j]-last[j])
		}
		last = rows[i : i+7]
	}
	at := m.Len()
	m.stream(n, fmt.Sprintf("/Type /XRef /W [1 4 2] /Index [0 %d] /Size %d /Root 1 0 R /Filter /FlateDecode "+
		"/DecodeParms << /Predictor 12 /Columns 7 >>", n, n+1), deflate(png))
	fmt.Fprintf(m, "startxref\n%d\n%%%%EOF\n", at)
	return m.Bytes()
}

const largeObjects = 150_000

// BenchmarkOpen opens files of 150,000 objects. kept-B/object is what stays in memory.
func BenchmarkOpen(b *testing.B) {
	for _, kind := range []string{"table", "stream"} {
		b.Run(kind, func(b *testing.B) {
			file := large(largeObjects, kind == "stream")
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			kept, err := Open(bytes.NewReader(file), int64(len(file)), Options{})
			if err != nil {
				b.Fatal(err)
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Open(bytes.NewReader(file), int64(len(file)), Options{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/largeObjects, "kept-B/object")
			runtime.KeepAlive(kept)
		})
	}
}

// BenchmarkPage finds the last of 1,000 pages in a file of 150,000 objects that is open.
func BenchmarkPage(b *testing.B) {
	file := large(largeObjects, false)
	f, err := Open(bytes.NewReader(file), int64(len(file)), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Page(1000); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoad loads all objects of a file, as a check of a whole revision does.
func BenchmarkLoad(b *testing.B) {
	file := large(largeObjects, false)
	f, err := Open(bytes.NewReader(file), int64(len(file)), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for i := range f.MaxObject() {
			if _, err := f.Load(Ref{Num: i}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/largeObjects, "ns/object")
}

// BenchmarkRebuild opens a file of 150,000 objects whose startxref is wrong.
func BenchmarkRebuild(b *testing.B) {
	file := bytes.Replace(large(largeObjects, false), []byte("startxref\n"), []byte("startxref\n9"), 1)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(bytes.NewReader(file), int64(len(file)), Options{Repair: true})
		if err != nil || f.Repaired() == nil {
			b.Fatal(err)
		}
	}
}
