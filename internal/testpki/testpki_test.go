package testpki

import (
	"context"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/sign"
)

func TestIssue(t *testing.T) {
	for _, ca := range []Kind{SM2, RSA, P256} {
		root := NewCA(ca, "root")
		sub := root.Sub(ca, "sub", nil)
		for _, kind := range []Kind{SM2, RSA, P256, P384} {
			key := sub.Issue(kind, "某人", nil)
			c, err := gm.ParseCertificate(key.Chain()[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckSignatureFrom(sub.Cert); err != nil {
				t.Errorf("%s below %s: %v", kind, ca, err)
			}
			scheme, err := sign.SchemeFor(key.Public())
			if err != nil {
				t.Fatal(err)
			}
			sig, err := scheme.Sign(context.Background(), key, []byte("x"))
			if err != nil {
				t.Fatal(err)
			}
			if err := scheme.Verify(c.PublicKey, []byte("x"), sig); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
			if err := scheme.Verify(c.PublicKey, []byte("y"), sig); err == nil {
				t.Errorf("%s: a signature over another message passed", kind)
			}
			if n := len(sig); n > scheme.MaxSize(c.PublicKey) {
				t.Errorf("%s: %d bytes, MaxSize says %d", kind, n, scheme.MaxSize(c.PublicKey))
			}
		}
	}
}
