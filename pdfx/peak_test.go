package pdfx_test

import (
	"bufio"
	"context"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A program that imports only pdfx, seal, sign/cms and keydev seals a file of 64 MB, and one of 150,000 objects, within 16 MB
// of memory and 16 bytes an object.
func TestPeakMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the peak is read from /proc")
	}
	if testing.Short() {
		t.Skip("writes 64 MB")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "peak")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/peak").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	keys := filepath.Join(dir, "keys")
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	signer, chain := testpki.Shared(testpki.SM2).IssueSigner(testpki.SM2, "holder", nil)
	der, err := gm.MarshalPKCS8(signer)
	if err != nil {
		t.Fatal(err)
	}
	esl, err := seal.Make(context.Background(), &seal.Seal{ID: "1", Name: "Court", Certs: chain[:1], NotBefore: testpki.NotBefore,
		NotAfter: testpki.NotAfter, Picture: *bigPicture()}, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "maker", nil))
	if err != nil {
		t.Fatal(err)
	}
	many := func(w *bufio.Writer) (objects int) {
		at := 0
		line := func(format string, args ...any) { n, _ := fmt.Fprintf(w, format, args...); at += n }
		offsets := []int{}
		object := func(body string) {
			offsets = append(offsets, at)
			line("%d 0 obj\n%s\nendobj\n", len(offsets), body)
		}
		line("%%PDF-1.7\n")
		object("<< /Type /Catalog /Pages 2 0 R >>")
		object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>")
		object("<< /Type /Page /Parent 2 0 R " + a4 + " >>")
		for range 150_000 {
			object("<< /Filler (xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) >>")
		}
		writeTable(line, &at, offsets)
		return len(offsets)
	}
	const size = 64 << 20
	large := func(w *bufio.Writer) int {
		at := 0
		line := func(format string, args ...any) { n, _ := fmt.Fprintf(w, format, args...); at += n }
		offsets := []int{}
		line("%%PDF-1.7\n")
		for i, body := range []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R " + a4 + " >>"} {
			offsets = append(offsets, at)
			line("%d 0 obj\n%s\nendobj\n", i+1, body)
		}
		offsets = append(offsets, at)
		line("4 0 obj\n<< /Length %d >>\nstream\n", size)
		block := make([]byte, 1<<20)
		for range size >> 20 {
			w.Write(block)
		}
		at += size
		line("\nendstream\nendobj\n")
		writeTable(line, &at, offsets)
		return len(offsets)
	}
	for path, b := range map[string][]byte{"keys/holder.key.insecure": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		"keys/holder.crt": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]}), "court.esl": esl.Raw} {
		if err := os.WriteFile(filepath.Join(dir, path), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, fill := range map[string]func(*bufio.Writer) int{"150,000 objects": many, "64 MB": large} {
		in := filepath.Join(dir, "in.pdf")
		f, err := os.Create(in)
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriterSize(f, 1<<20)
		objects := fill(w)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		f.Close()
		out, err := exec.Command(program, in, filepath.Join(dir, "out.pdf"), "soft:"+keys+"#holder", filepath.Join(dir, "court.esl")).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		kb, err := strconv.Atoi(string(out))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: peak of %d KB", name, kb)
		if limit := 16<<10 + 16*objects>>10; kb > limit {
			t.Errorf("%s: peak of %d KB, %d allowed", name, kb, limit)
		}
	}
}

func writeTable(line func(string, ...any), at *int, offsets []int) {
	start := *at
	line("xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, off := range offsets {
		line("%010d 00000 n \n", off)
	}
	line("trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
}

func bigPicture() *sign.Picture { p := *picture(); return &p }
