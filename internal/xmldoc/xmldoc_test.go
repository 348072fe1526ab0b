package xmldoc

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func parse(t testing.TB, s string) *Doc {
	t.Helper()
	d, err := Parse([]byte(s), Limits{})
	if err != nil {
		t.Fatalf("%.200s: %v", s, err)
	}
	return d
}

func TestTreeHasNamesValuesAndOffsets(t *testing.T) {
	const src = "\uFEFF<?xml version='1.0' encoding=\"utf-8\" standalone='yes' ?>\r\n<!--c--><?p  data ?>" +
		`<a:root xmlns:a="urn:a" xmlns='urn:d' x="1" a:x='&lt;&#x41;&#66;' y="a` + "\r\n\t" + `b&#9;c">` +
		"t1\r\n&amp;<b>in</b ><![CDATA[<&\r]]>\rt2<c xmlns=''/><a:b/></a:root>\n"
	d := parse(t, src)
	r := d.Root
	if r.Name != (Name{"urn:a", "root"}) || r.Prefix != "a" || r.Parent != nil {
		t.Fatalf("root is %+v", r.Name)
	}
	for _, c := range []struct{ space, local, want string }{{"", "x", "1"}, {"urn:a", "x", "<AB"}, {"", "y", "a  b\tc"}} {
		if got, ok := r.Attr(c.space, c.local); got != c.want || !ok {
			t.Errorf("attribute %q %q is %q, want %q", c.space, c.local, got, c.want)
		}
	}
	if _, ok := r.Attr("urn:d", "x"); ok {
		t.Error("the default namespace took an attribute")
	}
	if got, want := r.Text(), "t1\n&<&\n\nt2"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	var names []Name
	for _, e := range r.Elements() {
		names = append(names, e.Name)
		if e.Parent != r {
			t.Error("a child has another parent")
		}
	}
	if want := []Name{{"urn:d", "b"}, {"", "c"}, {"urn:a", "b"}}; !slices.Equal(names, want) {
		t.Errorf("children %v", names)
	}
	b := r.Child("urn:d", "b")
	if got := src[b.Start:b.End]; got != "<b>in</b >" {
		t.Errorf("b is %q", got)
	}
	if got := src[b.Inner:b.InnerEnd]; got != "in" {
		t.Errorf("b holds %q", got)
	}
	if c := r.Child("", "c"); src[c.Start:c.End] != "<c xmlns=''/>" || c.Inner != c.End || c.InnerEnd != c.End {
		t.Errorf("c is at %d %d %d %d", c.Start, c.Inner, c.InnerEnd, c.End)
	}
	if r.Child("urn:a", "c") != nil {
		t.Error("found a child in another namespace")
	}
	if !bytes.Equal(d.Bytes(), []byte(src)) {
		t.Error("Bytes is not what was parsed")
	}
	for prefix, want := range map[string]string{"a": "urn:a", "": "urn:d", "xml": xmlNS} {
		if got, ok := b.Namespace(prefix); got != want || !ok {
			t.Errorf("prefix %q is %q", prefix, got)
		}
	}
	if got, ok := r.Child("", "c").Namespace(""); got != "" || !ok {
		t.Errorf("undeclared default namespace is %q", got)
	}
	if _, ok := b.Namespace("q"); ok {
		t.Error("found prefix q")
	}
}

func TestScannerGivesEachToken(t *testing.T) {
	const src = `<?xml version="1.0"?><!--1--><a p:q="v" xmlns:p="u:p">x&lt;<p:b/><![CDATA[]]]]></a><?t d?>`
	s, err := NewScanner([]byte(src), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	type line struct {
		kind  Kind
		name  Name
		text  string
		src   string
		depth int
	}
	want := []line{
		{Comment, Name{}, "1", "<!--1-->", 0},
		{Start, Name{"", "a"}, "", `<a p:q="v" xmlns:p="u:p">`, 1},
		{Text, Name{}, "x<", "x&lt;", 1},
		{Start, Name{"u:p", "b"}, "", "<p:b/>", 2},
		{End, Name{"u:p", "b"}, "", "", 2},
		{CData, Name{}, "]]", "<![CDATA[]]]]>", 1},
		{End, Name{"", "a"}, "", "</a>", 1},
		{Instruction, Name{"", "t"}, "d", "<?t d?>", 0},
	}
	for i := 0; ; i++ {
		tok, err := s.Next()
		if err == io.EOF {
			if i != len(want) {
				t.Errorf("%d tokens", i)
			}
			break
		}
		if err != nil || i >= len(want) {
			t.Fatal(i, err)
		}
		if got := (line{tok.Kind, tok.Name, tok.Text(), src[tok.Start:tok.End], tok.Depth}); got != want[i] {
			t.Errorf("token %d is %+v, want %+v", i, got, want[i])
		}
		if v, ok := tok.Attr("u:p", "q"); i == 1 && (v != "v" || !ok) {
			t.Errorf("attribute is %q", v)
		}
		_, bound := s.Namespace("p")
		if inside := i >= 1 && i <= 6; bound != inside {
			t.Errorf("token %d: prefix p bound: %v", i, bound)
		}
	}
	if _, err := s.Next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
}

func TestRefused(t *testing.T) {
	many := func(n int, format string) string { return strings.Repeat(format, n) }
	for _, c := range []struct {
		src  string
		want error
	}{
		{"", ErrSyntax},
		{" \n", ErrSyntax},
		{"<!DOCTYPE a><a/>", ErrDoctype},
		{"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", ErrDoctype},
		{"<a/><!DOCTYPE a>", ErrDoctype},
		{"<!doctype a><a/>", ErrSyntax},
		{"<a>\xff</a>", ErrEncoding},
		{"<a>\xed\xa0\x80</a>", ErrEncoding},
		{"<a>\xc0\x80</a>", ErrEncoding},
		{"<a>\x00</a>", ErrSyntax},
		{"<a>\x0b</a>", ErrSyntax},
		{"<a>\uFFFE</a>", ErrSyntax},
		{"<a>\uFFFF</a>", ErrSyntax},
		{"<a>&#0;</a>", ErrSyntax},
		{"<a>&#xD800;</a>", ErrSyntax},
		{"<a>&#xFFFF;</a>", ErrSyntax},
		{"<a>&#x110000;</a>", ErrSyntax},
		{"<a>&#99999999999999999999;</a>", ErrSyntax},
		{"<a>&#;</a>", ErrSyntax},
		{"<a>&#x;</a>", ErrSyntax},
		{"<a>&#X41;</a>", ErrSyntax},
		{"<a>&#65</a>", ErrSyntax},
		{"<a>&nbsp;</a>", ErrSyntax},
		{"<a>&</a>", ErrSyntax},
		{"<a>& </a>", ErrSyntax},
		{"<a>&lt</a>", ErrSyntax},
		{"<a b='&e;'/>", ErrSyntax},
		{"<a b='&#1;'/>", ErrSyntax},
		{"<a>]]></a>", ErrSyntax},
		{"<a b='<'/>", ErrSyntax},
		{"<a b=c/>", ErrSyntax},
		{"<a b/>", ErrSyntax},
		{"<a b='1'c='2'/>", ErrSyntax},
		{"<a b='1/>", ErrSyntax},
		{"<a b='1' b='2'/>", ErrSyntax},
		{"<a xmlns:p='u:1' xmlns:q='u:1' p:b='1' q:b='2'/>", ErrSyntax},
		{"<a" + manyAttributes(20) + " a7=''/>", ErrSyntax},
		{"<a xmlns:p='u:1' xmlns:q='u:1'" + manyAttributes(20) + " p:b='' q:b=''/>", ErrSyntax},
		{"<a xmlns:p='u:1' xmlns:p='u:2'/>", ErrSyntax},
		{"<a xmlns='u:1' xmlns='u:2'/>", ErrSyntax},
		{"<p:a/>", ErrSyntax},
		{"<a p:b='1'/>", ErrSyntax},
		{"<a><b xmlns:p='u:1'/><p:c/></a>", ErrSyntax},
		{"<a xmlns:p=''/>", ErrSyntax},
		{"<a xmlns:xml='u:1'/>", ErrSyntax},
		{"<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", ErrSyntax},
		{"<a xmlns='http://www.w3.org/XML/1998/namespace'/>", ErrSyntax},
		{"<a xmlns:xmlns='http://www.w3.org/2000/xmlns/'/>", ErrSyntax},
		{"<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", ErrSyntax},
		{"<a xmlns='http://www.w3.org/2000/xmlns/'/>", ErrSyntax},
		{"<xmlns:a/>", ErrSyntax},
		{"<a:b:c xmlns:a='u:1'/>", ErrSyntax},
		{"<:a/>", ErrSyntax},
		{"<a:/>", ErrSyntax},
		{"<a xmlns:='u:1'/>", ErrSyntax},
		{"<1a/>", ErrSyntax},
		{"< a/>", ErrSyntax},
		{"<a>", ErrSyntax},
		{"<a", ErrSyntax},
		{"<", ErrSyntax},
		{"<a/", ErrSyntax},
		{"<a / >", ErrSyntax},
		{"</a>", ErrSyntax},
		{"<a></b>", ErrSyntax},
		{"<a></ab>", ErrSyntax},
		{"<a></a b='1'>", ErrSyntax},
		{"<a><b></a></b>", ErrSyntax},
		{"<a xmlns:p='u:1' xmlns:q='u:1'><p:b></q:b></a>", ErrSyntax},
		{"<a/><b/>", ErrSyntax},
		{"<a/>x", ErrSyntax},
		{"x<a/>", ErrSyntax},
		{"<a/>&#32;", ErrSyntax},
		{"<![CDATA[]]><a/>", ErrSyntax},
		{"<a><![CDATA[</a>", ErrSyntax},
		{"<a><![cdata[]]></a>", ErrSyntax},
		{"<a><!-- -- --></a>", ErrSyntax},
		{"<a><!-- ---></a>", ErrSyntax},
		{"<a><!-- </a>", ErrSyntax},
		{"<a><!--", ErrSyntax},
		{"<a><!----", ErrSyntax},
		{"<a><?xml version='1.0'?></a>", ErrSyntax},
		{" <?xml version='1.0'?><a/>", ErrSyntax},
		{"<a><?XML a?></a>", ErrSyntax},
		{"<a><?p:q a?></a>", ErrSyntax},
		{"<a><? p?></a>", ErrSyntax},
		{"<a><?p</a>", ErrSyntax},
		{"<?xml?><a/>", ErrSyntax},
		{"<?xml version='1.1'?><a/>", ErrSyntax},
		{"<?xml encoding='UTF-8'?><a/>", ErrSyntax},
		{"<?xml version='1.0'encoding='UTF-8'?><a/>", ErrSyntax},
		{"<?xml version='1.0' encoding='GB18030'?><a/>", ErrEncoding},
		{"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", ErrEncoding},
		{"<?xml version='1.0' encoding='UTF-16'?><a/>", ErrEncoding},
		{"<?xml version='1.0' standalone='maybe'?><a/>", ErrSyntax},
		{"<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>", ErrSyntax},
		{"<?xml version='1.0' other='1'?><a/>", ErrSyntax},
		{"<?xml version='1.0'", ErrSyntax},
		{"\x00<\x00a\x00/\x00>", ErrEncoding},
		{"<\x00a\x00/\x00>\x00", ErrEncoding},
		{"\xFE\xFF\x00<\x00a\x00/\x00", ErrEncoding},
		{"\xFE\xFF\xD8\x00\x00<", ErrEncoding},
		{"\xFF\xFE<\x00a\x00>\x00\x00\xDC", ErrEncoding},
		{many(300, "<a>") + many(300, "</a>"), ErrLimit},
		{"<a" + func() (s string) {
			for i := range 300 {
				s += " b" + strings.Repeat("c", i) + "=''"
			}
			return s
		}() + "/>", ErrLimit},
		{"<a xmlns='u:" + many(maxNamespace, "u") + "'/>", ErrLimit},
	} {
		_, err := Parse([]byte(c.src), Limits{})
		if !errors.Is(err, c.want) {
			t.Errorf("%.80q: %v, want %v", c.src, err, c.want)
		}
	}
}

func TestNamesInDifferentNamespacesAreDifferent(t *testing.T) {
	d := parse(t, "<p:a xmlns:p='u:1' xmlns:q='u:2'"+manyAttributes(20)+" p:a1='p' q:a1='q'/>")
	for space, want := range map[string]string{"": "", "u:1": "p", "u:2": "q"} {
		if got, ok := d.Root.Attr(space, "a1"); got != want || !ok {
			t.Errorf("a1 of %q is %q", space, got)
		}
	}
}

func TestLimitsAreHeld(t *testing.T) {
	const src = `<a b="1"><c>t</c><d/></a>` // nodes: a b c t d
	exact := Limits{Size: len(src), Depth: 2, Nodes: 5, Attributes: 1}
	if _, err := Parse([]byte(src), exact); err != nil {
		t.Fatal(err)
	}
	for i, l := range []Limits{{Size: len(src) - 1}, {Depth: 1}, {Nodes: 4}} {
		if _, err := Parse([]byte(src), l); !errors.Is(err, ErrLimit) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, err := Parse([]byte(`<a b="" c=""/>`), exact); !errors.Is(err, ErrLimit) {
		t.Errorf("attributes: %v", err)
	}
}

// utf16Of writes s in UTF-16 with a byte order mark.
func utf16Of(s string, big bool) []byte {
	var b []byte
	put := func(u rune) {
		if big {
			b = append(b, byte(u>>8), byte(u))
		} else {
			b = append(b, byte(u), byte(u>>8))
		}
	}
	for _, r := range "\uFEFF" + s {
		if r >= 0x10000 {
			put(0xD800 + (r-0x10000)>>10)
			put(0xDC00 + (r-0x10000)&0x3FF)
			continue
		}
		put(r)
	}
	return b
}

func TestUTF16IsConverted(t *testing.T) {
	for _, big := range []bool{false, true} {
		d, err := Parse(utf16Of("<?xml version='1.0' encoding='utf-16'?><合>文𠮷</合>", big), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if d.Root.Name.Local != "合" || d.Root.Text() != "文𠮷" {
			t.Errorf("read %q %q", d.Root.Name.Local, d.Root.Text())
		}
		if want := "<?xml version='1.0' encoding='UTF-8'?><合>文𠮷</合>"; string(d.Bytes()) != want {
			t.Errorf("bytes are %q", d.Bytes())
		}
		if _, err := Parse(d.Bytes(), Limits{}); err != nil {
			t.Errorf("what was converted: %v", err)
		}
		if _, err := Parse(utf16Of("<?xml version='1.0' encoding='UTF-8'?><a/>", big), Limits{}); !errors.Is(err, ErrEncoding) {
			t.Errorf("UTF-16 called UTF-8: %v", err)
		}
		for _, src := range []string{"<?xml version='" + strings.Repeat("ɐ", 100) + "' encoding='UTF-16'?><a/>", "\uFEFF<a/>", "<?xml utf-1"} {
			if _, err := Parse(utf16Of(src, big), Limits{}); err == nil {
				t.Errorf("%q is taken", src)
			}
		}
	}
}

func TestEscapesComeBack(t *testing.T) {
	const s = "a<b>&\"'\t\r\n\u00a0合𠮷]]>"
	d := parse(t, `<a b="`+string(AppendAttr(nil, s))+`">`+string(AppendText(nil, s))+"</a>")
	if got, _ := d.Root.Attr("", "b"); got != s {
		t.Errorf("attribute %q", got)
	}
	if got := d.Root.Text(); got != s {
		t.Errorf("text %q", got)
	}
	if !Legal(s) {
		t.Error("legal text is called illegal")
	}
	for _, bad := range []string{"\x00", "a\x1fb", "\xff", "\uFFFF", "\xed\xa0\x80"} {
		if Legal(bad) {
			t.Errorf("%q is called legal", bad)
		}
		if got := AppendText(nil, bad); !strings.Contains(string(got), "\uFFFD") || !Legal(string(got)) {
			t.Errorf("%q was written as %q", bad, got)
		}
	}
	if !Legal("\uFFFD") {
		t.Error("U+FFFD is called illegal")
	}
}

// parts gives the XML parts of the Word files that stand beside the repository, and skips the test where there are none.
func parts(t testing.TB) map[string][]byte {
	t.Helper()
	all := wordParts(t)
	if len(all) == 0 {
		t.Skip("no shared/vectors/docx beside the repository")
	}
	return all
}

func wordParts(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	files, _ := filepath.Glob("../../../shared/vectors/docx/*.docx")
	for _, file := range files {
		z, err := zip.OpenReader(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range z.File {
			if !strings.HasSuffix(f.Name, ".xml") && !strings.HasSuffix(f.Name, ".rels") && !strings.HasSuffix(f.Name, ".vml") {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(file)+"/"+f.Name] = b
		}
		z.Close()
	}
	return all
}

func TestWordParts(t *testing.T) {
	for name, b := range parts(t) {
		d, err := Parse(b, Limits{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := d.Canonical(nil, Method{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
