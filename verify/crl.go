package verify

import (
	"bytes"
	"crypto/x509/pkix"
	stdasn1 "encoding/asn1"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

const (
	oidCRLDistributionPoints = "2.5.29.31"
	oidIssuingDistribution   = "2.5.29.28"
	oidDeltaCRL              = "2.5.29.27"
	oidCRLNumber             = "2.5.29.20"
	oidAuthorityKeyID        = "2.5.29.35"
	oidInvalidityDate        = "2.5.29.24"
	oidReasonCode            = "2.5.29.21"
	oidCertificateIssuer     = "2.5.29.29"
)

// A revocation is one entry of a CRL.
type revocation struct {
	at     time.Time // revoked, or invalid, since
	reason int       // CRLReason; -1: not stated
}

// A crl is a revocation list ready to be asked.
type crl struct {
	*gm.RevocationList
	issuer  string                // by nameKey
	entries map[string]revocation // by issuer and serial number of the certificate
	delta   bool
	strange string // a critical extension that is not known here; empty: there is none
	scope   scope
}

// A scope is an IssuingDistributionPoint (RFC 5280 5.2.5): authorities with many certificates cut their list in parts, or let somebody
// else make it. The zero value is everything of the authority.
type scope struct {
	malformed                                           bool
	point                                               []byte // DistributionPointName; nil: not stated
	userOnly, caOnly, someReasons, indirect, attributes bool
}

// nameKey is the same for names that are written in another kind of string, in letters of another case or with other blanks.
func nameKey(raw []byte) string {
	var seq pkix.RDNSequence
	if rest, err := stdasn1.Unmarshal(raw, &seq); err != nil || len(rest) > 0 {
		return string(raw)
	}
	return strings.ToLower(strings.Join(strings.Fields(seq.String()), " "))
}

func parseCRL(der []byte) (*crl, error) {
	list, err := gm.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	l := &crl{RevocationList: list, issuer: nameKey(list.RawIssuer), entries: map[string]revocation{}}
	of := l.issuer
	for _, e := range list.RevokedCertificateEntries {
		r := revocation{e.RevocationTime, -1}
		for _, x := range e.Extensions {
			switch id := x.Id.String(); id {
			case oidInvalidityDate:
				s := cryptobyte.String(x.Value)
				var t time.Time
				if s.ReadASN1GeneralizedTime(&t) && t.Before(r.at) {
					r.at = t
				}
			case oidReasonCode:
				r.reason = e.ReasonCode
			case oidCertificateIssuer: // of this entry and those behind it (RFC 5280 5.3.3)
				of = directoryName(cryptobyte.String(x.Value))
				if of == "" {
					l.strange = id
				}
			default:
				if x.Critical {
					l.strange = id
				}
			}
		}
		if e.ReasonCode != 8 { // removeFromCRL
			l.entries[of+"/"+e.SerialNumber.String()] = r
		}
	}
	for _, x := range list.Extensions {
		switch id := x.Id.String(); id {
		case oidDeltaCRL:
			l.delta = true
		case oidIssuingDistribution:
			l.scope = readScope(x.Value)
		case oidCRLNumber, oidAuthorityKeyID:
		default:
			if x.Critical {
				l.strange = id
			}
		}
	}
	return l, nil
}

// directoryName is the key of the one name in GeneralNames; empty: there is none, or not just one.
func directoryName(in cryptobyte.String) string {
	var list, name cryptobyte.String
	if !in.ReadASN1(&list, asn1.SEQUENCE) || !in.Empty() || !list.ReadASN1(&name, asn1.Tag(4).ContextSpecific().Constructed()) || !list.Empty() {
		return ""
	}
	return nameKey(name)
}

func readScope(value []byte) (out scope) {
	s := cryptobyte.String(value)
	var in, point, reasons cryptobyte.String
	var hasPoint bool
	if !s.ReadASN1(&in, asn1.SEQUENCE) || !s.Empty() || !in.ReadOptionalASN1(&point, &hasPoint, asn1.Tag(0).ContextSpecific().Constructed()) {
		return scope{malformed: true}
	}
	if hasPoint {
		out.point = append([]byte{}, point...)
	}
	flag := func(tag uint8) bool {
		var v cryptobyte.String
		var has bool
		return in.ReadOptionalASN1(&v, &has, asn1.Tag(tag).ContextSpecific()) && has && len(v) == 1 && v[0] != 0
	}
	out.userOnly, out.caOnly = flag(1), flag(2)
	in.ReadOptionalASN1(&reasons, &out.someReasons, asn1.Tag(3).ContextSpecific())
	out.indirect, out.attributes = flag(4), flag(5)
	out.malformed = !in.Empty()
	return out
}

// mayName: the list is of the authority of c, or of somebody whom c names for it.
func (l *crl) mayName(c *gm.Certificate) bool {
	return l.issuer == nameKey(c.RawIssuer) || l.scope.indirect && namesListIssuer(c, l.issuer)
}

// askCRL asks a list that is proven to exist by a moment; zero: it is not. That a certificate is revoked is believed of a list whose
// signature protects no more, or that says things that are not understood; that it is not, is not (RFC 5280 5.2, 5.3).
func (j *judge) askCRL(s subject, l *crl, c, issuer *gm.Certificate, proven time.Time) answer {
	lapsed, why := j.listSigned(s, l, issuer, proven)
	if why != "" {
		return answer{why: "CRL: " + why}
	}
	if e, ok := l.entries[nameKey(c.RawIssuer)+"/"+c.SerialNumber.String()]; ok {
		return answer{revoked: true, at: e.at, harmless: harmless(e.reason)}
	}
	switch {
	case lapsed.standing == weak:
		return answer{why: "CRL: " + lapsed.why()}
	case l.strange != "":
		return answer{why: "the CRL has a critical extension that is not known here, " + l.strange}
	case l.delta:
		return answer{why: "a delta CRL alone proves nothing"}
	case !l.covers(c):
		return answer{why: "the CRL is for other certificates of the authority"}
	case j.at.Before(l.ThisUpdate):
		return answer{why: "the CRL is from after the time of verification"}
	case !l.NextUpdate.IsZero() && j.at.After(l.NextUpdate) && !j.enough(l.ThisUpdate):
		return answer{why: "the CRL was to be replaced by " + clock(l.NextUpdate)}
	case l.ThisUpdate.After(c.NotAfter):
		return answer{why: "the CRL is from after the certificate's end and may have dropped it"}
	}
	return answer{good: true}
}

// listSigned asks who signed a list about certificates of issuer: the issuer itself, or another holder of the list's name whom the roots
// vouch for (RFC 5280 6.3.3 f).
func (j *judge) listSigned(s subject, l *crl, issuer *gm.Certificate, proven time.Time) (lapsed lapse, why string) {
	value := hashReliance(sign.Hash(gm.SignatureHash(l.SignatureAlgorithm)))
	err := gm.CheckList(l.RevocationList, issuer)
	if err == nil {
		return j.lapseOf(proven, value, keyReliance(issuer.PublicKey)), ""
	}
	why = err.Error()
	roots := j.opts.Roots.of(s.purpose)
	for _, p := range append(append([]*gm.Certificate(nil), roots...), j.pool...) {
		if nameKey(p.RawSubject) != l.issuer || bytes.Equal(p.Raw, issuer.Raw) || gm.CheckListBy(l.RevocationList, p) != nil {
			continue
		}
		chains, err := gm.Chains(p, roots, j.pool, l.ThisUpdate)
		if err != nil {
			why = "its issuer: " + err.Error()
			continue
		}
		who := subject{role: s.role, cert: p, purpose: s.purpose}
		chain, link := j.bestChain(who, chains)
		if link.mixed || link.standing == weak {
			why = "its issuer: " + link.why()
			continue
		}
		if why = j.listIssuerRevoked(who, p, chain); why == "" {
			return j.lapseOf(proven, value, keyReliance(p.PublicKey)), ""
		}
	}
	return lapse{}, why
}

// listIssuerRevoked says what speaks against a certificate that signed lists, by lists of its own issuer.
func (j *judge) listIssuerRevoked(s subject, p *gm.Certificate, chain []*gm.Certificate) string {
	if len(chain) < 2 {
		return "" // a root
	}
	var a answer
	for _, l := range append(append([]*crl(nil), j.crls...), j.brought...) {
		if l.issuer == nameKey(p.RawIssuer) && gm.CheckList(l.RevocationList, chain[1]) == nil {
			a = a.or(j.askCRL(s, l, p, chain[1], time.Time{}))
		}
	}
	for _, o := range j.ocsps {
		a = a.or(j.askOCSP(o, p, chain[1]))
	}
	switch {
	case a.revoked:
		return "its issuer was revoked at " + clock(a.at)
	case !a.good && namesSource(p):
		return "whether its issuer was revoked is not known"
	}
	return ""
}

// covers reports whether the list would name c.
func (l *crl) covers(c *gm.Certificate) bool {
	s := l.scope
	if s.point != nil && !namesPoint(c, s.point) {
		return false
	}
	return !s.malformed && !(s.userOnly && c.IsCA) && !(s.caOnly && !c.IsCA) && !s.someReasons && !s.attributes
}

// namesPoint: the DistributionPointName stands, octet for octet, in the certificate's CRLDistributionPoints.
func namesPoint(c *gm.Certificate, point []byte) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == oidCRLDistributionPoints && len(point) > 4 && bytes.Contains(e.Value, point) {
			return true
		}
	}
	return false
}

// namesListIssuer: a distribution point of c has somebody of that name make the list for all reasons.
func namesListIssuer(c *gm.Certificate, issuer string) bool {
	tag := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific() }
	for _, e := range c.Extensions {
		s := cryptobyte.String(e.Value)
		var points, point, names, name cryptobyte.String
		if e.Id.String() != oidCRLDistributionPoints || !s.ReadASN1(&points, asn1.SEQUENCE) {
			continue
		}
		for points.ReadASN1(&point, asn1.SEQUENCE) {
			var reasons, has bool
			var skip cryptobyte.String
			if !point.SkipOptionalASN1(tag(0).Constructed()) || !point.ReadOptionalASN1(&skip, &reasons, tag(1)) || reasons ||
				!point.ReadOptionalASN1(&names, &has, tag(2).Constructed()) || !has {
				continue
			}
			for names.ReadASN1(&name, tag(4).Constructed()) {
				if nameKey(name) == issuer {
					return true
				}
			}
		}
	}
	return false
}
