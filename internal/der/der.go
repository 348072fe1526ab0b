// Package der is what this module needs of ASN.1 beside golang.org/x/crypto/cryptobyte: object identifiers of any
// arc length kept as bytes, and a check of shape (depth, element count, BER forms) made before anything is parsed.
package der

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An OID is the content octets of an OBJECT IDENTIFIER. It is comparable, may be a map key, and keeps arcs of any
// length within its 256 octets, which encoding/asn1 (31 bits) and many others do not: real seals carry arcs of 61 bits.
type OID string

// ParseOID turns dotted text into an OID.
func ParseOID(s string) (OID, error) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(s) > 4*maxOID {
		return "", fmt.Errorf("der: %.40q is not an object identifier", s)
	}
	arcs := make([]*big.Int, len(parts))
	for i, p := range parts {
		n, ok := new(big.Int).SetString(p, 10)
		if !ok || strings.Trim(p, "0123456789") != "" || len(p) > 1 && p[0] == '0' {
			return "", fmt.Errorf("der: %.40q is not an object identifier: arc %.40q", s, p)
		}
		arcs[i] = n
	}
	if arcs[0].Cmp(big.NewInt(2)) > 0 || (arcs[0].Cmp(big.NewInt(2)) < 0 && arcs[1].Cmp(big.NewInt(39)) > 0) {
		return "", fmt.Errorf("der: %.40q is not an object identifier: first arcs out of range", s)
	}
	first := new(big.Int).Mul(arcs[0], big.NewInt(40))
	out := appendArc(nil, first.Add(first, arcs[1]))
	for _, a := range arcs[2:] {
		out = appendArc(out, a)
	}
	if len(out) > maxOID {
		return "", fmt.Errorf("der: %.40q… is an object identifier of %d octets; %d are the most", s, len(out), maxOID)
	}
	return OID(out), nil
}

// MustOID is ParseOID for constants of the program.
func MustOID(s string) OID {
	o, err := ParseOID(s)
	if err != nil {
		panic(err)
	}
	return o
}

func appendArc(b []byte, n *big.Int) []byte {
	groups := (n.BitLen() + 6) / 7
	if groups == 0 {
		groups = 1
	}
	mask := big.NewInt(0x7f)
	for i := groups - 1; i >= 0; i-- {
		g := new(big.Int).Rsh(n, uint(7*i))
		c := byte(g.And(g, mask).Uint64())
		if i > 0 {
			c |= 0x80
		}
		b = append(b, c)
	}
	return b
}

// maxOID bounds what is taken for an identifier: writing arcs in decimal takes time that grows with their square.
const maxOID = 256

// Valid reports whether the octets are a well-formed identifier: minimal arcs, none cut short, 256 octets at most.
func (o OID) Valid() bool {
	if len(o) == 0 || len(o) > maxOID || o[len(o)-1]&0x80 != 0 {
		return false
	}
	for i := 0; i < len(o); i++ {
		if o[i] == 0x80 && (i == 0 || o[i-1]&0x80 == 0) {
			return false
		}
	}
	return true
}

// String gives the dotted text, or the octets in hex where they are not an identifier.
func (o OID) String() string {
	if !o.Valid() {
		return fmt.Sprintf("malformed-oid:%x", string(o[:min(len(o), 32)]))
	}
	var sb strings.Builder
	n := new(big.Int)
	first := true
	for i := 0; i < len(o); i++ {
		n.Lsh(n, 7)
		n.Or(n, big.NewInt(int64(o[i]&0x7f)))
		if o[i]&0x80 != 0 {
			continue
		}
		if first {
			top := int64(2)
			if n.Cmp(big.NewInt(80)) < 0 {
				top = n.Int64() / 40
			}
			n.Sub(n, big.NewInt(top*40))
			sb.WriteString(strconv.FormatInt(top, 10))
			first = false
		}
		sb.WriteByte('.')
		sb.WriteString(n.String())
		n = new(big.Int)
	}
	return sb.String()
}

// ReadOID reads an OBJECT IDENTIFIER.
func ReadOID(s *cryptobyte.String, o *OID) bool {
	var v cryptobyte.String
	if !s.ReadASN1(&v, asn1.OBJECT_IDENTIFIER) || !OID(v).Valid() {
		return false
	}
	*o = OID(v)
	return true
}

// AddOID writes an OBJECT IDENTIFIER.
func AddOID(b *cryptobyte.Builder, o OID) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
}

// ReadAlgorithm reads an AlgorithmIdentifier. params is the DER of the parameters; nil: absent or NULL, which writers
// have never kept apart.
func ReadAlgorithm(s *cryptobyte.String, o *OID, params *[]byte) bool {
	var seq, v cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !ReadOID(&seq, o) {
		return false
	}
	if *params = nil; seq.Empty() {
		return true
	}
	var tag asn1.Tag
	if !seq.ReadAnyASN1Element(&v, &tag) || !seq.Empty() || (tag == asn1.NULL && len(v) != 2) {
		return false
	}
	if tag != asn1.NULL {
		*params = v
	}
	return true
}

// Limits bound what is read before anything is believed. The zero value means the defaults.
type Limits struct {
	Size  int // octets of the whole input; 0: 16 MiB
	Depth int // nested constructed elements; 0: 64
	Count int // elements in all; 0: 100,000
}

func (l Limits) orDefaults() Limits {
	if l.Size == 0 {
		l.Size = 16 << 20
	}
	l.Size = min(l.Size, 1<<30) // so that offsets fit 32 bits
	if l.Depth == 0 {
		l.Depth = 64
	}
	if l.Count == 0 {
		l.Count = 100_000
	}
	return l
}

// ErrLimit is wrapped by errors about input that is larger, deeper or more finely divided than allowed.
var ErrLimit = errors.New("der: limit exceeded")

// ErrSyntax is wrapped by errors about octets that are not the encoding they claim to be.
var ErrSyntax = errors.New("der: malformed encoding")
