package offline

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/sign"
)

var sampleLines = []line{
	{"grant", [][]byte{[]byte("a note\n")}},
	{"use", [][]byte{[]byte("a leaf"), {}}},
	{"list", [][]byte{[]byte("42")}},
	{"end", [][]byte{[]byte("an outcome"), []byte(`[{"bytes":"AA=="}]`)}},
}

func readAll(b []byte) (lines []line, j journal, torn bool, err error) {
	j, torn, err = readJournal(bytes.NewReader(b), func(l line, at span) error {
		if at.at+at.size > int64(len(b)) || b[at.at+at.size-1] != '\n' {
			return errors.New("a line stands where none is")
		}
		lines = append(lines, l)
		return nil
	})
	return lines, j, torn, err
}

// Every change of a byte is found, but for the last line feed: without it, the last line is one that was being written.
func TestJournal(t *testing.T) {
	whole := newJournal(sampleLines...)
	lines, j, torn, err := readAll(whole)
	if err != nil || torn || !bytes.Equal(newJournal(lines...), whole) || j.size != int64(len(whole)) {
		t.Fatalf("%+v %v: %v", lines, torn, err)
	}
	for i := range len(whole) - 1 {
		for bit := range 8 {
			bad := bytes.Clone(whole)
			bad[i] ^= 1 << bit
			if _, _, _, err := readAll(bad); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d, bit %d: %v", i, bit, err)
			}
		}
	}
	for n := len(journalHeader); n < len(whole); n++ {
		lines, j, torn, err := readAll(whole[:n])
		if err != nil || torn != (whole[n-1] != '\n') || len(lines) != bytes.Count(whole[:n], []byte("\n"))-1 || whole[j.size-1] != '\n' {
			t.Fatalf("%d bytes: %d lines, torn %v, %v", n, len(lines), torn, err)
		}
	}
}

// A book is not trusted because its sums are right: what they hold together must be one chain.
func TestOpenChecksTheChain(t *testing.T) {
	signer, err := audit.NewSigner("ledger.example.cn/sm3", ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)))
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	digest := sign.SM3.Sum(nil)
	g := &audit.OfflineGrant{ID: "g", Log: signer.Name(), Lists: signer.Name(), Org: "o", Seal: "s", SealDigest: digest,
		Devices: [][]byte{digest}, Kinds: []string{"*"}, From: day, To: day, Uses: 3}
	note, err := g.Sign(signer)
	if err != nil {
		t.Fatal(err)
	}
	start, _ := g.Start()
	entry := func(number uint64, prev audit.Hash) line {
		u := audit.OfflineUse{Number: number, Prev: prev, Use: audit.Use{Request: "r", Grant: "g", Format: sign.CMS,
			Content: sign.Sums{sign.SM3: digest}, Certs: [][]byte{digest}, Time: day}}
		leaf, err := u.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		return line{"use", [][]byte{leaf, nil}}
	}
	granted := line{"grant", [][]byte{note}}
	first := entry(1, start)
	for name, tc := range map[string]struct {
		lines []line
		want  error
	}{
		"one use":             {[]line{granted, first}, nil},
		"another first":       {[]line{granted, entry(1, audit.Hash{})}, ErrDamaged},
		"the second is first": {[]line{granted, entry(2, start)}, ErrDamaged},
		"the first twice":     {[]line{granted, first, first}, ErrDamaged},
		"broken":              {[]line{granted, first, entry(2, start)}, ErrDamaged},
		"the grant twice":     {[]line{granted, granted}, ErrDamaged},
		"no grant":            {[]line{first}, ErrDamaged},
		"nothing":             {nil, ErrDamaged},
		"an unknown line":     {[]line{granted, {"more", [][]byte{nil}}}, ErrDamaged},
		"words":               {[]line{granted, {"use", [][]byte{nil}}}, ErrDamaged},
		"no outcome":          {[]line{granted, first, {"end", [][]byte{nil, nil}}}, ErrDamaged},
		"no number":           {[]line{granted, {"list", [][]byte{[]byte("x")}}}, ErrDamaged},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, bookName), newJournal(tc.lines...), 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := Open(dir, []audit.Verifier{signer.Verifier()}, Options{})
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			b.Close()
		}
	}
}

func FuzzJournal(f *testing.F) {
	f.Add(newJournal(sampleLines...))
	f.Add(newJournal(sampleLines[:1]...)[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		lines, j, torn, err := readAll(b)
		if err == nil && (j.size > int64(len(b)) || torn != (j.size < int64(len(b)))) {
			t.Errorf("%d lines in %d of %d bytes, torn %v", len(lines), j.size, len(b), torn)
		}
		for _, l := range lines {
			if l.name == "" && len(l.words) == 0 {
				t.Error("a line of nothing")
			}
		}
	})
}
