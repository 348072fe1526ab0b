package audit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/mod/sumdb/tlog"
)

// tree keeps all nodes of a tree in memory.
type tree struct {
	p     Profile
	f     Frontier
	nodes map[NodeID]Hash
}

func newTree(p Profile) *tree {
	f, _ := NewFrontier(context.Background(), p, nil, 0)
	return &tree{p, f, map[NodeID]Hash{}}
}

func (t *tree) add(entry []byte) {
	index := t.f.Size()
	for level, h := range t.f.Append(t.p.LeafHash(entry)) {
		t.nodes[NodeID{uint(level), index >> level}] = h
	}
}

func (t *tree) Nodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	hashes := make([]Hash, len(ids))
	for i, id := range ids {
		h, ok := t.nodes[id]
		if !ok {
			return nil, fmt.Errorf("%w: %v", ErrRange, id)
		}
		hashes[i] = h
	}
	return hashes, nil
}

func entry(i int) []byte { return fmt.Appendf(nil, "entry %d", i) }

// mth is the definition of RFC 6962, 2.1, word for word.
func mth(p Profile, from, to int) Hash {
	switch n := to - from; n {
	case 0:
		return p.EmptyRoot()
	case 1:
		return p.LeafHash(entry(from))
	default:
		k := 1
		for 2*k < n {
			k *= 2
		}
		return p.NodeHash(mth(p, from, from+k), mth(p, from+k, to))
	}
}

const sizes = 300

// grown returns a tree of sizes entries and the roots of all its states, by the frontier.
func grown(p Profile) (*tree, []Hash) {
	t := newTree(p)
	roots := []Hash{t.f.Root()}
	for i := range sizes {
		t.add(entry(i))
		roots = append(roots, t.f.Root())
	}
	return t, roots
}

func TestRoots(t *testing.T) {
	for _, p := range []Profile{SM3, SHA256} {
		tr, roots := grown(p)
		for size := range roots {
			if want := mth(p, 0, size); roots[size] != want {
				t.Fatalf("%s: frontier of %d: root %s, not %s", p, size, roots[size], want)
			}
			if got, err := RootAt(t.Context(), p, tr, uint64(size)); err != nil || got != roots[size] {
				t.Fatalf("%s: RootAt(%d) = %s, %v", p, size, got, err)
			}
			f, err := NewFrontier(t.Context(), p, tr, uint64(size))
			if err != nil || f.Root() != roots[size] || f.Size() != uint64(size) {
				t.Fatalf("%s: restored frontier of %d: %s, %v", p, size, f.Root(), err)
			}
			if size < sizes {
				f.Append(p.LeafHash(entry(size)))
				if f.Root() != roots[size+1] {
					t.Fatalf("%s: restored frontier of %d does not go on", p, size)
				}
			}
		}
	}
}

func TestInclusionOfAllEntriesInAllTrees(t *testing.T) {
	for _, p := range []Profile{SM3, SHA256} {
		tr, roots := grown(p)
		for size := uint64(1); size <= sizes; size += 1 + size/40 {
			for i := range size {
				proof, err := ProveInclusion(t.Context(), p, tr, i, size)
				if err != nil {
					t.Fatal(err)
				}
				leaf := p.LeafHash(entry(int(i)))
				if err := CheckInclusion(p, leaf, i, size, proof, roots[size]); err != nil {
					t.Fatalf("%s: entry %d of %d: %v", p, i, size, err)
				}
				for name, err := range map[string]error{
					"other leaf":  CheckInclusion(p, p.LeafHash(nil), i, size, proof, roots[size]),
					"other index": CheckInclusion(p, leaf, (i+1)%(size+1), size, proof, roots[size]),
					"other root":  CheckInclusion(p, leaf, i, size, proof, roots[size-1]),
					"longer":      CheckInclusion(p, leaf, i, size, append(slices.Clip(proof), leaf), roots[size]),
					"other size":  CheckInclusion(p, leaf, i, 2*size+1, proof, roots[size]),
				} {
					if !errors.Is(err, ErrProof) && !errors.Is(err, ErrRange) {
						t.Fatalf("%s: entry %d of %d, %s: %v", p, i, size, name, err)
					}
				}
			}
		}
	}
}

func TestConsistencyOfAllPairs(t *testing.T) {
	for _, p := range []Profile{SM3, SHA256} {
		tr, roots := grown(p)
		for size := uint64(0); size <= sizes; size += 1 + size/30 {
			for old := range size + 1 {
				proof, err := ProveConsistency(t.Context(), p, tr, old, size)
				if err != nil {
					t.Fatal(err)
				}
				if err := CheckConsistency(p, old, size, roots[old], roots[size], proof); err != nil {
					t.Fatalf("%s: %d and %d: %v", p, old, size, err)
				}
				other := p.LeafHash([]byte("fork"))
				bad := map[string]error{
					"old root": CheckConsistency(p, old, size, other, roots[size], proof),
					"longer":   CheckConsistency(p, old, size, roots[old], roots[size], append(slices.Clip(proof), other)),
				}
				if old > 0 {
					bad["new root"] = CheckConsistency(p, old, size, roots[old], other, proof)
					bad["old size"] = CheckConsistency(p, old-1, size, roots[old], roots[size], proof)
				}
				if len(proof) > 0 {
					bad["shorter"] = CheckConsistency(p, old, size, roots[old], roots[size], proof[:len(proof)-1])
				}
				for name, err := range bad {
					if !errors.Is(err, ErrProof) {
						t.Fatalf("%s: %d and %d, %s: %v", p, old, size, name, err)
					}
				}
			}
		}
	}
}

// TestTlogAgrees: the proofs of profile SHA256 are those of the Go checksum database.
func TestTlogAgrees(t *testing.T) {
	tr, roots := grown(SHA256)
	stored := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			level, n := tlog.SplitStoredHashIndex(i)
			out = append(out, tlog.Hash(tr.nodes[NodeID{uint(level), uint64(n)}]))
		}
		return out, nil
	})
	for size := int64(1); size <= sizes; size += 1 + size/20 {
		theirs, err := tlog.TreeHash(size, stored)
		if err != nil || Hash(theirs) != roots[size] {
			t.Fatalf("root of %d: %s, not %s: %v", size, roots[size], theirs, err)
		}
		for i := range size {
			record, err := tlog.ProveRecord(size, i, stored)
			ours, err2 := ProveInclusion(t.Context(), SHA256, tr, uint64(i), uint64(size))
			if err != nil || err2 != nil || !sameProof(ours, record) {
				t.Fatalf("entry %d of %d: %v, not %v (%v, %v)", i, size, ours, record, err, err2)
			}
			if err := tlog.CheckRecord(toTlog(ours), size, theirs, i, tlog.RecordHash(entry(int(i)))); err != nil {
				t.Fatal(err)
			}
			older, err := tlog.ProveTree(size, i+1, stored)
			ours, err2 = ProveConsistency(t.Context(), SHA256, tr, uint64(i)+1, uint64(size))
			if err != nil || err2 != nil || !sameProof(ours, older) {
				t.Fatalf("trees %d and %d: %v, not %v (%v, %v)", i+1, size, ours, older, err, err2)
			}
			if err := tlog.CheckTree(toTlog(ours), size, theirs, i+1, tlog.Hash(roots[i+1])); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func toTlog(proof []Hash) []tlog.Hash {
	out := make([]tlog.Hash, len(proof))
	for i, h := range proof {
		out[i] = tlog.Hash(h)
	}
	return out
}

func sameProof(ours []Hash, theirs []tlog.Hash) bool { return slices.Equal(toTlog(ours), theirs) }

// alike is a tree of any size whose leaves are all the same.
type alike struct{ p Profile }

func (a alike) Nodes(_ context.Context, ids []NodeID) ([]Hash, error) {
	out := make([]Hash, len(ids))
	for i, id := range ids {
		h := a.p.LeafHash(nil)
		for range id.Level {
			h = a.p.NodeHash(h, h)
		}
		out[i] = h
	}
	return out, nil
}

// TestHugeTrees: proofs in trees up to the largest, and the frontier that goes on there.
func TestHugeTrees(t *testing.T) {
	r, random := alike{SHA256}, rand.New(rand.NewPCG(1, 2))
	sizes := []uint64{MaxTree, MaxTree - 1, 1 << 61, 1<<61 - 1, 1<<40 + 1}
	for range 100 {
		sizes = append(sizes, 1+random.Uint64N(1<<(1+random.UintN(61))))
	}
	for _, size := range sizes {
		root := must(RootAt(t.Context(), SHA256, r, size))
		f := must(NewFrontier(t.Context(), SHA256, r, size-1))
		if f.Append(SHA256.LeafHash(nil)); f.Root() != root || f.Size() != size {
			t.Fatalf("%d: the frontier has another root", size)
		}
		index, old := random.Uint64N(size), 1+random.Uint64N(size)
		proof := must(ProveInclusion(t.Context(), SHA256, r, index, size))
		if err := CheckInclusion(SHA256, SHA256.LeafHash(nil), index, size, proof, root); err != nil {
			t.Fatal(err)
		}
		oldRoot := must(RootAt(t.Context(), SHA256, r, old))
		proof = must(ProveConsistency(t.Context(), SHA256, r, old, size))
		if err := CheckConsistency(SHA256, old, size, oldRoot, root, proof); err != nil {
			t.Fatal(err)
		}
		if err := tlog.CheckTree(toTlog(proof), int64(size), tlog.Hash(root), int64(old), tlog.Hash(oldRoot)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRanges(t *testing.T) {
	tr, _ := grown(SM3)
	_, err := ProveInclusion(t.Context(), SM3, tr, 5, 5)
	_, err2 := ProveConsistency(t.Context(), SM3, tr, 6, 5)
	_, err3 := RootAt(t.Context(), SM3, tr, MaxTree+1)
	_, err4 := NewFrontier(t.Context(), SM3, tr, 1<<63)
	_, err5 := ProveInclusion(t.Context(), SM3, tr, 0, 1<<63)
	err6 := CheckInclusion(SM3, Hash{}, 5, 5, nil, Hash{})
	err7 := CheckConsistency(SM3, 6, 5, Hash{}, Hash{}, nil)
	for i, err := range []error{err, err2, err3, err4, err5, err6, err7} {
		if !errors.Is(err, ErrRange) {
			t.Errorf("%d: %v", i, err)
		}
	}
	full := Frontier{size: MaxTree}
	if full.Append(Hash{}) != nil || full.Size() != MaxTree {
		t.Error("a full tree takes another leaf")
	}
}

func TestProfileOf(t *testing.T) {
	for origin, want := range map[string]Profile{
		"court.example.cn/ledger/sm3": SM3, "court.example.cn/ledger": SHA256, "sm3": SHA256, "court.example.cn/sm3/x": SHA256, "": SHA256,
	} {
		if got := ProfileOf(origin); got != want {
			t.Errorf("%q: %s", origin, got)
		}
	}
}
