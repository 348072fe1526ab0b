package pdf

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// text writes an object in one way, for comparison.
func text(o Object) string {
	switch v := o.(type) {
	case nil:
		return "null"
	case Real:
		return "real " + string(v)
	case Name:
		return fmt.Sprintf("/%q", string(v))
	case Ref:
		return v.String() + " R"
	case *String:
		return fmt.Sprintf("%q hex=%v", v.Value, v.Hex)
	case *Array:
		s := make([]string, len(v.Items))
		for i, o := range v.Items {
			s[i] = text(o)
		}
		return "[" + strings.Join(s, ", ") + "]"
	case *Dict:
		s := make([]string, len(v.Entries))
		for i, e := range v.Entries {
			s[i] = text(e.Key) + ": " + text(e.Value)
		}
		return "{" + strings.Join(s, ", ") + "}"
	}
	return fmt.Sprint(o)
}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"true":                         "true",
		" %c\n false %c":               "false",
		"null":                         "null",
		"0":                            "0",
		"-17":                          "-17",
		"+5":                           "5",
		"9223372036854775807":          "9223372036854775807",
		"9223372036854775808":          "real 9223372036854775808",
		"-.5":                          "real -.5",
		"4.":                           "real 4.",
		"12 0 R":                       "12 0 R",
		"12\r\n%x\n65535\tR":           "12 65535 R",
		"[1 2 3 0 R 4]":                "[1, 2, 3 0 R, 4]",
		"[1 2 R4]":                     "error",
		"[1 0 Rx]":                     "error",
		"[1 65536 R]":                  "error",
		"/A#42#zC#":                    `/"AB#zC#"`,
		"/":                            `/""`,
		"()":                           `"" hex=false`,
		"(a(b)c\\)\\n\\053\\0533\\8)":  `"a(b)c)\n++38" hex=false`,
		"(a\rb\r\nc\\\r\nd\\\ne\\\rf)": `"a\nb\ncdef" hex=false`,
		"(\\1)":                        `"\x01" hex=false`,
		"(a":                           "error",
		"(a\\":                         "error",
		"<4 1\n4>":                     `"A@" hex=true`,
		"<>":                           `"" hex=true`,
		"<4x>":                         "error",
		"<41":                          "error",
		"<</A/B/C<</D[]>>/A 1>>":       `{/"A": /"B", /"C": {/"D": []}, /"A": 1}`,
		"<</A>>":                       "error",
		"<</A 1>":                      "error",
		"<<1 2>>":                      "error",
		"[1 2":                         "error",
		"]":                            "error",
		"}":                            "error",
		"1 2":                          "error",
		"1x":                           "error",
		"foo":                          "error",
		"":                             "error",
		"%":                            "error",
	} {
		o, err := Parse([]byte(in), Limits{})
		got := text(o)
		if err != nil {
			got = "error"
			if !errors.Is(err, ErrSyntax) {
				t.Errorf("%q: %v", in, err)
			}
		}
		if got != want {
			t.Errorf("%q: %s, want %s (%v)", in, got, want, err)
		}
	}
	for _, in := range []string{strings.Repeat("[", 257), strings.Repeat("<</A", 257), "[" + strings.Repeat("1 ", 250_001) + "]"} {
		if _, err := Parse([]byte(in), Limits{}); !errors.Is(err, ErrLimit) {
			t.Errorf("%.20q…: %v", in, err)
		}
	}
	if _, err := Parse([]byte("(0123456789)"), Limits{Object: 11}); !errors.Is(err, ErrLimit) {
		t.Errorf("a long object: %v", err)
	}
}

// TestSpans wants every span to be the bytes as written.
func TestSpans(t *testing.T) {
	in := " << /A (x) /#42  [ 1 0 R  <41> -2.50 ] >>"
	o, err := Parse([]byte(in), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	at := func(s Span) string { return in[s.From:s.To] }
	d := o.(*Dict)
	a := d.Get("B").(*Array)
	for got, want := range map[string]string{
		at(d.Span):                            in[1:],
		at(d.Entries[0].KeyAt):                "/A",
		at(d.Entries[0].ValAt):                "(x)",
		at(d.Entries[1].KeyAt):                "/#42",
		at(a.Span):                            "[ 1 0 R  <41> -2.50 ]",
		at(a.Spans[0]):                        "1 0 R",
		at(a.Items[1].(*String).Span):         "<41>",
		at(a.Spans[2]):                        "-2.50",
		at(d.Get("A").(*String).Span) + "  -": "(x)  -",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if d.Duplicate() != "" {
		t.Errorf("duplicate %q", d.Duplicate())
	}
	long := "<<"
	for i := range 40 {
		long += fmt.Sprintf("/K%d 1", i%39)
	}
	for _, in := range []string{"<</A 1/B 2/A 3>>", long + ">>"} {
		o, err := Parse([]byte(in), Limits{})
		if err != nil || o.(*Dict).Duplicate() == "" {
			t.Errorf("no duplicate in %s, %v", in, err)
		}
	}
	if (*Dict)(nil).Get("A") != nil || (*Dict)(nil).Duplicate() != "" {
		t.Error("a missing dictionary has something in it")
	}
}

// TestWindow cuts a large object at every place where the bytes at hand may end.
func TestWindow(t *testing.T) {
	body := "<< /K [ 10 0 R (a\\(b\\\r\nc) <4142> /N#41 true -1.5 12 ] % x\n /L << /M null >> >>"
	want, err := Parse([]byte(body), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for pad := 380; pad < 520; pad++ {
		m := newMaker()
		m.obj(1, "%s%s", strings.Repeat(" ", pad), body)
		m.obj(2, "<< /Type /Catalog >>")
		m.table(2, "")
		f, err := openBytes(m.Bytes(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Load(Ref{Num: 1})
		if err != nil {
			t.Fatalf("pad %d: %v", pad, err)
		}
		if !reflect.DeepEqual(o.Value, want) || string(o.Raw) != body {
			t.Fatalf("pad %d: %s", pad, text(o.Value))
		}
	}
}

func TestNumberAndText(t *testing.T) {
	for in, want := range map[Object]float64{int64(3): 3, Real("-.5"): -.5, Real("4."): 4, Real("+1.25"): 1.25} {
		if got, ok := Number(in); !ok || got != want {
			t.Errorf("%v: %v, %v", in, got, ok)
		}
	}
	for _, in := range []Object{nil, Name("1"), Real("1-2"), Real("--1"), Real("."), Real(strings.Repeat("9", 400))} {
		if got, ok := Number(in); ok {
			t.Errorf("%v: %v", in, got)
		}
	}
	for in, want := range map[string]string{
		"a\x80\xa0\xe9\x18\x1f\x9e\x7f":           "a\u2022\u20ac\u00e9\u02d8\u02dc\u017e\ufffd",
		"\xfe\xff\x52\x24\xd8\x3d\xde\x00":        "\u5224\U0001f600",
		"\xff\xfe\x24\x52":                        "\u5224",
		"\xfe\xff\x00\x1b\x00z\x00h\x00\x1b\x00x": "x",
		"\xef\xbb\xbf\xe5\x88\xa4\xff":            "\u5224\ufffd",
		"\xfe\xff\xd8":                            "",
	} {
		if got := Text([]byte(in)); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
