package verify

import (
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/ziptest"
)

const evilXML = xmlHead + `<w:document xmlns:w="` + wordML + `"><w:body><w:p><w:r><w:t>驳回全部诉讼请求</w:t></w:r></w:p><w:sectPr/></w:body></w:document>`

// in puts an entry before or behind all others.
func in(first bool, name string) func(testing.TB, *ziptest.Archive) {
	return func(t testing.TB, a *ziptest.Archive) {
		e := ziptest.New(t, name, evilXML)
		if first {
			a.Entries = append([]*ziptest.Entry{e}, a.Entries...)
		} else {
			a.Entries = append(a.Entries, e)
		}
	}
}

// onDoc changes the entry of the document.
func onDoc(f func(e *ziptest.Entry)) func(testing.TB, *ziptest.Archive) {
	return func(_ testing.TB, a *ziptest.Archive) { f(a.Entry(docName)) }
}

func evilZip(t testing.TB) string { return string(docxOf(t, "驳回全部诉讼请求")) }

// A zip file can be made so that one program finds other parts in it than another: every such way is told.
func zipAttacks(testing.TB) []officeAttack {
	end := func(f func(b []byte)) func(testing.TB, *ziptest.Archive) {
		return func(_ testing.TB, a *ziptest.Archive) { a.End = f }
	}
	local := func(f func(l *ziptest.Fields)) func(testing.TB, *ziptest.Archive) {
		return onDoc(func(e *ziptest.Entry) { f(&e.Local) })
	}
	both := func(f func(l *ziptest.Fields)) func(testing.TB, *ziptest.Archive) {
		return onDoc(func(e *ziptest.Entry) { e.Both(f) })
	}
	type A = *ziptest.Archive
	return []officeAttack{
		{"evil duplicate first", nil, []string{"package/zip-duplicate", "parts/part-changed"}, in(true, docName)},
		{"evil duplicate last", nil, []string{"package/zip-duplicate"}, in(false, docName)},
		{"same but for case, first", nil, []string{"package/zip-duplicate"}, in(true, "word/Document.xml")},
		{"same but for case, last", nil, []string{"package/zip-duplicate"}, in(false, "WORD/document.xml")},
		{"same but for case, content types", nil, []string{"package/zip-duplicate"}, in(false, "[content_types].xml")},
		{"same, percent-encoded", nil, []string{"package/zip-duplicate", "package/opc-name"}, in(false, "word/%64ocument.xml")},
		{"same, backslash", nil, []string{"package/zip-duplicate", "package/zip-path"}, in(false, `word\document.xml`)},
		{"same, absolute", nil, []string{"package/zip-path"}, in(false, "/word/document.xml")},
		{"same, by way of another folder", nil, []string{"package/zip-path"}, in(false, "x/../word/document.xml")},
		{"same, in this folder", nil, []string{"package/zip-path"}, in(false, "./word/document.xml")},
		{"same, ends with NUL", nil, []string{"package/opc-name"}, in(false, "word/document.xml\x00")},
		{"same, ends with a dot", nil, []string{"package/opc-name"}, in(false, "word/document.xml.")},
		{"out of the folder", nil, []string{"package/zip-path"}, in(false, "../../evil.xml")},
		{"directory", nil, []string{"package/zip-directory"}, in(false, "word/")},
		{"trash", nil, []string{"package/opc-name"}, in(false, "[trash]/0000.xml")},
		{"piece of a part", nil, []string{"package/opc-name"}, in(false, "word/document.xml/[0].last.piece")},
		{"name in no known character set", nil, []string{"package/zip-encoding"}, in(false, "word/\xcd\xbc.xml")},
		{"local header of another name", nil, []string{"package/zip-local-name"}, local(func(l *ziptest.Fields) { l.Name = "word/document.xm1" })},
		{"local header of another size", nil, []string{"package/zip-local-size"}, local(func(l *ziptest.Fields) { l.Size += 9 })},
		{"local header of another packed size", nil, []string{"package/zip-local-size"}, local(func(l *ziptest.Fields) { l.Packed -= 9 })},
		{"local header of another method", nil, []string{"package/zip-local-method"}, local(func(l *ziptest.Fields) { l.Method = ziptest.Stored })},
		{"local header of another checksum", nil, []string{"package/zip-local-crc"}, local(func(l *ziptest.Fields) { l.CRC++ })},
		{"local header with other flags", nil, []string{"package/zip-local-flags"}, local(func(l *ziptest.Fields) { l.Flags ^= ziptest.FlagUTF8 })},
		{"no local header", nil, []string{"package/zip-local"}, local(func(l *ziptest.Fields) { l.Sig++ })},
		{"wrong checksum, said twice", nil, []string{"parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.CRC++ })},
		{"descriptor that is not there", nil, []string{"package/zip-descriptor"}, both(func(f *ziptest.Fields) { f.Flags |= ziptest.FlagDescriptor })},
		{"descriptor that nobody announced", nil, []string{"package/zip-gap"}, onDoc(func(e *ziptest.Entry) { e.Descriptor = 16 })},
		{"encrypted", nil, []string{"package/zip-encrypted", "parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.Flags |= 1 })},
		{"bzip2", nil, []string{"package/zip-method", "parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.Method = 12 })},
		{"second name in an extra field", nil, []string{"package/zip-extra"}, both(func(f *ziptest.Fields) { f.Extra = "\x75\x70\x06\x00\x01\x00\x00\x00\x00x" })},
		{"zip64 sizes in an extra field", nil, []string{"package/zip-zip64"}, both(func(f *ziptest.Fields) { f.Extra = "\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00" })},
		{"zip64 sizes in one header", nil, []string{"package/zip-zip64"}, local(func(f *ziptest.Fields) { f.Extra = "\x01\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00" })},
		{"zip64 locator", nil, []string{"package/zip-zip64"}, func(_ testing.TB, a A) { a.Gap = "PK\x06\x07" + strings.Repeat("\x00", 16) }},
		{"zip64 count", nil, []string{"error"}, end(func(b []byte) { copy(b[8:], "\xff\xff\xff\xff") })},
		{"another zip before, places shifted", nil, []string{"package/zip-prefix"}, func(t testing.TB, a A) { a.Prefix, a.Shift = evilZip(t), true }},
		{"another zip before, places right", nil, []string{"package/zip-prefix"}, func(t testing.TB, a A) { a.Prefix = evilZip(t) }},
		{"another zip behind", nil, []string{"unsigned"}, func(t testing.TB, a A) { a.Tail = evilZip(t) }},
		{"another zip in the comment", nil, []string{"unsigned"}, func(t testing.TB, a A) { a.Comment = evilZip(t) }},
		{"program before", nil, []string{"package/zip-prefix"}, func(_ testing.TB, a A) { a.Prefix, a.Shift = "MZ\x90\x00", true }},
		{"old document before", nil, []string{"package/zip-prefix"}, func(_ testing.TB, a A) {
			a.Prefix, a.Shift = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"+strings.Repeat("\x00", 504), true
		}},
		{"bytes behind", nil, []string{"package/zip-tail"}, func(_ testing.TB, a A) { a.Tail = "x" }},
		{"many bytes behind", nil, []string{"package/zip-tail"}, func(_ testing.TB, a A) { a.Tail = strings.Repeat("x", 65000) }},
		{"more bytes behind than a comment", nil, []string{"error"}, func(_ testing.TB, a A) { a.Tail = strings.Repeat("x", 70000) }},
		{"comment", nil, []string{"package/zip-comment"}, func(_ testing.TB, a A) { a.Comment = "x" }},
		{"comment of an entry", nil, []string{"package/zip-comment"}, onDoc(func(e *ziptest.Entry) { e.Central.Comment = "x" })},
		{"end record in a comment", nil, []string{"error"}, func(_ testing.TB, a A) { a.Comment = "PK\x05\x06" + strings.Repeat("\x00", 18) }},
		{"bytes between entries", nil, []string{"package/zip-gap"}, onDoc(func(e *ziptest.Entry) { e.After = "x" })},
		{"bytes before the directory", nil, []string{"package/zip-gap"}, func(_ testing.TB, a A) { a.Entries[len(a.Entries)-1].After = "x" }},
		{"bytes behind the directory", nil, []string{"package/zip-gap"}, func(_ testing.TB, a A) { a.Gap = "x" }},
		{"bytes in the directory", nil, []string{"package/zip-gap"}, func(_ testing.TB, a A) { a.Directory = "x" }},
		{"entry that only reading from the front finds", nil, []string{"package/zip-gap"}, func(t testing.TB, a A) {
			in(false, docName)(t, a)
			a.Entries[len(a.Entries)-1].Hidden = true
		}},
		{"entry of its own before the first", nil, []string{"package/zip-prefix"}, func(t testing.TB, a A) {
			in(true, docName)(t, a)
			a.Entries[0].Hidden = true
		}},
		{"two entries of one place", nil, []string{"package/zip-overlap"}, func(t testing.TB, a A) {
			e := *a.Entry(docName)
			e.Central.Name, e.Local.Name = "word/other.xml", "word/other.xml"
			e.At = 0
			a.Entries = append(a.Entries, &e)
		}},
		{"entry that reaches into the next", nil, []string{"package/zip-overlap"}, both(func(f *ziptest.Fields) { f.Packed += 3 })},
		{"smaller than it is", nil, []string{"parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.Size-- })},
		{"larger than it is", nil, []string{"parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.Size++ })},
		{"larger than can be", nil, []string{"package/zip-size", "parts/part-unreadable"}, both(func(f *ziptest.Fields) { f.Size = 30 << 20 })},
		{"packed bytes behind the end of a part", nil, []string{"parts/part-unreadable"}, onDoc(func(e *ziptest.Entry) {
			e.Data = append(e.Data[:len(e.Data):len(e.Data)], "evil"...)
			e.Both(func(f *ziptest.Fields) { f.Packed += 4 })
		})},
		{"counts one less", nil, []string{"package/zip-count"}, end(func(b []byte) { b[8]--; b[10]-- })},
		{"counts one more", nil, []string{"package/zip-count"}, end(func(b []byte) { b[8]++; b[10]++ })},
		{"one volume of two", nil, []string{"package/zip-disk"}, end(func(b []byte) { b[4] = 1 })},
	}
}
