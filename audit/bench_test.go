package audit

import (
	"context"
	"testing"

	"github.com/courtseal/courtseal/sign"
)

// The floor of Append is one hash of a leaf and, on average, one of a node; that of a proof from memory, the fewer than 20 hashes that fold
// its incomplete edge; that of Check, the signature. On one core of a busy small server:
//
//	NodeHash         SHA256 0.23 µs, SM3 0.71 µs
//	Append           SHA256 0.71 µs, SM3 1.8 µs       1.3 to 1.5 times the two hashes
//	ProveInclusion   4.4 µs in a tree of a million
//	Check            SM2 67 µs, Ed25519 82 µs         1.2 times the signature: 17 hashes and the parser come on top
//	Record           0.4 µs; what a ledger writes comes on top

func BenchmarkNodeHash(b *testing.B) {
	for _, p := range []Profile{SHA256, SM3} {
		b.Run(string(p), func(b *testing.B) {
			h := p.EmptyRoot()
			for b.Loop() {
				h = p.NodeHash(h, h)
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, p := range []Profile{SHA256, SM3} {
		b.Run(string(p), func(b *testing.B) {
			f := Frontier{profile: p}
			leaf := make([]byte, 64)
			for b.Loop() {
				f.Append(p.LeafHash(leaf))
			}
		})
	}
}

// million has the nodes of a tree of 1<<20 and a bit, by level.
type million [][]Hash

func newMillion(n int) million {
	var m million
	f := Frontier{profile: SM3}
	for range n {
		for level, h := range f.Append(SM3.EmptyRoot()) {
			if level == len(m) {
				m = append(m, nil)
			}
			m[level] = append(m[level], h)
		}
	}
	return m
}

func (m million) Nodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	out := make([]Hash, len(ids))
	for i, id := range ids {
		out[i] = m[id.Level][id.Index]
	}
	return out, nil
}

func BenchmarkProveInclusion(b *testing.B) {
	const size = 1<<20 + 12345
	m := newMillion(size)
	i := uint64(0)
	for b.Loop() {
		if _, err := ProveInclusion(b.Context(), SM3, m, i*7919%size, size); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkCheck(b *testing.B) {
	const size = 1 << 17
	m := newMillion(size)
	l, _ := use().Leaf()
	leaf := must(l.Marshal())
	f := must(NewFrontier(b.Context(), SM3, m, size))
	f.Append(SM3.LeafHash(leaf))
	proof := must(ProveInclusion(b.Context(), SM3, replaced{m, SM3.LeafHash(leaf)}, size, size+1))
	for name, k := range map[string]*KeySigner{"Ed25519": edSigner(b, origin), "SM2": smSigner(b, origin)} {
		note := must(Checkpoint{Origin: origin, Size: size + 1, Root: f.Root()}.Sign(k))
		evidence := Receipt{size, leaf, proof, note}.Evidence()
		text := must(OpenNote(note, k.Verifier())).Text
		sig := must(k.Sign(text))
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(evidence)))
			for b.Loop() {
				e, err := ParseEvidence(evidence)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.Check(k.Verifier()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+", the signature alone", func(b *testing.B) {
			v := k.Verifier()
			for b.Loop() {
				if !v.Verify(text, sig) {
					b.Fatal("wrong")
				}
			}
		})
	}
}

// replaced is a tree with one leaf more.
type replaced struct {
	million
	last Hash
}

func (r replaced) Nodes(ctx context.Context, ids []NodeID) ([]Hash, error) {
	out := make([]Hash, len(ids))
	for i, id := range ids {
		if nodes := r.million[id.Level]; id.Index < uint64(len(nodes)) {
			out[i] = nodes[id.Index]
		} else {
			out[i] = r.last
		}
	}
	return out, nil
}

func BenchmarkRecord(b *testing.B) {
	act := &sign.Act{ID: "1", Parts: []sign.Part{{Format: sign.CMS}}}
	r := nothing{}
	s := Record(r, r)
	for b.Loop() {
		if _, err := s.Sign(b.Context(), act); err != nil {
			b.Fatal(err)
		}
	}
}

// nothing records and signs nothing, so that what is left is what Record costs.
type nothing struct{}

func (nothing) Begin(context.Context, *sign.Act, sign.Profile) (Permit, error) {
	return Permit{Evidence: []byte{1}}, nil
}
func (nothing) End(context.Context, *sign.Act, []sign.Value, error) error { return nil }
func (nothing) Profile() sign.Profile                                     { return sign.Profile{} }
func (nothing) Sign(context.Context, *sign.Act) ([]sign.Value, error) {
	return make([]sign.Value, 1), nil
}
