package soft

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev/internal/fault"
)

// writeRounds of PBKDF2-HMAC-SHA256 protect a key written here: about 0.14 s of one core.
const writeRounds = 600_000

const mend = "make it PKCS #8 with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`"

// privateKeyBytes returns the DER of a key file, and whether it is an EncryptedPrivateKeyInfo.
func privateKeyBytes(data []byte) (b []byte, encrypted bool, err error) {
	if len(data) > 0 && data[0] == 0x30 {
		// EncryptedPrivateKeyInfo starts with a SEQUENCE, PrivateKeyInfo with an INTEGER.
		s := cryptobyte.String(data)
		var body cryptobyte.String
		if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() {
			return nil, false, fmt.Errorf("%w: not one DER value", fault.ErrMalformed)
		}
		return data, body.PeekASN1Tag(asn1.SEQUENCE), nil
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, false, fmt.Errorf("%w: neither DER nor PEM with a private key", fault.ErrMalformed)
		}
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY":
			return block.Bytes, true, nil
		case block.Type == "PRIVATE KEY":
			return block.Bytes, false, nil
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return nil, false, fmt.Errorf("%w: %q; %s", fault.ErrUnsupported, block.Type, mend)
		}
	}
}

// openPKCS8 decrypts an EncryptedPrivateKeyInfo (RFC 5958, 3).
func (m *meter) openPKCS8(b, pin []byte) (crypto.Signer, error) {
	s := cryptobyte.String(b)
	var body, alg cryptobyte.String
	var data []byte
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !body.ReadASN1(&alg, asn1.SEQUENCE) ||
		!body.ReadASN1Bytes(&data, asn1.OCTET_STRING) || !body.Empty() {
		return nil, fmt.Errorf("%w: EncryptedPrivateKeyInfo", fault.ErrMalformed)
	}
	plain, err := m.decrypt(alg, data, pin)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	s = cryptobyte.String(plain)
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !body.PeekASN1Tag(asn1.INTEGER) {
		return nil, fault.ErrPINIncorrect // 1 of 256 wrong PINs passes the padding
	}
	return parsePrivateKey(plain)
}

func parsePrivateKey(plain []byte) (crypto.Signer, error) {
	key, err := gm.ParsePKCS8(plain)
	if err != nil {
		// The parser's own text is left out: it may quote what it read.
		return nil, fmt.Errorf("%w: this private key cannot be read; SM2, RSA, and ECDSA on P-256 and P-384 are known", fault.ErrUnsupported)
	}
	if Kind(key.Public()) == "" {
		return nil, fmt.Errorf("%w: private key of type %T; SM2, RSA, and ECDSA on P-256 and P-384 are known", fault.ErrUnsupported, key)
	}
	return key, nil
}

// Kind names the kind of a public key; empty: none that signs here.
func Kind(pub crypto.PublicKey) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		switch {
		case gm.IsSM2(k):
			return "SM2"
		case k.Curve == elliptic.P256():
			return "P-256"
		case k.Curve == elliptic.P384():
			return "P-384"
		}
	}
	return ""
}

// encryptPKCS8 writes an EncryptedPrivateKeyInfo: PBES2, PBKDF2 with HMAC-SHA256, AES-256-CBC.
func encryptPKCS8(ctx context.Context, key crypto.Signer, pin []byte) ([]byte, error) {
	if len(pin) == 0 {
		return nil, errors.New("a PIN may not be empty")
	}
	plain, err := gm.MarshalPKCS8(key)
	if err != nil {
		return nil, fmt.Errorf("%w: private key of type %T", fault.ErrUnsupported, key)
	}
	defer clear(plain)
	salt, iv := make([]byte, 16), make([]byte, aes.BlockSize)
	rand.Read(salt)
	rand.Read(iv)
	m := meter{ctx, MaxRounds}
	kek, err := m.pbkdf2(sha256.New, pin, salt, writeRounds, 32)
	if err != nil {
		return nil, err
	}
	defer clear(kek)
	block, err := aes.NewCipher(kek)
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(plain)%aes.BlockSize
	data := make([]byte, len(plain)+pad)
	for i := copy(data, plain); i < len(data); i++ {
		data[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)

	var b cryptobyte.Builder
	sequence := func(b *cryptobyte.Builder, f func(b *cryptobyte.Builder)) { b.AddASN1(asn1.SEQUENCE, f) }
	sequence(&b, func(b *cryptobyte.Builder) {
		sequence(b, func(b *cryptobyte.Builder) {
			der.AddOID(b, oidPBES2)
			sequence(b, func(b *cryptobyte.Builder) {
				sequence(b, func(b *cryptobyte.Builder) {
					der.AddOID(b, oidPBKDF2)
					sequence(b, func(b *cryptobyte.Builder) {
						b.AddASN1OctetString(salt)
						b.AddASN1Int64(writeRounds)
						sequence(b, func(b *cryptobyte.Builder) {
							der.AddOID(b, oidHMAC256)
							b.AddASN1NULL()
						})
					})
				})
				sequence(b, func(b *cryptobyte.Builder) {
					der.AddOID(b, oidAES256)
					b.AddASN1OctetString(iv)
				})
			})
		})
		b.AddASN1OctetString(data)
	})
	return b.Bytes()
}
