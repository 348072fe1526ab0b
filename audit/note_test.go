package audit

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

const origin = "court.example.cn/ledger/sm3"

func edSigner(t testing.TB, name string) *KeySigner {
	t.Helper()
	seed := sha256.Sum256([]byte(name))
	return must(NewSigner(name, ed25519.NewKeyFromSeed(seed[:])))
}

func smSigner(t testing.TB, name string) *KeySigner {
	t.Helper()
	return must(NewSigner(name, must(gm.GenerateKey())))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestNoteAgreesWithSumdb(t *testing.T) {
	ed, sm, other := edSigner(t, origin), smSigner(t, origin), edSigner(t, "witness.example.cn")
	text := []byte("one\n\ntwo 二\n")
	ours := must(SignNote(text, sm, other, ed))
	v, err := note.NewVerifier(ed.Verifier().String())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(ours, note.VerifierList(v))
	if err != nil || n.Text != string(text) || len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 2 {
		t.Fatalf("sumdb/note reads %+v: %v", n, err)
	}
	skey, vkey, err := note.GenerateKey(nil, "log.example.cn")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := note.Sign(&note.Note{Text: string(text)}, must(note.NewSigner(skey)), ed)
	if err != nil {
		t.Fatal(err)
	}
	back, err := OpenNote(theirs, must(ParseVerifier(vkey)), ed.Verifier())
	if err != nil || !bytes.Equal(back.Text, text) || len(back.By) != 2 || back.By[0].String() != vkey {
		t.Fatalf("%+v: %v", back, err)
	}
}

// TestSM2Line: what an SM2 line holds, checked step by step as FORMAT.md says.
func TestSM2Line(t *testing.T) {
	key := must(gm.GenerateKey())
	for _, k := range []*KeySigner{must(NewSigner(origin, key)), must(NewSigner(origin, sign.NewKey(key)))} {
		text := []byte("text\n")
		n := must(SignNote(text, k))
		line := strings.Fields(string(n[len(text)+1:]))
		raw := must(base64.StdEncoding.DecodeString(line[2]))
		point := must(gm.MarshalPoint(key.Public()))
		id := sha256.Sum256(slices.Concat([]byte(origin), []byte{'\n', 0xff}, []byte("courtseal.sm2-sm3.v1\n"), point))
		if line[1] != origin || !bytes.Equal(raw[:4], id[:4]) || len(raw) != 68 {
			t.Fatalf("%q", line)
		}
		der, _ := gm.SignatureDER(raw[4:])
		if err := (sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}).Verify(key.Public(), text, der); err != nil {
			t.Fatal(err)
		}
		v := must(ParseVerifier(k.Verifier().String()))
		if v.String() != k.Verifier().String() || !v.Verify(text, raw[4:]) || v.Verify([]byte("texts\n"), raw[4:]) || v.Verify(text, der) {
			t.Fatal("verifier")
		}
	}
}

// publicOnly is a key that can say what it is and nothing else.
type publicOnly struct{ key crypto.PublicKey }

func (p publicOnly) Public() crypto.PublicKey { return p.key }

// garbled is an SM2 key in a device that answers nonsense.
type garbled struct{ sign.Key }

func (garbled) SignDigest(context.Context, []byte, crypto.SignerOpts) ([]byte, error) {
	return []byte("no"), nil
}

func TestSigningRefuses(t *testing.T) {
	_, private, _ := ed25519.GenerateKey(nil)
	sm := must(gm.GenerateKey())
	for name, key := range map[string]interface{ Public() crypto.PublicKey }{
		"": private, "a b": private, "a+b": sm, "a\x00": private, "a\u3000b": sm, strings.Repeat("a", 256): sm,
		"p256": testpki.NewKey(testpki.P256), "rsa": testpki.NewKey(testpki.RSA),
		"public": publicOnly{sm.Public()}, "public too": publicOnly{private.Public()},
	} {
		if k, err := NewSigner(name, key); !errors.Is(err, ErrKey) || k != nil {
			t.Errorf("%.20q: %v, %v", name, k, err)
		}
	}
	good := edSigner(t, origin)
	bad := must(NewSigner(origin, garbled{sign.NewKey(sm)}))
	for name, tc := range map[string]struct {
		text    string
		signers []Signer
		want    error
	}{
		"nobody":     {"text\n", nil, ErrKey},
		"too many":   {"text\n", slices.Repeat([]Signer{good}, maxSignatures+1), ErrKey},
		"no text":    {"", []Signer{good}, ErrFormat},
		"open line":  {"text", []Signer{good}, ErrFormat},
		"long":       {strings.Repeat("x", MaxNote) + "\n", []Signer{good}, ErrTooLarge},
		"bad device": {"text\n", []Signer{good, bad}, ErrKey},
	} {
		if n, err := SignNote([]byte(tc.text), tc.signers...); !errors.Is(err, tc.want) || n != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (Checkpoint{Origin: "other.example.cn", Root: SM3.EmptyRoot()}).Sign(good); !errors.Is(err, ErrKey) {
		t.Error("a checkpoint without its log's signature:", err)
	}
}

// A key that signs twice signs once: whoever counts witnesses counts keys.
func TestOpenNoteCountsKeysOnce(t *testing.T) {
	sm, ed := smSigner(t, origin), edSigner(t, origin)
	n := must(OpenNote(must(SignNote([]byte("text\n"), sm, ed, sm)), ed.Verifier(), sm.Verifier(), sm.Verifier()))
	if len(n.By) != 2 || n.By[0].String() != sm.Verifier().String() {
		t.Error(n.By)
	}
}

func TestOpenNoteRefuses(t *testing.T) {
	ed, other := edSigner(t, origin), edSigner(t, "other.example.cn")
	good := string(must(SignNote([]byte("text\n"), ed)))
	line := good[len("text\n\n"):]
	raw := must(base64.StdEncoding.DecodeString(strings.Fields(line)[2]))
	zero := "— " + origin + " " + base64.StdEncoding.EncodeToString(append(raw[:4], make([]byte, 64)...)) + "\n"
	for name, tc := range map[string]struct {
		note string
		want error
	}{
		"good":              {good, nil},
		"unknown beside":    {string(must(SignNote([]byte("text\n"), other, ed))), nil},
		"other text":        {"t" + good, ErrSignature},
		"one wrong":         {good + zero, ErrSignature},
		"only unknown":      {string(must(SignNote([]byte("text\n"), other))), ErrUnknownLog},
		"no signature":      {"text\n\n", ErrFormat},
		"no empty line":     {"text\n", ErrFormat},
		"no line feed":      {strings.TrimSuffix(good, "\n"), ErrFormat},
		"carriage return":   {"text\r\n" + good[5:], ErrFormat},
		"not UTF-8":         {"text\xff\n" + good[5:], ErrFormat},
		"hyphen":            {strings.Replace(good, "—", "-", 1), ErrFormat},
		"junk after":        {good + "junk\n", ErrFormat},
		"short":             {good + "— x AAAA\n", ErrFormat},
		"loose base64":      {strings.Replace(good, "=", "", 1), ErrFormat},
		"name with plus":    {good + "— a+b AAAAAAAA\n", ErrFormat},
		"many signatures":   {"text\n\n" + strings.Repeat("— x AAAAAAAA\n", maxSignatures+1), ErrTooLarge},
		"long":              {strings.Repeat("x", MaxNote) + "\n" + good, ErrTooLarge},
		"as many as we may": {good + strings.Repeat("— x AAAAAAAA\n", maxSignatures-1), nil},
	} {
		_, err := OpenNote([]byte(tc.note), ed.Verifier())
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
