package pdftest

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A Signing is a saving with a signature. Its fields and widgets are among Objects; the dictionary is made, unless Objects has it.
type Signing struct {
	Revision
	Num     int                           // of the signature dictionary
	Entries string                        // of it, in place of Dated
	Room    int                           // octets for the value; 0: 4096
	Range   func(from, to, end int) []int // /ByteRange, of which the value is made too; nil: [0 from to end-to]. from and to are of the string
	Edit    func(file []byte) []byte      // changes what is signed before it is
	Value   func(signed []byte) []byte    // makes the value
}

// Dated are entries of a signature dictionary.
const (
	Dated   = Undated + " /M (D:20260601120000Z)"
	Undated = "/Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached"
)

// ranges is what is replaced by numbers.
const ranges = "########## ########## ########## ##########"

// Dict is a signature dictionary with these entries besides /ByteRange and /Contents, which have room for what they will be.
func Dict(entries string, room int) string {
	return "<< " + entries + " /ByteRange [" + ranges + "] /Contents <" + strings.Repeat("00", room) + "> >>"
}

// Append writes the saving behind a file and signs it.
func (s Signing) Append(t testing.TB, file []byte) []byte {
	t.Helper()
	if s.Room == 0 {
		s.Room = 4096
	}
	if s.Entries == "" {
		s.Entries = Dated
	}
	s.Objects = Objects{s.Num: Dict(s.Entries, s.Room)}.With(s.Objects)
	out := s.Revision.Append(file)
	if s.Edit != nil {
		out = s.Edit(out)
	}
	word := []byte("/Contents <0000")
	from := len(file) + bytes.Index(out[len(file):], word) + len(word) - 5
	at := len(file) + bytes.Index(out[len(file):], []byte(ranges))
	if from < len(file)+len(word)-5 || at < len(file) {
		t.Fatal("no room for a signature value")
	}
	to := from + bytes.IndexByte(out[from:], '>') + 1
	r := []int{0, from, to, len(out) - to}
	if s.Range != nil {
		r = s.Range(from, to, len(out))
	}
	text := strings.Trim(fmt.Sprint(r), "[]")
	if len(text) > len(ranges) {
		t.Fatalf("no room for %s", text)
	}
	copy(out[at:], fmt.Sprintf("%-*s", len(ranges), text))
	var signed []byte
	for p := range slices.Chunk(r, 2) {
		if len(p) == 2 && p[0] >= 0 && p[1] >= 0 && p[0]+p[1] <= len(out) {
			signed = append(signed, out[p[0]:p[0]+p[1]]...)
		}
	}
	v := s.Value(signed)
	if 2*len(v) > to-from-2 {
		t.Fatalf("a value of %d octets, room for %d", len(v), (to-from-2)/2)
	}
	hex.Encode(out[from+1:], v)
	return out
}
