package verify

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var strengthRule = &rule{
	name:   "algorithm",
	clause: "GB/T 33560",
	seals:  clauses{seal.V1: "GM/T 0031-2014 6.2", seal.V4: "GB/T 38540-2020 7.1.1", seal.V5: "GM/T 0031-2025"},
	makers: clauses{seal.V1: "GM/T 0031-2014 6.1", seal.V4: "GB/T 38540-2020 6.1", seal.V5: "GM/T 0031-2025"},
	stops:  "hashes and keys that can be forged: SHA-1, MD5, RSA below 2048 bits; a hash that does not go with SM2",
	codes: []outcome{
		{codeOK, Valid, "%[1]s，杂凑 %[2]s", "%[1]s with %[2]s"},
		{"weak-hash", Invalid, "杂凑算法 %[2]s 已不安全", "the hash %[2]s no longer protects"},
		{"weak-key", Invalid, "密钥 %[1]s 过短", "the key %[1]s is too short"},
		{"hash-mismatch", Invalid, "%[1]s 须与 SM3 同用，不得用 %[2]s", "%[1]s goes with SM3, not with %[2]s"},
		{"unknown-key", Indeterminate, "不支持的密钥类型 %[1]s", "a key of type %[1]s is not supported"},
	},
}

// strength judges key and hash of a signature.
func (j *judge) strength(r role, c *gm.Certificate, h sign.Hash) {
	rule := strengthRule.of(r)
	name, code := keyName(c.PublicKey), codeOK
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			code = "weak-key"
		}
	case *ecdsa.PublicKey:
		if gm.IsSM2(k) && h != sign.SM3 {
			code = "hash-mismatch"
		} else if k.Curve.Params().BitSize < 256 {
			code = "weak-key"
		}
	default:
		code = "unknown-key"
	}
	if h == sign.SHA1 {
		code = "weak-hash"
	}
	j.say(rule, code, name, fmt.Sprint(h))
}
