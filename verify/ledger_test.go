package verify

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A memoryLog is a ledger in memory.
type memoryLog struct {
	origin   string
	signer   *audit.KeySigner
	edge     audit.Frontier
	cosigner *audit.KeySigner // nil: none
	nodes    map[audit.NodeID]audit.Hash
}

func newLog(t testing.TB, origin string) *memoryLog {
	t.Helper()
	var key interface{ Public() crypto.PublicKey } = testpki.NewKey(testpki.SM2)
	if audit.ProfileOf(origin) == audit.SHA256 {
		_, key, _ = ed25519.GenerateKey(nil)
	}
	s, err := audit.NewSigner(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	l := &memoryLog{origin: origin, signer: s}
	l.reset(0)
	return l
}

// fork is the same ledger, by the same key, that forgets what was entered from an index on.
func (l *memoryLog) fork(from uint64) *memoryLog {
	f := &memoryLog{origin: l.origin, signer: l.signer, nodes: l.nodes}
	f.reset(from)
	return f
}

func (l *memoryLog) reset(size uint64) {
	var err error
	if l.edge, err = audit.NewFrontier(context.Background(), audit.ProfileOf(l.origin), l, size); err != nil {
		panic(err)
	}
	l.nodes = maps.Clone(l.nodes)
	if l.nodes == nil {
		l.nodes = map[audit.NodeID]audit.Hash{}
	}
}

func (l *memoryLog) Nodes(_ context.Context, ids []audit.NodeID) (out []audit.Hash, err error) {
	for _, id := range ids {
		h, ok := l.nodes[id]
		if !ok {
			return nil, fmt.Errorf("%w: %v", audit.ErrRange, id)
		}
		out = append(out, h)
	}
	return out, nil
}

func (l *memoryLog) enter(leaf []byte) uint64 {
	at := l.edge.Size()
	for level, h := range l.edge.Append(audit.ProfileOf(l.origin).LeafHash(leaf)) {
		l.nodes[audit.NodeID{Level: uint(level), Index: at >> level}] = h
	}
	return at
}

// grow enters n things of no interest.
func (l *memoryLog) grow(n int) *memoryLog {
	for i := range n {
		l.enter(fmt.Appendf(nil, "courtseal.leaf/v1 note\nnumber %d %d\n", l.edge.Size(), i))
	}
	return l
}

// checkpoint is the signed note of the tree of a size.
func (l *memoryLog) checkpoint(size uint64) []byte {
	root, err := audit.RootAt(context.Background(), audit.ProfileOf(l.origin), l, size)
	if err != nil {
		panic(err)
	}
	signers := []audit.Signer{l.signer}
	if l.cosigner != nil {
		signers = append(signers, l.cosigner)
	}
	note, err := audit.Checkpoint{Origin: l.origin, Size: size, Root: root}.Sign(signers...)
	if err != nil {
		panic(err)
	}
	return note
}

func (l *memoryLog) receipt(leaf []byte, index, size uint64) audit.Receipt {
	proof, err := audit.ProveInclusion(context.Background(), audit.ProfileOf(l.origin), l, index, size)
	if err != nil {
		panic(err)
	}
	return audit.Receipt{Index: index, Leaf: leaf, Proof: proof, Checkpoint: l.checkpoint(size)}
}

// A scribe is the Recorder of the tests: it enters each act in a memoryLog, or lies about it where it is told to.
type scribe struct {
	log     *memoryLog
	seal    *seal.Seal
	now     time.Time
	use     func(*audit.Use)
	receipt func(*audit.Receipt)
	bytes   func([]byte) []byte
}

func (s scribe) Begin(_ context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	u := audit.UseOf(act, p)
	u.Kind, u.Time = "判决书", s.now
	if s.seal != nil {
		u.SealDigest = sign.SM3.Sum(s.seal.Raw)
	}
	if s.use != nil {
		s.use(&u)
	}
	l, err := u.Leaf()
	if err != nil {
		return audit.Permit{}, err
	}
	leaf, err := l.Marshal()
	if err != nil {
		return audit.Permit{}, err
	}
	index := s.log.enter(leaf)
	r := s.log.receipt(leaf, index, index+1)
	if s.receipt != nil {
		s.receipt(&r)
	}
	evidence := r.Evidence()
	if s.bytes != nil {
		evidence = s.bytes(evidence)
	}
	return audit.Permit{Evidence: evidence}, nil
}

func (s scribe) End(context.Context, *sign.Act, []sign.Value, error) error { return nil }

// ledgerWorld is a world whose seal wants every use of it in a ledger.
func ledgerWorld(t testing.TB, origin string) (*world, *memoryLog) {
	t.Helper()
	w, log := *theWorld(), newLog(t, origin).grow(5)
	w.seal = w.withPolicy(t, audit.Policy{Required: true, Keys: []audit.Verifier{log.signer.Verifier()}})
	return &w, log
}

// withPolicy makes a seal that carries a ledger policy.
func (w *world) withPolicy(t testing.TB, p audit.Policy) *seal.Seal {
	t.Helper()
	value, err := p.Extension()
	if err != nil {
		t.Fatal(err)
	}
	return w.make(func(s *seal.Seal) {
		s.ID, s.Extensions = "11010600000002", []seal.Extension{{ID: sign.AttributePolicy, Critical: true, Value: value}}
	})
}

const (
	sm3Log    = "example.cn/ledger/sm3"
	sha256Log = "example.cn/ledger"
)

// entered seals a page with the world's seal by way of a scribe.
func entered(t testing.TB, w *world, f sign.Format, s scribe) []byte {
	t.Helper()
	if s.seal == nil {
		s.seal = w.seal
	}
	if s.now.IsZero() {
		s.now = noon
	}
	return sealFile(t, page(), audit.Record(s, w.stamp(t, f, noon)), visible)
}

// Proof of what the ledger is for: who has the key, and other software, makes a signature that is right in every other way.
func TestKeyholderBypassesTheLedger(t *testing.T) {
	for _, origin := range []string{sm3Log, sha256Log} {
		w, log := ledgerWorld(t, origin)
		for _, f := range formats {
			file := bypass(t, page(), w.seal, w.sm2, w.rsa, f)
			r := verifyFile(t, w, file, nil)
			want(t, r, 0, Invalid, "ledger", "no-ledger-entry")
			for _, c := range r.Signatures[0].Checks {
				if c.Name != "ledger" && c.Verdict != Valid && c.Verdict != NotAsked {
					t.Errorf("%s: %s is %s (%s)", f, c.Name, c.Verdict, c.Code)
				}
			}
			r = verifyFile(t, w, entered(t, w, f, scribe{log: log}), nil)
			want(t, r, 0, Valid, "ledger", "ok")
			if e := r.Signatures[0].Entry; e == nil || e.Log != origin || e.Index+1 != log.edge.Size() || !e.Time.Equal(noon) {
				t.Errorf("%s: entry %+v", f, e)
			}
		}
	}
}

// bypass is all that a keyholder needs to seal without a ledger.
func bypass(t testing.TB, file []byte, e *seal.Seal, key, outer sign.Key, f sign.Format) []byte {
	o := seal.StampOptions{Format: f, Now: func() time.Time { return noon }}
	if f == sign.Dual {
		o.Outer = outer
	}
	stamp, err := e.Stamp(key, o)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	options := pdfx.Options{Now: o.Now, At: []pdfx.At{{Page: 1, X: 100, Y: 150}}}
	if _, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), stamp, options); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Evidence that is right, and every way in which it is not. Whatever is wrong is signed by the holder's keys all the same.
func TestLedger(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	other, elsewhere := newLog(t, sm3Log).grow(9), newLog(t, sha256Log).grow(9)
	digest := sign.SM3.Sum
	use := func(f func(*audit.Use)) scribe { return scribe{log: log, use: f} }
	receipt := func(f func(*audit.Receipt)) scribe { return scribe{log: log, receipt: f} }
	raw := func(f func([]byte) []byte) scribe { return scribe{log: log, bytes: f} }
	logs := func(l Logs) func(*Options) { return func(o *Options) { o.Logs = l } }
	for _, x := range []struct {
		name    string
		scribe  scribe
		mod     func(*Options)
		verdict Verdict
		code    string
	}{
		{"as it should be", scribe{log: log}, nil, Valid, "ok"},
		{"a use without the digest of the seal", use(func(u *audit.Use) { u.SealDigest = nil }), nil, Valid, "ok"},
		{"another document", use(func(u *audit.Use) { u.Content = sums(u.Content, "another") }), nil, Invalid, "evidence-other-document"},
		{"another hash of the document", use(func(u *audit.Use) { u.Content = sign.Sums{sign.SHA512: make([]byte, 64)} }), nil, Invalid, "evidence-other-document"},
		{"one entry for two documents", use(func(u *audit.Use) { u.Content = with(u.Content, sign.SHA384, "the other") }), nil, Invalid, "evidence-other-document"},
		{"no digest of the document", use(func(u *audit.Use) { u.Content = nil }), nil, Invalid, "evidence-no-digest"},
		{"another source", use(func(u *audit.Use) { u.Source = sums(u.Source, "approved") }), nil, Invalid, "evidence-other-source"},
		{"another source by another hash", use(func(u *audit.Use) { u.Source = sign.Sums{sign.SHA512: make([]byte, 64)} }), nil, Invalid, "evidence-other-source"},
		{"the source by another hash", use(func(u *audit.Use) { u.Source = sign.Sums{sign.SHA512: sign.SHA512.Sum(page())} }), nil, Valid, "ok"},
		{"one entry for two sources", use(func(u *audit.Use) { u.Source = with(u.Source, sign.SHA384, "the other") }), nil, Invalid, "evidence-other-source"},
		{"no source", use(func(u *audit.Use) { u.Source = nil }), nil, Valid, "ok"},
		{"another seal", use(func(u *audit.Use) { u.Seal = "11010600000003" }), nil, Invalid, "evidence-other-seal"},
		{"the same number on another seal", use(func(u *audit.Use) { u.SealDigest = digest([]byte("older")) }), nil, Invalid, "evidence-other-seal"},
		{"another key", use(func(u *audit.Use) { u.Certs = [][]byte{digest(w.maker.Chain()[0])} }), nil, Invalid, "evidence-other-key"},
		{"dated back", scribe{log: log, now: noon.Add(6 * time.Minute)}, nil, Invalid, "signed-before-entry"},
		{"clocks that differ a little", scribe{log: log, now: noon.Add(4 * time.Minute)}, nil, Valid, "ok"},
		{"kept for later", scribe{log: log, now: noon.Add(-25 * time.Hour)}, nil, Invalid, "signed-long-after-entry"},
		{"an older checkpoint", receipt(func(r *audit.Receipt) { r.Checkpoint = log.checkpoint(r.Index) }), nil, Invalid, "checkpoint-before-entry"},
		{"another checkpoint", receipt(func(r *audit.Receipt) { log.grow(1); r.Checkpoint = log.checkpoint(r.Index + 2) }), nil, Invalid, "evidence-proof-wrong"},
		{"another place", receipt(func(r *audit.Receipt) { r.Index-- }), nil, Invalid, "evidence-proof-wrong"},
		{"no proof", receipt(func(r *audit.Receipt) { r.Proof = nil }), nil, Invalid, "evidence-proof-wrong"},
		{"an entry that was never made", receipt(func(r *audit.Receipt) { r.Leaf = bytes.Replace(r.Leaf, []byte("判决书"), []byte("裁定书"), 1) }), nil, Invalid, "evidence-proof-wrong"},
		{"signed by nobody", receipt(func(r *audit.Receipt) { r.Checkpoint = flipSignature(r.Checkpoint) }), nil, Invalid, "checkpoint-signature-wrong"},
		{"a ledger that the maker did not name", scribe{log: elsewhere}, logs(Logs{Keys: []audit.Verifier{elsewhere.signer.Verifier()}}), Invalid, "evidence-other-ledger"},
		{"a ledger of the holder's own", scribe{log: other}, nil, Indeterminate, "log-unknown"},
		{"a new key of the ledger, which the verifier trusts", scribe{log: other}, logs(Logs{Keys: []audit.Verifier{other.signer.Verifier()}}), Valid, "ok"},
		{"an entry of another kind", receipt(func(r *audit.Receipt) {
			leaf := []byte("courtseal.leaf/v1 note\nnumber 1\n")
			i := log.enter(leaf)
			*r = log.receipt(leaf, i, i+1)
		}), nil, Invalid, "evidence-no-use"},
		{"a leaf hash alone", raw(func(b []byte) []byte { return sign.SM3.Sum(b) }), nil, Invalid, "malformed-evidence"},
		{"nothing but a checkpoint", raw(func(b []byte) []byte { return log.checkpoint(3) }), nil, Invalid, "malformed-evidence"},
		{"half of it", raw(func(b []byte) []byte { return b[:len(b)/2] }), nil, Invalid, "malformed-evidence"},
		{"a byte more", raw(func(b []byte) []byte { return append(b, '\n') }), nil, Invalid, "malformed-evidence"},
	} {
		for _, f := range formats {
			t.Run(x.name+"/"+string(f), func(t *testing.T) {
				want(t, verifyFile(t, w, entered(t, w, f, x.scribe), x.mod), 0, x.verdict, "ledger", x.code)
			})
		}
	}
	t.Run("one certificate of two", func(t *testing.T) {
		for _, key := range []sign.Key{w.sm2, w.rsa} {
			s := use(func(u *audit.Use) { u.Certs = [][]byte{digest(key.Chain()[0])} })
			want(t, verifyFile(t, w, entered(t, w, sign.Dual, s), nil), 0, Invalid, "ledger", "evidence-other-key")
		}
	})
}

// with are sums and one more, of something else.
func with(of sign.Sums, h sign.Hash, content string) sign.Sums {
	out := maps.Clone(of)
	out[h] = h.Sum([]byte(content))
	return out
}

// sums are those of something else, made with the same hashes.
func sums(of sign.Sums, content string) sign.Sums {
	out := sign.Sums{}
	for h := range of {
		out[h] = h.Sum([]byte(content))
	}
	return out
}

// flipSignature changes the last letter but the padding of a note's last line.
func flipSignature(note []byte) []byte {
	i := len(bytes.TrimRight(note, "=\n")) - 8
	out := bytes.Clone(note)
	if out[i] == 'A' {
		out[i] = 'B'
	} else {
		out[i] = 'A'
	}
	return out
}

// What is known of a ledger: evidence of another history is found, by checkpoints and by whole trees.
func TestKnownLedger(t *testing.T) {
	for _, origin := range []string{sm3Log, sha256Log} {
		w, log := ledgerWorld(t, origin)
		evil := log.fork(3).grow(6) // the same key, another history from entry 3 on
		file := entered(t, w, sign.Dual, scribe{log: log})
		size := log.edge.Size()
		hidden := entered(t, w, sign.Dual, scribe{log: evil}) // its evidence is of a tree of 10
		log.grow(14)
		evil.grow(10)
		stranger := newLog(t, origin).grow(30)
		elsewhere := newLog(t, "example.cn/other").grow(30)
		liar := log.fork(log.edge.Size()) // the root of 16 is one node of it
		liar.nodes[audit.NodeID{Level: 2, Index: 0}] = audit.Hash{1}
		liar.nodes[audit.NodeID{Level: 0, Index: size - 1}] = audit.Hash{1}
		broken := log.fork(log.edge.Size())
		broken.nodes[audit.NodeID{Level: 0, Index: 2}] = audit.Hash{1}
		broken.nodes[audit.NodeID{Level: 3, Index: 0}] = audit.Hash{1}
		for _, x := range []struct {
			name    string
			file    []byte
			tree    Tree
			verdict Verdict
			code    string
		}{
			{"the same checkpoint", file, Tree{log.checkpoint(size), nil}, Valid, "same-history"},
			{"a later checkpoint without its tree", file, Tree{log.checkpoint(size + 9), nil}, Valid, "ok"},
			{"a later checkpoint and its tree", file, Tree{log.checkpoint(size + 9), log}, Valid, "same-history"},
			{"an earlier checkpoint and a later tree", file, Tree{log.checkpoint(2), log}, Valid, "same-history"},
			{"an earlier checkpoint and its tree", file, Tree{log.checkpoint(2), log.fork(2)}, Valid, "same-history"},
			{"of another ledger", file, Tree{elsewhere.checkpoint(9), elsewhere}, Valid, "ok"},
			{"signed by another key", file, Tree{stranger.checkpoint(9), stranger}, Indeterminate, "tree-unreadable"},
			{"forked, of the same size", hidden, Tree{log.checkpoint(10), nil}, Invalid, "log-forked"},
			{"forked, of another size", hidden, Tree{log.checkpoint(14), nil}, Valid, "ok"},
			{"forked, with the tree", hidden, Tree{log.checkpoint(14), log}, Invalid, "log-forked"},
			{"forked, and the tree is the fork", file, Tree{evil.checkpoint(14), evil}, Invalid, "log-forked"},
			{"an earlier checkpoint and a forked tree", file, Tree{log.checkpoint(2), evil}, Indeterminate, "tree-unreadable"},
			{"a tree that is not that of its checkpoint", file, Tree{log.checkpoint(14), evil}, Indeterminate, "tree-unreadable"},
			{"a damaged tree", file, Tree{log.checkpoint(14), broken}, Indeterminate, "tree-unreadable"},
			{"a tree that lies below what makes its root", file, Tree{log.checkpoint(16), liar}, Indeterminate, "tree-unreadable"},
			{"a tree with holes", file, Tree{log.checkpoint(14), newLog(t, origin)}, Indeterminate, "tree-unreadable"},
		} {
			t.Run(origin+"/"+x.name, func(t *testing.T) {
				r := verifyFile(t, w, x.file, func(o *Options) { o.Logs.Trees = []Tree{x.tree} })
				want(t, r, 0, x.verdict, "ledger", x.code)
			})
		}
		r := verifyFile(t, w, hidden, func(o *Options) {
			o.Logs.Trees = []Tree{{stranger.checkpoint(9), stranger}, {log.checkpoint(14), log}, {log.checkpoint(14), broken}, {evil.checkpoint(14), evil}}
		})
		want(t, r, 0, Invalid, "ledger", "log-forked")
		r = verifyFile(t, w, file, func(o *Options) { o.Logs.Trees = []Tree{{[]byte("no checkpoint"), nil}} })
		want(t, r, 0, Valid, "ledger", "ok")
		if len(r.Notes) != 1 || r.Notes[0].Code != "unusable-input" {
			t.Errorf("notes %v", r.Notes)
		}
	}
}

// layered makes a dual whose layers bind evidence of their own choice; an inner of two stands there twice.
type layered struct {
	sign.Signer
	w            *world
	inner, outer func([]byte) [][]byte
}

func (l layered) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	evidence := act.Evidence
	ses, err := l.w.seal.Stamp(l.w.sm2, seal.StampOptions{Format: sign.SES, Now: at(noon)})
	if err != nil {
		return nil, err
	}
	a := *act
	a.Parts = []sign.Part{{Format: sign.SES, Property: act.Parts[0].Property}}
	a.Evidence = nil
	if in := l.inner(evidence); len(in) > 0 {
		a.Evidence = in[0]
	}
	inner, err := ses.Sign(ctx, &a)
	if err != nil {
		return nil, err
	}
	o := cms.Options{Attributes: []cms.Attribute{{Type: sign.AttributeSignature, Values: [][]byte{inner[0].Bytes}}}}
	for _, e := range l.outer(evidence) {
		o.Attributes = append(o.Attributes, cms.Evidence(e))
	}
	v, err := cms.Sign(ctx, l.w.rsa, act.Content[sign.SHA256], o)
	return []sign.Value{v}, err
}

// Evidence in the two layers of a dual.
func TestLedgerOfBothLayers(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	none := func([]byte) [][]byte { return nil }
	same := func(b []byte) [][]byte { return [][]byte{b} }
	other := func(b []byte) [][]byte { return [][]byte{append(b[:len(b):len(b)], '\n')} }
	for _, x := range []struct {
		name         string
		inner, outer func([]byte) [][]byte
		verdict      Verdict
		code         string
	}{
		{"outside", none, same, Valid, "ok"},
		{"inside", same, none, Valid, "ok"},
		{"both", same, same, Valid, "ok"},
		{"neither", none, none, Invalid, "no-ledger-entry"},
		{"another inside", other, same, Invalid, "evidence-differs"},
		{"another outside", same, other, Invalid, "evidence-differs"},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := audit.Record(scribe{log: log, seal: w.seal, now: noon}, layered{w.stamp(t, sign.Dual, noon), w, x.inner, x.outer})
			want(t, verifyFile(t, w, sealFile(t, page(), s, visible), nil), 0, x.verdict, "ledger", x.code)
		})
	}
}

// What the maker of a seal asks, or does not.
func TestLedgerPolicy(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	keys := []audit.Verifier{log.signer.Verifier()}
	extension := func(values ...string) *seal.Seal {
		return w.make(func(s *seal.Seal) {
			for _, v := range values {
				s.Extensions = append(s.Extensions, seal.Extension{ID: sign.AttributePolicy, Value: []byte(v)})
			}
		})
	}
	good, err := audit.Policy{Required: true, Keys: keys}.Extension()
	if err != nil {
		t.Fatal(err)
	}
	ofPolicy := func(v seal.Version) *seal.Seal {
		return w.make(func(s *seal.Seal) {
			s.Version, s.Extensions = v, []seal.Extension{{ID: sign.AttributePolicy, Value: good}}
		})
	}
	type expect struct {
		verdict Verdict
		code    string
	}
	for _, x := range []struct {
		name          string
		seal          *seal.Seal
		without, with expect
		known         expect // with evidence, to who knows the ledger
	}{
		{"no policy", theWorld().seal, expect{Valid, "no-evidence"}, expect{Indeterminate, "log-unknown"}, expect{Valid, "ok"}},
		{"required", w.seal, expect{Invalid, "no-ledger-entry"}, expect{Valid, "ok"}, expect{Valid, "ok"}},
		{"required, by a seal of GM/T 0031-2025", ofPolicy(seal.V5), expect{Invalid, "no-ledger-entry"}, expect{Valid, "ok"}, expect{Valid, "ok"}},
		{"not required", w.withPolicy(t, audit.Policy{Keys: keys}), expect{Valid, "no-evidence"}, expect{Valid, "ok"}, expect{Valid, "ok"}},
		{"of another format", extension("courtseal.ledger-policy/v9\n"), expect{Indeterminate, "malformed-ledger-policy"}, expect{Indeterminate, "malformed-ledger-policy"}, expect{Indeterminate, "malformed-ledger-policy"}},
		{"twice", extension(string(good), string(good)), expect{Indeterminate, "malformed-ledger-policy"}, expect{Indeterminate, "malformed-ledger-policy"}, expect{Indeterminate, "malformed-ledger-policy"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			o := *w
			o.seal = x.seal
			for _, f := range formats {
				plain := bypass(t, page(), x.seal, w.sm2, w.rsa, f)
				file := entered(t, &o, f, scribe{log: log})
				want(t, verifyFile(t, w, plain, nil), 0, x.without.verdict, "ledger", x.without.code)
				want(t, verifyFile(t, w, file, nil), 0, x.with.verdict, "ledger", x.with.code)
				want(t, verifyFile(t, w, file, func(o *Options) { o.Logs.Keys = keys }), 0, x.known.verdict, "ledger", x.known.code)
			}
		})
	}
	t.Run("without a seal", func(t *testing.T) {
		s := audit.Record(scribe{log: log, now: noon}, cmsSigner(t, w.rsa))
		file := sealFile(t, page(), s, pdfx.Options{})
		want(t, verifyFile(t, w, file, func(o *Options) { o.Logs.Keys = keys }), 0, Valid, "ledger", "ok")
		s = audit.Record(scribe{log: log, now: noon, use: func(u *audit.Use) { u.Seal = w.seal.ID }}, cmsSigner(t, w.rsa))
		file = sealFile(t, page(), s, pdfx.Options{})
		want(t, verifyFile(t, w, file, func(o *Options) { o.Logs.Keys = keys }), 0, Invalid, "ledger", "evidence-other-seal")
	})
}

// The file that was sealed is found in the one that came of it, whatever it ended with, and whatever was sealed before.
func TestLedgerSource(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	other := scribe{log: log, seal: w.seal, now: noon, use: func(u *audit.Use) { u.Source = sums(u.Source, "approved") }}
	good := scribe{log: log, seal: w.seal, now: noon}
	for _, end := range []string{"", "\n", "\r\n", "\r", "\n\n\n", " \n"} {
		source := append(bytes.TrimRight(page(), "\r\n"), end...)
		twice := sealFile(t, source, w.stampOf(t, theWorld().seal, sign.CMS, noon), visible)
		for i, file := range [][]byte{source, twice} {
			r := verifyFile(t, w, sealFile(t, file, audit.Record(good, w.stamp(t, sign.SES, noon)), visible), nil)
			want(t, r, i, Valid, "ledger", "ok")
			r = verifyFile(t, w, sealFile(t, file, audit.Record(other, w.stamp(t, sign.SES, noon)), visible), nil)
			want(t, r, i, Invalid, "ledger", "evidence-other-source")
		}
	}
}
