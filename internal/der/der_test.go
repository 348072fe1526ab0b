package der

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

func TestOID(t *testing.T) {
	for text, octets := range map[string]string{
		"1.2.156.10197.1.501": "2a811ccf55018375", // as in real certificates
		"2.5.29.15":           "551d0f",
		"2.999.3":             "883703",
		"0.0":                 "00",
		"1.39":                "4f",
		"2.25.329800735698586629295641978511506172918": "6983f09da7ebcfdee0c7a1a7b2c0948cc8f9d776", // X.667, an arc of 128 bits
	} {
		o, err := ParseOID(text)
		if err != nil || hex.EncodeToString([]byte(o)) != octets || o.String() != text || !o.Valid() {
			t.Errorf("%s: %x, %v, back %s", text, string(o), err, o)
		}
	}
	for _, text := range []string{"", "1", "1.", ".1", "3.1", "1.40", "1.2.-3", "1.2.+3", "1.2.03", "1.2.a", "1.2 .3", "1.2.0x3", "1.2.1_0", "1.2" + strings.Repeat(".1", 300), "1.2." + strings.Repeat("9", 1<<20)} {
		if o, err := ParseOID(text); err == nil {
			t.Errorf("%.50q is %s", text, o)
		}
	}
	for _, octets := range []string{"", "\x80\x01", "\x2a\x80\x01", "\x2a\x81", strings.Repeat("\x01", 257), strings.Repeat("\xff", 4<<20) + "\x01"} {
		if o := OID(octets); o.Valid() || !strings.HasPrefix(o.String(), "malformed-oid:") || len(o.String()) > 100 {
			t.Errorf("%.50x is %s", octets, o)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("MustOID takes anything")
		}
	}()
	MustOID("x")
}

// encoding/asn1 agrees where its arcs are long enough.
func TestOIDAgainstStandardLibrary(t *testing.T) {
	for _, o := range []asn1.ObjectIdentifier{{1, 2, 840, 113549, 1, 7, 2}, {2, 47, 1}, {2, 48, 0x7fffffff}, {0, 39, 128, 16384}} {
		b, err := asn1.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		var got OID
		s := cryptobyte.String(b)
		if !ReadOID(&s, &got) || got.String() != o.String() {
			t.Errorf("%s read as %s", o, got)
		}
		var w cryptobyte.Builder
		AddOID(&w, MustOID(o.String()))
		if !bytes.Equal(w.BytesOrPanic(), b) {
			t.Errorf("%s written as %x", o, w.BytesOrPanic())
		}
	}
}

func TestReadAlgorithm(t *testing.T) {
	for in, want := range map[string]string{
		"30048 8370 3": "", "3005 0603883703": "2.999.3 ", "3007 0603883703 0500": "2.999.3 ", "3008 0603883703 020107": "2.999.3 020107",
		"3008 0603883703 050100": "", "3009 0603883703 0500 0500": "", "3002 0500": "", "3006 060388370305": "",
	} {
		b, _ := hex.DecodeString(strings.ReplaceAll(in, " ", ""))
		s := cryptobyte.String(b)
		var o OID
		params := []byte("left over")
		got := ""
		if ReadAlgorithm(&s, &o, &params) {
			got = o.String() + " " + hex.EncodeToString(params)
		}
		if got != want {
			t.Errorf("%s: %q, not %q", in, got, want)
		}
	}
}

func FuzzOID(f *testing.F) {
	for _, s := range []string{"1.2.156.10197.1.501", "2.999.3", "0.0", "2.25.329800735698586629295641978511506172918", "1.2.840.113556.1.8000.2554.28574"} {
		f.Add(s, []byte(MustOID(s)))
	}
	f.Fuzz(func(t *testing.T, text string, octets []byte) {
		if len(text) > 1000 || len(octets) > 1000 {
			return
		}
		if o, err := ParseOID(text); err == nil && (!o.Valid() || o.String() != text) {
			t.Errorf("%q: %x, back %s", text, string(o), o)
		}
		o := OID(octets)
		if !o.Valid() {
			return
		}
		if back, err := ParseOID(o.String()); err != nil || back != o {
			t.Errorf("%x: %s, back %x, %v", octets, o, string(back), err)
		}
	})
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheck(t *testing.T) {
	for in, want := range map[string]error{
		"0500":                     nil,
		"3000":                     nil,
		"30 03 020101":             nil,
		"30 06 a0 04 30 02 0500":   nil,
		"04 02 3080":               nil, // what is in a string is not looked at
		"80 01 00":                 nil,
		"":                         ErrSyntax,
		"30":                       ErrSyntax,
		"0500 00":                  ErrSyntax, // more after it
		"30 80 0000":               ErrSyntax,
		"24 03 040101":             ErrSyntax, // constructed string
		"a0 80 0000":               ErrSyntax,
		"30 03 0202ff":             ErrSyntax, // child longer than its parent
		"30 81 03 020101":          ErrSyntax, // length not minimal
		"30 82 0003 020101":        ErrSyntax,
		"04 85 0000000001 00":      ErrSyntax,
		"04 84 ffffffff":           ErrSyntax,
		"04 ff":                    ErrSyntax,
		"10 00":                    ErrSyntax, // primitive SEQUENCE
		"11 00":                    ErrSyntax,
		"22 00":                    ErrSyntax, // constructed INTEGER
		"00 00":                    ErrSyntax,
		"30 02 00 00":              ErrSyntax,
		"1f 01 00":                 ErrSyntax, // tag number over 30
		"30 02 05":                 ErrSyntax,
		"30 04 05 00 05":           ErrSyntax,
		strings.Repeat("04 00", 3): ErrSyntax,
	} {
		err := Check(unhex(t, in), Limits{})
		if !errors.Is(err, want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func nested(depth int) []byte {
	var b []byte
	for range depth {
		b = append(AppendHeader(nil, 0x30, len(b)), b...)
	}
	return b
}

func TestLimits(t *testing.T) {
	five := unhex(t, "30 08 0500 0500 0500 0500")
	for _, c := range []struct {
		name string
		b    []byte
		l    Limits
		want error
	}{
		{"depth of 64", nested(64), Limits{}, nil},
		{"depth of 65", nested(65), Limits{}, ErrLimit},
		{"depth of 2", nested(2), Limits{Depth: 2}, nil},
		{"depth of 3", nested(3), Limits{Depth: 2}, ErrLimit},
		{"five elements", five, Limits{Count: 5}, nil},
		{"six elements", five, Limits{Count: 4}, ErrLimit},
		{"ten octets", five, Limits{Size: 10}, nil},
		{"nine octets", five, Limits{Size: 9}, ErrLimit},
	} {
		if err := Check(c.b, c.l); !errors.Is(err, c.want) {
			t.Errorf("Check, %s: %v", c.name, err)
		}
		_, _, changed, err := Normalize(c.b, c.l)
		if !errors.Is(err, c.want) || changed {
			t.Errorf("Normalize, %s: %v", c.name, err)
		}
		open := append(append([]byte{0x30, 0x80}, c.b...), 0, 0)
		l := c.l.orDefaults()
		_, n, changed, err := Normalize(open, Limits{Size: l.Size + 4, Depth: l.Depth + 1, Count: l.Count + 1})
		if !errors.Is(err, c.want) || err == nil && (!changed || n != len(open)) {
			t.Errorf("Normalize in indefinite length, %s: %d, %t, %v", c.name, n, changed, err)
		}
	}
}

func TestNormalize(t *testing.T) {
	for _, c := range []struct{ in, out, rest string }{
		{"30 03 020101", "30 03 020101", ""},
		{"30 03 020101", "30 03 020101", "0000 00"},
		{"30 80 020101 0000", "30 03 020101", ""},
		{"30 80 020101 0000", "30 03 020101", "0000 0000 00"},
		{"30 80 0000", "3000", "00"},
		{"30 80 30 80 0000 a0 80 0500 0000 0000", "30 06 3000 a0 02 0500", "ff"},
		{"30 04 30 80 0000", "30 02 3000", "00"},
		{"24 80 0402 0102 0401 03 0000", "0403 010203", ""},
		{"24 07 0402 0102 0401 03", "0403 010203", "05"},
		{"24 80 24 80 0401 01 24 00 0000 2403 040102 0400 0000", "0402 0102", ""},
		{"24 80 0000", "0400", ""},
		{"30 80 24 80 0401 01 0000 0500 0000", "30 05 0401 01 0500", ""},
	} {
		in := unhex(t, c.in+c.rest)
		want := unhex(t, c.out)
		out, n, changed, err := Normalize(in, Limits{})
		if err != nil || !bytes.Equal(out, want) || n != len(in)-len(unhex(t, c.rest)) || changed != (c.in != c.out) {
			t.Errorf("%s: %x, %d, %t, %v", c.in, out, n, changed, err)
		}
		if length, err := Length(in); err != nil || length != n {
			t.Errorf("%s: Length %d, %v", c.in, length, err)
		}
	}
	for _, in := range []string{
		"", "30", "30 80", "30 80 00", "30 80 0500", "30 80 0500 00", "04 80 0000", "24 80 0500 0000", "24 80 2580 0000 0000", "24 80 a0 00 0000",
		"30 04 30 80 0500 0000", // open inside a length that ends before it does
		"30 02 30 80 0000",      // its end outside
		"30 06 30 80 0402 0000", // a child that would hide the end
		"30 80 81 8101 00 0000", // not minimal
		"23 80 0302 0001 0000",  // constructed BIT STRING
		"30 80 00 01 00 0000",   // an element of tag 0
		"0000", "00 80", "30 80 1f00 0000",
	} {
		if out, n, _, err := Normalize(unhex(t, in), Limits{}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%s: %x, %d, %v", in, out, n, err)
		}
	}
	for _, in := range []string{"", "30", "3001", "30 80", "30 80 0500", "0480"} {
		if n, err := Length(unhex(t, in)); !errors.Is(err, ErrSyntax) {
			t.Errorf("Length of %s: %d, %v", in, n, err)
		}
	}
}

// Lengths grow in steps; each step is right.
func TestNormalizeSizes(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 129, 255, 256, 65535, 65536, 70000} {
		payload := bytes.Repeat([]byte{7}, n)
		var ber []byte
		ber = append(ber, 0x30, 0x80, 0x24, 0x80)
		for i := 0; i < n; i += 1000 {
			piece := payload[i:min(i+1000, n)]
			ber = append(AppendHeader(ber, 0x04, len(piece)), piece...)
		}
		ber = append(ber, 0, 0, 0, 0)
		inner := append(AppendHeader(nil, 0x04, n), payload...)
		want := append(AppendHeader(nil, 0x30, len(inner)), inner...)
		out, took, _, err := Normalize(ber, Limits{})
		if err != nil || took != len(ber) || !bytes.Equal(out, want) || len(out) != n+HeaderSize(n)+HeaderSize(len(inner)) {
			t.Errorf("%d: %d octets, %v", n, len(out), err)
		}
		var back asn1.RawValue
		if rest, err := asn1.Unmarshal(out, &back); err != nil || len(rest) > 0 {
			t.Errorf("%d: encoding/asn1: %v", n, err)
		}
	}
}

// hostile is 4 MB of each shape that has broken a parser.
func hostile() map[string][]byte {
	const size = 4 << 20
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)) }
	wide := func(tag byte, s string) []byte { b := fill(s); return append(AppendHeader(nil, tag, len(b)), b...) }
	return map[string][]byte{
		"nested 30 80":          fill("\x30\x80"),
		"nested 24 80":          fill("\x24\x80"),
		"nested 30 84 ff":       fill("\x30\x84\xff\xff\xff\xff"),
		"nested definite":       fill("\x30\x84\x00\x3f\xff\xf0"),
		"wide":                  wide(0x31, "\x05\x00"),
		"wide of empty sets":    wide(0x31, "\x31\x00"),
		"wide indefinite":       append([]byte{0x31, 0x80}, fill("\x05\x00")...),
		"open and close":        append([]byte{0x30, 0x80}, fill("\x30\x80\x00\x00")...),
		"string of empty parts": append([]byte{0x24, 0x80}, fill("\x04\x00")...),
		"deep then wide":        append(bytes.Repeat([]byte{0x30, 0x80}, 63), fill("\x05\x00")...),
		"one long string":       wide(0x04, "\x00"),
	}
}

func TestHostileShapes(t *testing.T) {
	for name, b := range hostile() {
		for _, l := range []Limits{{}, {Count: 1 << 30, Depth: 1 << 20}} {
			err := Check(b, l)
			_, _, _, errNormalize := Normalize(b, l)
			if _, errLength := Length(b); errLength == nil && err != nil && l == (Limits{}) && !errors.Is(err, ErrLimit) {
				t.Errorf("%s: Length takes what Check refuses: %v", name, err)
			}
			for _, err := range []error{err, errNormalize} {
				if err != nil && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrSyntax) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if l == (Limits{}) && name != "one long string" && err == nil {
				t.Errorf("%s passed", name)
			}
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"30 03 020101", "30 80 020101 0000 00", "24 80 0402 0102 0401 03 0000", "30 80 24 80 0401 01 0000 0500 0000",
		"30 04 30 80 0000", "31 81 80" + strings.Repeat("00", 128), "a0 80 30 80 0603 883703 a0 80 24 80 0401 ff 0000 0000 0000 0000"} {
		f.Add(unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := Limits{Size: 1 << 16, Depth: 20, Count: 2000}
		out, n, changed, err := Normalize(b, l)
		if err != nil {
			if !errors.Is(err, ErrSyntax) && !errors.Is(err, ErrLimit) {
				t.Errorf("%v", err)
			}
			return
		}
		if length, err := Length(b); err != nil || length != n || n > len(b) {
			t.Errorf("took %d of %d, Length %d, %v", n, len(b), length, err)
		}
		if changed != (Check(b[:n], l) != nil) {
			t.Errorf("changed %t, Check %v", changed, Check(b[:n], l))
		}
		l.Size *= 2
		if err := Check(out, l); err != nil {
			t.Errorf("%x is not DER: %v", out, err)
		}
		again, m, changed, err := Normalize(out, l)
		if err != nil || changed || m != len(out) || !bytes.Equal(again, out) {
			t.Errorf("not stable: %v", err)
		}
		// A second opinion on DER: the outermost element.
		var s, element cryptobyte.String = out, nil
		if !s.ReadAnyASN1Element(&element, nil) || !s.Empty() {
			t.Errorf("cryptobyte does not read %x", out)
		}
	})
}

func BenchmarkHostile(b *testing.B) {
	for name, in := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in)))
			for b.Loop() {
				Normalize(in, Limits{Count: 1_000_000})
			}
		})
	}
}
