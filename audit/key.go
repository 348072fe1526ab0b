package audit

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

// A Signer signs notes: logs, witnesses, registries. It is note.Signer of golang.org/x/mod/sumdb/note. NewSigner makes one of a key.
type Signer interface {
	Name() string    // of the key: a URL without scheme; of a log its origin
	KeyHash() uint32 // with the name, what the key is known by
	Sign(msg []byte) ([]byte, error)
}

// Types of signatures of notes, and of the encodings of keys: the octets before the key.
const (
	typeEd25519 = "\x01"
	// C2SP has no number for SM2. 0xff begins the types that have none, and wants a longer name after it.
	typeSM2 = "\xffcourtseal.sm2-sm3.v1\n"
)

// A Verifier is a public key that signs notes under a name: Ed25519, or SM2 (FORMAT.md says how). Two with the same String
// are the same key. The zero Verifier verifies nothing.
type Verifier struct {
	name string
	data string // type and public key
	hash uint32
	sm2  crypto.PublicKey
	_    [0]func() // compare by String
}

// Name is the name of the key; of a log's key, the origin of the log.
func (v Verifier) Name() string { return v.name }

// KeyHash is the key ID that signature lines have.
func (v Verifier) KeyHash() uint32 { return v.hash }

// String is the key in the text form of C2SP: name+hash+base64 of type and key. ParseVerifier reads it.
func (v Verifier) String() string {
	if v.data == "" {
		return ""
	}
	return fmt.Sprintf("%s+%08x+%s", v.name, v.hash, base64.StdEncoding.EncodeToString([]byte(v.data)))
}

// Verify reports whether sig is the key's signature of msg.
func (v Verifier) Verify(msg, sig []byte) bool {
	if v.sm2 != nil {
		e, err := gm.Digest(v.sm2, msg)
		if err != nil || len(sig) != 64 || gm.IsSignatureDER(sig) {
			return false
		}
		der, _ := gm.SignatureDER(sig)
		return gm.VerifyDigest(v.sm2, e, der)
	}
	key, ok := strings.CutPrefix(v.data, typeEd25519)
	return ok && len(key) == ed25519.PublicKeySize && ed25519.Verify(ed25519.PublicKey(key), msg, sig)
}

// ParseVerifier reads a key as String writes it.
func ParseVerifier(vkey string) (Verifier, error) {
	name, rest, ok := strings.Cut(vkey, "+")
	id, b64, ok2 := strings.Cut(rest, "+")
	if !ok || !ok2 || len(vkey) > 1024 {
		return Verifier{}, fmt.Errorf("%w: %.120q is not name+hash+key", ErrKey, vkey)
	}
	data, err := decode64(b64)
	if err != nil {
		return Verifier{}, fmt.Errorf("%w: the key of %.80q is not base64", ErrKey, name)
	}
	v, err := newVerifier(name, string(data))
	if err != nil {
		return Verifier{}, err
	}
	if h, err := hex.DecodeString(id); err != nil || v.String() != vkey || binary.BigEndian.Uint32(h) != v.hash {
		return Verifier{}, fmt.Errorf("%w: %.80q has the hash %.16q, and its key %08x", ErrKey, name, id, v.hash)
	}
	return v, nil
}

func newVerifier(name, data string) (Verifier, error) {
	if err := checkName(name); err != nil {
		return Verifier{}, err
	}
	v := Verifier{name: name, data: data}
	if point, ok := strings.CutPrefix(data, typeSM2); ok {
		key, err := gm.ParsePoint([]byte(point))
		if err != nil {
			return Verifier{}, fmt.Errorf("%w: %s: %w", ErrKey, name, err)
		}
		v.sm2 = key
	} else if !strings.HasPrefix(data, typeEd25519) || len(data) != 1+ed25519.PublicKeySize {
		return Verifier{}, fmt.Errorf("%w: %s is neither Ed25519 nor SM2", ErrKey, name)
	}
	sum := sha256.Sum256([]byte(name + "\n" + data))
	v.hash = binary.BigEndian.Uint32(sum[:])
	return v, nil
}

// checkName holds the name of a key to C2SP: not empty, no spaces, no plus.
func checkName(name string) error {
	bad := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '+' }
	if name == "" || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return fmt.Errorf("%w: name %.120q; 1 to 255 bytes without spaces and '+' are one, such as example.cn/ledger", ErrKey, name)
	}
	return nil
}

// A KeySigner signs notes with a key under a name. NewSigner makes it.
type KeySigner struct {
	verifier Verifier
	sign     func(msg []byte) ([]byte, error)
}

// NewSigner makes a Signer of a key: a crypto.Signer with an Ed25519 or SM2 key, or a sign.Key with an SM2 key, so that a log's
// key may live in a device. Other kinds are ErrKey. The Signer is as safe for concurrent use as the key.
func NewSigner(name string, key interface{ Public() crypto.PublicKey }) (*KeySigner, error) {
	if pub, ok := key.Public().(ed25519.PublicKey); ok {
		s, ok := key.(crypto.Signer)
		if !ok {
			return nil, fmt.Errorf("%w: %s: an Ed25519 key is given as crypto.Signer, not %T", ErrKey, name, key)
		}
		v, err := newVerifier(name, typeEd25519+string(pub))
		if err != nil {
			return nil, err
		}
		return &KeySigner{v, func(msg []byte) ([]byte, error) { return s.Sign(rand.Reader, msg, crypto.Hash(0)) }}, nil
	}
	point, err := gm.MarshalPoint(key.Public())
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %T; Ed25519 and SM2 sign notes", ErrKey, name, key.Public())
	}
	var k sign.Key
	switch t := key.(type) {
	case sign.Key:
		k = t
	case crypto.Signer:
		k = sign.NewKey(t)
	default:
		return nil, fmt.Errorf("%w: %s: %T can not sign", ErrKey, name, key)
	}
	v, err := newVerifier(name, typeSM2+string(point))
	if err != nil {
		return nil, err
	}
	return &KeySigner{v, func(msg []byte) ([]byte, error) { return signSM2(k, msg) }}, nil
}

func signSM2(key sign.Key, msg []byte) ([]byte, error) {
	der, err := sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}.Sign(context.Background(), key, msg)
	if err != nil {
		return nil, err
	}
	raw, ok := gm.SignatureRaw(der)
	if !ok {
		return nil, fmt.Errorf("%w: the key gave %d octets that are no SM2 value in DER", ErrKey, len(der))
	}
	return raw, nil
}

// Name implements Signer.
func (k *KeySigner) Name() string { return k.verifier.name }

// KeyHash implements Signer.
func (k *KeySigner) KeyHash() uint32 { return k.verifier.hash }

// Sign implements Signer.
func (k *KeySigner) Sign(msg []byte) ([]byte, error) { return k.sign(msg) }

// Verifier is the public key.
func (k *KeySigner) Verifier() Verifier { return k.verifier }
