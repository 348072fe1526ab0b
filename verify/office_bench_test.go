package verify

import (
	"bytes"
	"context"
	"fmt"
	"hash"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/sign"
)

// officeOf is a Word document of about that many bytes: text, or pictures.
func officeOf(t testing.TB, size int, pictures bool) []byte {
	r := rand.NewChaCha8([32]byte{})
	if !pictures {
		var b strings.Builder
		for n := 0; b.Len() < size; n++ {
			fmt.Fprintf(&b, `</w:t></w:r></w:p><w:p w:rsidR="%08X"><w:r><w:t>第%d段，%x`, r.Uint64(), n, r.Uint64())
		}
		return docxOf(t, b.String())
	}
	var more []string
	var types, rels strings.Builder
	for i := range 30 {
		data := make([]byte, size/30)
		r.Read(data)
		name := fmt.Sprintf("word/media/image%d.png", i)
		more = append(more, name, string(data))
		types.WriteString(override("/"+name, "image/png"))
		rels.WriteString(rel(fmt.Sprintf("rId%d", i+1), docRel+"image", name[len("word/"):]))
	}
	return packageOf(t, "word/document.xml", openXML+"wordprocessingml.document.main+xml",
		`<w:document xmlns:w="`+wordML+`"><w:body><w:p/></w:body></w:document>`, types.String(), rels.String(), more...)
}

var officeSizes = []struct {
	name string
	file func(testing.TB) []byte
}{
	{"20KB", func(t testing.TB) []byte { return officeOf(t, 40<<10, false) }},
	{"1MB", func(t testing.TB) []byte { return officeOf(t, 3<<20, false) }},
	{"30MB", func(t testing.TB) []byte { return officeOf(t, 30<<20, true) }},
}

// BenchmarkOffice verifies Office documents that are sealed in each way, beside BenchmarkOfficeFloor.
func BenchmarkOffice(b *testing.B) {
	w := theWorld()
	for _, x := range officeSizes {
		file := x.file(b)
		for _, f := range formats {
			s := w.stamp(b, f, noon)
			if f == sign.CMS {
				s = w.officeStamp(b)
			}
			signed := officeSign(b, file, s, officeAct{})
			b.Run(string(f)+"/"+x.name, func(b *testing.B) { bench(b, w, signed) })
		}
	}
}

// BenchmarkOfficeFloor reads the directory and inflates and hashes every part once, with what each way of sealing needs.
func BenchmarkOfficeFloor(b *testing.B) {
	for _, x := range officeSizes {
		file := x.file(b)
		for name, hashes := range map[sign.Format][]sign.Hash{sign.SES: {sign.SM3}, sign.CMS: {sign.SHA256}, sign.Dual: {sign.SM3, sign.SHA256}} {
			b.Run(string(name)+"/"+x.name, func(b *testing.B) {
				b.SetBytes(int64(len(file)))
				var make []func() hash.Hash
				for _, h := range hashes {
					make = append(make, h.New)
				}
				for b.Loop() {
					p, err := opc.Open(bytes.NewReader(file), int64(len(file)), opc.Limits{})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := p.Digests(context.Background(), p.Parts(), make); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
