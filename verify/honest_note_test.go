package verify

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/peertest"
	"github.com/courtseal/courtseal/internal/testpki"
)

// opensslCMS has OpenSSL make the value of a signature, by a key that the world's authority certifies.
func opensslCMS(t *testing.T, w *world) func([]byte) []byte {
	t.Helper()
	program := peertest.Need(t, "openssl")
	k, chain := w.rsaCA.IssueSigner(testpki.RSA, "OpenSSL", nil)
	pkcs8, err := gm.MarshalPKCS8(k)
	if err != nil {
		t.Fatal(err)
	}
	return func(signed []byte) []byte {
		dir := t.TempDir()
		name := func(n string) string { return filepath.Join(dir, n) }
		for n, b := range map[string][]byte{"key.der": pkcs8, "cert.der": chain[0], "data": signed} {
			if err := os.WriteFile(name(n), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := exec.Command(program, "x509", "-inform", "DER", "-in", name("cert.der"), "-out", name("cert.pem")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if text, err := exec.Command(program, "cms", "-sign", "-binary", "-cades", "-md", "sha256", "-outform", "DER", "-in", name("data"),
			"-signer", name("cert.pem"), "-keyform", "DER", "-inkey", name("key.der"), "-out", name("cms.der")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		b, err := os.ReadFile(name("cms.der"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// note adds an annotation to the first page.
func (d *draft) note(subtype, rect, entries string) (ref string) {
	ref = d.add("<< /Type /Annot /Subtype /%s /Rect [%s] /P 3 0 R /F 4 /NM (%d) /T (Clerk) /M (D:20260602080000Z) /CreationDate (D:20260602080000Z) %s >>", subtype, rect, d.next, entries)
	d.into(3, "/Annots", ref)
	return ref
}

// drawn is an appearance of an annotation.
func (d *draft) drawn(w, h int, content string) string {
	return "/AP << /N " + d.add("<< /Type /XObject /Subtype /Form /BBox [0 0 %d %d] /Resources << /Font << /Helv 6 0 R >> >> /Length %d >>\nstream\n%s\nendstream", w, h, len(content), content) + " >>"
}

func one(subtype, rect, entries string, w, h int, content string) func(*draft) {
	return func(d *draft) {
		look := ""
		if content != "" {
			look = d.drawn(w, h, content)
		}
		d.note(subtype, rect, entries+" "+look)
		d.save()
	}
}

const beside = "460 600 560 640" // where the page of blank is empty

// notingOver is for notes that hide letters.
var notingOver = codes{0: "later-covers", 3: "later-covers"}

// notedHands annotate: beside the text, and over it where it must be.
var notedHands = []hand{
	{name: "note: text", codes: notingCodes, do: one("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment /C [1 1 0]", 20, 20, "1 1 0 rg 0 0 20 20 re f")},
	{name: "note: text without appearance", codes: notingCodes, do: one("Text", "520 700 540 720", "/Contents (Please check) /Name /Note /Open false", 0, 0, "")},
	{name: "note: text with popup", codes: notingCodes, do: func(d *draft) {
		pop := d.next + 1
		note := d.note("Text", "520 700 540 720", fmt.Sprintf("/Contents (Please check) /Name /Comment /Popup %d 0 R", pop))
		d.put(d.next, "<< /Type /Annot /Subtype /Popup /Rect [400 500 580 620] /Parent %s /P 3 0 R /F 28 /Open false >>", note)
		d.into(3, "/Annots", fmt.Sprintf("%d 0 R", d.next))
		d.next++
		d.save()
	}},
	{name: "note: reply", codes: notingCodes, do: func(d *draft) {
		note := d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.note("Text", "520 700 540 720", "/Contents (Checked) /IRT "+note+" /RT /R")
		d.save()
	}},
	{name: "note: state", codes: notingCodes, do: func(d *draft) {
		note := d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.note("Text", "520 700 540 720", "/Contents (Accepted) /IRT "+note+" /StateModel /Review /State /Accepted")
		d.save()
	}},
	{name: "note: free text", codes: notingCodes, do: one("FreeText", beside, "/Contents (Received) /DA (/Helv 10 Tf 0 g)", 100, 40, "BT /Helv 10 Tf 5 15 Td (Received) Tj ET")},
	{name: "note: ink", codes: notingCodes, do: one("Ink", beside, "/InkList [[462 602 500 630 550 610]] /C [0 0 1] /BS << /W 2 >>", 100, 40, "0 0 1 RG 2 w 2 2 m 40 30 l 90 10 l S")},
	{name: "note: stamp", codes: notingCodes, do: one("Stamp", beside, "/Name /Approved", 100, 40, "1 0 0 RG 1 1 98 38 re S BT /Helv 12 Tf 10 15 Td (APPROVED) Tj ET")},
	{name: "note: square", codes: notingCodes, do: one("Square", beside, "/C [1 0 0] /BS << /W 1 >>", 100, 40, "1 0 0 RG 1 1 98 38 re S")},
	{name: "note: circle", codes: notingCodes, do: one("Circle", beside, "/C [1 0 0] /RD [1 1 1 1]", 100, 40, "1 0 0 RG 1 1 98 38 re S")},
	{name: "note: line", codes: notingCodes, do: one("Line", beside, "/L [462 602 550 630] /LE [/None /OpenArrow] /C [1 0 0]", 100, 40, "1 0 0 RG 2 2 m 90 30 l S")},
	{name: "note: polygon", codes: notingCodes, do: one("Polygon", beside, "/Vertices [462 602 550 630 550 602] /C [1 0 0]", 100, 40, "1 0 0 RG 2 2 m 90 30 l 90 2 l s")},
	{name: "note: polyline", codes: notingCodes, do: one("PolyLine", beside, "/Vertices [462 602 550 630 550 602] /C [1 0 0]", 100, 40, "1 0 0 RG 2 2 m 90 30 l 90 2 l S")},
	{name: "note: caret", codes: notingCodes, do: one("Caret", "520 700 530 712", "/Contents (and) /C [0 0 1]", 10, 12, "0 0 1 rg 0 0 m 5 12 l 10 0 l f")},
	{name: "note: on the second page", codes: notingCodes, do: func(d *draft) {
		d.with(4, "/Annots ["+d.add("<< /Type /Annot /Subtype /Text /Rect [520 700 540 720] /P 4 0 R /Contents (Here) >>")+"]")
		d.save()
	}},
	{name: "note: highlight", codes: notingOver, do: one("Highlight", "50 775 160 795", "/QuadPoints [50 795 160 795 50 775 160 775] /C [1 1 0]", 110, 20, "/G gs 1 1 0 rg 0 0 110 20 re f")},
	{name: "note: highlight through which the text is seen", codes: notingCodes, do: func(d *draft) { // as Acrobat draws it
		content := "/R0 gs 1 1 0 rg 0 0 110 20 re f"
		look := d.add("<< /Type /XObject /Subtype /Form /BBox [0 0 110 20] /Group << /S /Transparency >> /Resources << /ExtGState << /R0 << /Type /ExtGState /AIS false /BM /Multiply >> >> >> /Length %d >>\nstream\n%s\nendstream",
			len(content), content)
		d.note("Highlight", "50 775 160 795", "/QuadPoints [50 795 160 795 50 775 160 775] /C [1 1 0] /CA 1 /AP << /N "+look+" >>")
		d.save()
	}},
	{name: "note: underline", codes: notingCodes, do: one("Underline", "50 775 160 795", "/QuadPoints [50 795 160 795 50 775 160 775] /C [0 0 1]", 110, 20, "0 0 1 RG 0 2 m 110 2 l S")},
	{name: "note: highlight beside", codes: notingCodes, do: one("Highlight", beside, "/QuadPoints [460 640 560 640 460 600 560 600] /C [1 1 0]", 100, 40, "1 1 0 rg 0 0 100 40 re f")},
	{name: "note: changed", codes: notingCodes, do: func(d *draft) {
		n := d.next
		d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.swap(n, "Please check", "Checked")
		d.save()
	}},
	{name: "note: moved", codes: notingCodes, do: func(d *draft) {
		n := d.next
		d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.swap(n, "520 700 540 720", "520 740 540 760")
		d.save()
	}},
	{name: "note: taken away", codes: notingCodes, do: func(d *draft) {
		ref := d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.swap(3, " "+ref, "")
		d.save()
	}},
	{name: "note: taken away, and its number free", codes: notingCodes, do: func(d *draft) {
		n := d.next
		ref := d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.swap(3, " "+ref, "")
		d.Freed = map[int]int{n: 1}
		d.save()
	}},
	{name: "note: in rich text", codes: notingCodes, do: one("FreeText", beside, `/Contents (Received) /DA (/Helv 10 Tf 0 g) /Subj (Typewriter) /IT /FreeTextTypewriter /DS (font: Helvetica 10pt) /RC (<?xml version="1.0"?><body xmlns="http://www.w3.org/1999/xhtml"><p>Received</p></body>)`,
		100, 40, "BT /Helv 10 Tf 5 15 Td (Received) Tj ET")},
	{name: "note: a file", codes: notingCodes, do: func(d *draft) {
		file := d.add("%s", pdftest.Stream("/Type /EmbeddedFile /Subtype /text#2Fplain /Params << /Size 5 >>", "proof"))
		d.note("FileAttachment", "520 700 540 720", "/Name /PushPin /FS << /Type /Filespec /F (proof.txt) /UF (proof.txt) /EF << /F "+file+" >> >>")
		d.save()
	}},
	{name: "note: hidden", codes: notingCodes, do: func(d *draft) {
		n := d.next
		d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.swap(n, "/F 4", "/F 2")
		d.save()
	}},
	{name: "note: tagged", codes: notingCodes, mod: taggedForm, do: func(d *draft) {
		note := d.note("Text", "520 700 540 720", "/Contents (Please check) /StructParent 1")
		elem := d.add("<< /Type /StructElem /S /Annot /P 36 0 R /Pg 3 0 R /K << /Type /OBJR /Obj %s /Pg 3 0 R >> >>", note)
		d.swap(36, "/K [37 0 R", "/K [37 0 R "+elem)
		d.swap(34, "/Nums [0 [37 0 R]", "/Nums [0 [37 0 R] 1 "+elem)
		d.swap(33, "/ParentTreeNextKey 1", "/ParentTreeNextKey 2")
		d.save()
	}},
	{name: "note: then sign", codes: notingCodes, do: func(d *draft) {
		d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.save()
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
	}},
	{name: "note: and fill", codes: notingCodes, do: func(d *draft) {
		d.note("Text", "520 700 540 720", "/Contents (Please check) /Name /Comment")
		d.fill(10, "/V (Zhang San)", value("Zhang San"))
		d.save()
	}},
}
