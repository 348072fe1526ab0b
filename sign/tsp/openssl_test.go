package tsp

import (
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// A bench is a directory in which OpenSSL works; without OpenSSL the test skips, and in CI fails.
type bench struct {
	t   *testing.T
	dir string
}

func newBench(t *testing.T) bench {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return bench{t, t.TempDir()}
}

func (b bench) run(args ...string) (string, error) {
	cmd := exec.Command("openssl", args...)
	cmd.Dir = b.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (b bench) must(args string) string {
	b.t.Helper()
	out, err := b.run(strings.Fields(args)...)
	if err != nil {
		b.t.Fatalf("openssl %s: %v\n%s", args, err, out)
	}
	return out
}

func (b bench) write(name string, content []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), content, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b bench) read(name string) []byte {
	b.t.Helper()
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return content
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

var stdKinds = []testpki.Kind{testpki.RSA, testpki.P256, testpki.P384}

// OpenSSL asks, our authority answers, OpenSSL verifies: with RSA and ECDSA keys, over digests of every hash.
func TestOpenSSLVerifies(t *testing.T) {
	b := newBench(t)
	b.write("text", text)
	b.write("other", text[1:])
	for _, kind := range stdKinds {
		key := tsaKey(kind)
		a := newAuthority(t, key)
		b.write("root.pem", testpki.Shared(kind).PEM())
		b.write("chain.pem", append(certificatePEM(key.Chain()[0]), certificatePEM(key.Chain()[1])...))
		for _, c := range []struct{ query, verify string }{
			{"-sha256 -cert", ""},
			{"-sha384 -cert -tspolicy 1.2.3.4.9", ""},
			{"-sha512", "-untrusted chain.pem"},
			{"-sm3 -cert -no_nonce", ""},
		} {
			b.must("ts -query -data text -out q.tsq " + c.query)
			response, err := a.Respond(ctx, b.read("q.tsq"))
			if err != nil {
				t.Fatal(err)
			}
			b.write("r.tsr", response)
			verify := "ts -verify -in r.tsr -CAfile root.pem " + c.verify
			if out := b.must(verify + " -queryfile q.tsq"); !strings.Contains(out, "Verification: OK") {
				t.Errorf("%s %s: %s", kind, c.query, out)
			}
			b.must(verify + " -data text")
			if out, err := b.run(strings.Fields(verify + " -data other")...); err == nil || !strings.Contains(out, "message imprint mismatch") {
				t.Errorf("%s %s: another text verifies: %s", kind, c.query, out)
			}
			printed := b.must("ts -reply -in r.tsr -text")
			for _, want := range []string{"Status: Granted.", "Version: 1", "Policy OID: 1.2.3.4.9", "Mar  9 12:00:00 2026 GMT", "Accuracy: 0x01 seconds, 0x01F4 millis"} {
				if !strings.Contains(printed, want) {
					t.Errorf("%s %s: no %q in\n%s", kind, c.query, want, printed)
				}
			}
		}
		b.must("ts -query -data text -out q.tsq -sha256 -tspolicy 1.2.3.4.8")
		response, err := a.Respond(ctx, b.read("q.tsq"))
		b.write("r.tsr", response)
		if printed := b.must("ts -reply -in r.tsr -text"); err == nil || !strings.Contains(printed, "Status: Rejected.") || !strings.Contains(printed, "unacceptable policy") && !strings.Contains(printed, "policy is not supported") {
			t.Errorf("refusal: %v\n%s", err, printed)
		}
	}
}

// Our request is answered by OpenSSL, and what it makes is accepted here, whichever signing-certificate it writes.
func TestReadsOpenSSL(t *testing.T) {
	b := newBench(t)
	for _, kind := range stdKinds {
		k, chain := testpki.Shared(kind).Sub(kind, "Issuing", nil).IssueSigner(kind, "TSA", testpki.TimeStamping)
		pkcs8, err := gm.MarshalPKCS8(k)
		if err != nil {
			t.Fatal(err)
		}
		b.write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
		b.write("cert.pem", certificatePEM(chain[0]))
		b.write("chain.pem", certificatePEM(chain[1]))
		for _, c := range []struct {
			config   string
			accuracy time.Duration
			ordering bool
			notes    string
		}{
			{"ess_cert_id_alg = sha1\naccuracy = secs:1, millisecs:500, microsecs:100\nordering = yes", 1500100 * time.Microsecond, true, ""},
			{"ess_cert_id_alg = sha256\ntsa_name = yes\ness_cert_id_chain = yes\nclock_precision_digits = 3", 0, false, ""},
			{"ess_cert_id_alg = sha512\naccuracy = secs:60", time.Minute, false, ""},
		} {
			b.write("ts.cnf", []byte("[tsa]\ndefault_tsa = t\n[t]\nserial = serial\ndefault_policy = 1.2.3.4.9\ndigests = sha256, sha384, sha512, sm3\nsigner_digest = sha256\n"+c.config+"\n"))
			for _, h := range hashes {
				r := newRequest(t, h)
				r.Policy = policy
				b.write("q.tsq", r.Bytes())
				b.must("ts -reply -config ts.cnf -queryfile q.tsq -signer cert.pem -inkey key.pem -chain chain.pem -out r.tsr")
				tok, err := r.Accept(b.read("r.tsr"))
				if err != nil {
					t.Fatalf("%s %s, %s: %v", kind, h, c.config, err)
				}
				if tok.Accuracy != c.accuracy || tok.Ordering != c.ordering || len(tok.Notes) > 0 || (tok.TSA != nil) != strings.Contains(c.config, "tsa_name") ||
					time.Since(tok.Time).Abs() > time.Minute || tok.CheckImprint(text) != nil {
					t.Errorf("%s %s, %s: %s within %s, notes %v", kind, h, c.config, tok.Time, tok.Accuracy, tok.Notes)
				}
			}
		}
		r := newRequest(t, sign.SM3)
		r.Policy = oidTSTInfo
		b.write("q.tsq", r.Bytes())
		b.must("ts -reply -config ts.cnf -queryfile q.tsq -signer cert.pem -inkey key.pem -out r.tsr")
		if _, err := r.Accept(b.read("r.tsr")); fmt.Sprint(err) == "" || !strings.Contains(fmt.Sprint(err), "rejection (unacceptedPolicy)") {
			t.Error(err)
		}
	}
}

// OpenSSL verifies a CMS with a time stamp, and the stamp as one over the signature value.
func TestOpenSSLVerifiesStampedCMS(t *testing.T) {
	b := newBench(t)
	b.write("text", text)
	for _, kind := range stdKinds {
		a := newAuthority(t, tsaKey(testpki.RSA))
		b.write("root.pem", testpki.Shared(kind).PEM())
		b.write("tsa.pem", testpki.Shared(testpki.RSA).PEM())
		key := testpki.Shared(kind).Issue(kind, "法官", nil)
		scheme, err := sign.SchemeFor(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		v, err := cms.Sign(ctx, key, scheme.Hash.Sum(text), cms.Options{TSA: a})
		if err != nil || len(v.Notes) > 0 {
			t.Fatal(err, v.Notes)
		}
		b.write("value", v.Bytes)
		b.must("cms -verify -binary -cades -inform DER -in value -CAfile root.pem -purpose any -out out -content text")
		sd, err := cms.Parse(v.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		b.write("signature", sd.Signers[0].Signature)
		b.write("token", sd.Signers[0].TimeStamps()[0])
		b.must("ts -verify -token_in -in token -data signature -CAfile tsa.pem")
		if out, err := b.run(strings.Fields("ts -verify -token_in -in token -data text -CAfile tsa.pem")...); err == nil {
			t.Errorf("over the text: %s", out)
		}
	}
}
