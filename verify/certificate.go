package verify

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// The standards ask of a certificate its chain, validity, revocation and key usage in one clause.
var makerClauses = clauses{seal.V1: "GM/T 0031-2014 6.1.2 c", seal.V4: "GB/T 38540-2020 6.3 c", seal.V5: "GM/T 0031-2025 (seal) d"}

func signerClauses(v1 string) clauses {
	return clauses{seal.V1: "GM/T 0031-2014 6.2.3 " + v1, seal.V4: "GB/T 38540-2020 7.3", seal.V5: "GM/T 0031-2025"}
}

var keyUsageRule = &rule{
	name:   "key-usage",
	clause: "RFC 5280 4.2.1.3",
	seals:  signerClauses("c"),
	makers: makerClauses,
	stops:  "signing or sealing with an encryption certificate, whose key the authority holds too",
	codes: []outcome{
		{codeOK, Valid, "密钥用法允许签名", "the key usage allows signing"},
		{"no-key-usage", Valid, "证书未限定密钥用法", "the certificate does not limit the use of its key"},
		{"encryption-certificate", Invalid, "密钥用法既无数字签名也无防抵赖：加密证书不得用于签章", "the key usage has neither digitalSignature nor nonRepudiation: an encryption certificate may not sign"},
	},
}

var chainRule = &rule{
	name:   "chain",
	clause: "RFC 5280 6",
	seals:  signerClauses("c"),
	makers: makerClauses,
	stops:  "a certificate that somebody made for themselves",
	codes: []outcome{
		{codeOK, Valid, "信任链可追溯到可信根：%[1]s", "the chain leads to a trusted root: %[1]s"},
		{"no-roots", Indeterminate, "未提供用于此目的的可信根证书", "no trusted root for this purpose was given"},
		{"untrusted", Indeterminate, "没有到可信根的信任链：%[1]s", "no chain to a trusted root: %[1]s"},
		{"chain-expired", Invalid, "信任链中有证书在 %[1]s 不在有效期内：%[2]s", "a certificate of the chain was not valid at %[1]s: %[2]s"},
		{"chain-broken", Invalid, "信任链违反规则：%[1]s", "the chain breaks a rule: %[1]s"},
		{"chain-weak", Invalid, "信任链中的证书 %[1]s 依赖 %[2]s，其自 %[3]s 之后不再安全，且不能证明该证书早于该时间", "the certificate %[1]s of the chain hangs on %[2]s, which protected until %[3]s, and nothing proves that the certificate is older"},
		{"chain-weak-then-good", Valid, "信任链可追溯到可信根：%[5]s；证书 %[1]s 依赖 %[2]s，其安全期到 %[3]s 为止，证书经证明在 %[4]s 已存在", "the chain leads to a trusted root: %[5]s; the certificate %[1]s hangs on %[2]s, which protected until %[3]s, and is proven to have existed by %[4]s"},
	},
}

var validityRule = &rule{
	name:   "validity",
	clause: "RFC 5280 6.1.3",
	seals:  signerClauses("c, d"),
	makers: makerClauses,
	stops:  "a certificate used before or after its time",
	codes: []outcome{
		{codeOK, Valid, "证书在 %[1]s 和验证时均在有效期内", "the certificate is valid at %[1]s and at the time of verification"},
		{"expired-since", Valid, "证书在 %[1]s 有效，已于 %[2]s 过期", "the certificate was valid at %[1]s and has expired since, at %[2]s"},
		{"outside-validity", Invalid, "%[1]s 不在证书有效期 %[2]s - %[3]s 内", "%[1]s is outside the validity of the certificate, %[2]s - %[3]s"},
	},
}

var certificateRule = &rule{
	name:   "certificate",
	clause: "GB/T 20518; RFC 5280 4.1",
	stops:  "a signature without a readable certificate",
	codes: []outcome{
		{codeOK, Valid, "%[1]s", "%[1]s"},
		{"no-certificate", Invalid, "签名中没有签名人的证书", "the signature does not hold the signer's certificate"},
		{"malformed-certificate", Invalid, "证书无法解析：%[1]s", "the certificate cannot be read: %[1]s"},
	},
}

// A subject is a certificate under judgement.
type subject struct {
	role    role
	cert    *gm.Certificate
	purpose Purpose
	when    time.Time // the moment it was used: of signing, or of making the seal
	settled bool      // GM/T 0031-2025 is content with "valid when the seal was made": expiry since raises no doubt
	strict  bool      // GB/T 38540-2020 6.3 c taken literally: what counts is now, and when is now
	proven  time.Time // by when the certificate is proven to exist, by what names it and is signed; zero: it is not
}

// certificate makes every check of one certificate and returns it; nil where there is none to be read.
func (j *judge) parse(r role, der []byte) *gm.Certificate {
	if der == nil {
		j.say(certificateRule.of(r), "no-certificate")
		return nil
	}
	c, err := gm.ParseCertificate(der)
	if err != nil {
		j.say(certificateRule.of(r), "malformed-certificate", err.Error())
		return nil
	}
	j.say(certificateRule.of(r), codeOK, c.Subject.String())
	return c
}

// judgeCertificate asks of a certificate what the standards ask at least: trust chain, validity, revocation, key usage.
func (j *judge) judgeCertificate(s subject) {
	chain := j.chain(s)
	j.validity(s, chain)
	j.revocation(s, chain)
	j.keyUsage(s)
}

func (j *judge) keyUsage(s subject) {
	code := codeOK
	switch may, stated := gm.MaySign(s.cert); {
	case !may:
		code = "encryption-certificate"
	case !stated:
		code = "no-key-usage"
	}
	j.say(keyUsageRule.of(s.role), code)
}

// chain builds the trust chain as of the moment of use. The certificate's own validity is another question, so that
// moment is moved into it.
func (j *judge) chain(s subject) []*gm.Certificate {
	r := chainRule.of(s.role)
	roots := j.opts.Roots.of(s.purpose)
	if len(roots) == 0 {
		j.say(r, "no-roots")
		return nil
	}
	t := s.when
	if t.Before(s.cert.NotBefore) {
		t = s.cert.NotBefore
	}
	if t.After(s.cert.NotAfter) {
		t = s.cert.NotAfter
	}
	chains, err := gm.Chains(s.cert, roots, j.pool, t)
	switch {
	case errors.Is(err, gm.ErrUntrusted):
		j.say(r, "untrusted", s.cert.Issuer.String())
		return nil
	case errors.Is(err, gm.ErrChainTime):
		j.say(r, "chain-expired", clock(t), err.Error())
		return nil
	case err != nil:
		j.say(r, "chain-broken", err.Error())
		return nil
	}
	best, link := j.bestChain(s, chains)
	root := best[len(best)-1].Subject.String()
	switch args := []any{link.name, link.reliance.String(), clock(link.until), clock(link.proven), root}; {
	case link.mixed:
		j.say(r, "chain-broken", "SM2 goes with SM3: "+link.name)
	case link.standing == weak:
		j.say(r, "chain-weak", args...)
	case link.standing == thenGood:
		j.say(r, "chain-weak-then-good", args...)
	default:
		j.say(r, codeOK, root)
	}
	return best
}

// A link is what a certificate of a chain hangs on, for the worst of them: its issuer's signature.
type link struct {
	lapse
	name  string
	mixed bool // an SM2 key signed with another hash than SM3
}

// bestChain picks one whose signatures protect, among these one that holds now rather than one that held then.
func (j *judge) bestChain(s subject, chains [][]*gm.Certificate) (best []*gm.Certificate, worst link) {
	rank := -1
	for _, chain := range chains {
		l := j.weakestLink(s, chain)
		n := 2 * int(weak-l.standing)
		if l.mixed {
			n = 0
		}
		if _, end := window(chain); end.After(j.at) {
			n++
		}
		if n > rank {
			best, worst, rank = chain, l, n
		}
	}
	return best, worst
}

// weakestLink judges the signatures on all certificates of a chain but the root, which is trusted as it is.
func (j *judge) weakestLink(s subject, chain []*gm.Certificate) (worst link) {
	for i, c := range chain[:len(chain)-1] {
		issuer := keyReliance(chain[i+1].PublicKey)
		h := gm.SignatureHash(c.SignatureAlgorithm)
		l := link{lapse: j.lapseOf(j.existed(s, c), hashReliance(sign.Hash(h)), issuer), name: c.Subject.String()}
		l.mixed = issuer.name == "SM2" && h != string(sign.SM3)
		if l.mixed || !worst.mixed && l.standing > worst.standing {
			worst = l
		}
	}
	return worst
}

// existed is by when a certificate is proven to exist: the one under judgement where what names it is proven, another where the value
// that carries it is, whole. What was given beside the document is proven by nobody.
func (j *judge) existed(s subject, c *gm.Certificate) time.Time {
	t := time.Time{}
	if c == s.cert {
		t = s.proven
	}
	for _, p := range j.pool[len(j.given):] {
		if bytes.Equal(p.Raw, c.Raw) && !j.whole.IsZero() && (t.IsZero() || j.whole.Before(t)) {
			t = j.whole
		}
	}
	return t
}

// window is the time in which a whole chain is valid.
func window(chain []*gm.Certificate) (from, to time.Time) {
	for i, c := range chain {
		if i == 0 || c.NotBefore.After(from) {
			from = c.NotBefore
		}
		if i == 0 || c.NotAfter.Before(to) {
			to = c.NotAfter
		}
	}
	return from, to
}

func (j *judge) validity(s subject, chain []*gm.Certificate) {
	r, c := validityRule.of(s.role), s.cert
	_, end := window([]*gm.Certificate{c})
	if chain != nil {
		_, end = window(chain)
	}
	switch {
	case s.when.Before(c.NotBefore) || s.when.After(c.NotAfter):
		j.say(r, "outside-validity", clock(s.when), clock(c.NotBefore), clock(c.NotAfter))
	case j.at.After(end):
		j.say(r, "expired-since", clock(s.when), clock(end))
		if !s.settled {
			j.doubt(end, "证书已过期："+c.Subject.String(), "a certificate has expired: "+c.Subject.String())
		}
	case j.at.Before(c.NotBefore): // asked for a moment before the certificate
		j.say(r, "outside-validity", clock(j.at), clock(c.NotBefore), clock(c.NotAfter))
	default:
		j.say(r, codeOK, clock(s.when))
	}
}

// DescribeCertificate tells what a certificate (DER) says, of any kind of key. Nothing is judged.
func DescribeCertificate(der []byte) (*Certificate, error) {
	c, err := gm.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return describe(c), nil
}

func describe(c *gm.Certificate) *Certificate {
	return &Certificate{
		Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: fmt.Sprintf("%X", c.SerialNumber),
		Key: keyName(c.PublicKey), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), DER: c.Raw,
	}
}

func keyName(pub any) string {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		if gm.IsSM2(k) {
			return "SM2"
		}
		return "ECDSA " + k.Curve.Params().Name
	}
	return fmt.Sprintf("%T", pub)
}
