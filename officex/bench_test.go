package officex_test

import (
	"archive/zip"
	"context"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/sign"
)

// documents to be sealed: a judgment, a long one, and one with 30 pictures.
func benchDocuments() map[string][]byte {
	rnd := rand.NewChaCha8([32]byte{})
	text := func(n int) string {
		var b strings.Builder
		for i := 0; b.Len() < n; i++ {
			fmt.Fprintf(&b, `<w:p w:rsidR="%08X"><w:r><w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr><w:t>第%d段，%x</w:t></w:r></w:p>`, rnd.Uint64(), i, rnd.Uint64())
		}
		return b.String()
	}
	pictures := docx{body: para("图"), parts: map[string]string{}, types: `<Default Extension="png" ContentType="image/png"/>`}
	for i := range 30 {
		data := make([]byte, 1<<20)
		rnd.Read(data)
		name := fmt.Sprintf("media/image%d.png", i)
		pictures.parts["word/"+name] = string(data)
		pictures.rels += fmt.Sprintf(`<Relationship Id="rId%d" Type="%simage" Target="%s"/>`, i+1, offRel, name)
	}
	return map[string][]byte{
		"20KB": docx{body: text(70 << 10)}.bytes(),
		"1MB":  docx{body: text(4 << 20)}.bytes(),
		"30MB": pictures.bytes(),
	}
}

// floor does what no program that seals a Word document can leave out: hash the file as it came, inflate every part and hash it with every
// hash, on all cores; make the signatures; copy the entries as they are packed; put the file in its place.
func floor(dst, src string, sums []sign.Hash, source bool, keys ...sign.Key) error {
	in, err := os.Open(src)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	z, err := zip.NewReader(in, info.Size())
	if err != nil {
		return err
	}
	hashes := func() (list []hash.Hash) {
		for _, h := range sums {
			list = append(list, h.New())
		}
		return list
	}
	jobs := make(chan func() error)
	var group sync.WaitGroup
	errs := make(chan error, len(z.File)+8)
	for range runtime.NumCPU() {
		group.Go(func() {
			for job := range jobs {
				errs <- job()
			}
		})
	}
	if source {
		for _, h := range hashes() {
			jobs <- func() error { _, err := io.Copy(h, io.NewSectionReader(in, 0, info.Size())); return err }
		}
	}
	for _, f := range z.File {
		jobs <- func() error {
			r, err := f.Open()
			if err != nil {
				return err
			}
			var to []io.Writer
			for _, h := range hashes() {
				to = append(to, h)
			}
			_, err = io.CopyBuffer(io.MultiWriter(to...), r, make([]byte, 64<<10))
			return err
		}
	}
	close(jobs)
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	for _, k := range keys {
		scheme, err := sign.SchemeFor(k.Public())
		if err != nil {
			return err
		}
		if _, err := scheme.Sign(context.Background(), k, make([]byte, 2000)); err != nil {
			return err
		}
	}
	out, err := os.CreateTemp(filepath.Dir(dst), "floor-*")
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, io.NewSectionReader(in, 0, info.Size())); err != nil {
		return err
	}
	return os.Rename(out.Name(), dst)
}

// BenchmarkSeal times floor and sealing in turn, so that what else the machine does falls on both, and reports the ratio, beside the floor
// with and without the hash of the file as it came.
func BenchmarkSeal(b *testing.B) {
	p, files := holders(), benchDocuments()
	for _, size := range []string{"20KB", "1MB", "30MB"} {
		file := files[size]
		src := filepath.Join(b.TempDir(), "in.docx")
		if err := os.WriteFile(src, file, 0o600); err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name   string
			s      sign.Signer
			hashes []sign.Hash
			keys   []sign.Key
		}{
			{"ses", stamp(b, p.sm2, nil, sign.SES), []sign.Hash{sign.SM3}, []sign.Key{p.sm2}},
			{"cms RSA", stamp(b, p.rsa, nil, sign.CMS), []sign.Hash{sign.SHA256}, []sign.Key{p.rsa}},
			{"dual RSA", stamp(b, p.sm2, p.rsa, ""), []sign.Hash{sign.SM3, sign.SHA256}, []sign.Key{p.sm2, p.rsa}},
		} {
			for _, o := range []officex.Options{{Invisible: true}, {}} {
				name := size + "/" + c.name + map[bool]string{true: "/invisible", false: "/visible"}[o.Invisible]
				b.Run(name, func(b *testing.B) {
					o.Now = clock
					dst := filepath.Join(b.TempDir(), "out.docx")
					var bare, full, job time.Duration
					var bareCPU, jobCPU time.Duration
					b.SetBytes(int64(len(file)))
					for b.Loop() {
						t0, c0 := time.Now(), cpuTime()
						if err := floor(dst, src, c.hashes, false, c.keys...); err != nil {
							b.Fatal(err)
						}
						t1, c1 := time.Now(), cpuTime()
						if err := floor(dst, src, c.hashes, true, c.keys...); err != nil {
							b.Fatal(err)
						}
						t2, c2 := time.Now(), cpuTime()
						if _, err := officex.SignFile(context.Background(), dst, src, c.s, o); err != nil {
							b.Fatal(err)
						}
						bare, full, job = bare+t1.Sub(t0), full+t2.Sub(t1), job+time.Since(t2)
						bareCPU, jobCPU = bareCPU+c1-c0, jobCPU+cpuTime()-c2
					}
					b.ReportMetric(float64(job)/float64(bare), "x-floor")
					b.ReportMetric(float64(job)/float64(full), "x-floor-and-source")
					b.ReportMetric(float64(jobCPU)/float64(bareCPU), "x-floor-cpu")
					b.ReportMetric(float64(job.Microseconds())/float64(b.N), "us/job")
				})
			}
		}
	}
}
