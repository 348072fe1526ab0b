package wordscan

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
)

// Format is what a file is, by its bytes.
type Format int

const (
	Unknown   Format = iota
	Empty            // no byte
	Zip              // a zip, of which only Main can say more
	DOC              // Word 97-2003 and before
	WPS              // WPS Writer (Kingsoft), and Microsoft Works
	Encrypted        // an Office document with a password or under rights management
	XLS
	PPT
	MSG
	OLE // another compound file, or a damaged one
	PDF
	RTF
	HTML
	FlatOPC // a .docx as one XML file
	WordML  // WordprocessingML of Word 2003
	XML

	DOCX // from here on by Main
	DOTX
	DOCM
	DOTM
	Excel
	PowerPoint
	Visio
	XPS
	ODF
	OFD
	EPUB
)

var formatNames = map[Format]string{
	Unknown:    "no known document format",
	Empty:      "an empty file",
	Zip:        "a zip archive, but no document",
	DOC:        "a Word 97-2003 document (.doc)",
	WPS:        "a document in the binary format of WPS Writer or Works (.wps, .doc)",
	Encrypted:  "an encrypted Office document",
	XLS:        "an Excel 97-2003 workbook (.xls)",
	PPT:        "a PowerPoint 97-2003 presentation (.ppt)",
	MSG:        "an Outlook message (.msg)",
	OLE:        "an OLE compound file of another program, or a damaged one",
	PDF:        "a PDF",
	RTF:        "a document in rich text format (.rtf)",
	HTML:       "a web page",
	FlatOPC:    "a Word document as a single XML file (Flat OPC)",
	WordML:     "a Word 2003 document in XML",
	XML:        "an XML file",
	DOCX:       "a Word document (.docx)",
	DOTX:       "a Word template (.dotx)",
	DOCM:       "a Word document with macros (.docm)",
	DOTM:       "a Word template with macros (.dotm)",
	Excel:      "an Excel workbook",
	PowerPoint: "a PowerPoint presentation",
	Visio:      "a Visio drawing",
	XPS:        "an XPS document",
	ODF:        "an OpenDocument file (.odt and its kin)",
	OFD:        "an OFD document",
	EPUB:       "an electronic book (.epub)",
}

// String names a format in a sentence: "this is " + f.String().
func (f Format) String() string { return formatNames[f] }

// Other tells whether it is a zip file whose rules are not those of Office.
func (f Format) Other() bool { return f >= XPS }

// sniff is how much of a file's beginning is looked at.
const sniff = 4096

// Recognise says what a file is that need not be a package: the name of a file says nothing. The error is of reading alone.
func Recognise(src io.ReaderAt, size int64) (Format, error) {
	if size <= 0 {
		return Empty, nil
	}
	head := make([]byte, min(size, sniff))
	if err := readFull(src, head, 0); err != nil {
		return Unknown, err
	}
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.begins)) {
			if m.format == OLE {
				return recogniseOLE(src, size)
			}
			return m.format, nil
		}
	}
	if i := bytes.Index(head[:min(len(head), 1024)], []byte("%PDF-")); i >= 0 { // readers forgive what stands before it
		return PDF, nil
	}
	return recogniseText(plainText(head)), nil
}

var magics = []struct {
	begins string
	format Format
}{
	{oleMagic, OLE},
	{"PK\x03\x04", Zip},
	{"PK\x05\x06", Zip}, // an empty one
	{"PK\x07\x08", Zip}, // a part of a divided one
	{`{\rtf`, RTF},
	{"\xdb\xa5", DOC}, // Word 2
	{"\x9b\xa5", DOC}, // Word 1
}

// recogniseOLE tells compound files apart by what stands at the top of their directory; an embedded workbook stands deeper.
func recogniseOLE(src io.ReaderAt, size int64) (Format, error) {
	c, err := openCompound(src, size)
	switch {
	case errors.Is(err, errOLE), errors.Is(err, io.ErrUnexpectedEOF):
		return OLE, nil
	case err != nil:
		return OLE, err
	}
	has := func(name string) bool { _, ok := c.nodes[strings.ToUpper(name)]; return ok }
	works3 := [4]byte{0x02, 0x13, 0x02, 0x00} // {00021302-0000-0000-C000-000000000046}
	switch {
	case has("EncryptedPackage"), has("EncryptionInfo"), has("\x09DRMContent"):
		return Encrypted, nil
	case has("WpsCustomData"), has("$"): // WPS Writer of today; and up to 2003, which kept its text in that stream
		return WPS, nil
	case has("MN0"), [4]byte(c.root.class[:4]) == works3, c.begins("CONTENTS", "CHNKWKS"): // Works
		return WPS, nil
	case has("WordDocument"):
		return DOC, nil
	case has("Workbook"), has("Book"):
		return XLS, nil
	case has("PowerPoint Document"):
		return PPT, nil
	case has("__properties_version1.0"):
		return MSG, nil
	}
	return OLE, nil
}

// plainText makes UTF-8 of the beginning of a text, by its byte order mark, in lower case and without space before it.
func plainText(b []byte) string {
	s := string(b)
	if len(b) >= 2 && (b[0] == 0xff && b[1] == 0xfe || b[0] == 0xfe && b[1] == 0xff) {
		big := b[0] == 0xfe
		units := make([]uint16, 0, len(b)/2)
		for b = b[2:]; len(b) >= 2; b = b[2:] {
			if u := le16(b); big {
				units = append(units, u<<8|u>>8)
			} else {
				units = append(units, u)
			}
		}
		s = string(utf16.Decode(units))
	}
	return strings.ToLower(strings.TrimLeft(strings.TrimPrefix(s, "\xef\xbb\xbf"), " \t\r\n"))
}

func recogniseText(s string) Format {
	switch {
	case strings.HasPrefix(s, "<!doctype html"), strings.HasPrefix(s, "<html"), strings.HasPrefix(s, "mime-version:"):
		return HTML
	case !strings.HasPrefix(s, "<?xml") && !strings.HasPrefix(s, "<!--") && !isTag(s):
		return Unknown
	case strings.Contains(s, "http://schemas.microsoft.com/office/2006/xmlpackage"):
		return FlatOPC
	case strings.Contains(s, "http://schemas.microsoft.com/office/word/2003/wordml"):
		return WordML
	case strings.Contains(s, "<html"):
		return HTML
	}
	return XML
}

// isTag tells whether the text begins with a tag that declares a namespace, as XML without a declaration may.
func isTag(s string) bool {
	if len(s) < 2 || s[0] != '<' || s[1] < 'a' || s[1] > 'z' {
		return false
	}
	tag, _, ok := strings.Cut(s, ">")
	return ok && strings.Contains(tag, "xmlns")
}
