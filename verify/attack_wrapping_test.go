package verify

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

// Signature wrapping: bytes that nobody signed, in the gap of /ByteRange or behind what was moved to make room for them; and signers
// who leave such a gap on purpose, so that the document can be changed when it has long been signed.

// wedged puts bytes behind the signature value and has /ByteRange say so.
func wedged(more func(contents string) string) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte {
		at, c := spans(t, v.file)
		n := numbers(t, v.file)
		text := more(string(v.file[c[0]:c[1]]))
		out := inPlace(t, v.file, at, fmt.Sprintf("[0 %d %d %d]", n[1], n[2]+len(text), n[3]))
		return slices.Concat(out[:c[1]], []byte(text), out[c[1]:])
	}
}

// moved is the attack by the book: what follows the value is moved down, and where its startxref leads there is another
// cross-reference now, of a page that says something else and of a copy of the signature dictionary that knows of the move. It is of a
// file with a table.
func moved(t testing.TB, v *victim) []byte {
	if v.kind != pdftest.Table {
		return nil
	}
	_, c := spans(t, v.file)
	n := numbers(t, v.file)
	head, tail := v.file[:c[1]], v.file[c[1]:]
	var xref int
	fmt.Sscan(string(tail[bytes.LastIndex(tail, []byte("startxref"))+9:]), &xref)
	r := pdftest.Revision{Before: ">>\nendobj\n", Objects: pdftest.Objects{contentNum: pdftest.Stream("", "1 0 0 rg")}, Places: map[int]int{v.value: 1},
		Omit: pdftest.StartXRef | pdftest.EOF}
	end := 0
	make := func() []byte {
		for num := range v.free { // where the seal's objects are now
			if x, ok := v.pdf.Lookup(uint32(num)); ok && x.Type == 1 && x.Offset > int64(c[1]) {
				r.Places[num] = int(x.Offset) + end - c[1]
			}
		}
		body := rangeToken.ReplaceAllString(v.body(t, v.value), fmt.Sprintf("/ByteRange [0 %d %d %d]", n[1], end, n[3]))
		r.After = fmt.Sprintf("%d 0 obj\n%s\nendobj\n", v.value, body)
		out := r.Append(head)
		r.Places[v.value] = len(out) - len(r.After)
		end = len(out)
		return out
	}
	r.Junk = strings.Repeat(" ", xref-bytes.LastIndex(make(), []byte("xref\n")))
	for range 3 { // until the numbers in it are right
		make()
	}
	out := append(make(), tail...)
	if !bytes.HasPrefix(out[xref:], []byte("xref\n")) {
		t.Fatal("there is no cross-reference where it should be")
	}
	return out
}

// crafted is a judgment with a signature by hand: whoever signs it is the attacker. more are objects of its own.
func crafted(more pdftest.Objects, change func(s *pdftest.Signing)) func(testing.TB, *victim) []byte {
	return func(t testing.TB, v *victim) []byte { return craft(t, v, more, change) }
}

const handNum, handField = 40, 41 // of the signature dictionary, and of its field

func craft(t testing.TB, v *victim, more pdftest.Objects, change func(s *pdftest.Signing)) []byte {
	w := theWorld()
	s := signing(handNum, pdftest.Objects{
		handField: fmt.Sprintf("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V 40 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", v.name),
		fieldsNum: "[6 0 R 7 0 R 17 0 R 41 0 R]",
		pageNum:   strings.Replace(judgment()[pageNum], "17 0 R]", "17 0 R 41 0 R]", 1),
	}.With(more))
	s.Kind = v.kind
	if change != nil {
		change(&s)
	}
	return byHand(t, pdftest.File(v.kind, judgment()), rawCMS{w.rsa, sign.SHA256, nil}, s)
}

func ranged(f func(from, to, end int) []int) func(s *pdftest.Signing) {
	return func(s *pdftest.Signing) { s.Range = f }
}

// dict is a signature dictionary by hand, with entries before and after its own.
func dict(before, after string) pdftest.Objects {
	d := strings.TrimSuffix(pdftest.Dict(pdftest.Dated, 4096), ">>")
	return pdftest.Objects{handNum: strings.Replace(d, "<<", "<< "+before, 1) + after + " >>"}
}

var wrappingAttacks = map[level][]attack{approval: {
	{"a gap with an entry", "gap-differs", wedged(func(string) string { return " /Name (Somebody else)" })},
	{"a gap with white space", "gap-differs", wedged(func(string) string { return "\n\n\n\n" })},
	{"a gap with a comment", "gap-differs", wedged(func(string) string { return "% hello\n" })},
	{"a gap with a second Contents", "duplicate-key", wedged(func(c string) string { return " /Contents " + c })},
	{"a gap with a second ByteRange", "duplicate-key", wedged(func(string) string { return " /ByteRange [0 1 2 3]" })},
	{"a gap with an object", "gap-differs", wedged(func(string) string {
		return " >>\nendobj\n4 0 obj\n" + pdftest.Stream("", "1 0 0 rg") + "\nendobj\n99 0 obj\n<<"
	})},
	{"a gap with two strings", "gap-differs", wedged(func(string) string { return " /Cert <30> /X <31>" })},
	{"the rest moved down", "gap-differs", moved},
	{"the rest moved down, the range not", "content-changed", func(t testing.TB, v *victim) []byte {
		_, c := spans(t, v.file)
		return slices.Concat(v.file[:c[1]], []byte("     "), v.file[c[1]:])
	}},

	{"signed with the key in the gap", "gap-differs", crafted(nil, ranged(func(from, to, end int) []int { return []int{0, from - 10, to, end - to} }))},
	{"signed with the end of the dictionary in the gap", "gap-differs", crafted(nil, ranged(func(from, to, end int) []int {
		return []int{0, from, to + 3, end - to - 3}
	}))},
	{"signed with the objects after it in the gap", "gap-differs", crafted(pdftest.Objects{50: "(to be changed)"}, ranged(func(from, to, end int) []int {
		return []int{0, from, to + 100, end - to - 100}
	}))},
	{"signed inside the string", "gap-differs", crafted(nil, ranged(func(from, to, end int) []int { return []int{0, from + 1, to - 1, end - to + 1} }))},
	{"signed with a second gap", "byterange-shape", crafted(nil, ranged(func(from, to, end int) []int {
		return []int{0, 300, 400, from - 400, to, end - to}
	}))},
	{"signed from the middle", "byterange-shape", crafted(nil, ranged(func(from, to, end int) []int { return []int{500, from - 500, to, end - to} }))},
	{"signed without the end", "revision-incomplete", crafted(nil, ranged(func(from, to, end int) []int { return []int{0, from, to, end - to - 40} }))},
	{"signed twice over", "byterange-shape", crafted(nil, ranged(func(from, to, end int) []int { return []int{0, from, to, end - to, 0, from} }))},
	{"signed with another string in the gap", "gap-differs", crafted(dict("/Decoy <0000"+strings.Repeat("0", 200)+"> ", ""), func(s *pdftest.Signing) {
		s.Range = func(from, to, end int) []int { return []int{0, from - 400, from - 200, end - from + 200} }
	})},
	{"signed with a range of references", "malformed-signature", func(t testing.TB, v *victim) []byte {
		d := strings.Replace(pdftest.Dict(pdftest.Dated, 4096), "/ByteRange [", "/Range [", 1)
		file := craft(t, v, pdftest.Objects{handNum: strings.Replace(d, "/Contents", "/ByteRange [50 0 R 51 0 R 52 0 R] /Contents", 1), 50: "0", 51: "1", 52: "(x)"}, nil)
		return file
	}},
	{"signed with the value in a reference", "malformed-signature", crafted(pdftest.Objects{
		handNum: strings.Replace(pdftest.Dict(pdftest.Dated, 1), "/Contents <00>", "/Contents 50 0 R /Decoy << /Contents <"+strings.Repeat("00", 4096)+"> >>", 1),
		50:      "<3000>"}, nil)},
	{"signed with two of Contents", "duplicate-key", crafted(dict("", "/Contents <3000>"), nil)},
	{"signed with Contents in another spelling", "duplicate-key", crafted(dict("/Con#74ents <3000>", ""), nil)},
	{"signed with two of ByteRange", "duplicate-key", crafted(dict("", "/ByteRange [0 1 2 3]"), nil)},
	{"signed with two of Type", "duplicate-key", crafted(dict("/Type /Sig ", ""), nil)},
}}
