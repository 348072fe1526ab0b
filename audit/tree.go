package audit

import (
	"context"
	"fmt"
	"math/bits"
)

// A NodeID names a complete subtree: the one over the leaves from Index<<Level on, 1<<Level of them. Level 0 are the
// leaf hashes.
type NodeID struct {
	Level uint
	Index uint64
}

// A NodeReader has the hashes of all complete subtrees of a tree.
type NodeReader interface {
	// Nodes returns one Hash for each id, in their order.
	Nodes(ctx context.Context, ids []NodeID) ([]Hash, error)
}

// MaxTree is the largest tree: no size or index is more.
const MaxTree = 1<<62 - 1

// ProveInclusion makes the proof that the entry at index is in the tree of that size: RFC 6962, 2.1.1, the leaf's
// sibling first.
func ProveInclusion(ctx context.Context, p Profile, r NodeReader, index, size uint64) ([]Hash, error) {
	if size > MaxTree || index >= size {
		return nil, fmt.Errorf("%w: entry %d of a tree of %d", ErrRange, index, size)
	}
	return readSpans(ctx, p, r, inclusion(nil, index, span{0, size}))
}

// ProveConsistency makes the proof that the tree of size begins with the tree of size old: RFC 6962, 2.1.2.
// It is empty when old is 0 or size.
func ProveConsistency(ctx context.Context, p Profile, r NodeReader, old, size uint64) ([]Hash, error) {
	if size > MaxTree || old > size {
		return nil, fmt.Errorf("%w: trees of %d and %d", ErrRange, old, size)
	}
	if old == 0 {
		return nil, nil
	}
	return readSpans(ctx, p, r, consistency(nil, old, span{0, size}, true))
}

// RootAt returns the root of the tree of the first size entries.
func RootAt(ctx context.Context, p Profile, r NodeReader, size uint64) (Hash, error) {
	if size > MaxTree {
		return Hash{}, fmt.Errorf("%w: a tree of %d", ErrRange, size)
	}
	if size == 0 {
		return p.EmptyRoot(), nil
	}
	roots, err := readSpans(ctx, p, r, []span{{0, size}})
	if err != nil {
		return Hash{}, err
	}
	return roots[0], nil
}

// A span is a run of leaves [lo, hi) that a proof has the hash of. Only one at the right edge of a tree may be
// incomplete; it is then made of complete subtrees.
type span struct{ lo, hi uint64 }

// split cuts where RFC 6962 does: after the largest power of two that is less than the length.
func (s span) split() (left, right span) {
	k := uint64(1) << (bits.Len64(s.hi-s.lo-1) - 1)
	return span{s.lo, s.lo + k}, span{s.lo + k, s.hi}
}

// nodes appends the complete subtrees that s is made of, the largest first.
func (s span) nodes(ids []NodeID) []NodeID {
	for s.lo < s.hi {
		level := uint(bits.Len64(s.hi-s.lo) - 1)
		ids = append(ids, NodeID{level, s.lo >> level})
		s.lo += 1 << level
	}
	return ids
}

func inclusion(proof []span, index uint64, s span) []span {
	if s.hi-s.lo == 1 {
		return proof
	}
	left, right := s.split()
	if index < left.hi {
		return append(inclusion(proof, index, left), right)
	}
	return append(inclusion(proof, index, right), left)
}

// consistency is SUBPROOF: whole says that the old tree's root, which the verifier has, is the hash of its part of s.
func consistency(proof []span, old uint64, s span, whole bool) []span {
	if old == s.hi {
		if whole {
			return proof
		}
		return append(proof, s)
	}
	left, right := s.split()
	if old <= left.hi {
		return append(consistency(proof, old, left, whole), right)
	}
	return append(consistency(proof, old, right, false), left)
}

// readSpans reads the nodes of all spans at once and folds each into one hash.
func readSpans(ctx context.Context, p Profile, r NodeReader, spans []span) ([]Hash, error) {
	var ids []NodeID
	ends := make([]int, len(spans))
	for i, s := range spans {
		ids = s.nodes(ids)
		ends[i] = len(ids)
	}
	if len(ids) == 0 {
		return nil, nil
	}
	nodes, err := r.Nodes(ctx, ids)
	if err != nil {
		return nil, err
	}
	if len(nodes) != len(ids) {
		return nil, fmt.Errorf("%w: the reader gave %d nodes for %d", ErrProof, len(nodes), len(ids))
	}
	hashes := make([]Hash, len(spans))
	start := 0
	for i, end := range ends {
		h := nodes[end-1]
		for j := end - 2; j >= start; j-- {
			h = p.NodeHash(nodes[j], h)
		}
		hashes[i], start = h, end
	}
	return hashes, nil
}

// CheckInclusion checks the proof that leaf, a leaf hash, stands at index in the tree of that size and root
// (RFC 9162, 2.1.3.2). The error is ErrProof or ErrRange.
func CheckInclusion(p Profile, leaf Hash, index, size uint64, proof []Hash, root Hash) error {
	if size > MaxTree || index >= size {
		return fmt.Errorf("%w: entry %d of a tree of %d", ErrRange, index, size)
	}
	fn, sn, h := index, size-1, leaf
	for _, sibling := range proof {
		switch {
		case sn == 0:
			return fmt.Errorf("%w: %d hashes are too many for entry %d of %d", ErrProof, len(proof), index, size)
		case fn&1 == 1 || fn == sn:
			h = p.NodeHash(sibling, h)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		default:
			h = p.NodeHash(h, sibling)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 {
		return fmt.Errorf("%w: %d hashes are too few for entry %d of %d", ErrProof, len(proof), index, size)
	}
	if h != root {
		return fmt.Errorf("%w: entry %d is not in the tree of %d with root %s", ErrProof, index, size, root)
	}
	return nil
}

// CheckConsistency checks the proof that the tree of size and root begins with the tree of old and oldRoot
// (RFC 9162, 2.1.4.2). The error is ErrProof or ErrRange.
func CheckConsistency(p Profile, old, size uint64, oldRoot, root Hash, proof []Hash) error {
	if size > MaxTree || old > size {
		return fmt.Errorf("%w: trees of %d and %d", ErrRange, old, size)
	}
	wrong := fmt.Errorf("%w: the tree of %d with root %s does not begin with that of %d with root %s", ErrProof, size, root, old, oldRoot)
	switch {
	case old == 0 && oldRoot == p.EmptyRoot() && len(proof) == 0 && (size > 0 || root == oldRoot):
		return nil
	case old == size && oldRoot == root && len(proof) == 0:
		return nil
	case old == 0 || old == size:
		return wrong
	}
	fn, sn := old-1, size-1
	for fn&1 == 1 {
		fn, sn = fn>>1, sn>>1
	}
	first, rest := oldRoot, proof // of a complete old tree the verifier has the first hash
	if old&(old-1) != 0 {
		if len(proof) == 0 {
			return wrong
		}
		first, rest = proof[0], proof[1:]
	}
	fr, sr := first, first
	for _, h := range rest {
		switch {
		case sn == 0:
			return wrong
		case fn&1 == 1 || fn == sn:
			fr, sr = p.NodeHash(h, fr), p.NodeHash(h, sr)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		default:
			sr = p.NodeHash(sr, h)
		}
		fn, sn = fn>>1, sn>>1
	}
	if sn != 0 || fr != oldRoot || sr != root {
		return wrong
	}
	return nil
}
