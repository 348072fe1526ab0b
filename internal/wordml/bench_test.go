package wordml

import (
	"io"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/xmldoc"
)

// BenchmarkOpen scans a part of 2 MB; the floor is its tokens alone. Ratio: at most 1.5. Find reads the text again.
func BenchmarkOpen(b *testing.B) {
	para := withPPr(`<w:pStyle w:val="a"/><w:jc w:val="both"/>`, runOf("本院经审理认定事实如下：")+runOf("原告与被告于二〇二六年签订合同，")+runOf("约定了双方的权利义务。"))
	part := []byte(document(&transitional, strings.Repeat(para, 2<<20/len(para))+right(runOf("二〇二六年十一月二十四日"))+sectA4))
	b.Run("tokens", func(b *testing.B) {
		b.SetBytes(int64(len(part)))
		for b.Loop() {
			s, err := xmldoc.NewScanner(part, xmldoc.Limits{})
			for err == nil {
				_, err = s.Next()
			}
			if err != io.EOF {
				b.Fatal(err)
			}
		}
	})
	b.Run("Open", func(b *testing.B) {
		b.SetBytes(int64(len(part)))
		for b.Loop() {
			if _, err := Open(part, xmldoc.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("OpenEnd", func(b *testing.B) {
		b.SetBytes(int64(len(part)))
		for b.Loop() {
			if _, err := OpenEnd(part, xmldoc.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	d, err := Open(part, xmldoc.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Find", func(b *testing.B) {
		b.SetBytes(int64(len(part)))
		for b.Loop() {
			if _, err := d.Find("（院印）"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Dates", func(b *testing.B) {
		b.SetBytes(int64(len(part)))
		for b.Loop() {
			if len(d.Dates()) != 1 {
				b.Fatal("no date")
			}
		}
	})
}
