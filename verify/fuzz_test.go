package verify

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// FuzzDocument verifies anything, and sealed files in which some bytes were changed: no panic, and no change of bytes that are
// signed leaves a signature valid.
func FuzzDocument(f *testing.F) {
	w := theWorld()
	type good struct {
		file     []byte
		from, to int
	}
	var goods []good
	recorded, log := ledgerWorld(f, sm3Log)
	for i := range 2 * len(formats) {
		format := formats[i%len(formats)]
		file := sealFile(f, page(), w.stamp(f, format, noon), visible)
		if i >= len(formats) {
			file = entered(f, recorded, format, scribe{log: log})
		}
		from, to := gap(f, file)
		goods = append(goods, good{file, from, to})
		f.Add(file, uint8(len(goods)), uint32(20), uint8(1))
		f.Add(file[:len(file)/2], uint8(0), uint32(0), uint8(0))
		f.Add(sealFile(f, file, w.stamp(f, format, noon), pdfx.Options{}), uint8(0), uint32(700), uint8(255))
	}
	if dir := os.Getenv("COURTSEAL_SHARED"); dir != "" {
		names, _ := filepath.Glob(filepath.Join(dir, "vectors/pdf/*.pdf"))
		for _, n := range names {
			if b, err := os.ReadFile(n); err == nil && len(b) < 64<<10 {
				f.Add(b, uint8(0), uint32(0), uint8(0))
			}
		}
	}
	o := Options{Roots: w.roots, At: noon, Sealings: nothingWithdrawn{}, Limits: Limits{Objects: 20000}}
	f.Fuzz(func(t *testing.T, b []byte, which uint8, at uint32, mask uint8) {
		stuck := time.AfterFunc(5*time.Second, func() { panic("stuck") }) // the fuzzer itself would wait for ever
		defer stuck.Stop()
		if r, err := Document(context.Background(), bytes.NewReader(b), int64(len(b)), o); err == nil {
			_ = r.String()
			if r.Verdict == Valid && !bytes.Contains(b, []byte("%PDF-")) {
				t.Error("valid, and no PDF")
			}
		}
		g := goods[int(which)%len(goods)]
		i := int(at) % len(g.file)
		if mask == 0 || i > g.from && i < g.to-1 { // the value itself is not signed: its digits may be of either case
			return
		}
		bad := changed(g.file, i, mask)
		if r, err := Document(context.Background(), bytes.NewReader(bad), int64(len(bad)), o); err == nil && r.Verdict == Valid {
			t.Errorf("byte %d changed and valid\n%s", i, r)
		}
	})
}

type nothingWithdrawn struct{}

func (nothingWithdrawn) Sealing(context.Context, seal.Sealing) (seal.SealingState, error) {
	return seal.SealingState{}, nil
}

// FuzzStamp changes one octet of a time stamp: it is no stamp any more, or still says what it said.
func FuzzStamp(f *testing.F) {
	w := theWorld()
	value := []byte("a signature value")
	var seeds [][]byte
	for _, key := range []sign.Key{tsaKeys().sm2, tsaKeys().rsa} {
		token := clockwork{key: key, at: noon}.token(value)
		seeds = append(seeds, token)
		for i := range 40 {
			f.Add(i%2 == 0, i*len(token)/40, byte(1<<(i%8)))
		}
	}
	j := jobOf(Options{Roots: w.roots, At: noon})
	f.Fuzz(func(t *testing.T, sm2 bool, i int, mask byte) {
		token := bytes.Clone(seeds[1])
		if sm2 {
			token = bytes.Clone(seeds[0])
		}
		if i < 0 || i >= len(token) || mask == 0 {
			return
		}
		token[i] ^= mask
		s, by := j.judge(new(Signature)).judgeStamp(stampedValue{over: overSES, value: value}, token)
		if s.Verdict == Valid && (!s.Time.Equal(noon) || !by.Equal(noon)) {
			t.Errorf("octet %d changed by %02x: %s, %s", i, mask, s.Time, by)
		}
		if s.Verdict == Valid && s.Authority.Subject == "" {
			t.Error("nobody's stamp is valid")
		}
	})
}

// FuzzOCSP parses anything.
func FuzzOCSP(f *testing.F) {
	f.Add([]byte{0x30, 0x03, 0x0a, 0x01, 0x00})
	w := theWorld()
	cert, err := gm.ParseCertificate(w.sm2.Chain()[0])
	if err != nil {
		f.Fatal(err)
	}
	for status := range 3 {
		f.Add(ocsp(f, w.sm2CA, nil, cert, status, noon, noon))
	}
	f.Fuzz(func(t *testing.T, b []byte) { parseOCSP(b) })
}
