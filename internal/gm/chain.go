package gm

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/emmansun/gmsm/smx509"
)

// Reasons why Chains finds none.
var (
	// ErrUntrusted: no chain leads to one of the roots.
	ErrUntrusted = errors.New("no chain to a trusted root")
	// ErrChainTime: a certificate of the chain is not valid at the time asked for.
	ErrChainTime = errors.New("a certificate of the chain is outside its validity")
	// ErrChain: a chain is there, and breaks a rule of RFC 5280 (not an authority, path too long, unknown critical extension).
	ErrChain = errors.New("the chain breaks a rule of RFC 5280")
)

// Chains builds the chains from leaf to one of roots that hold at a time, each from leaf to root, for any extended key
// usage. Chains that start at an RSA or ECDSA signature are built by crypto/x509, those that start at SM2 by gmsm. Where these find
// none, signatures with MD5 and SHA-1 are taken too: a chain says nothing of the strength of what it is made of.
func Chains(leaf *Certificate, roots, others []*Certificate, at time.Time) (chains [][]*Certificate, err error) {
	if leaf.SignatureAlgorithm == smx509.SM2WithSM3 || IsSM2(leaf.PublicKey) {
		chains, err = chainsSM2(leaf, roots, others, at)
	} else {
		chains, err = chainsStandard(leaf, roots, others, at)
	}
	if !errors.Is(err, ErrUntrusted) {
		return chains, err
	}
	if old, why := chainsOld(leaf, roots, others, at); why == nil || !errors.Is(why, ErrUntrusted) {
		return old, why
	}
	return nil, err
}

func chainsSM2(leaf *Certificate, roots, others []*Certificate, at time.Time) ([][]*Certificate, error) {
	o := smx509.VerifyOptions{
		Roots: smx509.NewCertPool(), Intermediates: smx509.NewCertPool(),
		CurrentTime: at, KeyUsages: []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny},
	}
	for _, c := range roots {
		o.Roots.AddCert(c)
	}
	for _, c := range others {
		o.Intermediates.AddCert(c)
	}
	chains, err := leaf.Verify(o)
	var unknown smx509.UnknownAuthorityError
	var invalid smx509.CertificateInvalidError
	switch {
	case err == nil:
		return chains, nil
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("%w: %v", ErrUntrusted, err)
	case errors.As(err, &invalid) && invalid.Reason == smx509.Expired:
		return nil, fmt.Errorf("%w: %v", ErrChainTime, err)
	}
	return nil, fmt.Errorf("%w: %v", ErrChain, err)
}

func chainsStandard(leaf *Certificate, roots, others []*Certificate, at time.Time) ([][]*Certificate, error) {
	o := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	ours := map[string]*Certificate{string(leaf.Raw): leaf}
	add := func(pool *x509.CertPool, from []*Certificate) {
		for _, c := range from {
			if std, err := x509.ParseCertificate(c.Raw); err == nil { // not so for SM2 keys: they cannot be of this chain
				pool.AddCert(std)
				if ours[string(c.Raw)] == nil { // the leaf stays the one it was asked for
					ours[string(c.Raw)] = c
				}
			}
		}
	}
	add(o.Roots, roots)
	add(o.Intermediates, others)
	std, err := x509.ParseCertificate(leaf.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrChain, err)
	}
	found, err := std.Verify(o)
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return nil, fmt.Errorf("%w: %v", ErrUntrusted, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return nil, fmt.Errorf("%w: %v", ErrChainTime, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %v", ErrChain, err)
	}
	chains := make([][]*Certificate, len(found))
	for i, chain := range found {
		for _, c := range chain {
			chains[i] = append(chains[i], ours[string(c.Raw)])
		}
	}
	return chains, nil
}

// A RevocationList is a CRL signed with a key of any kind.
type RevocationList = smx509.RevocationList

// ParseRevocationList reads a CRL.
func ParseRevocationList(der []byte) (*RevocationList, error) { return smx509.ParseRevocationList(der) }

// CheckSignature checks a signature of c's key over message, the algorithm named by the octets of its identifier's OID,
// as certificates, CRLs and OCSP responses name it.
func CheckSignature(c *Certificate, oid string, message, signature []byte) error {
	algorithm, ok := signatureAlgorithms[oid]
	if !ok {
		return fmt.Errorf("gm: signature algorithm %x is not supported", oid)
	}
	return orOld(c.CheckSignature(algorithm, message, signature), c, algorithm, message, signature)
}

// AlgorithmOf is the algorithm that the octets of an OID name; 0: not supported.
func AlgorithmOf(oid string) SignatureAlgorithm { return signatureAlgorithms[oid] }

var signatureAlgorithms = map[string]SignatureAlgorithm{
	"\x2a\x81\x1c\xcf\x55\x01\x83\x75":     smx509.SM2WithSM3,      // 1.2.156.10197.1.501
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04": smx509.MD5WithRSA,      // 1.2.840.113549.1.1.4
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05": smx509.SHA1WithRSA,     // 1.2.840.113549.1.1.5
	"\x2a\x86\x48\xce\x3d\x04\x01":         smx509.ECDSAWithSHA1,   // 1.2.840.10045.4.1
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b": smx509.SHA256WithRSA,   // 1.2.840.113549.1.1.11
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c": smx509.SHA384WithRSA,   // 1.2.840.113549.1.1.12
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d": smx509.SHA512WithRSA,   // 1.2.840.113549.1.1.13
	"\x2a\x86\x48\xce\x3d\x04\x03\x02":     smx509.ECDSAWithSHA256, // 1.2.840.10045.4.3.2
	"\x2a\x86\x48\xce\x3d\x04\x03\x03":     smx509.ECDSAWithSHA384, // 1.2.840.10045.4.3.3
	"\x2a\x86\x48\xce\x3d\x04\x03\x04":     smx509.ECDSAWithSHA512, // 1.2.840.10045.4.3.4
}
