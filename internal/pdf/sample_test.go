package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"testing"
)

// A maker writes PDF files for the tests.
type maker struct {
	bytes.Buffer
	at map[int]int // where objects begin
}

func newMaker() *maker {
	m := &maker{at: map[int]int{}}
	m.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	return m
}

func (m *maker) obj(num int, format string, args ...any) {
	m.at[num] = m.Len()
	fmt.Fprintf(m, "%d 0 obj\n", num)
	fmt.Fprintf(m, format, args...)
	m.WriteString("\nendobj\n")
}

func (m *maker) stream(num int, entries string, data []byte) {
	m.obj(num, "<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

// table writes the cross-reference of all objects from 0 to n and a trailer, and returns the offset of the former.
func (m *maker) table(n int, trailer string) int {
	at := m.Len()
	fmt.Fprintf(m, "xref\n0 %d\n0000000000 65535 f \n", n+1)
	for i := 1; i <= n; i++ {
		if off, ok := m.at[i]; ok {
			fmt.Fprintf(m, "%010d 00000 n \n", off)
		} else {
			m.WriteString("0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(m, "trailer\n<< /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n", n+1, trailer, at)
	return at
}

func deflate(b []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

const (
	sampleTitle    = "Urteil (\u5224\u51b3\u4e66)"
	sampleMetadata = "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x/><?xpacket end='r'?>"
	sampleContents = "1234abcd0000"
)

// sample is a file of some pages with a title, metadata, and a field with a signature dictionary.
func sample(pages int) []byte {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R /Metadata 4 0 R /AcroForm << /Fields [6 0 R] /SigFlags 3 >> >>")
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf(" %d 0 R", 10+2*i)
	}
	m.obj(2, "<< /Type /Pages /Count %d /Kids [%s ] /MediaBox [0 0 595 842] /Rotate 90 >>", pages, kids)
	title := []byte{0xfe, 0xff}
	for _, r := range sampleTitle {
		title = append(title, byte(r>>8), byte(r))
	}
	m.obj(3, "<< /Title <%x> /Author (a\\(b\\)\\\\c\\101\\\nd) >>", title)
	m.stream(4, "/Type /Metadata /Subtype /XML", []byte(sampleMetadata))
	m.obj(6, "<< /FT /Sig /T (Siegel) /V 7 0 R /Kids [] >>")
	m.obj(7, "<< /Type /Sig /Filter /Adobe.PPKLite /ByteRange [0 1 2 3] /Contents <%s> /Name (Ger\\374cht) >>", sampleContents)
	for i := range pages {
		m.obj(10+2*i, "<< /Type /Page /Parent 2 0 R /Contents %d 0 R /CropBox [10 10 500 900] >>", 11+2*i)
		m.stream(11+2*i, "/Filter /FlateDecode", deflate(fmt.Appendf(nil, "BT (page %d) Tj ET", i+1)))
	}
	m.table(9+2*pages, "/Info 3 0 R /ID [<00112233445566778899aabbccddeeff> <00112233445566778899aabbccddeeff>]")
	return m.Bytes()
}

// checkSample wants what sample wrote, wherever the objects stand now.
func checkSample(t *testing.T, f *File, pages int) {
	t.Helper()
	info, err := f.GetDict(f.Trailer(), "Info")
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := info.Get("Title").(*String); !ok || Text(s.Value) != sampleTitle {
		t.Errorf("/Title %q", s.Value)
	}
	if s, ok := info.Get("Author").(*String); !ok || string(s.Value) != "a(b)\\cAd" {
		t.Errorf("/Author %q", s.Value)
	}
	cat, err := f.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	meta, err := f.Resolve(cat.Dict().Get("Metadata"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := f.Data(meta.(*Stream)); err != nil || string(b) != sampleMetadata {
		t.Errorf("metadata %q, %v", b, err)
	}
	form, err := f.GetDict(cat.Dict(), "AcroForm")
	if err != nil {
		t.Fatal(err)
	}
	fields, err := f.Resolve(form.Get("Fields"))
	if err != nil {
		t.Fatal(err)
	}
	field, err := f.Load(fields.(*Array).Items[0].(Ref))
	if err != nil {
		t.Fatal(err)
	}
	sig, err := f.GetDict(field.Dict(), "V")
	if err != nil {
		t.Fatal(err)
	}
	if s := sig.Get("Contents").(*String); fmt.Sprintf("%x", s.Value) != sampleContents {
		t.Errorf("/Contents %x", s.Value)
	}
	if s := sig.Get("Name").(*String); string(s.Value) != "Ger\xfccht" {
		t.Errorf("/Name %q", s.Value)
	}
	if n, err := f.NumPages(); n != pages || err != nil {
		t.Errorf("%d pages, %v", n, err)
	}
	numbers := map[uint32]bool{}
	for i := range pages {
		p, err := f.Page(i + 1)
		if err != nil {
			t.Fatal(err)
		}
		numbers[p.Ref.Num] = true
		st, err := f.Resolve(p.Dict().Get("Contents"))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := f.Data(st.(*Stream)); err != nil || string(bytes.TrimSpace(b)) != fmt.Sprintf("BT (page %d) Tj ET", i+1) {
			t.Errorf("page %d: %q, %v", i+1, b, err)
		}
		if p.MediaBox != [4]float64{0, 0, 595, 842} || p.CropBox != [4]float64{10, 10, 500, 842} || p.Rotate != 90 || p.UserUnit != 1 {
			t.Errorf("page %d: %+v", i+1, p)
		}
		same, err := f.PageAt(p.Ref)
		if err != nil || same == nil || same.Ref != p.Ref || same.MediaBox != p.MediaBox || same.CropBox != p.CropBox || same.Rotate != 90 {
			t.Errorf("page %d by its object: %+v, %v", i+1, same, err)
		}
	}
	for _, r := range []Ref{{Num: 1}, {Num: 2}, {Num: 6}, {Num: 9999}} { // of some variants, the pages have these numbers
		if numbers[r.Num] {
			continue
		}
		if p, err := f.PageAt(r); p != nil || err != nil {
			t.Errorf("object %s is no page: %+v, %v", r, p, err)
		}
	}
}
