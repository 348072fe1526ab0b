package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
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

// FuzzVerifyOffice verifies anything as an Office document, and sealed ones in which some bytes were changed, of the zip file or of a part: no
// panic, and what stays valid says what it said.
func FuzzVerifyOffice(f *testing.F) {
	w := theWorld()
	recorded, log := ledgerWorld(f, sm3Log)
	var goods []*signedDocx
	for i := range 2 * len(formats) {
		format := formats[i%len(formats)]
		signer := w.officeSigner(f, format)
		if i >= len(formats) {
			signer = audit.Record(scribe{log: log, seal: recorded.seal, now: noon}, recorded.officeSigner(f, format))
		}
		file := sealDocx(f, docx(f), signer, officex.Options{})
		goods = append(goods, newSignedDocx(f, string(format), file))
		f.Add(file, uint8(len(goods)), uint8(0), uint32(20), uint8(1))
		f.Add(file[:len(file)/2], uint8(0), uint8(3), uint32(0), uint8(0))
		f.Add(officeSign(f, file, w.stamp(f, sign.SES, noon), officeAct{}), uint8(0), uint8(7), uint32(700), uint8(255))
	}
	f.Add(xlsx(f), uint8(0), uint8(1), uint32(1), uint8(1))
	f.Add(pptx(f), uint8(0), uint8(2), uint32(2), uint8(2))
	for _, way := range ways {
		f.Add(sealed().file(f, way), uint8(0), uint8(0), uint32(0), uint8(0))
	}
	for _, name := range findShared("vectors/docx/*.docx") {
		if b, err := os.ReadFile(name); err == nil && len(b) < 64<<10 {
			f.Add(b, uint8(0), uint8(0), uint32(0), uint8(0))
		}
	}
	o := Options{Roots: w.roots, At: noon, Sealings: nothingWithdrawn{}, Limits: Limits{Objects: 20000}}
	f.Fuzz(func(t *testing.T, b []byte, which, part uint8, at uint32, mask uint8) {
		wellReported(t, b, o)
		good := goods[int(which)%len(goods)]
		if mask == 0 {
			return
		}
		bad := changed(good.bytes, int(at)%len(good.bytes), mask)
		if part > 0 { // in what a part says
			name := good.names[int(part)%len(good.names)]
			old := good.parts[name].bytes
			if len(old) == 0 {
				return
			}
			bad = rewritten(t, good.bytes, name, string(changed(old, int(at)%len(old), mask)))
		}
		if r := wellReported(t, bad, o); r != nil {
			if wrong := judgeOffice(r, good, goods, bad); wrong != "" {
				t.Error(wrong)
			}
		}
	})
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
