package plain

import "testing"

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		"示例 court":                   "示例 court",
		"a\nb\x1b[2J":                "a\uFFFDb\uFFFD[2J",
		"x\u202efdp.exe\u2066\u2028": "x\uFFFDfdp.exe\uFFFD\uFFFD",
		"\x7f\u009b":                 "\uFFFD\uFFFD",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}
