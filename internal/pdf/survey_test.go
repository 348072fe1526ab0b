package pdf

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// survey looks at a file that others read in pieces of n bytes; 0: nobody reads it.
func survey(t testing.TB, b []byte, n int, wanted ...uint32) (*File, *Survey) {
	t.Helper()
	f, err := openBytes(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l, err := f.Listing(nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	set := new(Numbers)
	for _, w := range wanted {
		set.Add(w)
	}
	s := f.Survey(l, set)
	if n > 0 {
		r := s.Through(bytes.NewReader(b))
		for at := int64(0); at < int64(len(b)); at += int64(n) {
			if _, err := r.ReadAt(make([]byte, min(int64(n), int64(len(b))-at)), at); err != nil && err != io.EOF {
				t.Fatal(err)
			}
		}
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, s
}

// body is a small file; junk stands between its objects, after them all, before the cross-reference.
func body(junk string, entries ...string) []byte {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R %s >>", strings.Join(entries, " "))
	m.obj(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
	m.obj(3, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>")
	m.stream(4, "", []byte("0 0 1 rg 100 100 200 200 re f"))
	m.WriteString(junk)
	m.table(4, "")
	return m.Bytes()
}

func TestSurveyStrays(t *testing.T) {
	embedded := string(body("5 0 obj\n<< /ByteRange [0 1 2 3] >>\nendobj\n"))
	for _, x := range []struct {
		name, junk string
		strays     int
		shadow     uint32
	}{
		{"nothing", "", 0, 0},
		{"a number that nobody uses", "9 0 obj\n<< >>\nendobj\n", 1, 0},
		{"a page", "3 0 obj\n<< /Type /Page >>\nendobj\n", 1, 3},
		{"another generation", "3 7 obj\n<< /Type /Page >>\nendobj\n", 1, 3},
		{"on one line", "%x\n9 0 obj 1 endobj 3 0 obj<</Type/Page>>endobj\n", 2, 3},
		{"after a word", "9 0 obj 1 endobj3 0 obj<</Type/Page>>endobj\n", 2, 3},
		{"without white space", "\n3 0obj<</Type/Page>>endobj\n", 1, 3},
		{"white space", "\n3 \n\x00\t 0\r\n\fobj<</Type/Page>>endobj\n", 1, 3},
		{"much white space", "\n3" + strings.Repeat(" ", 2000) + "0 obj<</Type/Page>>endobj\n", 1, 3},
		{"a comment", "\n3 %comment\n0 obj<</Type/Page>>endobj\n", 1, 3},
		{"two comments", "\n3%comment 17\r0 % 1 0 x\n \nobj<</Type/Page>>endobj\n", 2, 3}, // 17 0 for who knows no comments
		{"zeros before", "\n0000000003 00000 obj<</Type/Page>>endobj\n", 1, 3},
		{"in a comment", "% 3 0 obj<</Type/Page>>endobj\n", 1, 3},
		{"no object", "endobj obj 3 obj 0 obj -3 obj x0 obj 3 0 ob\n", 0, 0},
		{"object 0", "0 0 obj 1 endobj 4294967299 0 obj 1 endobj 3 65536 obj 1 endobj\n", 0, 0},
		{"a file in a stray stream", fmt.Sprintf("9 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(embedded), embedded), 1, 0},
		{"in a stray string", "9 0 obj\n(3 0 obj 1 endobj)\nendobj\n", 2, 3},
	} {
		t.Run(x.name, func(t *testing.T) {
			b := body(x.junk)
			for _, n := range []int{0, 1, 7, 100, 1 << 20} {
				_, s := survey(t, b, n)
				shadow, ok := s.Shadow(int64(len(b)))
				if s.Strays != x.strays || shadow.Ref.Num != x.shadow || ok != (x.shadow > 0) || s.Unsettled.Objects {
					t.Errorf("pieces of %d: %v; shadow %v", n, s, shadow)
				}
				if x.strays > 0 && !bytes.HasPrefix(bytes.TrimLeft(b[s.First.Offset:], "0"), []byte(fmt.Sprint(s.First.Ref.Num))) {
					t.Errorf("the first, %v, is not there", s.First)
				}
			}
		})
	}
	if _, s := survey(t, body("3 "+"%"+strings.Repeat("x", 2*lookBack)+"\n0 obj 1 endobj\n"), 0); !s.Unsettled.Objects {
		t.Errorf("a long comment hides an object: %v", s)
	}
}

// What stands in the data of a stream is no object, no trailer and no signature.
func TestSurveyEmbedded(t *testing.T) {
	embedded := body("3 0 obj 1 endobj\n9 0 obj\n<< /ByteRange [0 1 2 3] >>\nendobj\ntrailer << /Root 9 0 R >>\n")
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R /E 5 0 R >>")
	m.obj(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
	m.obj(3, "<< /Type /Page /Parent 2 0 R >>")
	m.obj(4, "%d", len(embedded))
	m.obj(5, "<< /Type /EmbeddedFile /Length 4 0 R >>\nstream\n%s\nendstream", embedded)
	m.table(5, "")
	for _, n := range []int{0, 3, 1000} {
		_, s := survey(t, m.Bytes(), n, 2)
		at, err := s.Trailer()
		if s.Strays != 0 || len(s.Marks) != 0 || at != 0 || err != nil || fmt.Sprint(s.Referring) != "[1 0 3 0 5 0]" || s.Unsettled != (Unsettled{}) {
			t.Errorf("%v, trailer %d, %v", s, at, err)
		}
	}
}

func TestSurveyTrailers(t *testing.T) {
	for junk, found := range map[string]bool{
		"": false,
		"9 0 obj << /Type /Catalog >> endobj trailer << /Root 9 0 R >>\n": false, // the file's own comes later
		"trailer << /Root 1 0 R >>\n":                                     false,
	} {
		_, s := survey(t, body(junk), 0)
		if at, err := s.Trailer(); err != nil || found != (at > 0) {
			t.Errorf("%q: %d, %v", junk, at, err)
		}
	}
	b := streamed(nil, "9 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 9 0 R >>\n")
	_, s := survey(t, b, 0)
	if at, err := s.Trailer(); err != nil || at != int64(bytes.Index(b, []byte("trailer"))) {
		t.Errorf("%d, %v; %v", at, err, s)
	}
}

// streamed is a file with a cross-reference stream and an object stream, 5, that holds objects 1 to 3. list, if any, takes
// the place of the numbers in the object stream.
func streamed(list []int, junk string) []byte {
	m := newMaker()
	parts := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Count 1 /Kids [3 0 R] >>", "<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"}
	if list == nil {
		list = []int{1, 2, 3}
	}
	head, data := "", ""
	for i, n := range list {
		head += fmt.Sprintf("%d %d ", n, len(data))
		data += parts[min(i, 2)] + " "
	}
	m.stream(4, "", []byte("0 0 1 rg 100 100 200 200 re f"))
	m.stream(5, fmt.Sprintf("/Type /ObjStm /N %d /First %d /Filter /FlateDecode", len(list), len(head)), deflate([]byte(head+data)))
	m.WriteString(junk)
	rows := []byte{0, 0, 0, 255}
	for i := range 3 {
		rows = append(rows, 2, 0, 5, byte(i))
	}
	for n := 4; n <= 5; n++ {
		rows = append(rows, 1, byte(m.at[n]>>8), byte(m.at[n]), 0)
	}
	at := m.Len()
	rows = append(rows, 1, byte(at>>8), byte(at), 0)
	m.stream(6, "/Type /XRef /Size 7 /W [1 2 1] /Root 1 0 R", rows)
	fmt.Fprintf(m, "startxref\n%d\n%%%%EOF\n", at)
	return m.Bytes()
}

func TestSurveyStreams(t *testing.T) {
	packed := func(num int, list string) string {
		return fmt.Sprintf("%d 0 obj\n<< /Type /ObjStm /N 1 /First %d /Length %d >>\nstream\n%snull\nendstream\nendobj\n", num, len(list), len(list)+4, list)
	}
	for _, x := range []struct {
		name string
		list []int
		junk string
		want StreamFault
	}{
		{"as it should be", nil, "", StreamFault{}},
		{"twice", []int{1, 2, 3, 2}, "", StreamFault{Stream: 5, Num: 2, Twice: true}},
		{"others", []int{2, 1, 3}, "", StreamFault{Stream: 5, Num: 2, Other: true}},
		{"holds what is not in force there", []int{1, 2, 3, 9}, "", StreamFault{}},
		{"defines again what stands before", []int{1, 2, 3, 4}, "", StreamFault{Stream: 5, Num: 4}},
		{"a stray defines nothing again", nil, packed(9, "10 0 "), StreamFault{}},
		{"a stray defines again", nil, packed(9, "4 0 "), StreamFault{Stream: 9, Num: 4}},
		{"a stray defines again what is in a stream", nil, packed(9, "3 0 "), StreamFault{Stream: 9, Num: 3}},
	} {
		t.Run(x.name, func(t *testing.T) {
			_, s := survey(t, streamed(x.list, x.junk), 100)
			got, err := s.Streams()
			if err != nil {
				t.Fatal(err)
			}
			if got == nil {
				got = new(StreamFault)
			}
			if *got != x.want {
				t.Errorf("%+v", *got)
			}
		})
	}
	if _, s := survey(t, streamed(nil, "3 0 obj << /Type /Page >> endobj\n"), 0); s.rivals == nil {
		t.Errorf("%v", s)
	}
}

func TestSurveyMarks(t *testing.T) {
	_, s := survey(t, sample(3), 0)
	if len(s.Marks) != 1 || s.Marks[0].Object.Ref.Num != 7 || !s.Marks[0].Listed {
		t.Errorf("%v", s)
	}
	_, s = survey(t, body("9 0 obj\n<< /ByteRange [0 1 2 3] >>\nendobj\n/ByteRange"), 0)
	if len(s.Marks) != 2 || s.Marks[0].Object.Ref.Num != 9 || s.Marks[0].Listed || s.Marks[1].Object.Ref.Num != 0 {
		t.Errorf("%v", s)
	}
}

func TestSurveyReferences(t *testing.T) {
	for _, x := range []struct {
		entry     string
		found     bool
		unsettled bool
	}{
		{"/X 77 0 R", true, false},
		{"/X[77 0 R]", true, false},
		{"/X 77\r\n0\tR/Y 1", true, false},
		{"/X 77 % a comment\n0 %another 17 0\n R", true, false},
		{"/X 77%\n0%\nR", true, false},
		{"/X 00077 00 R", true, false},
		{"/X 77" + strings.Repeat(" ", 3*lookBack) + "0 R", true, false},
		{"/X 77 %" + strings.Repeat("x", 3*lookBack) + "\n0 R", true, false},
		{"/X 177 0 R /Y 7 0 R /Z 77 0 /R", false, false},
		{"/X [77 0 RG 77 R 0 R]", false, false},
		{"/X (7 0 obj) /Y 77 0 R", true, false},
		{"/X (\n3 0 obj\n) /Y 77 0 R", true, true}, // 3 is in use, and stands here a second time
		{"/X (\n9 0 obj\n) /Y 77 0 R", true, false},
		{"%9 0 obj\n/Y 77 0 R", true, false},
	} {
		for _, n := range []int{0, 1, 13, 4096} {
			m := newMaker()
			m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
			m.obj(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
			m.obj(3, "<< /Type /Page /Parent 2 0 R %s >>", x.entry)
			m.table(3, "")
			_, s := survey(t, m.Bytes(), n, 77)
			if found := slices.Contains(s.Referring, Ref{Num: 3}); found != x.found || s.Unsettled.References != x.unsettled {
				t.Errorf("%.40q in pieces of %d: %v", x.entry, n, s)
			}
		}
	}
}

// An object that begins inside another one would take the references behind it for its own.
func TestSurveyOverlap(t *testing.T) {
	for text, unsettled := range map[string]bool{
		"<< /X (9) /Next 77 0 R >>":                                                       false,
		"<< /X (\\(9 \\) \\\\) /Y (()) % (\n /Next 77 0 R >>":                             false,
		"%4 0 obj\n<< /Next 77 0 R >>":                                                    true,
		"<< /stream 1 /X (\n4 0 obj 1 endobj\n) /Next 77 0 R >>":                          true,
		"<< /X (endobj (\n4 0 obj 1 endobj\n)) /Next 77 0 R >>":                           true,
		"<< /X (\\\n4 0 obj <</Length 16>>stream\n) /Next 77 0 R %\nendstream endobj\n>>": true,
	} {
		for _, n := range []int{0, 1, 5, 1000} {
			m := newMaker()
			m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
			m.obj(2, "<< /Type /Pages /Count 1 /Kids [3 0 R] >>")
			m.obj(3, "%s", text)
			if i := bytes.Index(m.Bytes(), []byte("4 0 obj")); i > 0 {
				m.at[4] = i
			}
			m.table(4, "")
			_, s := survey(t, m.Bytes(), n, 77)
			if s.Unsettled.References != unsettled {
				t.Errorf("%q in pieces of %d: %v", text, n, s)
			}
		}
	}
}

func TestSurveyPacked(t *testing.T) {
	for wanted, found := range map[uint32]int{2: 3, 4: 3, 5: 0, 6: 0} {
		_, s := survey(t, streamed(nil, ""), 0, wanted)
		if refs, err := s.Packed(t.Context()); err != nil || len(refs) != found {
			t.Errorf("%d: %v, %v", wanted, refs, err)
		}
	}
}

// sound holds a survey to what parsing every object says.
func sound(t *testing.T, b []byte, pieces int) {
	o := Options{Limits: Limits{Inflate: 1 << 20, Object: 1 << 18, Items: 10_000, Pages: 1000, Objects: 1 << 16}}
	f, err := openBytes(b, o)
	if err != nil {
		return
	}
	l, err := f.Listing(nil, 0)
	if err != nil {
		return
	}
	var list []uint32
	refs := map[uint32][]uint32{}
	f.index.all(func(num uint32, e entry) error {
		x, _ := e.xref(num)
		o, err := f.Load(Ref{num, x.Gen})
		if e.kind() == free || err != nil {
			return nil
		}
		list = append(list, num)
		eachReference(o.Value, func(r Ref) { refs[num] = append(refs[num], r.Num) })
		return nil
	})
	wanted := new(Numbers)
	for i, n := range list {
		if i%2 == 0 {
			wanted.Add(n)
		}
	}
	s := f.Survey(l, wanted)
	r := s.Through(bytes.NewReader(b))
	for at := 0; at < len(b) && pieces > 0; at += pieces {
		r.ReadAt(make([]byte, min(pieces, len(b)-at)), int64(at))
	}
	if err := s.Finish(t.Context()); err != nil {
		t.Fatal(err)
	}
	packed, err := s.Packed(t.Context())
	if err != nil && !ofFile(err) {
		t.Fatal(err)
	}
	all := append(packed, s.Referring...)
	for _, num := range list {
		for _, to := range refs[num] {
			if wanted.Has(to) && !s.Unsettled.References && err == nil && !slices.ContainsFunc(all, func(r Ref) bool { return r.Num == num }) {
				t.Errorf("object %d refers to %d: %v", num, to, s)
			}
		}
	}
	if _, err := s.Streams(); err != nil && !ofFile(err) {
		t.Error(err)
	}
	if _, err := s.Trailer(); err != nil {
		t.Error(err)
	}
	shadowed(t, b, f, s, o)
}

// shadowed: what a rebuild takes for the definition of a number is the one in force, or the survey has found it.
func shadowed(t *testing.T, b []byte, f *File, s *Survey, o Options) {
	g := &File{src: source{bytes.NewReader(b), int64(len(b))}, opt: o}
	g.opt.Limits = g.opt.Limits.orDefaults()
	if g.readHeader() != nil {
		return
	}
	r := &rebuild{f: g, work: 1<<20 + 4*g.src.size, budget: g.entryBudget()}
	if r.scan() != nil || s.Unsettled.Objects {
		return
	}
	g.index.all(func(num uint32, e entry) error {
		now := f.index.get(num)
		x := Stray{Ref{num, e.gen()}, e.offset()}
		listed, _ := s.listed(x)
		if listed || now.kind() != inStream && (now.kind() != inFile || now.offset() >= e.offset()) {
			return nil
		}
		if !slices.ContainsFunc(s.rivals, func(y Stray) bool { return y.Ref.Num == num }) && len(s.rivals) < maxRivals && !s.insideStream(x.Offset) {
			t.Errorf("a rebuild takes object %d from %d: %v", num, e.offset(), s)
		}
		return nil
	})
}

// insideStream: a place is in the data of some stream, of those that can be loaded.
func (s *Survey) insideStream(at int64) (inside bool) {
	s.file.index.all(func(num uint32, e entry) error {
		if o, err := s.file.Load(Ref{num, e.gen()}); err == nil {
			if st, ok := o.Value.(*Stream); ok && st.Offset <= at && at < st.Offset+st.Length {
				inside = true
			}
		}
		return nil
	})
	return inside
}

func eachReference(o Object, do func(Ref)) {
	switch v := o.(type) {
	case Ref:
		do(v)
	case *Array:
		for _, x := range v.Items {
			eachReference(x, do)
		}
	case *Dict:
		for _, e := range v.Entries {
			eachReference(e.Value, do)
		}
	case *Stream:
		eachReference(v.Dict, do)
	}
}

// FuzzSurvey: no object that refers to a wanted one is missed, and none that a rebuild would take.
func FuzzSurvey(f *testing.F) {
	f.Add(sample(2), 100)
	f.Add(body("3 0 obj << /Type /Page >> endobj trailer << /Root 3 0 R >>", "/X 3 %\n0%\nR"), 7)
	f.Add(streamed([]int{1, 2, 3, 2}, "9 0 obj (3 0 obj 1 endobj) endobj"), 0)
	f.Add([]byte("%PDF-1.7\n1 0 obj\n%2 0 obj\n<</Pages 3 0 R>>\nendobj\n3 0 obj 3 0 R endobj\nxref\n1 3\n0000000009 00000 n \n0000000018 00000 n \n0000000051 00000 n \ntrailer<</Root 1 0 R>>startxref\n74\n%%EOF"), 1)
	for _, name := range shared(f, "vectors/pdf/*.pdf") {
		if b, err := os.ReadFile(name); err == nil && len(b) < 64<<10 {
			f.Add(b, 1000)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, pieces int) { sound(t, b, min(max(pieces, 0), 1<<20)) })
}

// BenchmarkSurvey looks at files as they are hashed, of many objects and of random bytes, beside what finds one byte in them.
func BenchmarkSurvey(b *testing.B) {
	random := make([]byte, 64<<20)
	rand.NewChaCha8([32]byte{}).Read(random)
	m := newMaker()
	m.obj(1, "<< /Type /Catalog >>")
	m.stream(2, "", random)
	m.table(2, "")
	for name, file := range map[string][]byte{"objects": large(largeObjects, false), "random": m.Bytes()} {
		f, err := openBytes(file, Options{})
		if err != nil {
			b.Fatal(err)
		}
		l, err := f.Listing(nil, 0)
		if err != nil {
			b.Fatal(err)
		}
		const piece = 256 << 10
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				wanted := new(Numbers)
				wanted.Add(1)
				s := f.Survey(l, wanted)
				for at := 0; at < len(file); at += piece {
					s.feed(int64(at), file[at:min(at+piece, len(file))])
				}
				if err := s.Finish(b.Context()); err != nil || s.Strays > 0 {
					b.Fatal(s, err)
				}
			}
		})
		b.Run(name+"/listing", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.Listing(nil, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/floor", func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			for b.Loop() {
				n := 0
				for rest := file; ; n++ {
					k := bytes.IndexByte(rest, 'j')
					if k < 0 {
						break
					}
					rest = rest[k+1:]
				}
			}
		})
	}
}
