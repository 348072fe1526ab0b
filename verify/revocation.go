package verify

import (
	"bytes"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/gm"
)

var revocationRule = &rule{
	name:   "revocation",
	clause: "RFC 5280 6.3; RFC 6960",
	seals:  signerClauses("c, d 3-4"),
	makers: makerClauses,
	stops:  "a certificate that its authority has called back",
	codes: []outcome{
		{codeOK, Valid, "所给 CRL 或 OCSP 证明证书未被撤销", "the CRL or OCSP response given shows that no certificate of the chain is revoked"},
		{"no-source", NotAsked, "证书未指明撤销信息来源", "the certificates name no source of revocation information"},
		{"not-given", Indeterminate, "证书 %[1]s 指明了撤销信息来源，但未提供 CRL 或 OCSP", "%[1]s names a source of revocation information and none was given"},
		{"not-usable", Indeterminate, "为证书 %[1]s 所给的 CRL 或 OCSP 不可用：%[2]s", "what was given about the revocation of %[1]s cannot be used: %[2]s"},
		{"revoked-later", Valid, "证书 %[1]s 于 %[2]s 被撤销，晚于 %[3]s", "%[1]s was revoked at %[2]s, after %[3]s"},
		{"revoked", Invalid, "证书 %[1]s 于 %[2]s 被撤销，不晚于 %[3]s", "%[1]s was revoked at %[2]s, not after %[3]s"},
		{"revoked-authority", Invalid, "证书 %[1]s 于 %[2]s 被撤销，其原因使该机构的所有时间戳失效（RFC 3161 第 4 章）", "%[1]s was revoked at %[2]s for a reason that takes down all time stamps of the authority (RFC 3161 4)"},
	},
}

// revocation asks for each certificate of the chain but the root whether it was revoked, and tells the worst.
// Without a chain it asks for the certificate alone.
func (j *judge) revocation(s subject, chain []*gm.Certificate) {
	asked := chain
	if len(asked) > 1 {
		asked = asked[:len(asked)-1]
	} else {
		asked = []*gm.Certificate{s.cert}
	}
	rank := map[string]int{"revoked": 6, "revoked-authority": 5, "not-usable": 4, "not-given": 3, "revoked-later": 2, codeOK: 1, "no-source": 0}
	r := revocationRule.of(s.role).under(j.standard)
	worstCode, worstCheck := "", Check{}
	for i, c := range asked {
		issuers := j.issuers(c)
		if i+1 < len(chain) {
			issuers = chain[i+1 : i+2]
		}
		code, check := j.revoked(r, s, c, issuers)
		if worstCode == "" || rank[code] > rank[worstCode] {
			worstCode, worstCheck = code, check
		}
	}
	j.add(worstCheck)
}

func (j *judge) revoked(r *rule, s subject, c *gm.Certificate, issuers []*gm.Certificate) (string, Check) {
	name := c.Subject.String()
	a := j.status(s, c, issuers)
	authority := s.role == tsaRole && c == s.cert
	switch {
	case a.revoked && authority && !a.harmless:
		return "revoked-authority", r.check("revoked-authority", name, clock(a.at))
	case a.revoked && !a.at.After(s.when):
		return "revoked", r.check("revoked", name, clock(a.at), clock(s.when))
	case a.revoked && s.strict:
		return "revoked", r.check("revoked", name, clock(a.at), clock(j.at))
	case a.revoked:
		if !s.settled && !authority { // a token made before an authority was closed stays good (RFC 3161 4)
			j.doubt(a.at.Add(-time.Second), "证书其后被撤销："+name, "a certificate was revoked later: "+name)
		}
		return "revoked-later", r.check("revoked-later", name, clock(a.at), clock(s.when))
	case a.good:
		return codeOK, r.check(codeOK)
	case a.why != "":
		return "not-usable", r.check("not-usable", name, a.why)
	case namesSource(c):
		return "not-given", r.check("not-given", name)
	}
	return "no-source", r.check("no-source")
}

// issuers finds who may have issued c, among everything at hand: to read a CRL it must have signed, not to trust it.
func (j *judge) issuers(c *gm.Certificate) []*gm.Certificate {
	var out []*gm.Certificate
	for _, p := range append(j.opts.Roots.of(ForAll), j.pool...) {
		if bytes.Equal(p.RawSubject, c.RawIssuer) && gm.CheckIssued(c, p) == nil {
			out = append(out, p)
		}
	}
	return out
}

// namesSource: a CRL distribution point of any form (GM authorities write LDAP names), or an OCSP responder.
func namesSource(c *gm.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == oidCRLDistributionPoints {
			return true
		}
	}
	return len(c.OCSPServer) > 0
}

// An answer is what the CRLs and OCSP responses given say of one certificate.
type answer struct {
	revoked bool
	at      time.Time // of the revocation, or of the invalidity if that is earlier
	good    bool      // known not to be revoked, at the time of verification or when what is judged was proven to exist
	why     string    // something was there for this certificate and could not be used

	harmless bool // the reason is stated, and says nothing against the key: RFC 3161 4
}

// harmless: unspecified, affiliationChanged, superseded, cessationOfOperation, once they are stated.
func harmless(reason int) bool { return reason == 0 || reason >= 3 && reason <= 5 }

// enough: what was said of a certificate at that time does for what is proven to be older.
func (j *judge) enough(said time.Time) bool { return !j.proven.IsZero() && !said.Before(j.proven) }

// worse: a revocation beats all, whatever else was given; then good; then a reason.
func (a answer) or(b answer) answer {
	switch {
	case a.revoked && b.revoked: // the earlier one, for the worse of the reasons
		if b.at.Before(a.at) {
			a.at = b.at
		}
		a.harmless = a.harmless && b.harmless
		return a
	case b.revoked:
		return b
	case a.revoked || a.good:
		return a
	case b.good || b.why != "":
		return b
	}
	return a
}

// status asks all lists and responses that may be about c; s says for which purpose it is to be trusted.
func (j *judge) status(s subject, c *gm.Certificate, issuers []*gm.Certificate) answer {
	var a answer
	for _, issuer := range issuers {
		for i, list := range [][]*crl{j.crls, j.brought} {
			proven := time.Time{}
			if i == 1 {
				proven = j.whole
			}
			for _, l := range list {
				if l.mayName(c) {
					a = a.or(j.askCRL(s, l, c, issuer, proven))
				}
			}
		}
		for _, o := range j.ocsps {
			a = a.or(j.askOCSP(o, c, issuer))
		}
	}
	return a
}

func serialOctets(n *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(n)
	der, err := b.Bytes()
	if err != nil || len(der) < 2 {
		return nil
	}
	s := cryptobyte.String(der)
	var v cryptobyte.String
	s.ReadASN1(&v, asn1.INTEGER)
	return v
}
