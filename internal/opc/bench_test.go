package opc

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// document makes a document of about that many bytes: text that deflates as Word's does, and from 4 MB on pictures too.
func document(tb testing.TB, size int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	text := func(packed int) string {
		var b strings.Builder
		for b.Len() < packed*8 {
			b.WriteString(`<w:p w:rsidR="00A77B3E"><w:pPr><w:jc w:val="both"/></w:pPr><w:r><w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr><w:t>`)
			for range 20 {
				fmt.Fprintf(&b, "%x ", rnd.Uint32()>>12)
			}
			b.WriteString(`</w:t></w:r></w:p>`)
		}
		return b.String()
	}
	files := small(file{"word/styles.xml", text(2 << 10)}, file{"word/theme/theme1.xml", text(2 << 10)})
	pictures := 0
	if size > 4<<20 {
		pictures = size * 29 / 30 >> 20
	}
	files[2].text = text((size - pictures<<20) / 2)
	for i := range pictures {
		b := make([]byte, 1<<20)
		for j := range b {
			b[j] = byte(rnd.Uint32())
		}
		files = append(files, file{fmt.Sprintf("word/media/%d.jpeg", i), string(b)})
	}
	files[0].text = strings.Replace(files[0].text, "</Types>", `<Default Extension="jpeg" ContentType="image/jpeg"/></Types>`, 1)
	return zipped(tb, files)
}

var sizes = map[string]int{"20KB": 20 << 10, "1MB": 1 << 20, "30MB": 30 << 20}

// both times two ways of one thing in turn, so that what else the machine does falls on both, and reports the ratio.
func both(b *testing.B, floor, ours func() error) {
	var times [2]time.Duration
	for b.Loop() {
		for i, f := range []func() error{floor, ours} {
			start := time.Now()
			if err := f(); err != nil {
				b.Fatal(err)
			}
			times[i] += time.Since(start)
		}
	}
	b.ReportMetric(float64(times[0].Microseconds())/1000/float64(b.N), "floor-ms")
	b.ReportMetric(float64(times[1].Microseconds())/1000/float64(b.N), "ours-ms")
	b.ReportMetric(float64(times[1])/float64(times[0]), "ratio")
}

// BenchmarkDigests opens a document and makes hashes of all its parts. Floor: inflating, checksum and hashes of parts whose
// places are known, one goroutine a core. SHA-512 stands for a second hash that is slower than SHA-256.
func BenchmarkDigests(b *testing.B) {
	for name, size := range sizes {
		for _, hashes := range [][]func() hash.Hash{{sha256.New}, {sha256.New, sha512.New}} {
			b.Run(fmt.Sprintf("%s/%d", name, len(hashes)), func(b *testing.B) {
				in := document(b, size)
				known := open(b, in).parts
				b.SetBytes(int64(len(in)))
				both(b, func() error { return floorDigests(in, known, hashes) }, func() error {
					p, err := Open(bytes.NewReader(in), int64(len(in)), Limits{})
					if err == nil {
						_, err = p.Digests(context.Background(), p.Parts(), hashes)
					}
					return err
				})
			})
		}
	}
}

func floorDigests(in []byte, parts []*Part, hashes []func() hash.Hash) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, runtime.GOMAXPROCS(0))
	for w := range errs {
		wg.Go(func() {
			r := flate.NewReader(nil)
			buf := make([]byte, 64<<10)
			for {
				i := int(next.Add(1)) - 1
				if i >= len(parts) {
					return
				}
				e := &parts[i].e
				var src io.Reader = bytes.NewReader(in[e.data : e.data+e.packed])
				if e.method == deflated {
					errs[w] = r.(flate.Resetter).Reset(src, nil)
					src = r
				}
				to := []io.Writer{crc32.NewIEEE()}
				for _, f := range hashes {
					to = append(to, f())
				}
				if _, err := io.CopyBuffer(io.MultiWriter(to...), struct{ io.Reader }{src}, buf); err != nil {
					errs[w] = err
				}
				for _, h := range to {
					h.(hash.Hash).Sum(nil)
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkWrite writes a document with a relationship, a content type and a small part more. Floor: io.Copy of the document. Both go to a file.
func BenchmarkWrite(b *testing.B) {
	for name, size := range sizes {
		b.Run(name, func(b *testing.B) {
			in := document(b, size)
			p := open(b, in)
			types, err := p.ContentTypes().WithOverride("/_seals/a.xml", "application/xml")
			if err != nil {
				b.Fatal(err)
			}
			rels, _ := p.Rels("/").Add("http://x", "_seals/a.xml", false)
			changes := []Change{{typesName, types.Bytes()}, {rels.Name(), rels.Bytes()}, {"/_seals/a.xml", []byte(strings.Repeat("<a/>", 1000))}}
			b.SetBytes(int64(len(in)))
			out, err := os.Create(filepath.Join(b.TempDir(), "out"))
			if err != nil {
				b.Fatal(err)
			}
			defer out.Close()
			both(b, func() error {
				if _, err := out.Seek(0, io.SeekStart); err != nil {
					return err
				}
				_, err := io.Copy(out, io.NewSectionReader(bytes.NewReader(in), 0, int64(len(in))))
				return err
			}, func() error {
				if _, err := out.Seek(0, io.SeekStart); err != nil {
					return err
				}
				return p.Write(out, changes)
			})
		})
	}
}
