package interop

import (
	"bytes"
	stdcrypto "crypto"
	stdx509 "crypto/x509"
	stdasn1 "encoding/asn1"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
)

var (
	stampedAt = time.Date(2026, 3, 9, 12, 0, 0, 0, time.UTC)
	tspHashes = []sign.Hash{sign.SM3, sign.SHA256, sign.SHA384, sign.SHA512}
)

func tspPolicy(t *testing.T) sign.OID {
	t.Helper()
	o, err := sign.ParseOID("1.2.3.4.9")
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func newAuthority(t *testing.T, kind testpki.Kind) *tsp.Authority {
	t.Helper()
	key := testpki.Shared(kind).Sub(kind, "Issuing", nil).Issue(kind, "TSA", testpki.TimeStamping)
	a, err := tsp.NewAuthority(key, tsp.AuthorityOptions{Policy: tspPolicy(t), Now: func() time.Time { return stampedAt }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func newRequest(t *testing.T, h sign.Hash) *tsp.Request {
	t.Helper()
	r, err := tsp.NewRequest(h, h.Sum(content))
	if err != nil {
		t.Fatal(err)
	}
	r.Policy = tspPolicy(t)
	return r
}

// BouncyCastle validates the stamps of every kind of key over digests of every hash, SM2 with SM3 in GM's own ContentInfo
// among them, and none that answers another request or was changed.
func TestBouncyCastleValidatesStamps(t *testing.T) {
	dir := t.TempDir()
	args := []string{"verify"}
	var want []string
	for _, kind := range []testpki.Kind{testpki.SM2, testpki.RSA, testpki.P256, testpki.P384} {
		a := newAuthority(t, kind)
		for _, h := range tspHashes {
			r := newRequest(t, h)
			response, err := a.Respond(ctx, r.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			broken := bytes.Clone(response)
			broken[len(broken)-1] ^= 1
			name := fmt.Sprintf("%s-%s", kind, h)
			request, answer := write(t, dir, name+".tsq", r.Bytes()), write(t, dir, name+".tsr", response)
			args = append(args, request, answer,
				write(t, dir, name+"-other.tsq", newRequest(t, h).Bytes()), answer,
				request, write(t, dir, name+"-broken.tsr", broken))
			want = append(want, fmt.Sprintf("valid %d %s", stampedAt.Unix(), h.OID()), "error org.bouncycastle.tsp.TSPValidationException", "error org.bouncycastle")
		}
	}
	got := strings.Split(strings.TrimSpace(java(t, "Tsp.java", args...)), "\n")
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%s: %s, not %s", args[2*i+2], got[i], want[i])
		}
	}
}

// What BouncyCastle stamps is accepted here.
func TestReadsBouncyCastleStamps(t *testing.T) {
	for _, c := range []struct {
		kind      testpki.Kind
		algorithm string
		ess       sign.Hash
		scheme    sign.Scheme
	}{
		{testpki.SM2, "SM3withSM2", sign.SM3, sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}},
		{testpki.SM2, "SM3withSM2", sign.SHA1, sign.Scheme{Kind: sign.SM2, Hash: sign.SM3}},
		{testpki.RSA, "SHA256withRSA", sign.SHA256, sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}},
		{testpki.P256, "SHA256withECDSA", sign.SHA512, sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA256}},
	} {
		dir := t.TempDir()
		key, chain := testpki.Shared(c.kind).IssueSigner(c.kind, "TSA", testpki.TimeStamping)
		pkcs8, err := gm.MarshalPKCS8(key)
		if err != nil {
			t.Fatal(err)
		}
		args := []string{"make", write(t, dir, "key", pkcs8), write(t, dir, "cert", chain[0]), c.algorithm, c.ess.OID().String(), "1.2.3.4.9"}
		var requests []*tsp.Request
		for _, h := range tspHashes {
			r := newRequest(t, h)
			requests = append(requests, r)
			args = append(args, write(t, dir, string(h)+".tsq", r.Bytes()), filepath.Join(dir, string(h)+".tsr"))
		}
		java(t, "Tsp.java", args...)
		for i, h := range tspHashes {
			response, err := os.ReadFile(filepath.Join(dir, string(h)+".tsr"))
			if err != nil {
				t.Fatal(err)
			}
			tok, err := requests[i].Accept(response)
			if err != nil {
				t.Fatalf("%s, %s: %v", c.algorithm, h, err)
			}
			if tok.SignedData.Signers[0].Scheme != c.scheme || tok.Accuracy != 2*time.Second || time.Since(tok.Time).Abs() > 5*time.Minute ||
				tok.CheckImprint(content) != nil || tok.CheckImprint(other) == nil {
				t.Errorf("%s, %s: %s, %s within %s", c.algorithm, h, tok.SignedData.Signers[0].Scheme, tok.Time, tok.Accuracy)
			}
			if _, err := requests[(i+1)%len(requests)].Accept(response); err == nil {
				t.Errorf("%s, %s: another request is answered", c.algorithm, h)
			}
		}
	}
}

var digitorusHashes = map[sign.Hash]stdcrypto.Hash{sign.SHA256: stdcrypto.SHA256, sign.SHA384: stdcrypto.SHA384, sign.SHA512: stdcrypto.SHA512}

// digitorus/timestamp, which knows RSA, ECDSA and SHA-2, asks, is answered, and reads the answer as it was meant; and the
// other way round.
func TestDigitorusAgrees(t *testing.T) {
	for _, kind := range []testpki.Kind{testpki.RSA, testpki.P256} {
		a := newAuthority(t, kind)
		for h, std := range digitorusHashes {
			asked := timestamp.Request{HashAlgorithm: std, HashedMessage: h.Sum(content), Certificates: true, Nonce: big.NewInt(77)}
			b, err := asked.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			response, err := a.Respond(ctx, b)
			if err != nil {
				t.Fatal(err)
			}
			read, err := timestamp.ParseResponse(response)
			if err != nil {
				t.Fatalf("%s, %s: %v", kind, h, err)
			}
			if read.HashAlgorithm != std || !bytes.Equal(read.HashedMessage, h.Sum(content)) || !read.Time.Equal(stampedAt) || read.Nonce.Int64() != 77 ||
				read.Accuracy != time.Second || read.Policy.String() != "1.2.3.4.9" || len(read.Certificates) != 2 {
				t.Errorf("%s, %s: %s %x, %s within %s, nonce %s, policy %s", kind, h, read.HashAlgorithm, read.HashedMessage, read.Time, read.Accuracy, read.Nonce, read.Policy)
			}
			response[len(response)-1] ^= 1
			if _, err := timestamp.ParseResponse(response); err == nil {
				t.Errorf("%s, %s: it takes a broken value", kind, h)
			}
		}

		key, chain := testpki.Shared(kind).IssueSigner(kind, "TSA", testpki.TimeStamping)
		cert, err := stdx509.ParseCertificate(chain[0])
		if err != nil {
			t.Fatal(err)
		}
		for h, std := range digitorusHashes {
			r := newRequest(t, h)
			asked, err := timestamp.ParseRequest(r.Bytes())
			if err != nil || asked.HashAlgorithm != std || !asked.Certificates || asked.TSAPolicyOID.String() != "1.2.3.4.9" {
				t.Fatalf("%s: %+v, %v", h, asked, err)
			}
			answer := timestamp.Timestamp{HashAlgorithm: std, HashedMessage: asked.HashedMessage, Time: stampedAt.Add(1500 * time.Millisecond), Nonce: asked.Nonce,
				Policy: stdasn1.ObjectIdentifier{1, 2, 3, 4, 9}, Ordering: true, Accuracy: 3 * time.Second, AddTSACertificate: true}
			response, err := answer.CreateResponseWithOpts(cert, key, stdcrypto.SHA256)
			if err != nil {
				t.Fatal(err)
			}
			tok, err := r.Accept(response)
			if err != nil {
				t.Fatalf("%s, %s: %v", kind, h, err)
			}
			if !tok.Ordering || tok.Accuracy != 3*time.Second || tok.Time.Sub(stampedAt).Abs() > 2*time.Second {
				t.Errorf("%s, %s: %s within %s, ordered %t", kind, h, tok.Time, tok.Accuracy, tok.Ordering)
			}
		}
	}
}
