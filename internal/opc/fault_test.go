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
	m := archived(t, []file{{name, text}}).entries[0]
	for i, old := range a.entries {
		if old.central.name == name {
			a.entries[i] = m
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
	doc := func(f func(m *made)) func(*archive) { return func(a *archive) { f(a.entry(docEntry)) } }
	types := func(old, new string) func(*archive) { return replaced(typesEntry, old, new)(t) }
	rels := func(old, new string) func(*archive) { return replaced(docRelsEntry, old, new)(t) }
	// target changes where the picture's relationship leads.
	target := func(to string) func(*archive) { return rels(`"media/a.png"`, `"`+to+`"`) }
	named := func(name string) func(*archive) { return with(t, file{name, "<x/>"}) }
	const override = `<Override PartName="/word/document.xml" ContentType="` + mainType + `"/>`
	return []fault{
		// The file.
		{"prefix, places shifted", FaultPrefix, func(a *archive) { a.prefix, a.shift = "MZ", true }},
		{"prefix, places right", FaultPrefix, func(a *archive) { a.prefix = "MZ" }},
		{"another zip before", FaultPrefix, func(a *archive) {
			a.prefix, a.shift = string(archived(t, small()).bytes()), true
		}},
		{"tail", FaultTail, func(a *archive) { a.tail = "x" }},
		{"long tail", FaultTail, func(a *archive) { a.tail = strings.Repeat("x", 60000) }},
		{"comment", FaultComment, func(a *archive) { a.comment = "x" }},
		{"comment of an entry", FaultComment, doc(func(m *made) { m.central.comment = "x" })},
		{"gap between entries", FaultGap, doc(func(m *made) { m.after = "x" })},
		{"gap before the directory", FaultGap, func(a *archive) { a.entries[len(a.entries)-1].after = "x" }},
		{"gap after the directory", FaultGap, func(a *archive) { a.gap = "x" }},
		{"gap in the directory", FaultGap, func(a *archive) { a.directory = "x" }},
		{"gap after a descriptor", FaultGap, doc(func(m *made) { m.described(16); m.after = "x" })},
		{"two entries in one place", FaultOverlap, func(a *archive) { a.entries[5].at = 0; a.entries[5].local = a.entries[0].local }},
		{"larger than its place", FaultOverlap, doc(func(m *made) { m.both(func(f *fields) { f.packed++ }) })},
		{"into the directory", FaultOverlap, doc(func(m *made) { m.both(func(f *fields) { f.packed += 1 << 20 }) })},
		{"end record whose comment is the rest", FaultEnds, func(a *archive) {
			// A stored entry that ends with an end record, which takes what follows in the file for its comment.
			fake := make([]byte, endLen)
			le.PutUint32(fake, sigEnd)
			m := archived(t, []file{{"word/media/b.png", string(fake)}}).entries[0]
			m.data = fake
			m.both(func(f *fields) { f.method, f.packed = stored, endLen })
			a.entries = append(a.entries, m)
			rest := len(a.bytes()) - bytes.LastIndex(a.bytes()[:len(a.bytes())-endLen], []byte("PK\x05\x06")) - endLen
			le.PutUint16(fake[20:], uint16(rest))
			crc := crcOf(fake)
			m.both(func(f *fields) { f.crc = crc })
		}},
		{"fewer entries than counted", FaultCount, func(a *archive) { a.end = func(b []byte) { b[8]++; b[10]++ } }},
		{"more entries than counted", FaultCount, func(a *archive) { a.end = func(b []byte) { b[8]--; b[10]-- } }},
		{"counted otherwise here and in all", FaultCount, func(a *archive) { a.end = func(b []byte) { b[8]-- } }},
		{"volume", FaultDisk, func(a *archive) { a.end = func(b []byte) { b[4] = 1 } }},
		{"entry on another volume", FaultDisk, doc(func(m *made) { m.central.disk = 1 })},
		{"zip64 locator", FaultZip64, func(a *archive) { a.gap = "PK\x06\x07" + strings.Repeat("\x00", 16) }},
		{"zip64 extra in the directory", FaultZip64, doc(func(m *made) { m.central.extra = "\x01\x00\x00\x00" })},
		{"zip64 extra in the local header", FaultZip64, doc(func(m *made) { m.local.extra = "\x01\x00\x00\x00" })},

		// One entry.
		{"encrypted", FaultEncrypted, doc(func(m *made) { m.both(func(f *fields) { f.flags |= 1 }) })},
		{"encrypted with AES", FaultEncrypted + " " + FaultMethod, doc(func(m *made) {
			m.both(func(f *fields) { f.method, f.extra = 99, "\x01\x99\x00\x00" })
		})},
		{"method", FaultMethod, doc(func(m *made) { m.both(func(f *fields) { f.method = 9 }) })},
		{"flags", FaultFlags, doc(func(m *made) { m.both(func(f *fields) { f.flags |= 1 << 5 }) })},
		{"second name", FaultExtra, doc(func(m *made) { m.both(func(f *fields) { f.extra = "\x75\x70\x00\x00" }) })},
		{"extra cut off", FaultExtra, doc(func(m *made) { m.both(func(f *fields) { f.extra = "\x00\x00\x05\x00abc" }) })},
		{"no local header", FaultLocal, doc(func(m *made) { m.local.sig++ })},
		{"local header in the directory", FaultLocal, func(a *archive) { a.entries[5].at = len(a.bytes()) - 40 }},
		{"local name", FaultLocalName, doc(func(m *made) { m.local.name = "word/document.xmL" })},
		{"longer local name", FaultLocalName, doc(func(m *made) { m.local.name += "x" })},
		{"local flags", FaultLocalFlags, doc(func(m *made) { m.local.flags = flagUTF8 })},
		{"local method", FaultLocalMethod, doc(func(m *made) { m.local.method = stored })},
		{"local packed size", FaultLocalSize, doc(func(m *made) { m.local.packed++ })},
		{"local size", FaultLocalSize, doc(func(m *made) { m.local.size++ })},
		{"local size 0 without descriptor", FaultLocalSize, doc(func(m *made) { m.local.size, m.local.packed = 0, 0 })},
		{"local size with descriptor", FaultLocalSize, doc(func(m *made) { m.described(16); m.local.size = 1 })},
		{"local checksum", FaultLocalCRC, doc(func(m *made) { m.local.crc++ })},
		{"local checksum 0 without descriptor", FaultLocalCRC, doc(func(m *made) { m.local.crc = 0 })},
		{"no descriptor", FaultDescriptor, doc(func(m *made) { m.described(0) })},
		{"a descriptor that nobody announced", FaultGap, doc(func(m *made) { m.descriptor = 16 })},
		{"stored in two sizes", FaultSize, doc(func(m *made) { m.both(func(f *fields) { f.method = stored }) })},
		{"larger than deflate can be", FaultSize, doc(func(m *made) { m.both(func(f *fields) { f.size = 50 << 20 }) })},

		// Names.
		{"twice", FaultDuplicate, named(docEntry)},
		{"twice, in another case", FaultDuplicate, named("Word/Document.XML")},
		{"twice, percent-encoded", FaultDuplicate + " " + FaultName, named("word/%64ocument.xml")},
		{"twice, backslash", FaultDuplicate + " " + FaultPath, named(`word\document.xml`)},
		{"twice, in another case, not ASCII", FaultDuplicate, func(a *archive) {
			with(t, file{"word/É.xml", "<x/>"}, file{"word/é.xml", "<x/>"})(a)
			for _, m := range a.entries {
				m.both(func(f *fields) { f.flags |= flagUTF8 })
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
		{"no content types", FaultNoTypes, func(a *archive) { a.entries = a.entries[1:] }},
		{"content types in another case", FaultTypesXML, func(a *archive) {
			a.entries[0].both(func(f *fields) { f.name = "[content_types].xml" })
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
				a.entries = append(a.entries, archived(t, []file{{"word/a.bin", ""}}).entries[0])
			}
		}},
	}
}

func TestFaults(t *testing.T) {
	sound := archived(t, small())
	if f := open(t, sound.bytes()).Faults(); len(f) > 0 {
		t.Fatalf("the sound document: %v", f)
	}
	covered := map[string]bool{}
	for _, c := range faults(t) {
		t.Run(c.name, func(t *testing.T) {
			a := archived(t, small())
			c.make(a)
			p := open(t, a.bytes())
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
			for i, m := range a.entries {
				m.described(12 + 4*(i%2))
			}
		},
		"descriptor and sizes before": func(a *archive) {
			m := a.entry(docEntry)
			m.described(16)
			m.local.crc, m.local.packed, m.local.size = m.central.crc, m.central.packed, m.central.size
		},
		"extra fields": func(a *archive) { a.entry(docEntry).local.extra = "\x20\xa2\x02\x00ab" },
		"stored end record": func(a *archive) {
			inner := archived(t, small()).bytes()
			m := archived(t, []file{{"word/media/b.png", string(inner)}}).entries[0]
			m.data = inner
			m.both(func(f *fields) { f.method, f.packed = stored, uint32(len(inner)) })
			a.entries = append(a.entries, m)
		},
		"percent-encoded name": with(t, file{"word/%E5%9B%BE.xml", "<x/>"}),
		"beyond ASCII": func(a *archive) {
			with(t, file{"word/图.xml", "<x/>"})(a)
			a.entries[len(a.entries)-1].both(func(f *fields) { f.flags |= flagUTF8 })
		},
		"neighbours in name": with(t, file{"word/document.xml.x.xml", "<x/>"}, file{"word/document.xm.xml", "<x/>"}, file{"word/document/a.xml", "<x/>"}),
		"comments in XML":    with(t, file{"word/_rels/settings.xml.rels", relsHead + "<!-- c --><?p i?>\n</Relationships>"}),
	} {
		a := archived(t, small())
		change(a)
		b := a.bytes()
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
	p := open(t, a.bytes())
	for i, m := range a.entries {
		m.at = int(p.parts[i].e.start)
	}
	whole := a.bytes()[:p.dir.start]
	slices.Reverse(a.entries)
	b := append(whole, a.bytes()[p.dir.start:]...)
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
