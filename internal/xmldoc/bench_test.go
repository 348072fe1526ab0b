package xmldoc

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
	"time"
)

// document is a document.xml of about n bytes as Word writes it.
func document(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\r\n" +
		`<w:document xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" ` +
		`xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" ` +
		`xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"><w:body>`)
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `<w:p w14:paraId="%08X" w14:textId="77777777" w:rsidR="00A77427" w:rsidRDefault="007F1D13">`+
			`<w:pPr><w:spacing w:line="360" w:lineRule="auto"/><w:ind w:firstLineChars="200" w:firstLine="480"/></w:pPr>`+
			`<w:r><w:rPr><w:rFonts w:ascii="宋体" w:hAnsi="宋体" w:hint="eastAsia"/><w:b/><w:sz w:val="24"/></w:rPr>`+
			`<w:t xml:space="preserve">第%d条　甲方应当自本合同生效之日起三十日内向乙方支付货款 &amp; 税款。</w:t></w:r></w:p>`, i, i)
	}
	b.WriteString("<w:sectPr/></w:body></w:document>")
	return b.Bytes()
}

// BenchmarkCanonical reads a document.xml of 2 MB and makes it canonical. The floor is SHA-256 of the same bytes, which has to
// be computed anyway; x-floor is how many times that the best run took.
func BenchmarkCanonical(b *testing.B) {
	doc := document(2 << 20)
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			floor, work := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				sha256.Sum256(doc)
				floor = min(floor, time.Since(start))
				start = time.Now()
				if err := f(); err != nil {
					b.Fatal(err)
				}
				work = min(work, time.Since(start))
			}
			b.ReportMetric(float64(floor.Microseconds())/1000, "floor-ms")
			b.ReportMetric(float64(work.Microseconds())/1000, "best-ms")
			b.ReportMetric(work.Seconds()/floor.Seconds(), "x-floor")
		})
	}
	run("scan", func() error {
		s, err := NewScanner(doc, Limits{})
		for err == nil {
			_, err = s.Next()
		}
		if err == io.EOF {
			return nil
		}
		return err
	})
	run("parse", func() error { _, err := Parse(doc, Limits{}); return err })
	parsed, err := Parse(doc, Limits{})
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range []Method{{}, {Exclusive: true}} {
		run(fmt.Sprintf("canonical,exclusive=%v", m.Exclusive), func() error { _, err := parsed.Canonical(nil, m); return err })
		run(fmt.Sprintf("parse+canonical,exclusive=%v", m.Exclusive), func() error {
			d, err := Parse(doc, Limits{})
			if err == nil {
				_, err = d.Canonical(nil, m)
			}
			return err
		})
	}
}
