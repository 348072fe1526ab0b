package glyph

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Unicode's own file of cases (Debian: unicode-data), those without explicit directions.
func TestLevelsAgreeWithUnicode(t *testing.T) {
	f, err := os.Open("/usr/share/unicode/BidiCharacterTest.txt")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	defer f.Close()
	count := 0
cases:
	for in := bufio.NewScanner(f); in.Scan(); {
		fields := strings.Split(in.Text(), ";")
		if len(fields) != 5 || strings.HasPrefix(in.Text(), "#") {
			continue
		}
		var text []rune
		for s := range strings.FieldsSeq(fields[0]) {
			r, err := strconv.ParseUint(s, 16, 32)
			if err != nil {
				t.Fatal(in.Text())
			}
			if refused(rune(r)) || r == 0x2029 {
				continue cases
			}
			text = append(text, rune(r))
		}
		base, _ := strconv.Atoi(fields[2])
		if fields[1] == "2" && rightToLeft(text) != (base == 1) {
			t.Errorf("%s: right to left %t", in.Text(), rightToLeft(text))
		}
		got := levels(text, base)
		want := strings.Fields(fields[3])
		for i := range got {
			if want[i] == "x" { // removed: any
				want[i] = strconv.Itoa(got[i])
			}
		}
		var have []string
		for _, l := range got {
			have = append(have, strconv.Itoa(l))
		}
		if count++; !slices.Equal(have, want) {
			t.Errorf("%s: %v", in.Text(), have)
			if t.Failed() && count > 100_000 {
				return
			}
		}
	}
	t.Logf("%d cases", count)
	if count < 10_000 {
		t.Errorf("%d cases", count)
	}
}
