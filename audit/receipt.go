package audit

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
)

// A Receipt says where an entry stands in a log, and proves it.
type Receipt struct {
	Index      uint64
	Leaf       []byte // the entry as it is hashed
	Proof      []Hash // of inclusion in the tree of Checkpoint
	Checkpoint []byte // a signed note
}

const (
	// MaxProof is the longest evidence that is read, in bytes.
	MaxProof = 512 << 10

	proofHeader = "c2sp.org/tlog-proof@v1\n"
	maxHashes   = 64 // of a proof: more than any tree needs
)

// Evidence writes the receipt as one C2SP tlog-proof, the entry in its "extra" line: what a value of a document binds.
func (r Receipt) Evidence() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%sextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(r.Leaf), r.Index)
	for _, h := range r.Proof {
		b.WriteString(h.String() + "\n")
	}
	b.WriteByte('\n')
	b.Write(r.Checkpoint)
	return b.Bytes()
}

// Evidence is a receipt that was read. Nothing of it is proved before Check.
type Evidence struct {
	Receipt
	Head Checkpoint // what Receipt.Checkpoint says
}

// ParseEvidence reads what Receipt.Evidence writes. What it reads, Evidence writes byte for byte.
func ParseEvidence(b []byte) (*Evidence, error) {
	if len(b) > MaxProof {
		return nil, fmt.Errorf("%w: evidence of %d bytes; %d are the most", ErrTooLarge, len(b), MaxProof)
	}
	body, ok := strings.CutPrefix(string(b), proofHeader)
	if !ok {
		return nil, fmt.Errorf("%w: evidence does not begin with the line %q", ErrFormat, proofHeader[:len(proofHeader)-1])
	}
	e := &Evidence{}
	line, body, _ := strings.Cut(body, "\n")
	b64, ok := strings.CutPrefix(line, "extra ")
	var err error
	if e.Leaf, err = decode64(b64); !ok || err != nil || len(e.Leaf) == 0 {
		return nil, fmt.Errorf("%w: the second line of evidence is not \"extra\" and an entry in base64", ErrFormat)
	}
	if len(e.Leaf) > MaxLeaf {
		return nil, fmt.Errorf("%w: evidence of an entry of %d bytes; %d are the most", ErrTooLarge, len(e.Leaf), MaxLeaf)
	}
	line, body, _ = strings.Cut(body, "\n")
	index, ok := strings.CutPrefix(line, "index ")
	if e.Index, err = parseUint(index); !ok || err != nil {
		return nil, fmt.Errorf("%w: the third line of evidence is not \"index\" and a number", ErrFormat)
	}
	for line, body, ok = strings.Cut(body, "\n"); ok && line != ""; line, body, ok = strings.Cut(body, "\n") {
		h, err := ParseHash(line)
		if err != nil {
			return nil, fmt.Errorf("%w (hash %d of the proof)", err, len(e.Proof))
		}
		if len(e.Proof) == maxHashes {
			return nil, fmt.Errorf("%w: a proof of more than %d hashes", ErrTooLarge, maxHashes)
		}
		e.Proof = append(e.Proof, h)
	}
	if !ok {
		return nil, fmt.Errorf("%w: evidence ends before its checkpoint", ErrFormat)
	}
	e.Checkpoint = []byte(body)
	text, _, err := parseNote(e.Checkpoint)
	if err != nil {
		return nil, fmt.Errorf("%w (checkpoint of evidence)", err)
	}
	if e.Head, err = ParseCheckpoint(text); err != nil {
		return nil, err
	}
	return e, nil
}

// Included checks that the entry is in the tree that the checkpoint names, whoever signed that. The error is ErrProof or ErrRange.
func (e *Evidence) Included() error {
	p := e.Head.Profile()
	return CheckInclusion(p, p.LeafHash(e.Leaf), e.Index, e.Head.Size, e.Proof, e.Head.Root)
}

// Check checks all that evidence proves by itself: that a known key of the log signed the checkpoint (the errors are those of
// OpenCheckpoint), and that the entry is in its tree (see Included). It returns the known keys that signed. What the entry says is
// for the caller to compare: evidence of another document is evidence.
func (e *Evidence) Check(known ...Verifier) ([]Verifier, error) {
	_, n, err := OpenCheckpoint(e.Checkpoint, known...)
	if err != nil {
		return nil, err
	}
	return n.By, e.Included()
}

// Reference is ORIGIN#LEAFHASH of evidence of either kind: the ledger, and the hash that the entry has there. It binds the entry where a
// value has no room for the evidence itself, and proves nothing without it.
func Reference(evidence []byte) (string, error) {
	if IsOfflineEvidence(evidence) {
		e, err := ParseOfflineEvidence(evidence)
		if err != nil {
			return "", err
		}
		return reference(e.Grant.Log, e.Leaf), nil
	}
	e, err := ParseEvidence(evidence)
	if err != nil {
		return "", err
	}
	return reference(e.Head.Origin, e.Leaf), nil
}

func reference(origin string, leaf []byte) string {
	return origin + "#" + ProfileOf(origin).LeafHash(leaf).String()
}
