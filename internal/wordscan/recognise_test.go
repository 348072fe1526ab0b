package wordscan

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// oleFile makes a compound file. A name with a slash stands in a storage of its own; the data of a stream follows "=".
func oleFile(shift int, class [4]byte, streams ...string) []byte {
	le := binary.LittleEndian
	sector := 1 << shift
	type node struct {
		name, data         string
		kind               byte
		left, right, child uint32
		start              uint32
	}
	const none = 0xffffffff
	nodes := []node{{name: "Root Entry", kind: 5, left: none, right: none, child: none}}
	add := func(under int, name, data string, kind byte) int {
		i := len(nodes)
		// Each is the right sibling of the one before it: no balanced tree, but a tree.
		nodes = append(nodes, node{name: name, data: data, kind: kind, left: none, right: nodes[under].child, child: none})
		nodes[under].child = uint32(i)
		return i
	}
	for _, s := range streams {
		name, data, _ := strings.Cut(s, "=")
		under := 0
		if storage, rest, ok := strings.Cut(name, "/"); ok {
			under, name = add(0, storage, "", 1), rest
		}
		add(under, name, data, 2)
	}
	// Sectors: the FAT, the directory, then the streams; all small ones in the root's.
	dirSectors := (len(nodes)*oleEntry + sector - 1) / sector
	var body, mini []byte
	var fat []uint32
	put := func(data []byte) uint32 {
		start := uint32(len(fat))
		n := max(1, (len(data)+sector-1)/sector)
		for i := range n {
			fat = append(fat, start+uint32(i)+1)
		}
		fat[len(fat)-1] = 0xfffffffe
		body = append(body, data...)
		body = append(body, make([]byte, n*sector-len(data))...)
		return start
	}
	fatSectors := (dirSectors + 200) / (sector / 4) * 2
	fatSectors = max(1, fatSectors)
	put(make([]byte, fatSectors*sector))
	dirStart := put(make([]byte, dirSectors*sector))
	for i, n := range nodes {
		switch {
		case n.kind != 2:
		case len(n.data) >= miniCutoff:
			nodes[i].start = put([]byte(n.data))
		default:
			nodes[i].start = uint32(len(mini) / miniSector)
			mini = append(mini, n.data...)
			mini = append(mini, make([]byte, (miniSector-len(n.data)%miniSector)%miniSector)...)
		}
	}
	nodes[0].start, nodes[0].data = put(mini), string(mini)
	dir := body[int(dirStart)*sector:]
	for i, n := range nodes {
		b := dir[i*oleEntry:]
		for j, u := range utf16.Encode([]rune(n.name)) {
			le.PutUint16(b[2*j:], u)
		}
		le.PutUint16(b[64:], uint16(2*len(utf16.Encode([]rune(n.name)))+2))
		b[66] = n.kind
		le.PutUint32(b[68:], n.left)
		le.PutUint32(b[72:], n.right)
		le.PutUint32(b[76:], n.child)
		le.PutUint32(b[116:], n.start)
		le.PutUint32(b[120:], uint32(len(n.data)))
	}
	copy(dir[80:], class[:])
	for i := range fatSectors * sector / 4 {
		next := uint32(none)
		if i < len(fat) {
			next = fat[i]
		}
		if i < fatSectors {
			next = 0xfffffffd
		}
		le.PutUint32(body[4*i:], next)
	}
	head := make([]byte, sector)
	copy(head, oleMagic)
	le.PutUint16(head[24:], 0x3e)
	le.PutUint16(head[26:], map[int]uint16{9: 3, 12: 4}[shift])
	le.PutUint16(head[28:], 0xfffe)
	le.PutUint16(head[30:], uint16(shift))
	le.PutUint16(head[32:], 6)
	le.PutUint32(head[44:], uint32(fatSectors))
	le.PutUint32(head[48:], dirStart)
	le.PutUint32(head[56:], miniCutoff)
	le.PutUint32(head[60:], 0xfffffffe)
	le.PutUint32(head[68:], 0xfffffffe)
	for i := range oleListed {
		at := uint32(none)
		if i < fatSectors {
			at = uint32(i)
		}
		le.PutUint32(head[76+4*i:], at)
	}
	return append(head, body...)
}

func utf16File(s string) []byte {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func TestRecognise(t *testing.T) {
	var none [4]byte
	many := []string{}
	for i := range 3000 {
		many = append(many, "ObjectPool"+string(rune('a'+i%26))+string(rune('0'+i/26%10))+string(rune('0'+i/260))+"/Workbook=x")
	}
	for name, tt := range map[string]struct {
		file []byte
		want Format
	}{
		"empty":                       {nil, Empty},
		"Word 97":                     {oleFile(9, none, "WordDocument=\xec\xa5", "1Table=x", "\x05SummaryInformation="), DOC},
		"Word 97, sectors of 4096":    {oleFile(12, none, "WordDocument=\xec\xa5", "1Table=x"), DOC},
		"a workbook embedded in Word": {oleFile(9, none, "ObjectPool/Workbook=x", "WordDocument=\xec\xa5"), DOC},
		"thousands of objects":        {oleFile(9, none, append(many, "WordDocument=")...), DOC},
		"Word 2":                      {[]byte("\xdb\xa5\x2d\x00"), DOC},
		"WPS Writer":                  {oleFile(9, none, "WordDocument=\xec\xa5", "0Table=", "WpsCustomData=1"), WPS},
		"WPS 2000":                    {oleFile(9, none, "$=\x01\x02Copyright"), WPS},
		"Works 3":                     {oleFile(9, [4]byte{2, 0x13, 2, 0}, "MN0=x"), WPS},
		"Works 8":                     {oleFile(9, none, "CONTENTS=CHNKWKS ..."), WPS},
		"Works 8, long":               {oleFile(9, none, "a="+strings.Repeat("y", 600), "CONTENTS=CHNKWKS "+strings.Repeat("x", 5000)), WPS},
		"Works 8, last of the short":  {oleFile(9, none, "CONTENTS=CHNKWKS ...", "a="+strings.Repeat("y", 600)), WPS},
		"not Works":                   {oleFile(9, none, "CONTENTS=CHNKINK ..."), OLE},
		"encrypted":                   {oleFile(9, none, "EncryptionInfo=x", "EncryptedPackage=y", "\x06DataSpaces/Version="), Encrypted},
		"rights management":           {oleFile(9, none, "\x09DRMContent=x", "WordDocument="), Encrypted},
		"Excel 97":                    {oleFile(9, none, "Workbook=x"), XLS},
		"PowerPoint 97":               {oleFile(9, none, "PowerPoint Document=x", "Current User="), PPT},
		"message":                     {oleFile(9, none, "__properties_version1.0=x", "__nameid_version1.0/x="), MSG},
		"a name in lower case":        {oleFile(9, none, "worddocument=x"), DOC},
		"another":                     {oleFile(9, none, "x=y"), OLE},
		"the first bytes alone":       {[]byte(oleMagic), OLE},
		"PDF":                         {[]byte("%PDF-1.7\n"), PDF},
		"PDF after junk":              {[]byte("junk\n%PDF-1.7\n"), PDF},
		"RTF":                         {[]byte(`{\rtf1\ansi}`), RTF},
		"HTML":                        {[]byte("\xef\xbb\xbf <!DOCTYPE html><html>"), HTML},
		"web archive":                 {[]byte("MIME-Version: 1.0\r\n"), HTML},
		"XHTML":                       {[]byte("<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>"), HTML},
		"Flat OPC": {[]byte(`<?xml version="1.0"?><?mso-application progid="Word.Document"?>` +
			`<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">`), FlatOPC},
		"Flat OPC, UTF-16": {utf16File(`<pkg:package xmlns:pkg="http://schemas.microsoft.com/office/2006/xmlPackage">`), FlatOPC},
		"Word 2003": {[]byte(`<?xml version="1.0"?><w:wordDocument xmlns:w="http://schemas.microsoft.com/office/word/2003/wordml">`),
			WordML},
		"XML":    {[]byte(`<?xml version="1.0"?><a/>`), XML},
		"text":   {[]byte("民事判决书"), Unknown},
		"a mark": {[]byte("<"), Unknown},
		"zip":    {[]byte("PK\x03\x04"), Zip},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Recognise(bytes.NewReader(tt.file), int64(len(tt.file)))
			if err != nil || got != tt.want {
				t.Errorf("%v (%v), want %v", got, err, tt.want)
			}
		})
	}
}

// The objects inside real documents were written by Word and Excel.
func TestRecogniseRealCompoundFiles(t *testing.T) {
	seen := map[Format]int{}
	for _, name := range shared(t, "vectors/docx/*.docx") {
		z, err := zip.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		for _, f := range z.File {
			if !strings.Contains(f.Name, "embeddings/") {
				continue
			}
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			b, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Recognise(bytes.NewReader(b), int64(len(b)))
			want := map[string]Format{".doc": DOC, ".xls": XLS, ".xlsx": Zip, ".bin": OLE}[filepath.Ext(f.Name)]
			if err != nil || got != want {
				t.Errorf("%s %s: %v (%v), want %v", filepath.Base(name), f.Name, got, err, want)
			}
			seen[got]++
		}
	}
	if seen[DOC] < 2 || seen[XLS] < 2 {
		t.Errorf("saw only %v", seen)
	}
}

func TestFormatsHaveNames(t *testing.T) {
	for f := Unknown; f <= EPUB; f++ {
		if f.String() == "" {
			t.Errorf("format %d has no name", f)
		}
	}
}

// shared gives files that are shared with the project, and skips where there are none.
func shared(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("../../../shared", pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(names) == 0 {
		t.Skipf("no %s", pattern)
	}
	return names
}

func FuzzRecognise(f *testing.F) {
	for _, shift := range []int{9, 12} {
		f.Add(oleFile(shift, [4]byte{}, "WordDocument=x", "1Table=", "ObjectPool/Workbook=x", "CONTENTS=CHNKWKS"))
		f.Add(oleFile(shift, [4]byte{}, "CONTENTS=CHNKWKS"+strings.Repeat("x", 5000)))
	}
	f.Add(utf16File("<html xmlns="))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Recognise(bytes.NewReader(b), int64(len(b)))
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("an error of reading, from memory: %v", err)
		}
		if got.String() == "" {
			t.Errorf("format %d", got)
		}
	})
}
