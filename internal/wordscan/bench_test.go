package wordscan

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// BenchmarkScan looks through a document of 2 MB whose paragraphs are like Word's, with fields and without. The floor of the
// former is to get its tokens and do nothing with them, of the latter to find the zero that is not in it.
func BenchmarkScan(b *testing.B) {
	p := `<w:p w:rsidR="00A77427" w:rsidRDefault="007F1D13"><w:pPr><w:pStyle w:val="a3"/><w:spacing w:line="360" w:lineRule="auto"/></w:pPr>` +
		strings.Repeat(`<w:r w:rsidRPr="00C53E4F"><w:rPr><w:rFonts w:hint="eastAsia" w:ascii="仿宋"/><w:sz w:val="32"/></w:rPr><w:t>原告与被告买卖合同纠纷一案，本院受理后</w:t></w:r>`, 5)
	make := func(p string) []byte { return []byte(document(nsW, nsR, strings.Repeat(p, 2<<20/len(p)))) }
	plain, doc := make(p+`</w:p>`), make(p+complexField(" PAGE ")+`</w:p>`)
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			s, err := xmldoc.NewScanner(doc, xmldoc.Limits{})
			if err != nil {
				b.Fatal(err)
			}
			for err == nil {
				_, err = s.Next()
			}
			if err != io.EOF {
				b.Fatal(err)
			}
		}
	})
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			var found, dangles tally
			if err := scanMarkup("/word/document.xml", doc, &found, &dangles); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("plain floor", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if bytes.IndexByte(plain, 0) >= 0 {
				b.Fatal("a zero")
			}
		}
	})
	b.Run("plain skim", func(b *testing.B) {
		b.SetBytes(int64(len(plain)))
		for b.Loop() {
			if skim(plain) {
				b.Fatal("something to find")
			}
		}
	})
}
