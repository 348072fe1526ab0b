package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// large is page() with one stream of n bytes more.
func large(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{})
	r.Read(data)
	return pdftest.File(pdftest.Table, map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
		4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
		5: pdftest.Stream("", string(data)),
	})
}

// BenchmarkVerify stands beside BenchmarkFloor: the hash alone.
func BenchmarkVerify(b *testing.B) {
	w := theWorld()
	for _, size := range []int{100 << 10, 200 << 20} {
		file := large(size)
		for _, n := range []int{1, 5} {
			for _, f := range formats {
				signed := file
				for range n {
					signed = sealFile(b, signed, w.stamp(b, f, noon), visible)
				}
				b.Run(fmt.Sprintf("%s/%dKB/%dsignatures", f, size>>10, n), func(b *testing.B) {
					bench(b, w, signed)
				})
			}
			signed := file
			for range n {
				signed = sealFile(b, signed, cmsSigner(b, w.rsa), pdfx.Options{})
			}
			b.Run(fmt.Sprintf("rsa/%dKB/%dsignatures", size>>10, n), func(b *testing.B) { bench(b, w, signed) })
		}
	}
}

func bench(b *testing.B, w *world, file []byte) {
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), Options{Roots: w.roots, At: noon})
		if err != nil || r.Verdict != Valid {
			b.Fatal(err, r)
		}
	}
}

// BenchmarkFloor hashes the same number of bytes, read through the same interface, and checks one SM2 signature.
func BenchmarkFloor(b *testing.B) {
	for _, size := range []int{100 << 10, 200 << 20} {
		file := large(size)
		for _, h := range []sign.Hash{sign.SHA256, sign.SM3} {
			b.Run(fmt.Sprintf("%s/%dKB", h, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(file)))
				for b.Loop() {
					d := h.New()
					if _, err := io.CopyBuffer(struct{ io.Writer }{d}, struct{ io.Reader }{bytes.NewReader(file)}, make([]byte, 256<<10)); err != nil {
						b.Fatal(err)
					}
					d.Sum(nil)
				}
			})
		}
	}
}

// BenchmarkManyObjects verifies a file of 150,000 small objects, signed once (nothing of them is touched) and twice (what
// reaches what has to be seen).
func BenchmarkManyObjects(b *testing.B) {
	w := theWorld()
	const n = 150_000
	objects := map[int]string{
		1: "<< /Type /Catalog /Pages 2 0 R /Names 5 0 R >>",
		2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
		4: pdftest.Stream("", "0 0 1 rg 100 100 200 200 re f"),
	}
	for i := 5; i <= n; i++ {
		objects[i] = fmt.Sprintf("<< /Next %d 0 R /Text (%0200d) >>", min(i+1, n), i)
	}
	file := pdftest.File(pdftest.Table, objects)
	for _, k := range []int{1, 2} {
		signed := file
		for range k {
			signed = sealFile(b, signed, cmsSigner(b, w.rsa), pdfx.Options{})
		}
		b.Run(fmt.Sprintf("%dsignatures", k), func(b *testing.B) { bench(b, w, signed) })
	}
}

// BenchmarkStamps verifies one small file without time stamps and with them, beside BenchmarkStampFloor: a stamp is two
// signature checks more, its own and that of its authority's certificate.
func BenchmarkStamps(b *testing.B) {
	w := theWorld()
	for _, f := range formats {
		for name, by := range map[string]sign.Timestamper{"none": nil, "sm2": tsa(noon)} {
			file := sealFile(b, page(), stamped(b, w.seal, w.sm2, f, noon, by), visible)
			b.Run(fmt.Sprintf("%s/%s", f, name), func(b *testing.B) { bench(b, w, file) })
		}
	}
}

// BenchmarkStampFloor is the two checks of an SM2 stamp.
func BenchmarkStampFloor(b *testing.B) {
	w := theWorld()
	scheme := sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}
	message := make([]byte, 256)
	value := signedWith(scheme, w.sm2, message)
	for b.Loop() {
		for range 2 {
			if err := scheme.Verify(w.sm2.Public(), message, value); err != nil {
				b.Fatal(err)
			}
		}
	}
}
