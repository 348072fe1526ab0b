package verify

import (
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// codes are what pdf-later has for the seal that was there, by how it certifies; 0: it does not. Where a level is not named, the saving
// is not honest.
type codes map[int]string

var (
	provingCodes   = codes{0: "later-signatures", 1: "later-signatures", 2: "later-signatures", 3: "later-signatures"}
	signingCodes   = codes{0: "later-signatures", 2: "later-signatures", 3: "later-signatures"}
	fillingCodes   = codes{0: "later-allowed", 2: "later-allowed", 3: "later-allowed"}
	refillingCodes = codes{0: "later-overwritten", 2: "later-allowed", 3: "later-allowed"}
	extendingCodes = codes{0: "later-allowed", 1: "later-allowed", 2: "later-allowed", 3: "later-allowed"}
	overCodes      = codes{0: "later-covers", 2: "later-covers", 3: "later-covers"}
	notingCodes    = codes{0: "later-annotated", 3: "later-allowed"}
)

// A hand is a saving as some program writes it, over blank, sealed.
type hand struct {
	name  string
	codes codes
	do    func(*draft)
	mod   map[int]string // of blank
}

// honestHands writes by hand what Acrobat, iText, PDFBox, pyHanko and others are known to write, into files of three kinds.
func honestHands(t *testing.T, h *evolutions) {
	seal := h.w.stamp(t, sign.Dual, noon)
	sealed := map[string][]byte{}
	all := [][]hand{archivedHands(h.w, t), signedHands, filledHands, formHands, notedHands, plainHands}
	n := 0
	for _, hands := range all {
		for _, x := range hands {
			for level := range 4 {
				code, ok := x.codes[level]
				if !ok {
					continue
				}
				n++
				k := pdftest.Kinds[n%3]
				id := fmt.Sprint(k, level, x.mod)
				if sealed[id] == nil {
					o := pdfx.Options{Certify: level, At: []pdfx.At{{Page: 1, X: 60, Y: 250}}}
					sealed[id] = sealFile(t, informed(k, blank(x.mod)), seal, o)
				}
				d := newDraft(t, h.w, sealed[id], k)
				x.do(d)
				h.check(t, evolution{name: fmt.Sprintf("%s, P %d, %s", x.name, level, k), before: sealed[id], after: d.file, code: code})
			}
		}
	}
}

// archive adds to the document security store what an archive needs; of names, one for each validated signature.
func archivedHands(w *world, t *testing.T) []hand {
	cert, crl := w.rsaCA.Cert.Raw, crlOf(t, w.rsaCA, w.rsa, noon, noon.AddDate(0, 3, 0), time.Time{}, 0)
	response := ocsp(t, w.rsaCA, nil, w.rsaCA.Cert, 0, noon, noon)
	vri := func(s string) string { return fmt.Sprintf("%X", sha1.Sum([]byte(s))) }
	plain := func(d *draft) { // as pyHanko writes it: all in objects of their own
		d.with(1, "/DSS "+d.add("<< /VRI %s /Certs %s /OCSPs %s /CRLs %s >>",
			d.add("<< /%s %s >>", vri("1"), d.add("<< /Cert [%s] >>", d.data(w.rsa.Chain()[0]))),
			d.add("[%s %s]", d.data(cert), d.data(w.rsa.Chain()[0])), d.add("[%s]", d.data(response)), d.add("[%s]", d.data(crl))))
	}
	direct := func(d *draft) { // as iText and DSS write it: arrays in the dictionary
		c, o, l := d.data(cert), d.data(response), d.data(crl)
		d.with(1, "/DSS "+d.add("<< /Type /DSS /Certs [%[1]s] /OCSPs [%[2]s] /CRLs [%[3]s] /VRI << /%[4]s << /Type /VRI /Cert [%[1]s] /OCSP [%[2]s] /CRL [%[3]s] /TU (D:20260601120000Z) >> >> >>",
			c, o, l, vri("1")))
	}
	more := func(d *draft) {
		n := 0
		fmt.Sscan(d.body(1)[strings.Index(d.body(1), "/DSS ")+5:], &n)
		b := d.body(n)
		if strings.Contains(b, "/Certs [") {
			d.into(n, "/Certs", d.data(w.sm2CA.Cert.Raw))
			d.swap(n, "/VRI <<", "/VRI << /"+vri("2")+" << /Cert ["+d.data(w.sm2.Chain()[0])+"] >>")
			return
		}
		fmt.Sscan(b[strings.Index(b, "/Certs ")+7:], &n)
		d.swap(n, "]", " "+d.data(w.sm2CA.Cert.Raw)+"]")
		fmt.Sscan(b[strings.Index(b, "/VRI ")+5:], &n)
		d.with(n, "/"+vri("2")+" "+d.add("<< /Cert [%s] >>", d.data(w.sm2.Chain()[0])))
	}
	esic := func(d *draft) { d.with(1, "/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> >>") }
	one := func(name string, do ...func(*draft)) hand {
		codes := provingCodes
		if strings.Contains(name, "extension") {
			codes = extendingCodes
		}
		return hand{name: "archive: " + name, codes: codes, do: func(d *draft) {
			for _, f := range do {
				f(d)
			}
		}}
	}
	save, stamp := (*draft).save, func(name string) func(*draft) { return func(d *draft) { d.stamp(name) } }
	return []hand{
		one("its own objects", plain, save),
		one("direct arrays", direct, save),
		one("with the extension of ETSI", direct, esic, save),
		one("with two extensions and a version", plain, func(d *draft) {
			d.with(1, "/Extensions << /ESIC << /BaseVersion /1.7 /ExtensionLevel 5 >> /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >> /Version /1.7")
		}, save),
		one("a stamp alone", stamp("Stamp1")),
		one("stamped", plain, save, stamp("Stamp1")),
		one("in one saving with the stamp and the extension", direct, esic, stamp("Stamp1")),
		one("twice, with the extension", plain, esic, save, stamp("Stamp1"), more, save, stamp("Stamp2")),
		one("twice, direct", direct, save, stamp("Stamp1"), more, save, stamp("Stamp2")),
		one("three times", plain, stamp("Stamp1"), more, stamp("Stamp2"), save, stamp("Stamp3")),
		one("less than before", plain, save, func(d *draft) { // certificates that are of no use any more may go
			n := 0
			fmt.Sscan(d.body(1)[strings.Index(d.body(1), "/DSS ")+5:], &n)
			d.put(n, "<< /Certs [%s] >>", d.data(cert))
		}, save),
		one("another one", plain, save, func(d *draft) {
			b := d.body(1)
			i := strings.Index(b, "/DSS ")
			j := i + strings.Index(b[i:], " R") + 2
			d.put(1, "%s", b[:i]+"/DSS "+d.add("<< /Certs [%s] /CRLs [%s] >>", d.data(cert), d.data(crl))+b[j:])
		}, save),
		one("only certificates", func(d *draft) { d.with(1, "/DSS << /Certs ["+d.data(cert)+"] >>") }, save),
		one("with a stamp of the moment", func(d *draft) {
			d.with(1, "/DSS << /VRI << /"+vri("1")+" << /TS "+d.data(d.token(nil))+" /CRL ["+d.data(crl)+"] >> >> /CRLs ["+d.data(crl)+"] >>")
		}, save),
	}
}

// field adds a signature field with entries, of which sig and the page are known, and gives the number of its dictionary to be.
func (d *draft) field(name, entries string) (sig int) {
	sig = d.next
	d.next++
	f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %d 0 R /P 3 0 R /F 132 %s >>", name, sig, entries)
	d.into(5, "/Fields", f)
	d.into(3, "/Annots", f)
	return sig
}

// acrobatLook is an appearance in layers, as Acrobat draws it.
func (d *draft) acrobatLook() string {
	n0 := d.add("%s", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 100 100] /Resources << /ProcSet [/PDF] >>", "% DSBlank"))
	n2 := d.add("%s", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 150 60] /Resources << /Font << /T1_0 6 0 R >> >>", "BT /T1_0 9 Tf 5 30 Td (Digitally signed by the clerk) Tj ET"))
	frm := d.add("%s", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 150 60] /Resources << /XObject << /n0 "+n0+" /n2 "+n2+" >> >>", "q 1 0 0 1 0 0 cm /n0 Do Q q 1 0 0 1 0 0 cm /n2 Do Q"))
	return "/AP << /N " + d.add("%s", pdftest.Stream("/Type /XObject /Subtype /Form /BBox [0 0 150 60] /Resources << /XObject << /FRM "+frm+" >> >>", "q 1 0 0 1 0 0 cm /FRM Do Q")) + " >>"
}

const propBuild = "/Prop_Build << /Filter << /Name /Adobe.PPKLite /R 131104 >> /App << /Name /Exchange-Pro /OS [/Win] >> >>"

// signedHands are signatures of other software.
var signedHands = []hand{
	{name: "sign: unseen", codes: signingCodes, do: func(d *draft) { d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil) }},
	{name: "sign: beside the text", codes: signingCodes, do: func(d *draft) {
		d.sign(d.field("Signature1", "/Rect [400 20 550 80] /MK << >> "+d.acrobatLook()), pdftest.Dated+" "+propBuild, nil)
	}},
	{name: "sign: over letters", codes: overCodes, do: func(d *draft) {
		d.sign(d.field("Signature1", "/Rect [40 760 190 820] "+d.acrobatLook()), "", nil)
	}},
	{name: "sign: the waiting field", codes: signingCodes, do: func(d *draft) {
		sig := d.next
		d.next++
		d.swap(24, "/F 4", "/F 132")
		d.with(24, fmt.Sprintf("/V %d 0 R /MK << >> ", sig)+d.acrobatLook())
		d.sign(sig, pdftest.Dated+" "+propBuild, nil)
	}},
	{name: "sign: the field and its neighbours", codes: fillingCodes, do: func(d *draft) { // filled and signed in one saving
		d.with(10, "/V (Zhang) /AP << /N "+d.add("%s", value("Zhang"))+" >>")
		sig := d.next
		d.next++
		d.with(24, fmt.Sprintf("/V %d 0 R ", sig)+d.acrobatLook())
		d.sign(sig, "", nil)
	}},
	{name: "sign: an empty field first", codes: signingCodes, do: func(d *draft) {
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Later) /P 3 0 R /F 4 /Rect [400 20 550 80] >>")
		d.into(5, "/Fields", f)
		d.into(3, "/Annots", f)
		d.save()
		n := 0
		fmt.Sscan(f, &n)
		sig := d.next
		d.next++
		d.with(n, fmt.Sprintf("/V %d 0 R ", sig)+d.acrobatLook())
		d.sign(sig, "", nil)
	}},
	{name: "sign: locks fields, which become read-only", codes: signingCodes, do: func(d *draft) {
		lock := d.add("<< /Type /SigFieldLock /Action /Include /Fields [(Name) (Case)] >>")
		d.with(10, "/Ff 1")
		d.with(26, "/Ff 1")
		d.sign(d.field("Signature1", "/Rect [0 0 0 0] /Lock "+lock), pdftest.Dated+" /Reference [<< /Type /SigRef /TransformMethod /FieldMDP /Data 1 0 R /TransformParams "+
			d.add("<< /Type /TransformParams /Action /Include /Fields [(Name) (Case)] /V /1.2 >>")+" >>]", nil)
	}},
	{name: "sign: field with a kid", codes: signingCodes, do: func(d *draft) { // as pyHanko may: field and widget apart
		sig := d.next
		d.next += 2
		kid := d.add("<< /Type /Annot /Subtype /Widget /Parent %d 0 R /P 3 0 R /F 132 /Rect [400 20 550 80] %s >>", sig+1, d.acrobatLook())
		d.put(sig+1, "<< /FT /Sig /T (Apart) /V %d 0 R /Kids [%s] >>", sig, kid)
		d.into(5, "/Fields", fmt.Sprintf("%d 0 R", sig+1))
		d.into(3, "/Annots", kid)
		d.sign(sig, "", nil)
	}},
	{name: "sign: below a node of its own", codes: signingCodes, do: func(d *draft) {
		sig := d.next
		d.next += 2
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Clerk2) /Parent %d 0 R /V %d 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>", sig+1, sig)
		d.put(sig+1, "<< /T (Signatures) /Kids [%s] >>", f)
		d.into(5, "/Fields", fmt.Sprintf("%d 0 R", sig+1))
		d.into(3, "/Annots", f)
		d.sign(sig, "", nil)
	}},
	{name: "sign: below a node that was there", codes: signingCodes, do: func(d *draft) {
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /Parent 20 0 R /V %d 0 R /P 3 0 R /F 132 /Rect [0 0 0 0] >>", sig)
		d.into(20, "/Kids", f)
		d.into(3, "/Annots", f)
		d.sign(sig, "", nil)
	}},
	{name: "sign: packed", codes: signingCodes, do: func(d *draft) {
		sig := d.field("Signature1", "/Rect [0 0 0 0]")
		d.Packed = []int{3, 5, d.next - 1}
		d.sign(sig, "", nil)
	}},
	{name: "sign: into lists of their own", codes: signingCodes, mod: listed, do: func(d *draft) {
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V %d 0 R /P 3 0 R /F 132 /Rect [400 20 550 80] %s >>", sig, d.acrobatLook())
		d.swap(28, "]", " "+f+"]")
		d.swap(29, "]", " "+f+"]")
		d.sign(sig, "", nil)
	}},
	{name: "sign: into a form in the catalog", codes: signingCodes, mod: formless(5), do: func(d *draft) {
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V %d 0 R /P 3 0 R /F 132 /Rect [400 20 550 80] %s >>", sig, d.acrobatLook())
		d.into(1, "/Fields", f)
		d.into(3, "/Annots", f)
		d.sign(sig, "", nil)
	}},
	{name: "sign: with a date and a title", codes: fillingCodes, do: func(d *draft) {
		d.swap(27, "(Claim)", "(Statement of claim) /ModDate (D:20260602080000Z)")
		d.with(1, "/Metadata "+d.add("%s", xmp("Statement of claim")))
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
	}},
	{name: "sign: twice", codes: signingCodes, do: func(d *draft) {
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", nil)
		d.sign(d.field("Signature2", "/Rect [400 20 550 80] "+d.acrobatLook()), "", nil)
	}},
	{name: "sign: by OpenSSL", codes: signingCodes, do: func(d *draft) {
		d.sign(d.field("Signature1", "/Rect [0 0 0 0]"), "", opensslCMS(d.t, d.w))
	}},
	{name: "sign: on the second page", codes: signingCodes, do: func(d *draft) {
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (There) /V %d 0 R /P 4 0 R /F 132 /Rect [400 20 550 80] %s >>", sig, d.acrobatLook())
		d.into(5, "/Fields", f)
		d.with(4, "/Annots ["+f+"]")
		d.sign(sig, "", nil)
	}},
	{name: "sign: a list of its own for the page", codes: signingCodes, do: func(d *draft) {
		sig := d.next
		d.next++
		f := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (There) /V %d 0 R /P 4 0 R /F 132 /Rect [400 20 550 80] %s >>", sig, d.acrobatLook())
		d.into(5, "/Fields", f)
		d.with(4, "/Annots "+d.add("[%s]", f)+" /Tabs /S")
		d.sign(sig, "", nil)
	}},
}

// listed has objects of their own for the list of fields and for the first page's annotations.
var listed = map[int]string{
	3:  "<< /Type /Page /Parent 2 0 R /Contents 8 0 R /Annots 29 0 R >>",
	5:  "<< /Fields 28 0 R /DA (/Helv 0 Tf 0 g) /DR << /Font << /Helv 6 0 R /ZaDb 7 0 R >> >> >>",
	28: "[10 0 R 11 0 R 12 0 R 13 0 R 14 0 R 18 0 R 19 0 R 20 0 R 24 0 R 25 0 R 26 0 R]",
	29: "[10 0 R 11 0 R 12 0 R 13 0 R 15 0 R 16 0 R 17 0 R 18 0 R 19 0 R 22 0 R 23 0 R 24 0 R 25 0 R 26 0 R]",
}

// plainHands change nothing that anybody sees.
var plainHands = []hand{
	{name: "plain: an empty saving", codes: provingCodes, do: (*draft).save},
	{name: "plain: an object again as it was", codes: provingCodes, do: func(d *draft) { d.put(28, "<</Unused   true>>"); d.save() }},
	{name: "plain: pages again as they were", codes: provingCodes, do: func(d *draft) { d.put(3, "%s", d.body(3)); d.put(2, "%s ", d.body(2)); d.save() }},
	{name: "plain: an object that nothing reaches", codes: signingCodes, do: func(d *draft) { d.add("<< /Left /Over >>"); d.save() }},
	{name: "plain: information", codes: fillingCodes, do: func(d *draft) { d.swap(27, "(Claim)", "(Statement of claim) /ModDate (D:20260602080000Z)"); d.save() }},
	{name: "plain: information anew", codes: fillingCodes, do: func(d *draft) { d.Trailer["Info"] = d.add("<< /ModDate (D:20260602080000Z) >>"); d.save() }},
	{name: "plain: metadata", codes: fillingCodes, do: func(d *draft) { d.with(1, "/Metadata "+d.add("%s", xmp("Claim"))); d.save() }},
	{name: "plain: metadata in place", codes: fillingCodes, mod: described, do: func(d *draft) { d.put(28, "%s", xmp("Another")); d.save() }},
	{name: "plain: metadata anew", codes: fillingCodes, mod: described, do: func(d *draft) { d.swap(1, "28 0 R", d.add("%s", xmp("Another"))); d.save() }},
	{name: "plain: a version", codes: fillingCodes, do: func(d *draft) { d.with(1, "/Version /1.7"); d.save() }},
	{name: "plain: an extension", codes: fillingCodes, do: func(d *draft) {
		d.with(1, "/Extensions << /ADBE << /BaseVersion /1.7 /ExtensionLevel 3 >> >>")
		d.save()
	}},
}

var (
	described = map[int]string{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 5 0 R /Metadata 28 0 R >>", 28: xmp("Claim")}
)
