package opc

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// deflatedText packs text with Go's writer, or with none of its own codes.
func deflatedText(t testing.TB, text []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	for len(text) > 0 { // with empty blocks in between
		n := min(len(text), 150_000)
		z.Write(text[:n])
		if text = text[n:]; len(text)%3 == 0 {
			z.Flush()
		}
	}
	z.Close()
	return b.Bytes()
}

func longText(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, "<w:p><w:r><w:t>第%d段 %x %d</w:t></w:r></w:p>", r.IntN(1000), r.Uint64(), r.IntN(1<<r.IntN(30)+1))
	}
	return b.Bytes()[:n]
}

// checkBlocks asks that what is kept inflates to what it should, alone and with more behind it.
func checkBlocks(t *testing.T, packed, plain []byte, most int64) int64 {
	t.Helper()
	bits, n := blocksWithin(packed, most)
	if n > most || n > int64(len(plain)) {
		t.Fatalf("%d bytes of %d, at most %d", n, len(plain), most)
	}
	if bits == 0 {
		return n
	}
	kept := endOnByte(bytes.Clone(packed), bits)
	var b bytes.Buffer
	b.Write(kept)
	z, _ := flate.NewWriter(&b, flate.BestSpeed)
	z.Write([]byte("and more"))
	z.Close()
	got, err := io.ReadAll(flate.NewReader(&b))
	if want := string(plain[:n]) + "and more"; err != nil || string(got) != want {
		t.Fatalf("%d bits: %d bytes, %v", bits, len(got), err)
	}
	return n
}

func TestBlocksWithin(t *testing.T) {
	text := longText(600_000)
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, 6, flate.BestCompression} {
		packed := deflatedText(t, text, level)
		last := int64(0)
		for most := int64(0); most <= int64(len(text))+1; most += 9_973 {
			n := checkBlocks(t, packed, text, most)
			if n < last || n < most-200_000 {
				t.Errorf("level %d: %d bytes of %d, %d before", level, n, most, last)
			}
			last = n
		}
	}
}

// fixed codes are those of short streams.
func TestBlocksWithinFixedCodes(t *testing.T) {
	var b bytes.Buffer
	z, _ := flate.NewWriter(&b, 6)
	want := ""
	for i := range 40 {
		part := fmt.Sprint("abcabc", i, "abcabcabcabc")
		want += part
		z.Write([]byte(part))
		z.Flush()
	}
	z.Close()
	if b.Bytes()[0]>>1&3 != 1 {
		t.Fatal("the writer makes codes of its own")
	}
	for most := range int64(len(want) + 1) {
		if n := checkBlocks(t, b.Bytes(), []byte(want), most); most-n > 22 {
			t.Errorf("%d bytes of %d", n, most)
		}
	}
}

// FuzzBlocksWithin holds that nothing of what is no deflated stream is kept but what inflates to as many bytes as is said.
func FuzzBlocksWithin(f *testing.F) {
	for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, 6} {
		f.Add(deflatedText(f, longText(20_000), level), int64(15_000))
	}
	f.Fuzz(func(t *testing.T, packed []byte, most int64) {
		plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 1<<20))
		if err != nil { // what comes before the fault may be kept
			if bits, n := blocksWithin(packed, most); bits > 8*len(packed) || n < 0 {
				t.Fatalf("%d bits, %d bytes", bits, n)
			}
			return
		}
		if most < 1<<20 {
			checkBlocks(t, packed, plain, most)
		}
	})
}

// TestReplaceLongPart holds that a change near the end of a long part keeps most of its packed bytes, and that what is written
// is right wherever the change is.
func TestReplaceLongPart(t *testing.T) {
	text := append([]byte("<w:document>"), longText(800_000)...)
	files := small()
	files[2].text = string(text)
	file := zipped(t, files)
	p, err := Open(bytes.NewReader(file), int64(len(file)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{20, 300_000, 799_000, len(text)} {
		changed := bytes.Join([][]byte{text[:at], []byte("<seal/>"), text[at:]}, nil)
		var out bytes.Buffer
		if err := p.Write(&out, []Change{{Name: "/word/document.xml", Data: changed}}); err != nil {
			t.Fatal(err)
		}
		q, err := Open(bytes.NewReader(out.Bytes()), int64(out.Len()), Limits{})
		if err != nil || len(q.Faults()) > 0 {
			t.Fatal(err, q.Faults())
		}
		got, err := q.Read(q.Part("/word/document.xml"))
		if err != nil || !bytes.Equal(got, changed) {
			t.Fatalf("at %d: %d bytes, %v", at, len(got), err)
		}
		old, now := p.Part("/word/document.xml").e, q.Part("/word/document.xml").e
		before, after := file[old.data:old.data+old.packed], out.Bytes()[now.data:now.data+now.packed]
		same := 0
		for same < min(len(before), len(after)) && before[same] == after[same] {
			same++
		}
		if want := at * len(before) / len(text); at > reuse && same < want-len(before)/4 {
			t.Errorf("at %d: %d packed bytes are kept of about %d", at, same, want)
		}
	}
}
