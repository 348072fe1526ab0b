package soft

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/scrypt"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/keydev/internal/fault"
)

// MaxRounds is how many rounds of key derivation one file may ask for, all its parts together.
const MaxRounds = 10_000_000

// maxScrypt is the memory one scrypt may ask for, in bytes.
const maxScrypt = 128 << 20

// A meter counts the rounds a file asks for, and ends them with the context.
type meter struct {
	ctx    context.Context
	rounds int // left
}

func (m *meter) spend(n int) error {
	if n < 1 {
		return fmt.Errorf("%w: %d rounds of key derivation", fault.ErrMalformed, n)
	}
	if n > m.rounds {
		return fmt.Errorf("%w: %d rounds of key derivation, more than the %d that are allowed", fault.ErrMalformed, n, m.rounds)
	}
	m.rounds -= n
	return m.ctx.Err()
}

// tick is called every round.
func (m *meter) tick(i int) error {
	if i&0xfff != 0 {
		return nil
	}
	return m.ctx.Err()
}

var (
	oidPBES2   = der.MustOID("1.2.840.113549.1.5.13")
	oidSMPBES  = der.MustOID("1.2.156.10197.6.4.1.5.2") // GM/T 0091
	oidPBKDF2  = der.MustOID("1.2.840.113549.1.5.12")
	oidSMPBKDF = der.MustOID("1.2.156.10197.6.4.1.5.1") // GM/T 0091
	oidScrypt  = der.MustOID("1.3.6.1.4.1.11591.4.11")
	oidPBE3DES = der.MustOID("1.2.840.113549.1.12.1.3") // pbeWithSHAAnd3-KeyTripleDES-CBC
	oidAES256  = der.MustOID("2.16.840.1.101.3.4.1.42")
	oidHMAC256 = der.MustOID("1.2.840.113549.2.9")
)

type blockCipher struct {
	keySize int
	new     func([]byte) (cipher.Block, error)
}

var ciphers = map[der.OID]blockCipher{
	der.MustOID("2.16.840.1.101.3.4.1.2"):  {16, aes.NewCipher},
	der.MustOID("2.16.840.1.101.3.4.1.22"): {24, aes.NewCipher},
	oidAES256:                              {32, aes.NewCipher},
	der.MustOID("1.2.840.113549.3.7"):      {24, des.NewTripleDESCipher},
	der.MustOID("1.2.156.10197.1.104.2"):   {16, gm.NewSM4}, // SM4-CBC
	der.MustOID("1.2.156.10197.1.104"):     {16, gm.NewSM4}, // SM4 without a mode; with an IV it means CBC
}

var prfs = map[der.OID]func() hash.Hash{
	der.MustOID("1.2.840.113549.2.7"):      sha1.New,
	der.MustOID("1.2.840.113549.2.8"):      sha256.New224,
	oidHMAC256:                             sha256.New,
	der.MustOID("1.2.840.113549.2.10"):     sha512.New384,
	der.MustOID("1.2.840.113549.2.11"):     sha512.New,
	der.MustOID("1.2.156.10197.1.401.2"):   gm.NewSM3,
	der.MustOID("1.2.156.10197.1.401.3.1"): gm.NewSM3, // hmacWithSM3 of OpenSSL 3.2 and later
}

// decrypt opens data that alg (the content of an AlgorithmIdentifier) protects with a password.
func (m *meter) decrypt(alg cryptobyte.String, data, pin []byte) ([]byte, error) {
	var oid der.OID
	var params cryptobyte.String
	if !der.ReadOID(&alg, &oid) || !alg.ReadASN1(&params, asn1.SEQUENCE) || !alg.Empty() {
		return nil, fmt.Errorf("%w: encryption algorithm", fault.ErrMalformed)
	}
	var block cipher.Block
	var iv []byte
	var err error
	switch oid {
	case oidPBES2, oidSMPBES:
		block, iv, err = m.pbes2(params, pin)
	case oidPBE3DES:
		block, iv, err = m.pbe3DES(params, pin)
	default:
		err = fmt.Errorf("%w: encryption %s; PBES2 and pbeWithSHAAnd3-KeyTripleDES-CBC are known", fault.ErrUnsupported, oid)
	}
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, fmt.Errorf("%w: encrypted data of %d bytes with an IV of %d", fault.ErrMalformed, len(data), len(iv))
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	n := int(plain[len(plain)-1])
	ok := n >= 1 && n <= size
	for i := 1; ok && i <= n; i++ {
		ok = plain[len(plain)-i] == byte(n)
	}
	if !ok {
		return nil, fault.ErrPINIncorrect
	}
	return plain[:len(plain)-n], nil
}

// pbes2 reads PBES2-params (RFC 8018, A.4).
func (m *meter) pbes2(params cryptobyte.String, pin []byte) (cipher.Block, []byte, error) {
	var kdf, enc cryptobyte.String
	var encOID der.OID
	var iv []byte
	if !params.ReadASN1(&kdf, asn1.SEQUENCE) || !params.ReadASN1(&enc, asn1.SEQUENCE) || !params.Empty() ||
		!der.ReadOID(&enc, &encOID) {
		return nil, nil, fmt.Errorf("%w: PBES2 parameters", fault.ErrMalformed)
	}
	c, ok := ciphers[encOID]
	if !ok {
		return nil, nil, fmt.Errorf("%w: cipher %s; AES-CBC, SM4-CBC and 3DES-CBC are known", fault.ErrUnsupported, encOID)
	}
	if !enc.ReadASN1Bytes(&iv, asn1.OCTET_STRING) || !enc.Empty() {
		return nil, nil, fmt.Errorf("%w: cipher parameters", fault.ErrMalformed)
	}
	key, err := m.deriveKey(kdf, pin, c.keySize)
	if err != nil {
		return nil, nil, err
	}
	defer clear(key)
	block, err := c.new(key)
	return block, iv, err
}

func (m *meter) deriveKey(kdf cryptobyte.String, pin []byte, size int) ([]byte, error) {
	var oid der.OID
	var params cryptobyte.String
	if !der.ReadOID(&kdf, &oid) || !kdf.ReadASN1(&params, asn1.SEQUENCE) || !kdf.Empty() {
		return nil, fmt.Errorf("%w: key derivation", fault.ErrMalformed)
	}
	prf := sha1.New // the default of RFC 8018
	switch oid {
	case oidScrypt:
		return m.scrypt(params, pin, size)
	case oidPBKDF2:
	case oidSMPBKDF:
		prf = gm.NewSM3
	default:
		return nil, fmt.Errorf("%w: key derivation %s; PBKDF2 and scrypt are known", fault.ErrUnsupported, oid)
	}
	var salt []byte
	var rounds int
	if !params.ReadASN1Bytes(&salt, asn1.OCTET_STRING) || !readInt(&params, &rounds) {
		return nil, fmt.Errorf("%w: PBKDF2 parameters", fault.ErrMalformed)
	}
	if params.PeekASN1Tag(asn1.INTEGER) {
		var n int
		if !readInt(&params, &n) || n != size {
			return nil, fmt.Errorf("%w: PBKDF2 key of %d bytes for a cipher of %d", fault.ErrMalformed, n, size)
		}
	}
	if !params.Empty() {
		var alg cryptobyte.String
		var prfOID der.OID
		if !params.ReadASN1(&alg, asn1.SEQUENCE) || !params.Empty() || !der.ReadOID(&alg, &prfOID) {
			return nil, fmt.Errorf("%w: PBKDF2 parameters", fault.ErrMalformed)
		}
		known := false
		if prf, known = prfs[prfOID]; !known {
			return nil, fmt.Errorf("%w: PBKDF2 with %s; HMAC with SHA-1, SHA-2 or SM3 is known", fault.ErrUnsupported, prfOID)
		}
	}
	return m.pbkdf2(prf, pin, salt, rounds, size)
}

// pbkdf2 is RFC 8018, 5.2. crypto/pbkdf2 takes the password as a string, which cannot be wiped, and no context.
func (m *meter) pbkdf2(prf func() hash.Hash, pin, salt []byte, rounds, size int) ([]byte, error) {
	mac := hmac.New(prf, pin)
	blocks := (size + mac.Size() - 1) / mac.Size()
	out := make([]byte, 0, blocks*mac.Size())
	var u []byte
	for i := 1; i <= blocks; i++ {
		if err := m.spend(rounds); err != nil {
			return nil, err
		}
		mac.Reset()
		mac.Write(salt)
		mac.Write([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		u = mac.Sum(u[:0])
		t := append([]byte(nil), u...)
		for r := 1; r < rounds; r++ {
			if err := m.tick(r); err != nil {
				return nil, err
			}
			mac.Reset()
			mac.Write(u)
			u = mac.Sum(u[:0])
			for j := range t {
				t[j] ^= u[j]
			}
		}
		out = append(out, t...)
	}
	return out[:size], nil
}

// scrypt reads scrypt-params (RFC 7914, 7.1).
func (m *meter) scrypt(params cryptobyte.String, pin []byte, size int) ([]byte, error) {
	var salt []byte
	var n, r, p, keySize int
	if !params.ReadASN1Bytes(&salt, asn1.OCTET_STRING) || !readInt(&params, &n) || !readInt(&params, &r) || !readInt(&params, &p) {
		return nil, fmt.Errorf("%w: scrypt parameters", fault.ErrMalformed)
	}
	if !params.Empty() && (!readInt(&params, &keySize) || !params.Empty() || keySize != size) {
		return nil, fmt.Errorf("%w: scrypt key of %d bytes for a cipher of %d", fault.ErrMalformed, keySize, size)
	}
	if n < 2 || n&(n-1) != 0 || r < 1 || p < 1 || r > 1<<10 || p > 1<<10 || n > maxScrypt/128/r {
		return nil, fmt.Errorf("%w: scrypt with N=%d r=%d p=%d; %d MiB are allowed", fault.ErrMalformed, n, r, p, maxScrypt>>20)
	}
	if err := m.spend(2 * n * r * p); err != nil {
		return nil, err
	}
	return scrypt.Key(pin, salt, n, r, p, size)
}

func readInt(s *cryptobyte.String, n *int) bool {
	var v int64
	if !s.ReadASN1Integer(&v) || v < 0 || v > 1<<31-1 {
		return false
	}
	*n = int(v)
	return true
}
