package pdf

import (
	"bytes"
	"encoding/ascii85"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// lzw encodes as PDF has it. The width of the codes grows one code early where early is 1.
func lzw(b []byte, early int) []byte {
	var out []byte
	acc, bits, width, next := 0, 0, 9, 258
	table := map[string]int{}
	put := func(code int) {
		acc, bits = acc<<width|code, bits+width
		for ; bits >= 8; bits -= 8 {
			out = append(out, byte(acc>>(bits-8)))
		}
		acc &= 1<<bits - 1
	}
	code := func(s string) int {
		if len(s) == 1 {
			return int(s[0])
		}
		return table[s]
	}
	put(256)
	cur := ""
	for _, c := range b {
		s := cur + string([]byte{c})
		if _, ok := table[s]; ok || len(s) == 1 {
			cur = s
			continue
		}
		put(code(cur))
		table[s] = next
		next++
		switch {
		case next+early > 4095:
			put(256)
			width, next = 9, 258
			clear(table)
		case next+early > 1<<width:
			width++
		}
		cur = s[len(s)-1:]
	}
	if cur != "" {
		put(code(cur))
		if next++; next+early > 1<<width && width < 12 {
			width++
		}
	}
	put(257)
	put(0)
	return out
}

// filterFile holds the same data under every filter but RunLength, which qpdf does not decode in this mode.
func filterFile(data []byte) (file []byte, streams int) {
	m := newMaker()
	m.obj(1, "<< /Type /Catalog /Pages 2 0 R >>")
	m.obj(2, "<< /Type /Pages /Kids [] /Count 0 >>")
	var a85 bytes.Buffer
	w := ascii85.NewEncoder(&a85)
	w.Write(data)
	w.Close()
	var png []byte
	last := make([]byte, 30)
	for i := 0; i+30 <= len(data); i += 30 {
		kind := byte(i / 30 % 5)
		row := data[i : i+30]
		png = append(png, kind)
		for j, c := range row {
			var a, b, d int
			if b = int(last[j]); j >= 3 {
				a, d = int(row[j-3]), int(last[j-3])
			}
			png = append(png, c-[]byte{0, byte(a), byte(b), byte((a + b) / 2), paeth(a, b, d)}[kind])
		}
		last = row
	}
	var tiff []byte
	for i, c := range data {
		if i%30 >= 3 {
			c -= data[i-3]
		}
		tiff = append(tiff, c)
	}
	add := func(entries string, b []byte) {
		streams++
		m.stream(2+streams, entries, b)
	}
	add("", data)
	add("/Filter /FlateDecode", deflate(data))
	add("/Filter [/FlateDecode]", deflate(data)[:len(deflate(data))-4])
	add("/Filter /ASCIIHexDecode", append([]byte(hex.EncodeToString(data)), '>'))
	add("/Filter /ASCII85Decode", append(a85.Bytes(), "~>"...))
	add("/Filter /LZWDecode", lzw(data, 1))
	add("/Filter /LZWDecode /DecodeParms << /EarlyChange 0 >>", lzw(data, 0))
	add("/Filter [/ASCIIHexDecode /FlateDecode] /DecodeParms [null null]", append([]byte(hex.EncodeToString(deflate(data))), '>'))
	add("/Filter /FlateDecode /DecodeParms << /Predictor 15 /Colors 3 /Columns 10 >>", deflate(png))
	add("/Filter /LZWDecode /DecodeParms << /Predictor 2 /Colors 3 /Columns 10 >>", lzw(tiff, 1))
	m.table(2+streams, "")
	return m.Bytes(), streams
}

func TestFilters(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 30*2000)
	for i := range data {
		data[i] = byte(r.IntN(1 + i/1000*4%256))
	}
	file, n := filterFile(data)
	f, err := openBytes(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		o, err := f.Load(Ref{Num: uint32(3 + i)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Data(o.Value.(*Stream))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", o.Raw, len(got), err)
		}
	}
	small, err := openBytes(file, Options{Limits: Limits{Inflate: int64(len(data)) - 1}})
	if err != nil {
		t.Fatal(err)
	}
	o, err := small.Load(Ref{Num: 4})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := small.Data(o.Value.(*Stream)); !errors.Is(err, ErrLimit) {
		t.Errorf("more than Limits.Inflate: %v", err)
	}

	needQPDF(t)
	name := filepath.Join(t.TempDir(), "filters.pdf")
	if err := os.WriteFile(name, file, 0o600); err != nil {
		t.Fatal(err)
	}
	compareObjects(t, f, name, "")
}

func TestFilterErrors(t *testing.T) {
	flate := deflate(bytes.Repeat([]byte("court"), 1000))
	wrong := bytes.Clone(flate)
	wrong[len(wrong)-1] ^= 1
	for _, c := range []struct {
		entries string
		data    string
		want    string // or
		err     error
	}{
		{"/Filter /RunLengthDecode", "\x02abc\xfex\x80rest", "abcxxx", nil},
		{"/Filter /RunLengthDecode", "\x02ab", "ab", ErrSyntax},
		{"/Filter /LZWDecode", "\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", "-----A---B", nil}, // ISO 32000-2, 7.4.4.2
		{"/Filter /LZWDecode", "\xff\xff", "", ErrSyntax},
		{"/Filter /ASCIIHexDecode", "4 1 4>zz", "A@", nil},
		{"/Filter /ASCIIHexDecode", "4x", "", ErrSyntax},
		{"/Filter /ASCII85Decode", "z!!~>", "\x00\x00\x00\x00\x00", nil},
		{"/Filter /ASCII85Decode", "uuuuu~>", "", ErrSyntax},
		{"/Filter /FlateDecode", "", "", nil},
		{"/Filter /FlateDecode", "not deflated", "", ErrSyntax},
		{"/Filter /FlateDecode", string(flate[:20]), "", ErrSyntax},
		{"/Filter /FlateDecode", string(wrong), "", ErrSyntax},
		{"/Filter /DCTDecode", "x", "", ErrFilter},
		{"/Filter 7", "x", "", ErrSyntax},
		{"/Filter [/AHx /AHx /AHx /AHx /AHx /AHx /AHx /AHx /AHx]", "", "", ErrLimit},
		{"/Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 9999999 >>", string(flate), "", ErrSyntax},
	} {
		m := newMaker()
		m.obj(1, "<< >>")
		m.stream(2, c.entries, []byte(c.data))
		m.table(2, "")
		f, err := openBytes(m.Bytes(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		o, err := f.Load(Ref{Num: 2})
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Data(o.Value.(*Stream))
		if !errors.Is(err, c.err) || c.err == nil && string(got) != c.want {
			t.Errorf("%s %q: %q, %v", c.entries, c.data, got, err)
		}
	}
}

// TestEncrypt wants back what is encrypted for each kind of file.
func TestEncrypt(t *testing.T) {
	for _, c := range []*crypt{
		{key: []byte("12345"), strings: methodRC4, streams: methodRC4},
		{key: []byte("1234567890123456"), strings: methodAES128, streams: plain},
		{key: []byte("12345678901234561234567890123456"), strings: methodAES256, streams: methodAES256},
	} {
		f := &File{crypt: c}
		for _, n := range []int{0, 1, 15, 16, 17, 4079, 4080, 4096, 8192, 10000} {
			r := Ref{uint32(n), 7}
			in := bytes.Repeat([]byte{'x'}, n)
			s, err := f.EncryptString(r, in)
			if err != nil {
				t.Fatal(err)
			}
			out, err := c.decrypt(r, c.strings, s)
			if err != nil || !bytes.Equal(out, in) {
				t.Errorf("string of %d bytes: %d, %v", n, len(out), err)
			}
			if n > 15 && bytes.Contains(s, in[:15]) {
				t.Errorf("string of %d bytes is not encrypted", n)
			}
			if s, err = f.EncryptStream(r, in); err != nil {
				t.Fatal(err)
			}
			if out, err := c.decrypt(r, c.streams, s); err != nil || !bytes.Equal(out, in) {
				t.Errorf("stream of %d bytes: %d, %v", n, len(out), err)
			}
		}
		if c.strings == methodRC4 {
			continue
		}
		if b, err := c.decrypt(Ref{1, 0}, c.strings, []byte("short")); !errors.Is(err, ErrSyntax) {
			t.Errorf("AES data of 5 bytes: %q, %v", b, err)
		}
	}
}
