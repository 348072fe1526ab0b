package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// FuzzVerifyPDF verifies anything, from files of all kinds on: signed once and twice, certified, stamped with a time, entered in a ledger,
// those of the mutations, and of other makers. What is valid has the bytes that one of them has.
func FuzzVerifyPDF(f *testing.F) {
	w := theWorld()
	all := signedPDFs(f)
	for _, s := range all {
		f.Add(s.bytes)
		f.Add(s.bytes[:len(s.bytes)/2])
	}
	recorded, log := ledgerWorld(f, sm3Log)
	for _, format := range formats {
		for _, file := range [][]byte{entered(f, recorded, format, scribe{log: log}),
			sealFile(f, page(), stamped(f, w.seal, w.sm2, format, noon, tsa(noon)), visible)} {
			f.Add(file)
			all = append(all, newSignedPDF(f, string(format), file))
		}
	}
	for _, name := range findShared("vectors/pdf/*.pdf") {
		if b, err := os.ReadFile(name); err == nil && len(b) < 64<<10 {
			f.Add(b)
		}
	}
	o := Options{Roots: w.roots, At: noon, Sealings: nothingWithdrawn{}, Limits: Limits{Objects: 20000}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if r := wellReported(t, b, o); r != nil {
			if wrong := judgePDF(r, all[0], all, b, false); wrong != "" && r.Format == "PDF" {
				t.Error(wrong)
			}
		}
	})
}

// FuzzVerifyMutants makes mutants of signed PDFs and Office documents, as the tests of mutations do, led by what it covers.
func FuzzVerifyMutants(f *testing.F) {
	files, pool := signedPDFs(f), []*mutable(nil)
	for i, s := range files {
		pool = append(pool, &s.mutable)
		f.Add(uint16(i), uint64(i))
	}
	documents, parts := signedDocxs(f)
	for i := range documents {
		f.Add(uint16(len(files)+i), uint64(i))
	}
	o := Options{Roots: sealed().roots, At: noon}
	f.Fuzz(func(t *testing.T, which uint16, seed uint64) {
		m := &mutator{Rand: rand.New(rand.NewPCG(seed, 0))}
		var mutant []byte
		var judge func(*Report) string
		if i := int(which) % (len(files) + len(documents)); i < len(files) {
			m.pool = pool
			mutant = m.pdf(files[i], files)
			judge = func(r *Report) string { return judgePDF(r, files[i], files, mutant, false) }
		} else {
			m.pool = parts
			mutant = m.office(t, documents[i-len(files)], documents)
			judge = func(r *Report) string { return judgeOffice(r, documents[i-len(files)], documents, mutant) }
		}
		if r := wellReported(t, mutant, o); r != nil {
			if wrong := judge(r); wrong != "" {
				t.Errorf("%q\n%s", m.did, wrong)
			}
		}
	})
}

// wellReported verifies anything, within time and memory, and wants a report that is one: of the three verdicts, each the worst below it, and the
// same when it comes out of JSON again. nil: there is none.
func wellReported(t *testing.T, b []byte, o Options) *Report {
	t.Helper()
	stuck := time.AfterFunc(5*time.Second, func() { panic("stuck") }) // the fuzzer itself would wait for ever
	defer stuck.Stop()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := Document(context.Background(), bytes.NewReader(b), int64(len(b)), o)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > uint64(256<<20+200*len(b)) {
		t.Errorf("%d MB for %d KB", n>>20, len(b)>>10)
	}
	if r == nil {
		if err == nil {
			t.Error("neither a report nor an error")
		}
		return nil
	}
	_ = r.String()
	verdict := NotAsked
	for _, s := range r.Signatures {
		if s.Verdict != worst(s.Checks) || s.Verdict == NotAsked {
			t.Errorf("%s is %s, of checks worth %s", s.Name, s.Verdict, worst(s.Checks))
		}
		verdict = worse(verdict, s.Verdict)
	}
	if r.Verdict < Indeterminate || r.Verdict > Valid || r.Verdict == Valid && (verdict != Valid || r.Unsigned) || worse(r.Verdict, verdict) != r.Verdict && !r.Unsigned {
		t.Errorf("%s, of signatures worth %s", r.Verdict, verdict)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again Report
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if same, err := json.Marshal(&again); err != nil || !bytes.Equal(same, text) {
		t.Errorf("%v\n%s\n%s", err, text, same)
	}
	return r
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
