package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rc4"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
)

// padding fills passwords up to 32 bytes (ISO 32000-2, algorithm 2, step a).
const padding = "\x28\xbf\x4e\x5e\x4e\x75\x8a\x41\x64\x00\x4e\x56\xff\xfa\x01\x08" +
	"\x2e\x2e\x00\xb6\xd0\x68\x3e\x80\x2f\x0c\xa9\xfe\x64\x53\x69\x7a"

// authenticate returns the file's key, or nil where the password is neither the user's nor the owner's.
func (c *crypt) authenticate(password []byte) []byte {
	if c.revision >= 5 {
		return c.authenticate256(password[:min(len(password), 127)])
	}
	padded := append(append(make([]byte, 0, len(password)+32), password...), padding...)[:32]
	if key := c.userKey(padded); key != nil {
		return key
	}
	return c.userKey(c.userPassword(padded))
}

// userKey is algorithm 2, proved by algorithm 6.
func (c *crypt) userKey(padded []byte) []byte {
	h := md5.New()
	h.Write(padded)
	h.Write(c.o)
	p := uint32(c.permissions)
	h.Write([]byte{byte(p), byte(p >> 8), byte(p >> 16), byte(p >> 24)})
	h.Write(c.id)
	if c.revision >= 4 && !c.encryptMetadata {
		h.Write([]byte{255, 255, 255, 255})
	}
	key := c.stretch(h.Sum(nil))
	if c.revision == 2 {
		if subtle.ConstantTimeCompare(rc4With(key, 0, []byte(padding)), c.u) == 1 {
			return key
		}
		return nil
	}
	h.Reset()
	h.Write([]byte(padding))
	h.Write(c.id)
	u := h.Sum(nil)
	for i := range 20 {
		u = rc4With(key, byte(i), u)
	}
	if subtle.ConstantTimeCompare(u, c.u[:16]) == 1 {
		return key
	}
	return nil
}

// userPassword takes the padded user password out of /O with the padded owner password (algorithm 7).
func (c *crypt) userPassword(owner []byte) []byte {
	sum := md5.Sum(owner)
	key := c.stretch(sum[:])
	if c.revision == 2 {
		return rc4With(key, 0, c.o)
	}
	p := c.o
	for i := 19; i >= 0; i-- {
		p = rc4With(key, byte(i), p)
	}
	return p
}

// stretch hashes 50 times more from revision 3 on, and cuts the key to its length.
func (c *crypt) stretch(key []byte) []byte {
	key = key[:c.length]
	if c.revision >= 3 {
		for range 50 {
			sum := md5.Sum(key)
			key = sum[:c.length]
		}
	}
	return key
}

// rc4With encrypts (or decrypts) b with the key of which each byte is combined with x.
func rc4With(key []byte, x byte, b []byte) []byte {
	k := bytes.Clone(key)
	for i := range k {
		k[i] ^= x
	}
	out := make([]byte, len(b))
	s, err := rc4.NewCipher(k)
	if err != nil { // only where the key had no or too many bytes, which read has excluded
		return nil
	}
	s.XORKeyStream(out, b)
	return out
}

// authenticate256 is algorithm 2.A.
func (c *crypt) authenticate256(password []byte) []byte {
	hash := c.hash2B
	if c.revision == 5 { // Adobe's extension level 3
		hash = func(p, salt, u []byte) []byte {
			sum := sha256.Sum256(bytes.Join([][]byte{p, salt, u}, nil))
			return sum[:]
		}
	}
	if subtle.ConstantTimeCompare(hash(password, c.o[32:40], c.u), c.o[:32]) == 1 {
		return unwrap(hash(password, c.o[40:48], c.u), c.oe)
	}
	if subtle.ConstantTimeCompare(hash(password, c.u[32:40], nil), c.u[:32]) == 1 {
		return unwrap(hash(password, c.u[40:48], nil), c.ue)
	}
	return nil
}

func unwrap(key, wrapped []byte) []byte {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil
	}
	out := make([]byte, len(wrapped))
	cipher.NewCBCDecrypter(block, make([]byte, 16)).CryptBlocks(out, wrapped)
	return out
}

// hash2B is algorithm 2.B.
func (c *crypt) hash2B(password, salt, u []byte) []byte {
	first := sha256.Sum256(bytes.Join([][]byte{password, salt, u}, nil))
	k := first[:]
	for i := 0; ; i++ {
		k1 := bytes.Repeat(bytes.Join([][]byte{password, k, u}, nil), 64)
		block, err := aes.NewCipher(k[:16])
		if err != nil {
			return nil
		}
		cipher.NewCBCEncrypter(block, k[16:32]).CryptBlocks(k1, k1)
		sum := 0
		for _, b := range k1[:16] {
			sum += int(b) // 256 is 1 modulo 3, so the number's remainder is that of its digits
		}
		switch sum % 3 {
		case 0:
			s := sha256.Sum256(k1)
			k = s[:]
		case 1:
			s := sha512.Sum384(k1)
			k = s[:]
		case 2:
			s := sha512.Sum512(k1)
			k = s[:]
		}
		if i >= 63 && int(k1[len(k1)-1]) <= i-31 {
			return k[:32]
		}
	}
}
