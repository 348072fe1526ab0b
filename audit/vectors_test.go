package audit

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emmansun/gmsm/sm2"

	"github.com/courtseal/courtseal/sign"
)

var rewrite = flag.Bool("rewrite", false, "write the vectors in testdata anew")

// The vectors in testdata, one file for each thing that is right or wrong: a line "expect: " with a word of expectations, a line
// "about: ", an empty line, and the bytes. FORMAT.md says what they are. This file makes them; the signatures by SM2, which are
// random, it keeps here.
type vector struct{ kind, name, expect, about, body string }

var expectations = map[string]error{
	"ok": nil, "malformed": ErrFormat, "too-large": ErrTooLarge, "out-of-range": ErrRange, "wrong-proof": ErrProof,
	"unknown-log": ErrUnknownLog, "wrong-signature": ErrSignature, "unusable-key": ErrKey, "wrong-private": ErrPrivate,
}

const (
	vectorOrigin = "ledger.example.cn/court/sm3"
	vectorOther  = "other.example.cn/court/sm3"
)

// vectorKeys are the keys that vectors are signed with: Ed25519 of a seed, SM2 of a scalar, both the SHA-256 of a name.
func vectorKeys() (ed, sm, other *KeySigner) {
	key := func(name string) *KeySigner {
		seed := sha256.Sum256([]byte(name))
		return must(NewSigner(name, ed25519.NewKeyFromSeed(seed[:])))
	}
	d := sha256.Sum256([]byte(vectorOrigin + " sm2"))
	private, err := sm2.NewPrivateKey(d[:])
	if err != nil {
		panic(err)
	}
	return key(vectorOrigin), must(NewSigner(vectorOrigin, private)), key(vectorOther)
}

// vectorSM2 signs with a signature that was made before, of the one text it is of.
type vectorSM2 struct{ *KeySigner }

const (
	vectorSM2Sig = "HxjKBUMLLjsrrz9at8CPywpZFr9S8NvnAKQuWkVJDl3RquzQpnplJUMmu3P9nL06lmHHELtn/rHGvrYIfN5ElA=="
)

func (v vectorSM2) Sign(text []byte) ([]byte, error) {
	sig := must(base64.StdEncoding.DecodeString(vectorSM2Sig))
	if !v.Verifier().Verify(text, sig) {
		fresh := must(v.KeySigner.Sign(text))
		return nil, fmt.Errorf("vectorSM2Sig is of another text; for this one it may be %s", b64(fresh))
	}
	return sig, nil
}

func vectors(t testing.TB) []vector {
	t.Helper()
	var all []vector
	add := func(kind, name, expect, about, body string) {
		all = append(all, vector{kind, name, expect, about, body})
	}
	ed, sm, other := vectorKeys()
	both := []Signer{ed, vectorSM2{sm}}

	// Leaves.
	salt := Salt([]byte("0123456789abcdef"))
	again := uint64(2)
	u := Use{
		Request: "5f2c", Seal: "11010600000001", SealDigest: sign.SM3.Sum([]byte("seal")), Kind: "judgment", Org: "110106",
		Person: Conceal(SM3, salt, "张三"), App: "cases", Grant: "g-17", Format: sign.Dual,
		Source:  sign.Sums{sign.SM3: sign.SM3.Sum([]byte("source")), sign.SHA256: sign.SHA256.Sum([]byte("source"))},
		Content: sign.Sums{sign.SM3: sign.SM3.Sum([]byte("content")), sign.SHA256: sign.SHA256.Sum([]byte("content"))},
		Certs:   [][]byte{sign.SM3.Sum([]byte("sm2")), sign.SM3.Sum([]byte("rsa"))}, Time: noon, Again: &again,
	}
	useLeaf := must(u.Leaf())
	leaf := string(must(useLeaf.Marshal()))
	end := must(Outcome{Begin: 5, Request: "5f2c", Values: [][]byte{sign.SM3.Sum([]byte("value"))}, Time: noon}.Leaf())
	add("leaf", "use-begin", "ok", "a use of a seal", leaf)
	add("leaf", "use-end", "ok", "its outcome", string(must(end.Marshal())))
	add("leaf", "no-fields", "ok", "a kind alone", leafHeader+"log.begin\n")
	add("leaf", "other-version", "malformed", "a version that is not known", strings.Replace(leaf, "/v1", "/v2", 1))
	add("leaf", "no-kind", "malformed", "no kind", leafHeader+"\n")
	add("leaf", "two-kinds", "malformed", "a space in the kind", leafHeader+"a b\n")
	add("leaf", "descending", "malformed", "names descend", leafHeader+"x\nb 1\na 1\n")
	add("leaf", "twice", "malformed", "a name twice", leafHeader+"x\na 1\na 1\n")
	add("leaf", "upper-case", "malformed", "a name in upper case", leafHeader+"x\nA 1\n")
	add("leaf", "no-value", "malformed", "a name without value", leafHeader+"x\na\n")
	add("leaf", "empty-value", "malformed", "an empty value", leafHeader+"x\na \n")
	add("leaf", "control", "malformed", "a control character", leafHeader+"x\na 1\t2\n")
	add("leaf", "delete", "malformed", "U+007F", leafHeader+"x\na 1\x7f\n")
	add("leaf", "not-utf8", "malformed", "a value that is not UTF-8", leafHeader+"x\na \xff\n")
	add("leaf", "carriage-return", "malformed", "lines that end with CR LF", leafHeader+"x\r\na 1\r\n")
	add("leaf", "no-line-feed", "malformed", "the last line has no line feed", leafHeader+"x\na 1")
	add("leaf", "empty-line", "malformed", "an empty line at the end", leafHeader+"x\na 1\n\n")
	var fields strings.Builder
	for i := range MaxFields + 1 {
		fmt.Fprintf(&fields, "f%03d x\n", i)
	}
	add("leaf", "many-fields", "too-large", "257 fields", leafHeader+"x\n"+fields.String())

	// Private values, checked with the leaf use-begin.
	secret := privateHeader + "person " + b64(salt[:]) + " 张三\n"
	add("private", "person", "ok", "the person of leaf/use-begin", secret)
	add("private", "redacted", "ok", "the person was redacted", privateHeader+"person -\n")
	add("private", "missing", "wrong-private", "the person is neither there nor redacted", "")
	add("private", "other-value", "wrong-private", "another person", strings.Replace(secret, "三", "四", 1))
	add("private", "not-concealed", "wrong-private", "a field that the leaf has openly", strings.Replace(secret, "person", "app", 1))
	add("private", "no-value", "malformed", "a salt without value", privateHeader+"person "+b64(salt[:])+"\n")
	add("private", "short-salt", "malformed", "a salt of 15 bytes", privateHeader+"person "+b64(salt[1:])+" 张三\n")
	add("private", "header-only", "malformed", "a header and nothing more", privateHeader)

	// Keys.
	add("key", "ed25519", "ok", "an Ed25519 key", ed.Verifier().String())
	add("key", "sm2", "ok", "an SM2 key", sm.Verifier().String())
	add("key", "other-hash", "unusable-key", "the hash is of another name", strings.Replace(ed.Verifier().String(), "court", "cour1", 1))
	add("key", "space", "unusable-key", "a space in the name", strings.Replace(ed.Verifier().String(), "/", " ", 1))
	add("key", "kind", "unusable-key", "a kind of key that is not known", keyText("x", "\x02"+strings.Repeat("k", 32)))
	add("key", "off-curve", "unusable-key", "a point that is not on the curve", keyText("x", typeSM2+"\x04"+strings.Repeat("k", 64)))
	add("key", "upper-case", "unusable-key", "the hash in upper case", upperHash(sm.Verifier().String()))

	// Trees, and checkpoints of the tree of six entries, the last the leaf use-begin.
	for _, p := range []Profile{SM3, SHA256} {
		f, b := Frontier{profile: p}, fmt.Sprintf("%d %s\n", 0, p.EmptyRoot())
		for i := range 20 {
			f.Append(p.LeafHash(entry(i)))
			b += fmt.Sprintf("%d %s\n", i+1, f.Root())
		}
		add("tree", "roots-"+string(p), "ok", `size and root of the trees of "entry 0", "entry 1", ...`, b)
	}
	tr := newTree(SM3)
	for i := range 5 {
		tr.add(entry(i))
	}
	tr.add([]byte(leaf))
	head := Checkpoint{Origin: vectorOrigin, Size: 6, Root: tr.f.Root()}
	text := string(head.Marshal())
	root := tr.f.Root().String()
	add("checkpoint", "six", "ok", "a log of six entries", text)
	add("checkpoint", "empty", "ok", "a log without entries", string(Checkpoint{Origin: vectorOrigin, Root: SM3.EmptyRoot()}.Marshal()))
	add("checkpoint", "extension", "ok", "a line more", text+"more\n")
	add("checkpoint", "no-origin", "malformed", "an empty origin", strings.TrimPrefix(text, vectorOrigin))
	add("checkpoint", "two-lines", "malformed", "no root", vectorOrigin+"\n6\n")
	add("checkpoint", "leading-zero", "malformed", "the size has a leading zero", strings.Replace(text, "\n6", "\n06", 1))
	add("checkpoint", "sign", "malformed", "the size has a sign", strings.Replace(text, "\n6", "\n+6", 1))
	add("checkpoint", "size", "malformed", "more entries than a tree has", strings.Replace(text, "\n6", "\n4611686018427387904", 1))
	add("checkpoint", "short-root", "malformed", "a root of 31 bytes", strings.Replace(text, root, b64(make([]byte, 31)), 1))
	add("checkpoint", "loose-root", "malformed", "stray bits at the end of base64",
		strings.Replace(text, root, root[:42]+string(root[42]+1)+"=", 1))
	add("checkpoint", "empty-line", "malformed", "an empty line after the root", text+"\nmore\n")

	note := string(must(SignNote([]byte(text), both...)))
	lines := strings.SplitAfter(strings.TrimPrefix(note, text+"\n"), "\n")
	foreign := string(must(SignNote([]byte(text), other)))
	add("note", "both", "ok", "signed with Ed25519 and SM2", note)
	add("note", "sm2", "ok", "signed with SM2 alone", text+"\n"+lines[1])
	add("note", "unknown-beside", "ok", "a signature of an unknown key beside", note+strings.TrimPrefix(foreign, text+"\n"))
	add("note", "other-text", "wrong-signature", "the text was changed", strings.Replace(note, "\n6\n", "\n7\n", 1))
	add("note", "sm2-wrong", "wrong-signature", "Ed25519 is right, SM2 is not", strings.Replace(note, lines[1], flipSignature(lines[1]), 1))
	add("note", "ed25519-wrong", "wrong-signature", "SM2 is right, Ed25519 is not",
		strings.Replace(note, lines[0], flipSignature(lines[0]), 1))
	add("note", "only-unknown", "unknown-log", "signed by an unknown key", foreign)
	add("note", "no-signature", "malformed", "no signature", text+"\n")
	add("note", "no-empty-line", "malformed", "no empty line before the signatures", text+lines[0])
	add("note", "hyphen", "malformed", "a hyphen instead of U+2014", strings.Replace(note, "—", "-", 1))
	add("note", "junk", "malformed", "a line that is no signature", note+"junk\n")

	// Evidence.
	proof := must(ProveInclusion(t.Context(), SM3, tr, 5, 6))
	evidence := func(leaf string, proof []Hash, note string) string {
		return string(Receipt{5, []byte(leaf), proof, []byte(note)}.Evidence())
	}
	good := evidence(leaf, proof, note)
	add("evidence", "good", "ok", "leaf/use-begin in the tree of checkpoint/six", good)
	add("evidence", "other-leaf", "wrong-proof", "another entry",
		evidence(strings.Replace(leaf, "110106", "110107", 1), proof, note))
	add("evidence", "other-index", "wrong-proof", "another index", strings.Replace(good, "index 5", "index 4", 1))
	add("evidence", "behind", "out-of-range", "an index that the tree does not have", strings.Replace(good, "index 5", "index 6", 1))
	add("evidence", "short-proof", "wrong-proof", "a hash is missing", evidence(leaf, proof[:1], note))
	add("evidence", "long-proof", "wrong-proof", "a hash too many", evidence(leaf, append(proof, Hash{}), note))
	add("evidence", "swapped", "wrong-proof", "the hashes in the other order", evidence(leaf, []Hash{proof[1], proof[0]}, note))
	forked := Checkpoint{Origin: vectorOrigin, Size: 6, Root: Hash{1}}
	add("evidence", "forked", "wrong-proof", "the log signed another tree too", evidence(leaf, proof, string(must(forked.Sign(ed)))))
	add("evidence", "other-log", "unknown-log", "the key of another log signed", evidence(leaf, proof, foreign))
	add("evidence", "changed-head", "wrong-signature", "the checkpoint was changed", strings.Replace(good, "\n6\n", "\n7\n", 1))
	add("evidence", "no-extra", "malformed", "no entry", strings.Replace(good, "extra ", "", 1))
	add("evidence", "no-index", "malformed", "no index", strings.Replace(good, "index 5\n", "", 1))
	add("evidence", "no-checkpoint", "malformed", "no checkpoint", good[:strings.Index(good, "\n\n")+1])
	add("evidence", "other-version", "malformed", "a version that is not known", strings.Replace(good, "@v1", "@v2", 1))
	many := strings.Repeat(Hash{}.String()+"\n", maxHashes+1)
	add("evidence", "many-hashes", "too-large", "65 hashes", strings.Replace(good, "index 5\n", "index 5\n"+many, 1))

	// Policies.
	policy := string(must(Policy{true, []Verifier{ed.Verifier(), sm.Verifier()}}.Extension()))
	add("policy", "required", "ok", "a log with two keys; entries are required", policy)
	add("policy", "optional", "ok", "entries are optional", strings.Replace(policy, "required", "optional", 1))
	add("policy", "other-word", "malformed", "neither required nor optional", strings.Replace(policy, "required", "wanted", 1))
	add("policy", "no-keys", "malformed", "no keys", policyHeader+"entry required\n")
	add("policy", "twice", "malformed", "a key twice", policy+"key "+sm.Verifier().String()+"\n")
	add("policy", "bad-key", "unusable-key", "a key with another hash", strings.Replace(policy, "key ledger", "key 1edger", 1))
	return append(all, offlineVectors(ed, other)...)
}

func b64(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// keyText writes a key of any data, its hash right.
func keyText(name, data string) string {
	sum := sha256.Sum256([]byte(name + "\n" + data))
	return fmt.Sprintf("%s+%x+%s", name, sum[:4], b64([]byte(data)))
}

func upperHash(vkey string) string {
	p := strings.SplitN(vkey, "+", 3)
	return p[0] + "+" + strings.ToUpper(p[1]) + "+" + p[2]
}

// flipSignature changes the last byte of the signature of a line.
func flipSignature(line string) string {
	words := strings.SplitN(strings.TrimSpace(line), " ", 3)
	b := must(base64.StdEncoding.DecodeString(words[2]))
	b[len(b)-1] ^= 1
	return words[0] + " " + words[1] + " " + b64(b) + "\n"
}

func (v vector) path() string { return filepath.Join("testdata", v.kind, v.name+".txt") }

func (v vector) file() []byte {
	return []byte("expect: " + v.expect + "\nabout: " + v.about + "\n\n" + v.body)
}

func TestVectorsAreAsMade(t *testing.T) {
	made := map[string]bool{}
	for _, v := range vectors(t) {
		made[v.path()] = true
		if *rewrite {
			if err := os.MkdirAll(filepath.Dir(v.path()), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(v.path(), v.file(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if b, err := os.ReadFile(v.path()); err != nil || !bytes.Equal(b, v.file()) {
			t.Errorf("%s is not as this test makes it; -rewrite writes it anew: %v", v.path(), err)
		}
	}
	for _, path := range vectorFiles(t) {
		if !made[path] {
			t.Errorf("%s is there, and nothing makes it", path)
		}
	}
}

func vectorFiles(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no vectors", err)
	}
	return paths
}

// read reads a vector as another implementation would.
func readVector(t testing.TB, path string) (expect, body string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	head, body, ok := strings.Cut(string(b), "\n\n")
	expect, ok2 := strings.CutPrefix(strings.SplitN(head, "\n", 2)[0], "expect: ")
	if !ok || !ok2 {
		t.Fatalf("%s has no header", path)
	}
	return expect, body
}

func TestVectors(t *testing.T) {
	ed, sm, _ := vectorKeys()
	known := []Verifier{ed.Verifier(), sm.Verifier()}
	_, use := readVector(t, "testdata/leaf/use-begin.txt")
	useLeaf := must(ParseLeaf([]byte(use)))
	same := func(body string, b []byte, err error) error {
		if err == nil && string(b) != body {
			t.Errorf("reads %q, writes %q", body, b)
		}
		return err
	}
	read := map[string]func(body string) error{
		"leaf": func(s string) error {
			l, err := ParseLeaf([]byte(s))
			if err != nil {
				return err
			}
			b, err := l.Marshal()
			return same(s, b, err)
		},
		"private": func(s string) error {
			v, err := ParsePrivate([]byte(s))
			if err != nil {
				return err
			}
			if b, err := v.Marshal(); same(s, b, err) != nil {
				return err
			}
			return v.Check(SM3, useLeaf)
		},
		"key": func(s string) error { v, err := ParseVerifier(s); return same(s, []byte(v.String()), err) },
		"tree": func(s string) error {
			p := SM3
			if strings.Contains(s, SHA256.EmptyRoot().String()) {
				p = SHA256
			}
			for line := range strings.Lines(s) {
				var size int
				var root string
				fmt.Sscan(line, &size, &root)
				if mth(p, 0, size).String() != root {
					return ErrProof
				}
			}
			return nil
		},
		"checkpoint": func(s string) error { c, err := ParseCheckpoint([]byte(s)); return same(s, c.Marshal(), err) },
		"note":       func(s string) error { _, _, err := OpenCheckpoint([]byte(s), known...); return err },
		"evidence": func(s string) error {
			e, err := ParseEvidence([]byte(s))
			if err != nil {
				return err
			}
			same(s, e.Evidence(), nil)
			_, err = e.Check(known...)
			return err
		},
		"policy": func(s string) error {
			p, err := ParsePolicy([]byte(s))
			if err != nil {
				return err
			}
			b, err := p.Extension()
			return same(s, b, err)
		},
	}
	maps.Copy(read, offlineReaders(t, known...))
	for _, path := range vectorFiles(t) {
		expect, body := readVector(t, path)
		want, ok := expectations[expect]
		if !ok {
			want, ok = offlineExpectations[expect]
		}
		if !ok {
			t.Errorf("%s expects %q", path, expect)
			continue
		}
		if err := read[filepath.Base(filepath.Dir(path))](body); !errors.Is(err, want) {
			t.Errorf("%s: %v, not %s", path, err, expect)
		}
	}
}
