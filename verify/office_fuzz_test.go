package verify

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
)

// contents are the parts of a zip file by name, without those that a native signature leaves out; nil: it cannot be read.
func contents(file []byte, properties bool) map[string]string {
	r, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for _, f := range r.File {
		for _, p := range []string{"[Content_Types].xml", "_seals/", "_xmlsignatures/", "docProps/"} {
			if strings.HasPrefix(f.Name, p) && (properties || p != "docProps/") {
				out[f.Name] = ""
			}
		}
		if _, ok := out[f.Name]; ok {
			continue
		}
		src, err := f.Open()
		if err != nil {
			return nil
		}
		b, err := io.ReadAll(io.LimitReader(src, 1<<20))
		if err != nil {
			return nil
		}
		out[f.Name] = string(b)
	}
	// Ids of the relationships that lead to what is not signed are not signed either.
	var signed []string
	for x := range strings.SplitSeq(out["_rels/.rels"], "<Relationship ") {
		if !strings.Contains(x, opcsig.RelOrigin) && !strings.Contains(x, opcsig.RelSealOrigin) && !(properties && strings.Contains(x, "properties")) {
			signed = append(signed, x)
		}
	}
	out["_rels/.rels"] = strings.Join(signed, "")
	return out
}

// FuzzOffice verifies anything as an Office document, and sealed ones in which some bytes were changed, of the zip file or of a part: no
// panic, and what stays valid says what it said.
func FuzzOffice(f *testing.F) {
	w := theWorld()
	recorded, log := ledgerWorld(f, sm3Log)
	var goods [][]byte
	for i := range 2 * len(formats) {
		format := formats[i%len(formats)]
		signer := w.officeSigner(f, format)
		if i >= len(formats) {
			signer = audit.Record(scribe{log: log, seal: recorded.seal, now: noon}, recorded.officeSigner(f, format))
		}
		file := sealDocx(f, docx(f), signer, officex.Options{})
		goods = append(goods, file)
		f.Add(file, uint8(len(goods)), uint8(0), uint32(20), uint8(1))
		f.Add(file[:len(file)/2], uint8(0), uint8(3), uint32(0), uint8(0))
		f.Add(officeSign(f, file, w.stamp(f, sign.SES, noon), officeAct{}), uint8(0), uint8(7), uint32(700), uint8(255))
	}
	f.Add(xlsx(f), uint8(0), uint8(1), uint32(1), uint8(1))
	f.Add(pptx(f), uint8(0), uint8(2), uint32(2), uint8(2))
	o := Options{Roots: w.roots, At: noon, Sealings: nothingWithdrawn{}, Limits: Limits{Objects: 20000}}
	f.Fuzz(func(t *testing.T, b []byte, which, part uint8, at uint32, mask uint8) {
		stuck := time.AfterFunc(5*time.Second, func() { panic("stuck") })
		defer stuck.Stop()
		if r, err := Document(context.Background(), bytes.NewReader(b), int64(len(b)), o); err == nil {
			_ = r.String()
		}
		good := goods[int(which)%len(goods)]
		properties := int(which)%len(goods)%len(formats) == 1 // CMS alone
		if mask == 0 {
			return
		}
		bad := changed(good, int(at)%len(good), mask)
		if part > 0 { // in what a part says
			r, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
			if err != nil {
				t.Fatal(err)
			}
			entry := r.File[int(part)%len(r.File)]
			if entry.UncompressedSize64 == 0 {
				return
			}
			old := contentOf(t, good, entry.Name)
			bad = rewritten(t, good, entry.Name, string(changed([]byte(old), int(at)%len(old), mask)))
		}
		saysTheSame(t, good, bad, properties, o)
	})
}

// saysTheSame verifies a file that came of a good one: where it is valid, its parts are those of the good one. properties: but for these.
func saysTheSame(t *testing.T, good, bad []byte, properties bool, o Options) {
	t.Helper()
	r, err := Document(context.Background(), bytes.NewReader(bad), int64(len(bad)), o)
	if err != nil || r.Verdict != Valid {
		return
	}
	was, is := contents(good, properties), contents(bad, properties)
	if len(was) != len(is) {
		t.Errorf("other parts, and valid\n%s", r)
	}
	for name, text := range was {
		if is[name] != text {
			t.Errorf("%s was changed, and is valid\n%s\n%s\n%s", name, text, is[name], r)
		}
	}
}

// One byte after another: of the zip file, and of each part.
func TestOfficeBytes(t *testing.T) {
	w := theWorld()
	o := Options{Roots: w.roots, At: noon}
	for k, f := range formats {
		good := sealDocx(t, docx(t), w.officeSigner(t, f), officex.Options{})
		for i := k; i < len(good); i += 41 {
			saysTheSame(t, good, changed(good, i, 1<<(i%8)), f == sign.CMS, o)
		}
		r, err := zip.NewReader(bytes.NewReader(good), int64(len(good)))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range r.File {
			old := []byte(contentOf(t, good, e.Name))
			for i := k; i < len(old); i += max(1, len(old)/12) {
				saysTheSame(t, good, rewritten(t, good, e.Name, string(changed(old, i, 1<<(i%7)))), f == sign.CMS, o)
			}
		}
	}
}

// Packages made to cost much end soon and in little memory, whatever they say. The bounds here are wide; the real ones (a second, 64 MB)
// are for a machine that does nothing else.
func TestHostileOffice(t *testing.T) {
	w := theWorld()
	signed := officeSign(t, docx(t), w.stamp(t, sign.Dual, noon), officeAct{})
	sig := contentOf(t, signed, sigName)
	dense := func(n int, element string) string {
		return strings.Replace(sig, "</Signature>", `<Object>`+strings.Repeat(element, n)+`</Object></Signature>`, 1)
	}
	var many, manyRels, manyTypes strings.Builder
	entries := []string{}
	for i := range 900 {
		name := "_xmlsignatures/many" + strings.Repeat("i", i) + ".xml"
		entries = append(entries, name, sig[:200])
		many.WriteString(rel("rId"+strings.Repeat("1", i+1), opcsig.RelSignature, name[len("_xmlsignatures/"):]))
		manyTypes.WriteString(override("/"+name, opcsig.TypeSignature))
	}
	for range 20_000 {
		manyRels.WriteString(rel("rId1", docRel+"styles", "styles.xml"))
	}
	var fields strings.Builder
	for fields.Len() < 30<<20 {
		fields.WriteString(`<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>INCLUDETEXT "Courtseal "</w:instrText></w:r></w:p>`)
	}
	for name, file := range map[string][]byte{
		"nested elements":      rewritten(t, signed, sigName, dense(200_000, "<a>")),
		"many elements":        rewritten(t, signed, sigName, dense(2_000_000, "<a/>")),
		"many namespaces":      rewritten(t, signed, sigName, dense(200_000, `<a xmlns:a="b:c"/>`)),
		"many certificates":    rewritten(t, signed, sigName, strings.Replace(sig, "<X509Certificate>", strings.Repeat("<X509Certificate>AAAA</X509Certificate>", 100_000)+"<X509Certificate>", 1)),
		"many references":      rewritten(t, signed, sigName, strings.Replace(sig, "</Manifest>", strings.Repeat(`<Reference URI="/word/styles.xml?ContentType=a"></Reference>`, 200_000)+"</Manifest>", 1)),
		"many signatures":      rewritten(t, edited(t, signed, typesName, "</Types>", manyTypes.String()+"</Types>"), append(entries, "_xmlsignatures/_rels/origin.sigs.rels", relsTag+many.String()+"</Relationships>")...),
		"many relationships":   rewritten(t, signed, docRels, relsTag+manyRels.String()+"</Relationships>"),
		"a document of fields": rewritten(t, signed, docName, `<w:document xmlns:w="`+wordML+`"><w:body>`+fields.String()+`</w:body></w:document>`),
		"a bomb":               rewritten(t, signed, "word/styles.xml", strings.Repeat("\x00", 120<<20)),
		"a long manifest":      rewritten(t, signed, sealedName, `<Seal xmlns="`+opcsig.NS+`">`+strings.Repeat(`<Part ContentType="a" Name="/b" SM3="AAAA"></Part>`, 300_000)+`</Seal>`),
	} {
		t.Run(name, func(t *testing.T) {
			if len(file) > 4<<20 {
				t.Fatalf("%d bytes", len(file))
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Roots: w.roots, At: noon})
			took := time.Since(start)
			runtime.ReadMemStats(&after)
			t.Logf("%s, %d MB allocated, %d KB: %v", took, (after.TotalAlloc-before.TotalAlloc)>>20, len(file)>>10, err)
			if err != nil && !errors.Is(err, opc.ErrLimit) {
				t.Errorf("%v", err)
			}
			if err == nil && r.Verdict == Valid {
				t.Errorf("valid\n%s", r)
			}
			if took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}
