package verify

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
)

// A dating puts document time stamps (ETSI.RFC3161) into files.
type dating struct {
	clockwork
	padding string // after the token
}

func (d dating) Profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Specs: map[sign.Format]sign.Spec{sign.CMS: {Hashes: []sign.Hash{sign.SHA256}, MaxSize: 8 << 10}}}
}

func (d dating) Sign(ctx context.Context, act *sign.Act) ([]sign.Value, error) {
	b, err := d.Timestamp(ctx, sign.SHA256, act.Content[sign.SHA256])
	return []sign.Value{{Bytes: append(b, d.padding...)}}, err
}

func dated(t testing.TB, file []byte, c clockwork) []byte {
	t.Helper()
	return sealFile(t, file, dating{clockwork: c}, pdfx.Options{SubFilter: "ETSI.RFC3161"})
}

// A document time stamp proves what stands before it, and not what comes after.
func TestDocumentStamp(t *testing.T) {
	w := theWorld()
	month := func(n int) time.Time { return noon.AddDate(0, n, 0) }
	short := w.sm2CA.Issue(testpki.SM2, "kurz", func(c *gm.Certificate) { c.NotAfter = month(1) })
	closing := clockwork{key: w.sm2CA.Issue(testpki.SM2, "TSA", func(c *gm.Certificate) { testpki.TimeStamping(c); c.NotAfter = month(2) }), at: noon.Add(time.Minute)}
	signed := sealFile(t, page(), cmsSigner(t, short), pdfx.Options{})
	late := func(o *Options) { o.At = month(3) }

	r := verifyFile(t, w, signed, late)
	want(t, r, 0, Indeterminate, "time", "time-not-proven")

	r = verifyFile(t, w, dated(t, signed, tsa(noon.Add(time.Minute))), late)
	want(t, r, 0, Valid, "time", "time-proven")
	want(t, r, 1, Valid, "timestamp", "ok")
	if s := r.Signatures[1]; s.Stamps[0].Over != "document" || !s.Proven.Equal(noon.Add(time.Minute)) || !r.Signatures[0].Proven.Equal(s.Proven) {
		t.Errorf("%s", r)
	}

	r = verifyFile(t, w, dated(t, signed, tsa(month(2))), late)
	want(t, r, 0, Indeterminate, "time", "time-not-proven")

	// An authority that ended since proves nothing, unless a second stamp shows that its own is older.
	once := dated(t, signed, closing)
	r = verifyFile(t, w, once, late)
	want(t, r, 0, Indeterminate, "time", "time-not-proven")
	want(t, r, 1, Indeterminate, "timestamp", "timestamp-unknown")
	r = verifyFile(t, w, dated(t, once, tsa(noon.AddDate(0, 0, 40))), late)
	want(t, r, 0, Valid, "time", "time-proven")
	want(t, r, 1, Valid, "timestamp", "ok")
	want(t, r, 2, Valid, "timestamp", "ok")

	// Anybody gets a stamp: with nothing else, a document is unsigned.
	alone := dated(t, page(), tsa(noon))
	r, err := Document(context.Background(), bytes.NewReader(alone), int64(len(alone)), Options{Roots: w.roots, At: month(3)})
	if !errors.Is(err, ErrUnsigned) || !r.Unsigned || r.Verdict == Valid || len(r.Signatures) != 1 || !r.Signatures[0].Timestamp {
		t.Errorf("%v\n%s", err, r)
	}

	// A stamp before a signature proves nothing about it.
	r = verifyFile(t, w, sealFile(t, dated(t, page(), tsa(noon)), cmsSigner(t, short), pdfx.Options{}), late)
	want(t, r, 0, Valid, "timestamp", "ok")
	want(t, r, 1, Indeterminate, "time", "time-not-proven")

	// One that is over something else, or in a file that was changed, proves nothing and is no stamp.
	for _, other := range [][]byte{nil, []byte("x"), signed} {
		r = verifyFile(t, w, dated(t, signed, clockwork{key: tsaKeys().sm2, at: noon, digest: sign.SHA256.Sum(other)}), late)
		want(t, r, 0, Indeterminate, "time", "time-not-proven")
		want(t, r, 1, Invalid, "timestamp", "timestamp-wrong")
	}
	r = verifyFile(t, w, sealFile(t, signed, dating{tsa(noon), "x"}, pdfx.Options{SubFilter: "ETSI.RFC3161"}), late)
	want(t, r, 0, Indeterminate, "time", "time-not-proven")
	want(t, r, 1, Invalid, "value-format", "padding-not-zero")
	file := dated(t, signed, tsa(noon.Add(time.Minute)))
	i := bytes.Index(file, []byte("0 0 1 rg"))
	r = verifyFile(t, w, changed(file, i, 1), late)
	want(t, r, 1, Invalid, "timestamp", "timestamp-wrong")
	if r.Signatures[0].Verdict != Invalid {
		t.Errorf("%s", r)
	}
}

// openssl is an authority: it answers our requests with ts -reply.
type openssl struct {
	t   testing.TB
	dir string
}

func newOpenSSL(t testing.TB, ca *testpki.CA) openssl {
	t.Helper()
	peer(t, "openssl")
	k, chain := ca.IssueSigner(testpki.RSA, "OpenSSL TSA", testpki.TimeStamping)
	pkcs8, err := gm.MarshalPKCS8(k)
	if err != nil {
		t.Fatal(err)
	}
	o := openssl{t, t.TempDir()}
	for name, b := range map[string][]byte{
		"key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), "cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[0]}),
		"serial": []byte("01\n"),
		"ts.cnf": []byte("[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=cert.pem\nsigner_key=key.pem\nsigner_digest=sha256\ndefault_policy=1.2.3.4\n" +
			"digests=sha256,sha384,sha512,sm3\naccuracy=secs:1\ness_cert_id_alg=sha256\n"),
	} {
		if err := os.WriteFile(filepath.Join(o.dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o openssl) Timestamp(_ context.Context, h sign.Hash, digest []byte) ([]byte, error) {
	r, err := tsp.NewRequest(h, digest)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(o.dir, "q.tsq"), r.Bytes(), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "t", "-queryfile", "q.tsq", "-out", "r.tsr")
	cmd.Dir = o.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(o.dir, "r.tsr"))
	if err != nil {
		return nil, err
	}
	token, err := r.Accept(b)
	if err != nil {
		return nil, err
	}
	return token.Raw, nil
}

// OpenSSL stamps seals, seal signatures, CMS and documents; all of it is judged right, and pdfsig still takes what it knows.
func TestOpenSSLStamps(t *testing.T) {
	w := theWorld()
	o := newOpenSSL(t, w.rsaCA)
	now := time.Now().UTC().Truncate(time.Second).Add(-time.Second)
	e, err := w.make(func(s *seal.Seal) { s.Version, s.NotAfter = seal.V5, testpki.NotAfter }).AddTimeStamp(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range formats {
		file := sealFile(t, page(), stamped(t, e, w.sm2, f, now, o), pdfx.Options{At: visible.At, Now: at(now)})
		file = sealFile(t, file, dating{clockwork: clockwork{key: tsaKeys().rsa, at: now}}, pdfx.Options{SubFilter: "ETSI.RFC3161", Now: at(now)})
		r := verifyFile(t, w, file, func(v *Options) { v.At = now.Add(time.Hour) })
		want(t, r, 0, Valid, "timestamp", "ok")
		want(t, r, 0, Valid, "seal-timestamp", "ok")
		want(t, r, 0, Valid, "time", "time-proven")
		if f != sign.Dual {
			continue
		}
		name := filepath.Join(t.TempDir(), "f.pdf")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command(peer(t, "pdfsig"), "-nocert", name).CombinedOutput()
		if said := parsePdfsig(string(out)); !said[r.Signatures[0].Name] {
			t.Errorf("pdfsig: %s", out)
		}
	}
}

// The time stamps of other makers' files are read, and are over what they should be over.
func TestVectorsStamps(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "vectors/pdf"), "*.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	judged := map[string]int{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := Document(context.Background(), bytes.NewReader(b), int64(len(b)), Options{At: noon})
		if r == nil {
			continue
		}
		for _, s := range r.Signatures {
			for _, x := range s.Stamps {
				in := Signature{Checks: x.Checks}
				for _, name := range []string{"token-format", "token-imprint"} {
					if c := in.Check(name); c.Code != "ok" && s.Check("content-hash").Code != "content-changed" {
						t.Errorf("%s, %s: %+v", filepath.Base(f), s.Name, c)
					}
				}
				if c := in.Check("token-value"); c.Code != "ok" && c.Code != "no-authority-certificate" {
					t.Errorf("%s, %s: %+v", filepath.Base(f), s.Name, c)
				}
				judged[x.Over]++
			}
		}
	}
	if judged["cms"] < 4 || judged["document"] < 1 {
		t.Errorf("judged: %v", judged)
	}
}

// noLine is an authority that does not answer.
type noLine struct{}

func (noLine) Timestamp(context.Context, sign.Hash, []byte) ([]byte, error) {
	return nil, errors.New("no line")
}

// A stamp that cannot be had costs the level: the file is sealed, and both the result and the report say without what.
func TestStampNotHad(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		var out bytes.Buffer
		file := page()
		res, err := pdfx.Sign(context.Background(), &out, bytes.NewReader(file), int64(len(file)), stamped(t, w.seal, w.sm2, f, noon, noLine{}), pdfx.Options{Now: at(noon)})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(res.Notes, func(n sign.Note) bool { return n.Code == "timestamp-not-had" }) {
			t.Errorf("%s: notes %v", f, res.Notes)
		}
		r := verifyFile(t, w, out.Bytes(), nil)
		want(t, r, 0, Valid, "timestamp", "no-timestamp")
		want(t, r, 0, Valid, "time", "time-claimed")
	}
}
