package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// classic writes a file with a table; object 1 is the catalog.
func classic(objects ...string) []byte {
	b := []byte("%PDF-1.7\n")
	var at []int
	for i, o := range objects {
		at = append(at, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := len(b)
	b = fmt.Appendf(b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, off := range at {
		b = fmt.Appendf(b, "%010d 00000 n \n", off)
	}
	return fmt.Appendf(b, "trailer\n<< /Size %d /Root 1 0 R /Info 2 0 R /Own [1 (x)] /ID [<00ff> <01>] >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
}

func mustOpen(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func value(t testing.TB, f *File, num uint32) *Indirect {
	t.Helper()
	o, err := f.Load(Ref{Num: num})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEditKeepsWhatItDoesNotTouch(t *testing.T) {
	for _, c := range []struct{ raw, key, value, want string }{
		{"<</A 1/B/C>>", "D", "(x)", "<</A 1/B/C /D (x)>>"},
		{"<</A 1/B/C/D 007>>", "B", "2", "<</A 1/B 2/D 007>>"},
		{"<< /A 1 /A 0.10 % note\n >>", "A", "[1]", "<< /A 1 /A  [1] % note\n >>"},
		{"<</A<</B 1>>/B(x)>>", "B", "2", "<</A<</B 1>>/B 2>>"},
		{"<</A(x)/B 1 >>", "A", "1 0 R", "<</A 1 0 R/B 1 >>"},
		{"<<>>", "A#", "1", "<< /A#23 1>>"},
	} {
		f := mustOpen(t, classic(c.raw, "null"))
		o := value(t, f, 1)
		e, err := NewEdit(o)
		if err != nil {
			t.Fatal(err)
		}
		e.Set(o.Dict(), Name(c.key), []byte(c.value))
		if got, err := e.Bytes(); err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; not %s", c.raw, got, err, c.want)
		}
	}
	f := mustOpen(t, classic("[1 2[3]%\n]", "(not a container)"))
	o := value(t, f, 1)
	e, _ := NewEdit(o)
	e.Append(o.Value.(*Array), []byte("4 0 R"))
	e.Append(o.Value.(*Array), []byte("5 0 R"))
	if got, _ := e.Bytes(); string(got) != "[1 2[3]%\n 4 0 R 5 0 R]" {
		t.Errorf("%s", got)
	}
	if _, err := NewEdit(value(t, f, 2)); !errors.Is(err, ErrSyntax) {
		t.Errorf("a string edited: %v", err)
	}
	e, _ = NewEdit(&Indirect{Value: &Dict{}, Raw: []byte("<</A 1>>")})
	d := &Dict{Entries: []Entry{{Key: "A", ValAt: Span{5, 6}}}, Span: Span{0, 8}}
	e.Set(d, "A", []byte("2"))
	e.Set(d, "A", []byte("3"))
	if _, err := e.Bytes(); err == nil {
		t.Error("one value replaced twice")
	}
}

func TestTextRoundTrip(t *testing.T) {
	f := mustOpen(t, classic("null", "null"))
	for _, s := range []string{"", "plain", `par(en)s \ and more`, "法院", "é", "a\nb", "\x01"} {
		b, err := f.AppendText(nil, Ref{Num: 9}, s)
		if err != nil {
			t.Fatal(err)
		}
		o, err := Parse(b, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if got := Text(o.(*String).Value); got != s {
			t.Errorf("%q became %q by %s", s, got, b)
		}
	}
}

// A shifted reader shows a file whose bytes begin at an offset, with zeros before them.
type shifted struct {
	b  []byte
	at int64
}

func (r shifted) ReadAt(p []byte, at int64) (int, error) {
	for i := range p {
		p[i] = 0
		if k := at + int64(i) - r.at; k >= 0 {
			if k >= int64(len(r.b)) {
				return i, io.EOF
			}
			p[i] = r.b[k]
		} else if head := "%PDF-1.7\n"; at+int64(i) < int64(len(head)) {
			p[i] = head[at+int64(i)]
		}
	}
	return len(p), nil
}

func TestUpdateOfAHugeFile(t *testing.T) {
	for _, c := range []struct {
		at   int64
		kind string
		want error
	}{
		{9_000_000_000, "table", nil},
		{9_999_999_950, "table", ErrLimit},
		{70_000_000_000, "stream", nil},
	} {
		body := "1 0 obj\n<</Type/Catalog>>\nendobj\n"
		start := c.at + int64(len(body))
		if c.kind == "table" {
			body += fmt.Sprintf("xref\n0 2\n0000000000 65535 f \n%010d 00000 n \ntrailer\n<</Size 2/Root 1 0 R>>\n", c.at)
		} else {
			rows := []byte{1, 0, 0, 0, 0, 0, 0}
			for i := range 6 {
				rows[6-i] = byte(c.at >> (8 * i))
			}
			body += fmt.Sprintf("2 0 obj\n<</Type/XRef/Size 3/Root 1 0 R/W[1 6 0]/Index[1 1]/Length 7>>\nstream\n%s\nendstream\nendobj\n", rows)
		}
		body += fmt.Sprintf("startxref\n%d\n%%%%EOF", start)
		src := shifted{[]byte(body), c.at}
		f, err := Open(src, c.at+int64(len(body)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		u := f.NewUpdate()
		r, _ := u.Alloc()
		u.Put(r, []byte("(new)"))
		tail, err := u.Encode()
		if !errors.Is(err, c.want) {
			t.Errorf("at %d: %v", c.at, err)
		}
		if err != nil {
			continue
		}
		all := append(src.b, tail.Bytes...)
		f, err = Open(shifted{all, c.at}, c.at+int64(len(all)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if o := value(t, f, r.Num); string(o.Value.(*String).Value) != "new" || value(t, f, 1).Dict() == nil {
			t.Errorf("at %d: the update is not read back", c.at)
		}
	}
}

func TestUpdateReadsBack(t *testing.T) {
	in := classic("<< /A 1 >>", "<< /Title (t) >>", "[1 2]")
	f := mustOpen(t, append([]byte("junk before\n"), in...))
	for _, f := range []*File{mustOpen(t, in), f} {
		raw, _ := io.ReadAll(io.NewSectionReader(f.Reader(), 0, f.Size()))
		u := f.NewUpdate()
		r, err := u.Alloc()
		if err != nil || r != (Ref{Num: 4}) {
			t.Fatal(r, err)
		}
		u.Put(r, []byte("<< /New true >>"))
		e, _ := NewEdit(value(t, f, 3))
		e.Append(value(t, f, 3).Value.(*Array), []byte("3"))
		if err := u.PutEdit(e); err != nil {
			t.Fatal(err)
		}
		s, _ := u.Alloc()
		if err := u.PutStream(s, "/X 1", []byte("data")); err != nil {
			t.Fatal(err)
		}
		tail, err := u.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if tail.Bytes[0] != '\n' || !bytes.HasPrefix(tail.Bytes[tail.ValueAt(r):], []byte("<< /New true >>")) {
			t.Errorf("tail %q", tail.Bytes)
		}
		g := mustOpen(t, append(raw, tail.Bytes...))
		if n := value(t, g, 4); n.Dict().Get("New") != true || n.Offset != f.Size()+tail.ValueAt(r) {
			t.Errorf("object 4: %+v", n)
		}
		if a := value(t, g, 3).Value.(*Array); len(a.Items) != 3 {
			t.Errorf("object 3: %v", a.Items)
		}
		st := value(t, g, s.Num).Value.(*Stream)
		if b, err := g.Data(st); err != nil || string(b) != "data" {
			t.Errorf("%q, %v", b, err)
		}
		tr := g.Trailer()
		id := tr.Get("ID").(*Array)
		first, second := id.Items[0].(*String).Value, id.Items[1].(*String).Value
		if string(first) != "\x00\xff" || len(second) != 16 || tr.Get("Size") != int64(6) || tr.Get("Info") != Object(Ref{Num: 2}) {
			t.Errorf("trailer %v", string(AppendObject(nil, tr)))
		}
		if own := string(AppendObject(nil, tr.Get("Own"))); own != "[1 <78>]" {
			t.Errorf("/Own %s", own)
		}
		if len(g.Sections()) != 2 {
			t.Errorf("%d sections", len(g.Sections()))
		}
		u.Put(r, []byte("null"))
		if _, err := u.Encode(); err == nil {
			t.Error("an object put twice")
		}
	}
}

func TestNoNumbersLeft(t *testing.T) {
	b := bytes.Replace(classic("<< >>", "null"), []byte("/Size 3 "), []byte("/Size 8388608 "), 1)
	if _, err := mustOpen(t, b).NewUpdate().Alloc(); !errors.Is(err, ErrLimit) {
		t.Errorf("%v", err)
	}
}

func signatures(t testing.TB, objects ...string) []Signature {
	t.Helper()
	s, err := mustOpen(t, classic(objects...)).Signatures()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSignatures(t *testing.T) {
	const good = "<< /Type /Sig /Filter /F /SubFilter /S /ByteRange [0 1 2 3] /Contents <00ff> >>"
	const field = "<< /FT /Sig /T (s) /V 4 0 R /Subtype /Widget >>"
	form := func(fields string) string { return "<< /AcroForm << /Fields [" + fields + "] >> >>" }
	for name, c := range map[string]struct {
		objects []string
		names   string // of those without Err, then ! and those with
	}{
		"no form":         {[]string{"<< >>", "null"}, "!"},
		"plain":           {[]string{form("3 0 R"), "null", field, good}, "s!"},
		"direct field":    {[]string{form(field), "null", "null", good}, "s!"},
		"direct value":    {[]string{form("3 0 R"), "null", strings.Replace(field, "4 0 R", good, 1)}, "s!"},
		"inherited":       {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /V 4 0 R /Kids [5 0 R] >>", good, "<< /T (b) /Parent 3 0 R >>"}, "a.b!"},
		"kids repeat V":   {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /V 4 0 R /Kids [5 0 R] >>", good, "<< /FT /Sig /V 4 0 R >>"}, "a!"},
		"kids differ":     {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /V 4 0 R /Kids [5 0 R] >>", good, "<< /FT /Sig /V 6 0 R >>", good}, "a a!"},
		"only kids":       {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /Kids [5 0 R] >>", good, "<< /V 4 0 R >>"}, "a!"},
		"circle":          {[]string{form("3 0 R 3 0 R"), "null", "<< /FT /Sig /T (a) /V 4 0 R /Kids [3 0 R 5 0 R] >>", good, "<< /T (b) /Kids [3 0 R] >>"}, "a.b!"},
		"text field":      {[]string{form("3 0 R"), "null", "<< /FT /Tx /T (a) /V (x) >>"}, "!"},
		"no type":         {[]string{form("3 0 R"), "null", "<< /T (a) /V 4 0 R >>", good}, "!a"},
		"empty":           {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) >>"}, "!"},
		"null value":      {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /V null >>"}, "!"},
		"no dictionary":   {[]string{form("3 0 R"), "null", "<< /FT /Sig /T (a) /V 12 >>"}, "!a"},
		"no ByteRange":    {[]string{form("3 0 R"), "null", field, "<< /Contents <00> >>"}, "!s"},
		"real ByteRange":  {[]string{form("3 0 R"), "null", field, "<< /Contents <00> /ByteRange [0 1.5 2 3] >>"}, "!s"},
		"no Contents":     {[]string{form("3 0 R"), "null", field, "<< /ByteRange [0 1 2 3] >>"}, "!s"},
		"Contents aside":  {[]string{form("3 0 R"), "null", field, "<< /ByteRange [0 1 2 3] /Contents 5 0 R >>", "<00>"}, "!s"},
		"unreadable":      {[]string{form("3 0 R"), "null", "<< /FT"}, "!"},
		"Fields is a Ref": {[]string{"<< /AcroForm 5 0 R >>", "null", field, good, "<< /Fields 6 0 R >>", "[3 0 R]"}, "s!"},
	} {
		var ok, bad []string
		for _, s := range signatures(t, c.objects...) {
			if s.Err != nil {
				bad = append(bad, s.Name)
				continue
			}
			ok = append(ok, s.Name)
			if s.ContentsAt.Length != 6 || !s.Hex || string(s.Contents) != "\x00\xff" || !reflect.DeepEqual(s.ByteRange, []int64{0, 1, 2, 3}) ||
				s.Type != "Sig" || s.Filter != "F" || s.SubFilter != "S" {
				t.Errorf("%s: %+v", name, s)
			}
		}
		got := strings.Join(ok, " ") + "!" + strings.Join(bad, " ")
		if got != c.names && name != "unreadable" {
			t.Errorf("%s: %q, not %q", name, got, c.names)
		}
	}
	f := mustOpen(t, classic(form("3 0 R 4 0 R"), "null", "<< /FT /Sig /T (a) >>", "<< /FT /Sig /T (b) /V null /Kids [5 0 R] >>", "<< /Subtype /Widget >>"))
	empty, err := f.EmptySignatureFields()
	if err != nil || len(empty) != 2 || empty[0].Name != "a" || empty[1].Name != "b" || !reflect.DeepEqual(empty[1].Widgets, []Ref{{Num: 5}}) {
		t.Errorf("empty fields: %v, %+v", err, empty)
	}
}

func TestHostileForms(t *testing.T) {
	deep := []string{"<< /AcroForm << /Fields [3 0 R] >> >>", "null"}
	for i := range 200 {
		deep = append(deep, fmt.Sprintf("<< /T (x) /Kids [%d 0 R] >>", i+4))
	}
	if _, err := mustOpen(t, classic(deep...)).Signatures(); !errors.Is(err, ErrLimit) {
		t.Errorf("deep: %v", err)
	}
	big := "<< /FT /Sig /X (" + strings.Repeat("x", 1<<20) + ") >>"
	for _, objects := range [][]string{
		{"<< /AcroForm << /Fields [3 0 R] >> >>", "null", "<< /Kids [" + strings.Repeat("4 0 R ", 60_000) + "] >>", big},
		{"<< /AcroForm << /Fields [" + strings.Repeat("<</FT 3 0 R/T 3 0 R>>", 5_000) + "] >> >>", "null", big},
		{"<< /AcroForm << /Fields [" + strings.Repeat("3 0 R ", 60_000) + "] >> >>", "null", big},
	} {
		f := mustOpen(t, classic(objects...))
		start := time.Now()
		_, err := f.Signatures()
		_, err2 := f.FieldNames()
		for _, err := range []error{err, err2} {
			if err != nil && !errors.Is(err, ErrLimit) {
				t.Error(err)
			}
		}
		t.Logf("%v: %v, %v", time.Since(start), err, err2)
	}
	refs := strings.Repeat("<< /FT /Sig /T (x) /V 3 0 R >>", maxSignatures+1)
	if _, err := mustOpen(t, classic("<< /AcroForm << /Fields ["+refs+"] >> >>", "null", "<< >>")).Signatures(); !errors.Is(err, ErrLimit) {
		t.Errorf("many: %v", err)
	}
}

func TestHexContents(t *testing.T) {
	for s, want := range map[string]bool{"<>": true, "<0aF9>": true, "<0>": false, "<0 a>": false, "(00)": false, "<00": false, "": false, "<zz>": false, "<00>>": false} {
		if HexContents([]byte(s)) != want {
			t.Errorf("%q", s)
		}
	}
}

func FuzzEdit(f *testing.F) {
	f.Add([]byte("<</A 1/B/C>>"), "A", []byte("(x)"))
	f.Add([]byte("<</A<</B[1 2]>>/C(x)>>"), "D", []byte("1 0 R"))
	f.Add([]byte("<<>>"), "\x00 #", []byte("/N"))
	f.Fuzz(func(t *testing.T, raw []byte, key string, val []byte) {
		o, err := Parse(raw, Limits{})
		d, ok := o.(*Dict)
		want, verr := Parse(val, Limits{})
		if err != nil || !ok || verr != nil || d.Span.From != 0 {
			return
		}
		e, err := NewEdit(&Indirect{Value: d, Raw: raw[:d.Span.To]})
		if err != nil {
			t.Fatal(err)
		}
		e.Set(d, Name(key), AppendObject(nil, want))
		out, err := e.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(out, Limits{})
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		g := again.(*Dict)
		if string(AppendObject(nil, g.Get(Name(key)))) != string(AppendObject(nil, want)) {
			t.Fatalf("%q", out)
		}
		for _, en := range d.Entries {
			if en.Key != Name(key) && string(AppendObject(nil, g.Get(en.Key))) != string(AppendObject(nil, d.Get(en.Key))) {
				t.Fatalf("%q: %s changed", out, en.Key)
			}
		}
	})
}
