package phrase

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func TestDate(t *testing.T) {
	for _, c := range []struct {
		line, want string
		kind       Kind
	}{
		{"二〇二六年十一月二十四日", "二〇二六年十一月二十四日", CourtDate},
		{"(院印)二○二六年元月廿四日", "二○二六年元月廿四日", CourtDate},
		{"2026年11月24日(公章)", "2026年11月24日", PlainDate},
		{"2026-11-24", "2026-11-24", DashedDate},
		{"2026-11/24", "", NoDate},
		{"2026年2月30日", "", NoDate},
		{"2026年13月1日", "", NoDate},
		{"于2026年11月24日", "", NoDate},
		{"", "", NoDate},
	} {
		start, end, kind := Date(c.line)
		if got := c.line[start:end]; got != c.want || kind != c.kind {
			t.Errorf("%s: %q, %d", c.line, got, kind)
		}
	}
}

// Normal gives what the library of the Unicode project gives, without what a search passes over, and where each character is from.
func FuzzNormal(f *testing.F) {
	for _, s := range []string{"", "公章", "（院印）", "ａ b", "a\u0301b", "ｶﾞ ㌔", "é\u00ad", "\u1100\u1161", " \u0308", "\xff\xfea", "〇“”、。", "ﬁ", "\u3000\u3099"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "\ufffd")
		from := make([]int32, len(s))
		for i := range from {
			from[i] = int32(i)
		}
		text, origin := Normal([]byte(s), from)
		if want := Squeeze(norm.NFKC.String(s)); text != want {
			t.Fatalf("%q becomes %q, not %q", s, text, want)
		}
		if len(origin) != len(text) || !slices.IsSorted(origin) {
			t.Fatalf("%q: %q comes from %v", s, text, origin)
		}
		if Wanted(s) != text {
			t.Fatalf("%q would not be found in itself", s)
		}
	})
}
