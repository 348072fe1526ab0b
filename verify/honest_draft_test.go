package verify

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/sign"
)

// A draft is a saving that is written by hand over a file: the objects that are there are taken as they stand, and words of them
// replaced.
type draft struct {
	t    *testing.T
	w    *world
	file []byte
	open *pdf.File
	pdftest.Revision
	next int
}

func newDraft(t *testing.T, w *world, file []byte, k pdftest.Kind) *draft {
	t.Helper()
	f, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return &draft{t: t, w: w, file: file, open: f, next: int(f.MaxObject()) + 1,
		Revision: pdftest.Revision{Kind: k, Objects: pdftest.Objects{}, Trailer: map[string]string{}}}
}

// body is what stands between obj and endobj; of a stream, only its dictionary.
func (d *draft) body(n int) string {
	d.t.Helper()
	if b, ok := d.Objects[n]; ok {
		return b
	}
	o, err := d.open.Load(pdf.Ref{Num: uint32(n)})
	if err != nil || len(o.Raw) == 0 {
		d.t.Fatalf("object %d is not there: %v", n, err)
	}
	return string(o.Raw)
}

// put defines an object.
func (d *draft) put(n int, format string, args ...any) {
	d.Objects[n] = fmt.Sprintf(format, args...)
}

// add defines a new object and refers to it.
func (d *draft) add(format string, args ...any) (ref string) {
	d.put(d.next, format, args...)
	d.next++
	return fmt.Sprintf("%d 0 R", d.next-1)
}

// data adds a stream.
func (d *draft) data(b []byte) (ref string) { return d.add("%s", pdftest.Flate("", string(b))) }

// with adds entries to a dictionary that has none of their keys.
func (d *draft) with(n int, entries string) {
	b := d.body(n)
	i := strings.LastIndex(b, ">>")
	d.Objects[n] = b[:i] + " " + entries + " " + b[i:]
}

// swap replaces words of an object, which must be there.
func (d *draft) swap(n int, from, to string) {
	d.t.Helper()
	b := d.body(n)
	if !strings.Contains(b, from) {
		d.t.Fatalf("object %d has no %q: %s", n, from, b)
	}
	d.Objects[n] = strings.Replace(b, from, to, 1)
}

// into appends to the array of a dictionary, which is made where there is none.
func (d *draft) into(n int, key, items string) {
	b := d.body(n)
	i := strings.Index(b, key+" [")
	if i < 0 {
		d.with(n, key+" ["+items+"]")
		return
	}
	i += strings.IndexByte(b[i:], ']')
	d.Objects[n] = b[:i] + " " + items + b[i:]
}

// save writes the saving, and begins the next.
func (d *draft) save() {
	d.t.Helper()
	*d = *newDraft(d.t, d.w, d.Append(d.file), d.Kind)
}

// sign writes the saving with a signature whose dictionary is num; Acrobat's way if entries are empty.
func (d *draft) sign(num int, entries string, value func([]byte) []byte) {
	d.t.Helper()
	if value == nil {
		value = d.cms
	}
	d.next = max(d.next, num+1)
	s := pdftest.Signing{Revision: d.Revision, Num: num, Entries: entries, Room: 6000, Value: value}
	*d = *newDraft(d.t, d.w, s.Append(d.t, d.file), d.Kind)
}

func (d *draft) cms(signed []byte) []byte {
	s := rawCMS{d.w.rsa, sign.SHA256, nil}
	v, err := s.Sign(context.Background(), &sign.Act{Time: noon, Content: sign.Sums{sign.SHA256: sign.SHA256.Sum(signed)}})
	if err != nil {
		d.t.Fatal(err)
	}
	return v[0].Bytes
}

// token is a time stamp over what is signed.
func (d *draft) token(signed []byte) []byte {
	b, err := tsa(noon.Add(time.Minute)).Timestamp(context.Background(), sign.SHA256, sign.SHA256.Sum(signed))
	if err != nil {
		d.t.Fatal(err)
	}
	return b
}

// stamp adds an invisible document time stamp, with the form's object in 5 and the first page in 3 as blank has them.
func (d *draft) stamp(name string) {
	d.t.Helper()
	sig := d.next
	d.next++
	field := d.add("<< /Type /Annot /Subtype /Widget /FT /Sig /T (%s) /V %d 0 R /P 3 0 R /Rect [0 0 0 0] /F 132 >>", name, sig)
	d.into(5, "/Fields", field)
	d.into(3, "/Annots", field)
	d.sign(sig, "/Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161", d.token)
}

// xmp is a packet of metadata.
func xmp(title string) string {
	return pdftest.Stream("/Type /Metadata /Subtype /XML", `<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">`+
		`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">`+
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">`+title+`</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`)
}
