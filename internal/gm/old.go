package gm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	_ "crypto/md5" // read only, like SHA-1: what was signed with them is called weak, and not broken
	"crypto/rsa"
	_ "crypto/sha1"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emmansun/gmsm/smx509"
)

// The libraries do not look at signatures made with MD5 or SHA-1, so that to them a certificate signed with one looks like one that
// nobody issued. Here they are checked all the same: whoever asks has to ask for SignatureHash too, and to judge.

// SignatureAlgorithm is what a certificate, CRL or OCSP response is signed with.
type SignatureAlgorithm = smx509.SignatureAlgorithm

// SignatureHash is the hash in an algorithm that certificates, CRLs and OCSP responses are signed with, by its name in package sign;
// empty: it names none.
func SignatureHash(a SignatureAlgorithm) string {
	switch a {
	case smx509.MD5WithRSA:
		return "MD5"
	case smx509.SHA1WithRSA, smx509.ECDSAWithSHA1, smx509.DSAWithSHA1:
		return "SHA-1"
	case smx509.SHA256WithRSA, smx509.SHA256WithRSAPSS, smx509.ECDSAWithSHA256, smx509.DSAWithSHA256:
		return "SHA-256"
	case smx509.SHA384WithRSA, smx509.SHA384WithRSAPSS, smx509.ECDSAWithSHA384:
		return "SHA-384"
	case smx509.SHA512WithRSA, smx509.SHA512WithRSAPSS, smx509.ECDSAWithSHA512:
		return "SHA-512"
	case smx509.SM2WithSM3:
		return "SM3"
	}
	return ""
}

// CheckIssued asks whether parent, an authority by its own certificate, signed c.
func CheckIssued(c, parent *Certificate) error {
	return orOld(c.CheckSignatureFrom(parent), parent, c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
}

// CheckList asks whether issuer signed a CRL.
func CheckList(l *RevocationList, issuer *Certificate) error {
	return orOld(l.CheckSignatureFrom(issuer), issuer, l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature)
}

// CheckListBy asks whether p, which need not be an authority but must be for it by its key usage, signed a CRL.
func CheckListBy(l *RevocationList, p *Certificate) error {
	if p.KeyUsage&smx509.KeyUsageCRLSign == 0 {
		return fmt.Errorf("gm: the key usage of %s does not have cRLSign", p.Subject)
	}
	return orOld(p.CheckSignature(l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature), p, l.SignatureAlgorithm, l.RawTBSRevocationList, l.Signature)
}

// orOld checks the value where the library refused to, and nothing else was wrong.
func orOld(err error, by *Certificate, a SignatureAlgorithm, message, value []byte) error {
	var refused smx509.InsecureAlgorithmError
	if !errors.As(err, &refused) {
		return err
	}
	h := crypto.SHA1
	if a == smx509.MD5WithRSA {
		h = crypto.MD5
	}
	d := h.New()
	d.Write(message)
	switch k := by.PublicKey.(type) {
	case *rsa.PublicKey:
		if a == smx509.MD5WithRSA || a == smx509.SHA1WithRSA {
			return rsa.VerifyPKCS1v15(k, h, d.Sum(nil), value)
		}
	case *ecdsa.PublicKey:
		if a == smx509.ECDSAWithSHA1 && !IsSM2(k) && ecdsa.VerifyASN1(k, d.Sum(nil), value) {
			return nil
		}
	}
	return fmt.Errorf("gm: the signature, %v, is wrong", a)
}

const (
	maxChecks = 100 // signatures, as in crypto/x509: the certificates come from strangers
	maxChain  = 10
)

// An oldSearch looks for the chains that the libraries do not see.
type oldSearch struct {
	roots, others []*Certificate
	checks        int
	found         [][]*Certificate
}

// chainsOld builds chains of whatever signatures. It knows no name constraints, and takes no chain that has them.
func chainsOld(leaf *Certificate, roots, others []*Certificate, at time.Time) ([][]*Certificate, error) {
	s := &oldSearch{roots: roots, others: others, checks: maxChecks}
	s.extend([]*Certificate{leaf})
	err := ErrUntrusted
	var good [][]*Certificate
	for _, chain := range s.found {
		if bad := checkChain(chain, at); bad == nil {
			good = append(good, chain)
		} else {
			err = bad
		}
	}
	if good == nil {
		return nil, err
	}
	return good, nil
}

func (s *oldSearch) extend(chain []*Certificate) {
	last := chain[len(chain)-1]
	try := func(issuer *Certificate, root bool) {
		if s.checks == 0 || !bytes.Equal(issuer.RawSubject, last.RawIssuer) ||
			slices.ContainsFunc(chain, func(c *Certificate) bool { return bytes.Equal(c.Raw, issuer.Raw) }) {
			return
		}
		s.checks--
		if CheckIssued(last, issuer) != nil {
			return
		}
		longer := append(slices.Clone(chain), issuer)
		if root {
			s.found = append(s.found, longer)
		} else if len(longer) < maxChain {
			s.extend(longer)
		}
	}
	for _, c := range s.roots {
		try(c, true)
	}
	for _, c := range s.others {
		try(c, false)
	}
}

const oidNameConstraints = "2.5.29.30"

// checkChain makes the checks of RFC 5280 6.1 that are not about signatures; CheckIssued asked who may issue.
func checkChain(chain []*Certificate, at time.Time) error {
	below := 0 // authorities that are not self-issued (RFC 5280 4.2.1.9)
	for i, c := range chain {
		name := c.Subject.String()
		if at.Before(c.NotBefore) || at.After(c.NotAfter) {
			return fmt.Errorf("%w: %s", ErrChainTime, name)
		}
		for _, e := range c.Extensions {
			if e.Id.String() == oidNameConstraints {
				return fmt.Errorf("%w: %s constrains names, which is not followed in a chain with signatures of MD5 or SHA-1", ErrChain, name)
			}
		}
		if len(c.UnhandledCriticalExtensions) > 0 {
			return fmt.Errorf("%w: %s has a critical extension that is not known", ErrChain, name)
		}
		if i == 0 {
			continue
		}
		if most := c.MaxPathLen; (most > 0 || most == 0 && c.MaxPathLenZero) && below > most {
			return fmt.Errorf("%w: %s allows %d authorities below it, not %d", ErrChain, name, most, below)
		}
		if !bytes.Equal(c.RawSubject, c.RawIssuer) {
			below++
		}
	}
	return nil
}
