package interop

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/transparency-dev/formats/log"
	tlogproof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/gm"
)

// nodes are the complete subtrees of a log.
type nodes map[audit.NodeID]audit.Hash

func (n nodes) Nodes(_ context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	var out []audit.Hash
	for _, id := range ids {
		out = append(out, n[id])
	}
	return out, nil
}

// TestTransparencyDevReadsEvidence: the libraries of the transparency-dev project read evidence of a log of profile SHA256 and find it
// good, and evidence that they write is good here.
func TestTransparencyDevReadsEvidence(t *testing.T) {
	const origin, size = "court.example.cn/ledger", 150
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ed, err := audit.NewSigner(origin, private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := gm.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	sm, err := audit.NewSigner(origin, key)
	if err != nil {
		t.Fatal(err)
	}
	tree, leaves, roots := nodes{}, [][]byte{}, []audit.Hash{}
	f, err := audit.NewFrontier(t.Context(), audit.SHA256, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(size) {
		leaf, err := audit.Leaf{Kind: "test", Fields: map[string]string{"n": fmt.Sprint(i)}}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf)
		roots = append(roots, f.Root())
		for level, h := range f.Append(audit.SHA256.LeafHash(leaf)) {
			tree[audit.NodeID{Level: uint(level), Index: i >> level}] = h
		}
	}
	signed, err := audit.Checkpoint{Origin: origin, Size: size, Root: f.Root()}.Sign(sm, ed)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := note.NewVerifier(ed.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	root := f.Root()
	for i := range uint64(size) {
		hashes, err := audit.ProveInclusion(t.Context(), audit.SHA256, tree, i, size)
		if err != nil {
			t.Fatal(err)
		}
		evidence := audit.Receipt{Index: i, Leaf: leaves[i], Proof: hashes, Checkpoint: signed}.Evidence()
		var theirs tlogproof.TLogProof
		if err := theirs.Unmarshal(evidence); err != nil {
			t.Fatal(err)
		}
		cp, _, _, err := log.ParseCheckpoint(theirs.Checkpoint, origin, verifier)
		if err != nil || cp.Size != size || !bytes.Equal(cp.Hash, root[:]) {
			t.Fatalf("%+v: %v", cp, err)
		}
		if err := proof.VerifyInclusion(rfc6962.DefaultHasher, theirs.Index, cp.Size, rfc6962.DefaultHasher.HashLeaf(theirs.ExtraData),
			octets(theirs.Hashes), cp.Hash); err != nil {
			t.Fatal(err)
		}
		back, err := audit.ParseEvidence(theirs.Marshal())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := back.Check(ed.Verifier()); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			continue
		}
		older, err := audit.ProveConsistency(t.Context(), audit.SHA256, tree, i, size)
		if err != nil {
			t.Fatal(err)
		}
		if err := proof.VerifyConsistency(rfc6962.DefaultHasher, i, size, octets(older), roots[i][:], root[:]); err != nil {
			t.Fatal(err)
		}
	}
}

func octets[H ~[32]byte](hashes []H) [][]byte {
	out := make([][]byte, len(hashes))
	for i, h := range hashes {
		out[i] = append([]byte(nil), h[:]...)
	}
	return out
}
