package audit

import (
	"bytes"
	"path/filepath"
	"testing"

	"golang.org/x/mod/sumdb/note"
)

// seed gives a fuzz target the vectors of these kinds.
func seed(f *testing.F, kinds ...string) {
	for _, kind := range kinds {
		for _, path := range must(filepath.Glob("testdata/" + kind + "/*.txt")) {
			_, body := readVector(f, path)
			f.Add([]byte(body))
		}
	}
}

func FuzzLeaf(f *testing.F) {
	seed(f, "leaf")
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseLeaf(b)
		if err != nil {
			return
		}
		if out, err := l.Marshal(); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("%q becomes %q: %v", b, out, err)
		}
		if u, err := ParseUse(l); err == nil {
			again, err := u.Leaf()
			if err != nil || !bytes.Equal(must(again.Marshal()), b) {
				t.Fatalf("use %q becomes %v: %v", b, again, err)
			}
		}
		if o, err := ParseOutcome(l); err == nil {
			again, err := o.Leaf()
			if err != nil || !bytes.Equal(must(again.Marshal()), b) {
				t.Fatalf("outcome %q becomes %v: %v", b, again, err)
			}
		}
	})
}

func FuzzPrivate(f *testing.F) {
	seed(f, "private")
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParsePrivate(b)
		if err != nil {
			return
		}
		if out, err := v.Marshal(); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("%q becomes %q: %v", b, out, err)
		}
		v.Check(SM3, Leaf{})
	})
}

// FuzzNote: what opens here opens in golang.org/x/mod/sumdb/note, to the same text.
func FuzzNote(f *testing.F) {
	seed(f, "note", "checkpoint")
	ed, sm, _ := vectorKeys()
	theirs := note.VerifierList(must(note.NewVerifier(ed.Verifier().String())), sm.Verifier())
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := ParseCheckpoint(b); err == nil && !bytes.Equal(c.Marshal(), b) {
			t.Fatalf("%q becomes %q", b, c.Marshal())
		}
		n, err := OpenNote(b, ed.Verifier(), sm.Verifier())
		if err != nil {
			return
		}
		other, err := note.Open(b, theirs)
		if err != nil || other.Text != string(n.Text) {
			t.Fatalf("opens to %q here, and there %+v: %v", n.Text, other, err)
		}
	})
}

func FuzzEvidence(f *testing.F) {
	seed(f, "evidence")
	ed, sm, _ := vectorKeys()
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseEvidence(b)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Evidence(), b) {
			t.Fatalf("%q becomes %q", b, e.Evidence())
		}
		e.Check(ed.Verifier(), sm.Verifier())
	})
}

func FuzzPolicy(f *testing.F) {
	seed(f, "policy")
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParsePolicy(b)
		if err != nil {
			return
		}
		if out, err := p.Extension(); err != nil || !bytes.Equal(out, b) {
			t.Fatalf("%q becomes %q: %v", b, out, err)
		}
	})
}

func FuzzVerifier(f *testing.F) {
	seed(f, "key")
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := ParseVerifier(string(b))
		if err != nil {
			return
		}
		if v.String() != string(b) {
			t.Fatalf("%q becomes %q", b, v)
		}
		v.Verify(b, b)
		v.Verify(b, make([]byte, 64))
	})
}

func FuzzBundle(f *testing.F) {
	f.Add(must(AppendBundle(must(AppendBundle(nil, []byte("one"))), nil)))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ParseBundle(b)
		if err != nil {
			return
		}
		var out []byte
		for _, e := range entries {
			out = must(AppendBundle(out, e))
		}
		if !bytes.Equal(out, b) {
			t.Fatalf("%q becomes %q", b, out)
		}
	})
}

// FuzzProofs: no proof leads an entry or a tree to a root but its own.
func FuzzProofs(f *testing.F) {
	f.Add(uint64(3), uint64(7), []byte{})
	f.Add(uint64(4), uint64(8), make([]byte, 3*HashSize))
	root := SM3.LeafHash([]byte("no tree has this root"))
	f.Fuzz(func(t *testing.T, a, b uint64, raw []byte) {
		var proof []Hash
		for ; len(raw) >= HashSize; raw = raw[HashSize:] {
			proof = append(proof, Hash(raw))
		}
		leaf := SM3.LeafHash([]byte("leaf"))
		if CheckInclusion(SM3, leaf, a, b, proof, root) == nil {
			t.Fatal("included")
		}
		if a != b && CheckConsistency(SM3, a, b, leaf, root, proof) == nil {
			t.Fatal("consistent")
		}
	})
}
