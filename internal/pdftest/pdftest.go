// Package pdftest writes PDF files for tests, wrong ones too. It shares nothing with the code that reads and writes PDF for
// others: what this package writes, is written by hand.
//
//	file := pdftest.File(pdftest.Table, pdftest.Objects{1: "<< /Type /Catalog /Pages 2 0 R >>", …})
//	file = pdftest.Revision{Kind: pdftest.XRefStream, Objects: pdftest.Objects{4: pdftest.Stream("", "1 0 0 rg")}}.Append(file)
//	file = pdftest.Signing{Num: 9, Value: sign}.Append(t, file)
package pdftest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kind is the kind of cross-reference that a saving writes.
type Kind int

const (
	Table      Kind = iota // classic
	XRefStream             // a stream, and as a rule an object stream beside it
	Hybrid                 // a table, and a stream for what stands in object streams (/XRefStm)
)

// Kinds are all of them.
var Kinds = []Kind{Table, XRefStream, Hybrid}

func (k Kind) String() string { return [...]string{"table", "stream", "hybrid"}[k] }

// Objects are the bodies of objects by their numbers: what stands between "N 0 obj" and "endobj".
type Objects map[int]string

// With returns these objects and others, which come before them.
func (o Objects) With(more ...Objects) Objects {
	out := maps.Clone(o)
	for _, m := range more {
		maps.Copy(out, m)
	}
	return out
}

// Stream is the body of a stream; entries are those of its dictionary besides /Length.
func Stream(entries, data string) string {
	return fmt.Sprintf("<< /Length %d %s >>\nstream\n%s\nendstream", len(data), entries, data)
}

// Flate is Stream with data that is deflated.
func Flate(entries, data string) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write([]byte(data))
	z.Close()
	return Stream("/Filter /FlateDecode "+entries, b.String())
}

// Header is what a file begins with.
const Header = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"

// File writes a document. Object 1 is its catalog. Of XRefStream all that may stands in an object stream, of Hybrid what a
// reader that knows no such streams can do without: all but catalog, page tree and pages.
func File(k Kind, objects Objects) []byte {
	r := Revision{Kind: k, Objects: objects}
	for n, body := range objects {
		if packable(body) && (k == XRefStream || k == Hybrid && !strings.Contains(body, "/Type /Catalog") && !strings.Contains(body, "/Type /Page")) {
			r.Packed = append(r.Packed, n)
		}
	}
	return r.Append(nil)
}

// packable: streams may not stand in an object stream, signature and encryption dictionaries should not.
func packable(body string) bool {
	return !strings.Contains(body, "stream\n") && !strings.Contains(body, "/ByteRange") && !strings.Contains(body, "/Filter /Standard")
}

// Page is the smallest document: one page of A4 without content.
func Page() []byte {
	return File(Table, Objects{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> >>",
	})
}

// A Part of a saving, to be left out.
type Part int

const (
	XRef      Part = 1 << iota // the table; of XRefStream and Hybrid the stream too
	Trailer                    // word and dictionary
	StartXRef                  // word and number
	EOF
)

// A Revision is one saving. The zero one changes nothing; every field makes it do something, or do it wrong.
type Revision struct {
	Kind    Kind
	Objects Objects
	Packed  []int             // of Objects: those that stand in an object stream; not of Table
	Freed   map[int]int       // objects that are no more, and the generation of their next use
	Gens    map[int]int       // of Objects: generations that are not 0
	Trailer map[string]string // entries of the trailer in place of its own, without the slash; "" is none
	Before  string            // bytes before the objects
	Junk    string            // bytes between the objects and the cross-reference
	After   string            // bytes behind the end

	Hidden []int       // of Objects: those that the cross-reference does not list
	Places map[int]int // offsets that the cross-reference gives in place of those where objects stand, or of no object here
	Second Objects     // Hybrid: what the stream says of objects of which the table says something else
	Start  string      // what startxref says, in place of the offset
	Omit   Part
}

// An entry of a cross-reference.
type entry struct {
	kind  int // 0 free, 1 in the file, 2 in an object stream
	where int // the offset, or the object stream
	more  int // generation, or index
}

// Append writes the saving behind a file, which is not changed; a file that does not end with its line gets a line end.
// Without a file it writes a document.
func (r Revision) Append(file []byte) []byte {
	w := &writer{Revision: r, table: map[int]entry{}, stream: map[int]entry{}}
	w.Write(file)
	w.trailer, w.size = inherited(file)
	switch {
	case len(file) == 0:
		w.WriteString(Header)
		w.table[0] = entry{0, 0, 65535}
	case file[len(file)-1] != '\n':
		w.WriteByte('\n')
	}
	for n := range r.Objects {
		w.size = max(w.size, n+1)
	}
	w.WriteString(r.Before)
	w.bodies()
	w.WriteString(r.Junk)
	w.end()
	w.WriteString(r.After)
	return w.Bytes()
}

type writer struct {
	Revision
	bytes.Buffer
	trailer       map[string]string
	size          int
	table, stream map[int]entry // what each lists; of XRefStream both belong to the stream
}

// Unused is the first number that no object of a file has, by what its last trailer says.
func Unused(file []byte) int {
	_, size := inherited(file)
	return size
}

// inherited is what a trailer takes over from the file: it is found as words, the last of their kind.
func inherited(file []byte) (trailer map[string]string, size int) {
	const id = "<00112233445566778899aabbccddeeff>"
	trailer = map[string]string{"Root": "1 0 R", "ID": "[" + id + " " + id + "]"}
	if len(file) == 0 {
		return trailer, 1
	}
	after := func(word string) (string, bool) {
		i := bytes.LastIndex(file, []byte(word))
		if i < 0 {
			return "", false
		}
		return string(file[i+len(word) : min(len(file), i+len(word)+512)]), true
	}
	if s, ok := after("startxref"); ok {
		trailer["Prev"] = strings.Fields(s)[0]
	}
	if s, ok := after("/Size "); ok {
		fmt.Sscan(s, &size)
	}
	for _, k := range []string{"Root", "Info", "Encrypt"} {
		var n, g int
		if s, ok := after("/" + k + " "); ok {
			if _, err := fmt.Sscanf(s, "%d %d R", &n, &g); err == nil {
				trailer[k] = fmt.Sprintf("%d %d R", n, g)
			}
		}
	}
	if s, ok := after("/ID"); ok {
		if i := strings.IndexByte(s, ']'); i > 0 && strings.Contains(s[:i], "<") {
			trailer["ID"] = s[:i+1]
		}
	}
	return trailer, size
}

func (w *writer) object(n int, body string, list map[int]entry) {
	gen := w.Gens[n]
	if list != nil {
		list[n] = entry{1, w.Len(), gen}
	}
	fmt.Fprintf(w, "%d %d obj\n%s\nendobj\n", n, gen, body)
}

func (w *writer) bodies() {
	var packed []int
	for _, n := range slices.Sorted(maps.Keys(w.Objects)) {
		switch {
		case w.Kind != Table && slices.Contains(w.Packed, n):
			packed = append(packed, n)
		case slices.Contains(w.Hidden, n):
			w.object(n, w.Objects[n], nil)
		default:
			w.object(n, w.Objects[n], w.table)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(w.Second)) {
		w.object(n, w.Second[n], w.stream)
	}
	if len(packed) > 0 {
		w.pack(packed)
	}
	for n, gen := range w.Freed {
		w.table[n] = entry{0, 0, gen}
		w.size = max(w.size, n+1)
	}
	for n, at := range w.Places {
		w.table[n] = entry{1, at, w.Gens[n]}
		w.size = max(w.size, n+1)
	}
}

// pack writes an object stream. Of a hybrid file a table calls free what only the stream knows.
func (w *writer) pack(nums []int) {
	container := w.size
	w.size++
	var index, bodies strings.Builder
	for i, n := range nums {
		fmt.Fprintf(&index, "%d %d ", n, bodies.Len())
		bodies.WriteString(w.Objects[n] + "\n")
		if !slices.Contains(w.Hidden, n) {
			w.stream[n] = entry{2, container, i}
			w.hide(n)
		}
	}
	w.object(container, Flate(fmt.Sprintf("/Type /ObjStm /N %d /First %d", len(nums), index.Len()), index.String()+bodies.String()), w.stream)
	w.hide(container)
}

func (w *writer) hide(n int) {
	if w.Kind == Hybrid {
		w.table[n] = entry{}
	}
}

// end writes all from the cross-reference on.
func (w *writer) end() {
	at := w.Len()
	switch w.Kind {
	case XRefStream:
		if w.Omit&XRef == 0 {
			self := w.size
			w.size++
			maps.Copy(w.table, w.stream)
			w.table[self] = entry{1, at, 0}
			w.rows(self, w.table, w.entries())
		}
	case Hybrid:
		if (len(w.stream) > 0 || len(w.Second) > 0) && w.Omit&XRef == 0 {
			self := w.size
			w.size++
			w.stream[self] = entry{1, at, 0}
			w.hide(self)
			w.rows(self, w.stream, fmt.Sprintf("/Size %d /Root %s", w.size, w.trailer["Root"]))
			w.trailer["XRefStm"] = fmt.Sprint(at)
			at = w.Len()
		}
		fallthrough
	case Table:
		if w.Omit&XRef == 0 {
			w.rowsOfTable()
		}
		if w.Omit&Trailer == 0 {
			fmt.Fprintf(w, "trailer\n<< %s >>\n", w.entries())
		}
	}
	if w.Omit&StartXRef == 0 {
		start := w.Start
		if start == "" {
			start = fmt.Sprint(at)
		}
		fmt.Fprintf(w, "startxref\n%s\n", start)
	}
	if w.Omit&EOF == 0 {
		w.WriteString("%%EOF\n")
	}
}

// entries are those of the trailer.
func (w *writer) entries() string {
	w.trailer["Size"] = fmt.Sprint(w.size)
	maps.Copy(w.trailer, w.Trailer)
	var out []string
	for _, k := range slices.Sorted(maps.Keys(w.trailer)) {
		if w.trailer[k] != "" {
			out = append(out, "/"+k+" "+w.trailer[k])
		}
	}
	return strings.Join(out, " ")
}

// runs parts the numbers of a list where they do not follow each other. In the first section of a file they all do.
func (w *writer) runs(list map[int]entry) (out [][]int) {
	if _, first := list[0]; first {
		for n := range w.size {
			if _, ok := list[n]; !ok {
				list[n] = entry{}
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(list)) {
		if i := len(out) - 1; i >= 0 && out[i][len(out[i])-1] == n-1 {
			out[i] = append(out[i], n)
			continue
		}
		out = append(out, []int{n})
	}
	return out
}

func (w *writer) rowsOfTable() {
	w.WriteString("xref\n")
	if len(w.table) == 0 {
		w.WriteString("0 0\n")
	}
	for _, run := range w.runs(w.table) {
		fmt.Fprintf(w, "%d %d\n", run[0], len(run))
		for _, n := range run {
			e := w.table[n]
			fmt.Fprintf(w, "%010d %05d %c \n", e.where, e.more, "fn"[e.kind])
		}
	}
}

// rows writes a cross-reference stream.
func (w *writer) rows(self int, list map[int]entry, entries string) {
	var rows []byte
	index := ""
	for _, run := range w.runs(list) {
		index += fmt.Sprintf(" %d %d", run[0], len(run))
		for _, n := range run {
			e := list[n]
			rows = binary.BigEndian.AppendUint32(append(rows, byte(e.kind)), uint32(e.where))
			rows = binary.BigEndian.AppendUint16(rows, uint16(e.more))
		}
	}
	w.object(self, Flate("/Type /XRef /W [1 4 2] /Index ["+index[1:]+"] "+entries, string(rows)), nil)
}
