package opc

import (
	"bytes"
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// fault is a change to the small document and the codes it must give.
type fault struct {
	name  string
	codes string
	make  func(a *archive)
}

// with puts a file of this name among the small document's.
func with(t testing.TB, files ...file) func(*archive) {
	return func(a *archive) { *a = *archived(t, small(files...)) }
}

// retext gives an entry another text.
func retext(t testing.TB, a *archive, name, text string) {
	m := archived(t, []file{{name, text}}).Entries[0]
	for i, old := range a.Entries {
		if old.Central.Name == name {
			a.Entries[i] = m
		}
	}
}

const (
	typesEntry   = "[Content_Types].xml"
	docEntry     = "word/document.xml"
	docRelsEntry = "word/_rels/document.xml.rels"
)

func replaced(name, old, new string) func(t testing.TB) func(*archive) {
	return func(t testing.TB) func(*archive) {
		return func(a *archive) {
			for _, f := range small() {
				if f.name == name {
					if !strings.Contains(f.text, old) {
						t.Fatalf("no %s in %s", old, name)
					}
					retext(t, a, name, strings.Replace(f.text, old, new, 1))
				}
			}
		}
	}
}

func faults(t testing.TB) []fault {
	doc := func(f func(m *made)) func(*archive) { return func(a *archive) { f(a.Entry(docEntry)) } }
	types := func(old, new string) func(*archive) { return replaced(typesEntry, old, new)(t) }
	rels := func(old, new string) func(*archive) { return replaced(docRelsEntry, old, new)(t) }
	// target changes where the picture's relationship leads.
	target := func(to string) func(*archive) { return rels(`"media/a.png"`, `"`+to+`"`) }
	named := func(name string) func(*archive) { return with(t, file{name, "<x/>"}) }
	const override = `<Override PartName="/word/document.xml" ContentType="` + mainType + `"/>`
	return []fault{
		// The file.
		{"prefix, places shifted", FaultPrefix, func(a *archive) { a.Prefix, a.Shift = "MZ", true }},
		{"prefix, places right", FaultPrefix, func(a *archive) { a.Prefix = "MZ" }},
		{"another zip before", FaultPrefix, func(a *archive) {
			a.Prefix, a.Shift = string(archived(t, small()).Bytes()), true
		}},
		{"tail", FaultTail, func(a *archive) { a.Tail = "x" }},
		{"long tail", FaultTail, func(a *archive) { a.Tail = strings.Repeat("x", 60000) }},
		{"comment", FaultComment, func(a *archive) { a.Comment = "x" }},
		{"comment of an entry", FaultComment, doc(func(m *made) { m.Central.Comment = "x" })},
		{"gap between entries", FaultGap, doc(func(m *made) { m.After = "x" })},
		{"gap before the directory", FaultGap, func(a *archive) { a.Entries[len(a.Entries)-1].After = "x" }},
		{"gap after the directory", FaultGap, func(a *archive) { a.Gap = "x" }},
		{"gap in the directory", FaultGap, func(a *archive) { a.Directory = "x" }},
		{"gap after a descriptor", FaultGap, doc(func(m *made) { m.Described(16); m.After = "x" })},
		{"two entries in one place", FaultOverlap, func(a *archive) { a.Entries[5].At = 0; a.Entries[5].Local = a.Entries[0].Local }},
		{"larger than its place", FaultOverlap, doc(func(m *made) { m.Both(func(f *fields) { f.Packed++ }) })},
		{"into the directory", FaultOverlap, doc(func(m *made) { m.Both(func(f *fields) { f.Packed += 1 << 20 }) })},
		{"end record whose comment is the rest", FaultEnds, func(a *archive) {
			// A stored entry that ends with an end record, which takes what follows in the file for its comment.
			fake := make([]byte, endLen)
			le.PutUint32(fake, sigEnd)
			m := archived(t, []file{{"word/media/b.png", string(fake)}}).Entries[0]
			m.Data = fake
			m.Both(func(f *fields) { f.Method, f.Packed = stored, endLen })
			a.Entries = append(a.Entries, m)
			rest := len(a.Bytes()) - bytes.LastIndex(a.Bytes()[:len(a.Bytes())-endLen], []byte("PK\x05\x06")) - endLen
			le.PutUint16(fake[20:], uint16(rest))
			crc := crcOf(fake)
			m.Both(func(f *fields) { f.CRC = crc })
		}},
		{"fewer entries than counted", FaultCount, func(a *archive) { a.End = func(b []byte) { b[8]++; b[10]++ } }},
		{"more entries than counted", FaultCount, func(a *archive) { a.End = func(b []byte) { b[8]--; b[10]-- } }},
		{"counted otherwise here and in all", FaultCount, func(a *archive) { a.End = func(b []byte) { b[8]-- } }},
		{"volume", FaultDisk, func(a *archive) { a.End = func(b []byte) { b[4] = 1 } }},
		{"entry on another volume", FaultDisk, doc(func(m *made) { m.Central.Disk = 1 })},
		{"zip64 locator", FaultZip64, func(a *archive) { a.Gap = "PK\x06\x07" + strings.Repeat("\x00", 16) }},
		{"zip64 extra in the directory", FaultZip64, doc(func(m *made) { m.Central.Extra = "\x01\x00\x00\x00" })},
		{"zip64 extra in the local header", FaultZip64, doc(func(m *made) { m.Local.Extra = "\x01\x00\x00\x00" })},

		// One entry.
		{"encrypted", FaultEncrypted, doc(func(m *made) { m.Both(func(f *fields) { f.Flags |= 1 }) })},
		{"encrypted with AES", FaultEncrypted + " " + FaultMethod, doc(func(m *made) {
			m.Both(func(f *fields) { f.Method, f.Extra = 99, "\x01\x99\x00\x00" })
		})},
		{"method", FaultMethod, doc(func(m *made) { m.Both(func(f *fields) { f.Method = 9 }) })},
		{"flags", FaultFlags, doc(func(m *made) { m.Both(func(f *fields) { f.Flags |= 1 << 5 }) })},
		{"second name", FaultExtra, doc(func(m *made) { m.Both(func(f *fields) { f.Extra = "\x75\x70\x00\x00" }) })},
		{"extra cut off", FaultExtra, doc(func(m *made) { m.Both(func(f *fields) { f.Extra = "\x00\x00\x05\x00abc" }) })},
		{"no local header", FaultLocal, doc(func(m *made) { m.Local.Sig++ })},
		{"local header in the directory", FaultLocal, func(a *archive) { a.Entries[5].At = len(a.Bytes()) - 40 }},
		{"local name", FaultLocalName, doc(func(m *made) { m.Local.Name = "word/document.xmL" })},
		{"longer local name", FaultLocalName, doc(func(m *made) { m.Local.Name += "x" })},
		{"local flags", FaultLocalFlags, doc(func(m *made) { m.Local.Flags = flagUTF8 })},
		{"local method", FaultLocalMethod, doc(func(m *made) { m.Local.Method = stored })},
		{"local packed size", FaultLocalSize, doc(func(m *made) { m.Local.Packed++ })},
		{"local size", FaultLocalSize, doc(func(m *made) { m.Local.Size++ })},
		{"local size 0 without descriptor", FaultLocalSize, doc(func(m *made) { m.Local.Size, m.Local.Packed = 0, 0 })},
		{"local size with descriptor", FaultLocalSize, doc(func(m *made) { m.Described(16); m.Local.Size = 1 })},
		{"local checksum", FaultLocalCRC, doc(func(m *made) { m.Local.CRC++ })},
		{"local checksum 0 without descriptor", FaultLocalCRC, doc(func(m *made) { m.Local.CRC = 0 })},
		{"no descriptor", FaultDescriptor, doc(func(m *made) { m.Described(0) })},
		{"a descriptor that nobody announced", FaultGap, doc(func(m *made) { m.Descriptor = 16 })},
		{"stored in two sizes", FaultSize, doc(func(m *made) { m.Both(func(f *fields) { f.Method = stored }) })},
		{"larger than deflate can be", FaultSize, doc(func(m *made) { m.Both(func(f *fields) { f.Size = 50 << 20 }) })},

		// Names.
		{"twice", FaultDuplicate, named(docEntry)},
		{"twice, in another case", FaultDuplicate, named("Word/Document.XML")},
		{"twice, percent-encoded", FaultDuplicate + " " + FaultName, named("word/%64ocument.xml")},
		{"twice, backslash", FaultDuplicate + " " + FaultPath, named(`word\document.xml`)},
		{"twice, in another case, not ASCII", FaultDuplicate, func(a *archive) {
			with(t, file{"word/É.xml", "<x/>"}, file{"word/é.xml", "<x/>"})(a)
			for _, m := range a.Entries {
				m.Both(func(f *fields) { f.Flags |= flagUTF8 })
			}
		}},
		{"directory", FaultDirectory, named("word/")},
		{"not said to be UTF-8", FaultEncoding, named("word/图.xml")},
		{"not UTF-8", FaultEncoding, named("word/\xcd\xbc.xml")},
		{"absolute", FaultPath, named("/word/a.xml")},
		{"above", FaultPath, named("../a.xml")},
		{"above, inside", FaultPath, named("word/../a.xml")},
		{"dot", FaultPath, named("word/./a.xml")},
		{"two slashes", FaultPath, named("word//a.xml")},
		{"drive", FaultPath, named("C:a.xml")},
		{"backslash", FaultPath, named(`word\a.xml`)},
		{"no name", FaultName, named("")},
		{"space", FaultName, named("word/a b.xml")},
		{"control character", FaultName, named("word/a\x00.xml")},
		{"dots", FaultName, named("word/....xml/a...")},
		{"percent-encoded slash", FaultName, named("word%2Fa.xml")},
		{"percent-encoded dots", FaultName, named("word/%2E%2E/a.xml")},
		{"half a percent-encoding", FaultName, named("word/%2.xml")},
		{"percent-encoded, not UTF-8", FaultName, named("word/%FE.xml")},
		{"trash", FaultName, named("[trash]/0000.xml")},
		{"piece", FaultName, named("word/settings.xml/[0].piece.xml")},
		{"very long", FaultName, named(strings.Repeat("a", maxName) + ".xml")},
		{"derived", FaultDerived, named("word/document.xml/more/a.xml")},
		{"derived, in another case", FaultDerived, named("word/DOCUMENT.xml/a.xml")},

		// Content types.
		{"no content types", FaultNoTypes, func(a *archive) { a.Entries = a.Entries[1:] }},
		{"content types in another case", FaultTypesXML, func(a *archive) {
			a.Entries[0].Both(func(f *fields) { f.Name = "[content_types].xml" })
		}},
		{"two content types", FaultDuplicate, named("[CONTENT_TYPES].xml")},
		{"content types are no XML", FaultTypesXML, types("</Types>", "")},
		{"document type", FaultTypesXML, types("<Types", "<!DOCTYPE x><Types")},
		{"another root", FaultTypesXML, types(typesNS, "http://x")},
		{"element of another namespace", FaultTypesXML, types(override, override+`<Override xmlns="x"/>`)},
		{"unknown element", FaultTypesXML, types(override, override+`<More/>`)},
		{"element inside", FaultTypesXML, types(override, strings.TrimSuffix(override, "/>")+"><Override/></Override>")},
		{"text", FaultTypesXML, types(override, override+`x`)},
		{"unknown attribute", FaultTypesXML, types(override, `<Override x="" `+override[len("<Override"):])},
		{"attribute of the root", FaultTypesXML, types("<Types", `<Types x=""`)},
		{"extension with a dot", FaultTypesXML, types(`"png"`, `"x.png"`)},
		{"part without slash", FaultTypesXML, types(`"/word/document.xml"`, `"word/document.xml"`)},
		{"no media type", FaultTypesXML, types(`"image/png"`, `"image"`)},
		{"two overrides", FaultTypesTwice, types(override, override+override)},
		{"two overrides, in another case", FaultTypesTwice, types(override, override+strings.Replace(override, "/word", "/WORD", 1))},
		{"two defaults", FaultTypesTwice, types(`<Default Extension="png"`, `<Default Extension="PNG" ContentType="image/png"/><Default Extension="png"`)},
		{"without content type", FaultUntyped, named("word/a.bin")},

		// Relationships.
		{"relationships are no XML", FaultRelsXML, rels("</Relationships>", "")},
		{"foreign element in relationships", FaultRelsXML, rels("<Relationship ", `<x:y xmlns:x="z"/><Relationship `)},
		{"unknown element in relationships", FaultRelsXML, rels("<Relationship ", `<Relation/><Relationship `)},
		{"element inside a relationship", FaultRelsXML, rels(`"media/a.png"/>`, `"media/a.png"><Relationship/></Relationship>`)},
		{"foreign attribute", FaultRelsXML, rels("<Relationship ", `<Relationship xml:base="/other/" `)},
		{"attribute of the root of relationships", FaultRelsXML, rels("<Relationships", `<Relationships xml:base="/x/"`)},
		{"unknown mode", FaultRelsXML, rels(`TargetMode="External"`, `TargetMode="external"`)},
		{"without type", FaultRelsXML, rels(`Type="http://x/image"`, ``)},
		{"one id twice", FaultRelsTwice, rels(`"rId10"`, `"rId2"`)},
		{"out of the package", FaultRelsTarget, target("http://x/a.png")},
		{"another host", FaultRelsTarget, target("//x/a.png")},
		{"file", FaultRelsTarget, target("file:///a.png")},
		{"above the package", FaultRelsTarget, target("../../../a.png")},
		{"above the package, percent-encoded", FaultRelsTarget, target("%2e%2e/%2E%2E/../a.png")},
		{"backslash in a target", FaultRelsTarget, target(`media\a.png`)},
		{"query", FaultRelsTarget, target("media/a.png?x")},
		{"space in a target", FaultRelsTarget, target("media/a .png")},
		{"to relationships", FaultRelsTarget, target("_rels/document.xml.rels")},
		{"to content types", FaultRelsTarget, target("/[Content_Types].xml")},
		{"not of the type of relationships", FaultRelsType, types(`"rels" ContentType="`+RelsType, `"rels" ContentType="application/xml`)},
		{"the type of relationships, elsewhere", FaultRelsType, types(`"png" ContentType="image/png`, `"png" ContentType="`+RelsType)},
		{"of no part", FaultRelsOrphan, with(t, file{"word/_rels/none.xml.rels", relsHead + "</Relationships>"})},
		{"of content types", FaultRelsOrphan + " " + FaultName, with(t, file{"_rels/[Content_Types].xml.rels", relsHead + "</Relationships>"})},
		{"of relationships", FaultRelsOrphan, with(t, file{"_rels/_rels/.rels.rels", relsHead + "</Relationships>"})},
		{"in another case than their part", FaultRelsOrphan, with(t, file{"word/_rels/Settings.xml.rels", relsHead + "</Relationships>"})},
		{"more than can be listed", FaultMore, func(a *archive) {
			for range maxFaults + 1 {
				a.Entries = append(a.Entries, archived(t, []file{{"word/a.bin", ""}}).Entries[0])
			}
		}},
	}
}

func TestFaults(t *testing.T) {
	sound := archived(t, small())
	if f := open(t, sound.Bytes()).Faults(); len(f) > 0 {
		t.Fatalf("the sound document: %v", f)
	}
	covered := map[string]bool{}
	for _, c := range faults(t) {
		t.Run(c.name, func(t *testing.T) {
			a := archived(t, small())
			c.make(a)
			p := open(t, a.Bytes())
			var codes []string
			for _, f := range p.Faults() {
				if !slices.Contains(Codes, f.Code) {
					t.Errorf("unknown code %q", f.Code)
				}
				codes = append(codes, f.Code)
			}
			for _, want := range strings.Fields(c.codes) {
				covered[want] = true
				if !slices.Contains(codes, want) {
					t.Errorf("not %s: %v", want, p.Faults())
				}
			}
			if err := p.Write(&bytes.Buffer{}, nil); !errors.Is(err, ErrFaults) {
				t.Errorf("written: %v", err)
			}
		})
	}
	for _, code := range Codes {
		if !covered[code] {
			t.Errorf("nothing tests %s", code)
		}
	}
}

// What looks odd and is right: descriptors of both forms, an order in the directory that is not that of the file, names
// beyond ASCII, an empty file, parts that nothing leads to.
func TestOddButSound(t *testing.T) {
	for name, change := range map[string]func(a *archive){
		"descriptors": func(a *archive) {
			for i, m := range a.Entries {
				m.Described(12 + 4*(i%2))
			}
		},
		"descriptor and sizes before": func(a *archive) {
			m := a.Entry(docEntry)
			m.Described(16)
			m.Local.CRC, m.Local.Packed, m.Local.Size = m.Central.CRC, m.Central.Packed, m.Central.Size
		},
		"extra fields": func(a *archive) { a.Entry(docEntry).Local.Extra = "\x20\xa2\x02\x00ab" },
		"stored end record": func(a *archive) {
			inner := archived(t, small()).Bytes()
			m := archived(t, []file{{"word/media/b.png", string(inner)}}).Entries[0]
			m.Data = inner
			m.Both(func(f *fields) { f.Method, f.Packed = stored, uint32(len(inner)) })
			a.Entries = append(a.Entries, m)
		},
		"percent-encoded name": with(t, file{"word/%E5%9B%BE.xml", "<x/>"}),
		"beyond ASCII": func(a *archive) {
			with(t, file{"word/图.xml", "<x/>"})(a)
			a.Entries[len(a.Entries)-1].Both(func(f *fields) { f.Flags |= flagUTF8 })
		},
		"neighbours in name": with(t, file{"word/document.xml.x.xml", "<x/>"}, file{"word/document.xm.xml", "<x/>"}, file{"word/document/a.xml", "<x/>"}),
		"comments in XML":    with(t, file{"word/_rels/settings.xml.rels", relsHead + "<!-- c --><?p i?>\n</Relationships>"}),
	} {
		a := archived(t, small())
		change(a)
		b := a.Bytes()
		p := open(t, b)
		if f := p.Faults(); len(f) > 0 {
			t.Errorf("%s: %v", name, f)
			continue
		}
		for _, part := range p.Parts() {
			read(t, p, part.Name)
		}
		if !bytes.Equal(write(t, p, nil), b) {
			t.Errorf("%s: written it differs", name)
		}
		q := open(t, write(t, p, sealed(t, p, 1)))
		checkWritten(t, p, q, sealed(t, p, 1))
	}
}

// The directory of a document need not be in the order of its entries.
func TestDirectoryInAnotherOrder(t *testing.T) {
	a := archived(t, small())
	p := open(t, a.Bytes())
	for i, m := range a.Entries {
		m.At = int(p.parts[i].e.start)
	}
	whole := a.Bytes()[:p.dir.start]
	slices.Reverse(a.Entries)
	b := append(whole, a.Bytes()[p.dir.start:]...)
	q := open(t, b)
	if f := q.Faults(); len(f) > 0 {
		t.Fatal(f)
	}
	one := write(t, q, sealed(t, q, 1))
	if out, err := exec.Command(peer(t, "unzip"), "-t", tempFile(t, one)).CombinedOutput(); err != nil {
		t.Errorf("unzip: %v\n%s", err, out)
	}
	r := open(t, one)
	checkWritten(t, q, r, sealed(t, q, 1))
	if !bytes.Equal(restore(t, one, read(t, r, "/_seals/seal1/undo")), b) {
		t.Error("undone it is not the file before")
	}
}
