package pdf

import (
	"fmt"
	"strings"
	"testing"
)

// tokens writes what a Scanner reads, kind by kind.
func tokens(s *Scanner) string {
	var out []string
	for {
		switch t := s.Next(); t.Kind {
		case End:
			return strings.Join(out, " ")
		case Numeral:
			out = append(out, fmt.Sprint(t.Number))
		case Operator:
			out = append(out, string(t.Bytes))
		case NameToken:
			out = append(out, "/"+string(t.Bytes))
		case StringToken:
			out = append(out, fmt.Sprintf("(%s)", t.Bytes))
		default:
			out = append(out, string(t.Kind))
		}
	}
}

func TestScanner(t *testing.T) {
	for in, want := range map[string]string{
		"BT /F1 12 Tf (a\\)b) Tj ET":      "BT /F1 12 Tf (a)b) Tj ET",
		"[(a)-250.5(b)]TJ<41 4>'":         "[ (a) -250.5 (b) ] TJ (A@) '",
		"1 0 R 0 G":                       "1 0 R 0 G",
		"+5 -.5 4. .5. 1.5.7 --6 3-2 - .": "5 -0.5 4 0.5 1.5 -6 3",
		"1 0 0cm":                         "1 0 0 cm",
		"/A#42 /A#4 /":                    "/AB /A#4 /",
		"/P << /A [true] >> BDC % no\nq":  "/P < /A [ true ] > BDC q",
		"(no end":                         "",
		"<41zz4":                          "(A@)",
		") } > q":                         "q",
		"":                                "",
		"100000000000000000000 w":         "1e+20 w",
	} {
		if got := tokens(NewScanner([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestScannerSkipsImages(t *testing.T) {
	for in, c := range map[string]struct {
		length int
		want   string
	}{
		"ID abcdEI Q":                {4, "Q"},
		"ID ab EI cd\x01\x02\nEI Q":  {10, "Q"},
		"ID ab EI \x80\x81\nEI Q":    {-1, "Q"},
		"ID (not a string <<\nEI\nQ": {-1, "Q"},
		"ID abcd EI":                 {-1, ""},
		"ID abcd":                    {-1, ""},
		"ID abcd EI Q":               {99, "Q"},
		"ID":                         {0, ""},
	} {
		s := NewScanner([]byte(in))
		s.Next()
		s.SkipImage(c.length)
		if got := tokens(s); got != c.want {
			t.Errorf("%q: %q, want %q", in, got, c.want)
		}
	}
}

// FuzzScanner: any bytes come to an end, and what was read can be read again.
func FuzzScanner(f *testing.F) {
	f.Add([]byte("BT /F1 12 Tf [(a) -1.5 <41>] TJ BI /W 1 ID x EI ET"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewScanner(b)
		for n := 0; ; n++ {
			tok := s.Next()
			if tok.Kind == End {
				return
			}
			if n > len(b) {
				t.Fatal("more tokens than bytes")
			}
			if tok.Kind == Operator && string(tok.Bytes) == "ID" {
				s.SkipImage(-1)
			}
		}
	})
}
