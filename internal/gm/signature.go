package gm

import (
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// SignatureDER returns an SM2 signature value as DER SEQUENCE { r, s }. Some writers put r || s, 64 bytes, where
// GM/T 0009 wants DER: raw is then true. Anything else comes back as it is.
func SignatureDER(sig []byte) (der []byte, raw bool) {
	if len(sig) != 64 || IsSignatureDER(sig) {
		return sig, false
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addUnsigned(b, sig[:32])
		addUnsigned(b, sig[32:])
	})
	return b.BytesOrPanic(), true
}

// SignatureRaw returns a DER signature value as r || s, 64 bytes; false: it is none.
func SignatureRaw(der []byte) (raw []byte, ok bool) {
	s, seq := cryptobyte.String(der), cryptobyte.String(nil)
	r, t := new(big.Int), new(big.Int)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1Integer(r) || !seq.ReadASN1Integer(t) || !seq.Empty() ||
		r.Sign() < 0 || t.Sign() < 0 || r.BitLen() > 256 || t.BitLen() > 256 {
		return nil, false
	}
	raw = make([]byte, 64)
	r.FillBytes(raw[:32])
	t.FillBytes(raw[32:])
	return raw, true
}

// IsSignatureDER reports whether a value is a DER SEQUENCE of two INTEGERs and nothing else.
func IsSignatureDER(sig []byte) bool {
	s, seq := cryptobyte.String(sig), cryptobyte.String(nil)
	var r, t []byte
	return s.ReadASN1(&seq, asn1.SEQUENCE) && s.Empty() && seq.ReadASN1Integer(&r) && seq.ReadASN1Integer(&t) && seq.Empty()
}

func addUnsigned(b *cryptobyte.Builder, n []byte) {
	for len(n) > 1 && n[0] == 0 {
		n = n[1:]
	}
	b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) {
		if n[0]&0x80 != 0 {
			b.AddUint8(0)
		}
		b.AddBytes(n)
	})
}
