package verify

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
)

// Universal signature forgery: a signature dictionary that gives a verifier nothing to verify, or too much. In place the signed bytes
// change; in an update they do not.

// spans finds /ByteRange and /Contents of the only signature in a file: the tokens without the keys.
func spans(t testing.TB, file []byte) (ranges, contents [2]int) {
	t.Helper()
	i := bytes.LastIndex(file, []byte("/ByteRange"))
	j := bytes.LastIndex(file, []byte("/Contents <"))
	if i < 0 || j < 0 {
		t.Fatal("no signature")
	}
	i += len("/ByteRange")
	i += bytes.IndexByte(file[i:], '[')
	j += len("/Contents ")
	return [2]int{i, i + bytes.IndexByte(file[i:], ']') + 1}, [2]int{j, j + bytes.IndexByte(file[j:], '>') + 1}
}

// inPlace writes another token, padded, over the one that is there.
func inPlace(t testing.TB, file []byte, at [2]int, token string) []byte {
	t.Helper()
	if len(token) > at[1]-at[0] {
		t.Fatalf("no room for %s", token)
	}
	out := bytes.Clone(file)
	copy(out[at[0]:at[1]], fmt.Sprintf("%-*s", at[1]-at[0], token))
	return out
}

// numbers are the four of /ByteRange.
func numbers(t testing.TB, file []byte) (n [4]int) {
	t.Helper()
	at, _ := spans(t, file)
	if _, err := fmt.Sscanf(string(file[at[0]+1:at[1]-1]), "%d %d %d %d", &n[0], &n[1], &n[2], &n[3]); err != nil {
		t.Fatal(err)
	}
	return n
}

// rangeInPlace writes /ByteRange over the one that is there; what is longer than the room has keys after it eaten.
func rangeInPlace(token func(n [4]int) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		at, _ := spans(t, v.file)
		return inPlace(t, v.file, at, token(numbers(t, v.file)))
	}
}

func contentsInPlace(token func(old string) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		_, at := spans(t, v.file)
		return inPlace(t, v.file, at, token(string(v.file[at[0]:at[1]])))
	}
}

// again defines the signature dictionary anew, in an update, changed by a function.
func again(change func(dict string, n [4]int) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		return v.update(pdftest.Objects{v.value: change(v.body(t, v.value), numbers(t, v.file))})
	}
}

var rangeToken, contentsToken = regexp.MustCompile(`/ByteRange *\[[^\]]*\]`), regexp.MustCompile(`/Contents *<[^>]*>`)

func byteRangeAgain(token string) func(testing.TB, *victim) []byte {
	return again(func(d string, _ [4]int) string { return rangeToken.ReplaceAllString(d, token) })
}

func contentsAgain(token string) func(testing.TB, *victim) []byte {
	return again(func(d string, _ [4]int) string { return contentsToken.ReplaceAllString(d, token) })
}

var valueAttacks = map[level][]attack{approval: {
	{"ByteRange null", "byterange-missing", rangeInPlace(func([4]int) string { return "null" })},
	{"ByteRange empty", "byterange-missing", rangeInPlace(func([4]int) string { return "[]" })},
	{"ByteRange zero", "byterange-shape", rangeInPlace(func([4]int) string { return "[0 0 0 0]" })},
	{"ByteRange a number", "byterange-missing", rangeInPlace(func([4]int) string { return "0" })},
	{"ByteRange of strings", "malformed-signature", rangeInPlace(func([4]int) string { return "[(a) (b)]" })},
	{"ByteRange of nulls", "malformed-signature", rangeInPlace(func([4]int) string { return "[null null]" })},
	{"ByteRange of reals", "malformed-signature", rangeInPlace(func([4]int) string { return "[0. 9. 20. 9.]" })},
	{"ByteRange nested", "malformed-signature", rangeInPlace(func([4]int) string { return "[[0 1 2 3]]" })},
	{"ByteRange missing", "byterange-missing", func(t testing.TB, v *victim) []byte { return replaced(t, v.file, "/ByteRange", "/BiteRange") }},
	{"ByteRange negative start", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[-1 %d %d 9]", n[1], n[2]) })},
	{"ByteRange negative length", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d -1]", n[1], n[2]) })},
	{"ByteRange overlapping", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d 9]", n[2], n[1]) })},
	{"ByteRange without a gap", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d 9]", n[1], n[1]) })},
	{"ByteRange too long", "byterange-outside", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d %d]", n[1], n[2], n[3]+1) })},
	{"ByteRange of one pair", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d]", n[1]) })},
	{"ByteRange of three", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d]", n[1], n[2]) })},
	{"ByteRange shorter", "revision-incomplete", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[0 %d %d %d]", n[1], n[2], n[3]-50) })},
	{"ByteRange from elsewhere", "byterange-shape", rangeInPlace(func(n [4]int) string { return fmt.Sprintf("[1 %d %d 9]", n[1], n[2]) })},

	{"Contents null", "malformed-signature", contentsInPlace(func(string) string { return "null" })},
	{"Contents empty", "gap-differs", contentsInPlace(func(string) string { return "<>" })},
	{"Contents zero", "empty-value", contentsInPlace(func(s string) string { return "<" + strings.Repeat("0", len(s)-2) + ">" })},
	{"Contents zero bytes", "gap-differs", contentsInPlace(func(string) string { return "<00>" })},
	{"Contents a number", "malformed-signature", contentsInPlace(func(string) string { return "0" })},
	{"Contents a reference", "malformed-signature", contentsInPlace(func(string) string { return "9 0 R" })},
	{"Contents an array", "malformed-signature", contentsInPlace(func(string) string { return "[<30>]" })},
	{"Contents a string", "contents-not-hex", contentsInPlace(func(s string) string { return "(" + s[1:len(s)-1] + ")" })},
	{"Contents missing", "malformed-signature", func(t testing.TB, v *victim) []byte { return replaced(t, v.file, "/Contents <", "/Kontents <") }},
	{"Contents of an odd number of digits", "contents-not-hex", contentsInPlace(func(s string) string { return s[:len(s)-2] + "> " })},
	{"Contents shorter than its room", "gap-differs", contentsInPlace(func(s string) string { return s[:len(s)-3] + ">  " })},
	{"Contents with white space", "contents-not-hex", contentsInPlace(func(s string) string { return s[:len(s)-3] + "\n\n>" })},
	{"junk after the value", "padding-not-zero", contentsInPlace(func(s string) string { return s[:len(s)-3] + "ff>" })},
	{"an object in the padding", "padding-not-zero", contentsInPlace(func(s string) string {
		more := fmt.Sprintf("%x", "\n4 0 obj\n<< /Length 0 >>\nstream\nendstream\nendobj\n")
		return s[:len(s)-1-len(more)] + more + ">"
	})},
	{"a second value in the padding", "padding-not-zero", contentsInPlace(func(s string) string { return s[:len(s)-41] + s[1:41] + ">" })},
	{"zeros before the value", "padding-not-zero", contentsInPlace(func(s string) string { return "<00" + s[1:len(s)-3] + ">" })},

	{"an update with ByteRange null", "byterange-missing", byteRangeAgain("/ByteRange null")},
	{"an update with ByteRange empty", "byterange-missing", byteRangeAgain("/ByteRange []")},
	{"an update with ByteRange zero", "byterange-shape", byteRangeAgain("/ByteRange [0 0 0 0]")},
	{"an update without ByteRange", "byterange-missing", byteRangeAgain("")},
	{"an update with two of ByteRange", "duplicate-key", again(func(d string, n [4]int) string {
		return rangeToken.ReplaceAllString(d, "/ByteRange [0 1 2 3] $0")
	})},
	{"an update with Contents null", "malformed-signature", contentsAgain("/Contents null")},
	{"an update with Contents empty", "gap-differs", contentsAgain("/Contents <>")},
	{"an update with Contents zero", "empty-value", contentsAgain("/Contents <0000>")},
	{"an update without Contents", "malformed-signature", contentsAgain("")},
	{"an update with a string", "contents-not-hex", contentsAgain("/Contents (0)")},
	{"an update that copies it", "gap-differs", again(func(d string, _ [4]int) string { return d })},
	{"an update that says another name", "gap-differs", again(func(d string, _ [4]int) string { return strings.Replace(d, "<<", "<< /Name (Somebody else)", 1) })},
	{"an update that signs the new end", "gap-differs", again(func(d string, n [4]int) string {
		return rangeToken.ReplaceAllString(d, fmt.Sprintf("/ByteRange [0 %d %d %d]", n[1], n[2], n[3]+10))
	})},
}}
