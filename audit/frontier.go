package audit

import (
	"context"
	"fmt"
)

// A Frontier is the right edge of a tree: what must be known of it to append. It is a value: a copy is a snapshot that
// further appends leave alone. The zero Frontier is the empty tree of profile SHA256; see NewFrontier.
type Frontier struct {
	profile Profile
	size    uint64
	edge    [62]Hash // edge[l] is the complete subtree of level l at the right edge, where bit l of size is set
}

// NewFrontier reads the right edge of the tree of that size. r is not asked for the empty tree, and may be nil.
func NewFrontier(ctx context.Context, p Profile, r NodeReader, size uint64) (Frontier, error) {
	f := Frontier{profile: p, size: size}
	if size > MaxTree {
		return f, fmt.Errorf("%w: a tree of %d", ErrRange, size)
	}
	ids := span{0, size}.nodes(nil)
	if len(ids) == 0 {
		return f, nil
	}
	nodes, err := r.Nodes(ctx, ids)
	if err != nil {
		return f, err
	}
	if len(nodes) != len(ids) {
		return f, fmt.Errorf("%w: the reader gave %d nodes for %d", ErrProof, len(nodes), len(ids))
	}
	for i, id := range ids {
		f.edge[id.Level] = nodes[i]
	}
	return f, nil
}

// Size is the number of leaves.
func (f *Frontier) Size() uint64 { return f.size }

// Append adds a leaf and returns the hashes of all subtrees that it completes: its own, level 0, first. The hash at
// level l belongs to NodeID{l, index of the leaf >> l}. A tree of MaxTree leaves takes no more: the answer is nil.
func (f *Frontier) Append(leaf Hash) []Hash {
	if f.size >= MaxTree {
		return nil
	}
	done := append(make([]Hash, 0, 2), leaf)
	level := 0
	for ; f.size>>level&1 == 1; level++ {
		leaf = f.profile.NodeHash(f.edge[level], leaf)
		done = append(done, leaf)
	}
	f.edge[level] = leaf
	f.size++
	return done
}

// Root is the root of the tree.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return f.profile.EmptyRoot()
	}
	var root Hash
	any := false
	for level, h := range f.edge {
		switch {
		case f.size>>level&1 == 0:
		case !any:
			root, any = h, true
		default:
			root = f.profile.NodeHash(h, root)
		}
	}
	return root
}
