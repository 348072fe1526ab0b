package verify

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

// One bit of the octets of the evidence in a sealed file, every third, in each format others: the signature is over them.
func TestTamperEvidenceInTheFile(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	log.grow(20)
	for n, f := range formats {
		file := entered(t, w, f, scribe{log: log})
		from, to := gap(t, file)
		value, err := hex.DecodeString(string(file[from+1 : to-1]))
		if err != nil {
			t.Fatal(err)
		}
		r := verifyFile(t, w, file, nil)
		want(t, r, 0, Valid, "ledger", "ok")
		evidence := r.Signatures[0].Evidence
		at := []int{bytes.Index(value, evidence), bytes.LastIndex(value, evidence)}
		if copies := bytes.Count(value, evidence); copies != 1 && f != sign.Dual || copies != 2 && f == sign.Dual {
			t.Fatalf("%s: the evidence is %d times in the value", f, copies)
		}
		for i := n; i < len(evidence); i += len(formats) {
			bad := bytes.Clone(file)
			hex.Encode(bad[from+1+2*(at[i%2]+i):], []byte{evidence[i] ^ 1<<(i%8)})
			r, err := Document(context.Background(), bytes.NewReader(bad), int64(len(bad)), Options{Roots: w.roots, At: noon})
			if err != nil || r.Verdict != Invalid {
				t.Fatalf("%s: octet %d of the evidence: %v\n%s", f, i, err, r)
			}
		}
	}
}

// An evidenceBench judges any evidence as if the holder's keys had signed it with one document.
type evidenceBench struct {
	job  *job
	ses  *seal.Signature
	sums sign.Sums
	good []byte
}

func newEvidenceBench(t testing.TB, o Options, w *world, s scribe) *evidenceBench {
	t.Helper()
	file := entered(t, w, sign.SES, s)
	from, to := gap(t, file)
	value, err := hex.DecodeString(string(file[from+1 : to-1]))
	if err != nil {
		t.Fatal(err)
	}
	found, err := pdfx.Signatures(bytes.NewReader(file), int64(len(file)), pdfx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sums, err := pdfx.Hash(context.Background(), bytes.NewReader(file), int64(len(file)), found, [][]sign.Hash{{sign.SM3}})
	if err != nil {
		t.Fatal(err)
	}
	ses, err := seal.ParseSignature(found[0].Value)
	if err != nil || len(value) < len(found[0].Value) {
		t.Fatal(err)
	}
	return &evidenceBench{jobOf(o), ses, sums[0], ses.Extensions[0].Value}
}

// judge is the check of the ledger, and the entry that is believed.
func (b *evidenceBench) judge(evidence []byte) (Check, *audit.Use) {
	ses := *b.ses
	ses.Extensions = []seal.Extension{{ID: sign.AttributeEvidence, Value: evidence}}
	out := &Signature{Claimed: noon}
	c := &signatureCase{judge: b.job.judge(out), ses: &sealSignature{Signature: &ses, role: signerRole}}
	p, f := c.ledger(c.use(b.sums))
	return ledgerRule.check(f.code, f.args...), p.use
}

// Every bit, every removal, every doubling and every end of the evidence, signed by the holder: nothing but the ledger's own
// words is believed.
func TestTamperEvidenceAndSign(t *testing.T) {
	for _, origin := range []string{sm3Log, sha256Log} {
		w, log := ledgerWorld(t, origin)
		log.grow(20)
		b := newEvidenceBench(t, Options{Roots: w.roots, At: noon}, w, scribe{log: log})
		if c, _ := b.judge(b.good); c.Verdict != Valid {
			t.Fatalf("%+v", c)
		}
		codes := map[string]int{}
		try := func(i int, bad []byte) {
			c, _ := b.judge(bad)
			if codes[c.Code]++; c.Verdict == Valid {
				t.Fatalf("octet %d: %+v\n%s\n%s", i, c, b.good, bad)
			}
		}
		for i := range b.good {
			for bit := range 8 {
				try(i, changed(b.good, i, 1<<bit))
			}
			try(i, slices.Delete(bytes.Clone(b.good), i, i+1))
			try(i, slices.Insert(bytes.Clone(b.good), i, b.good[i]))
			try(i, b.good[:i])
		}
		for _, code := range []string{"malformed-evidence", "evidence-no-use", "evidence-other-document", "evidence-other-seal", "evidence-other-key",
			"signed-before-entry", "signed-long-after-entry", "evidence-proof-wrong", "evidence-other-ledger", "log-unknown", "checkpoint-signature-wrong"} {
			if codes[code] == 0 {
				t.Errorf("%s: no change was told as %s: %v", origin, code, codes)
			}
		}
	}
}

// A checkpoint of two keys holds as long as one of them does; whatever is changed, only what the ledger said is believed.
func TestTamperTwoSignatures(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := audit.NewSigner(log.origin, key)
	if err != nil {
		t.Fatal(err)
	}
	log.cosigner = second
	b := newEvidenceBench(t, Options{Logs: Logs{Keys: []audit.Verifier{second.Verifier()}}, At: noon}, w, scribe{log: log})
	good, err := audit.ParseEvidence(b.good)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for i := range b.good {
		for bit := range 8 {
			bad := changed(b.good, i, 1<<bit)
			c, _ := b.judge(bad)
			if c.Verdict != Valid {
				continue
			}
			held++
			if e, err := audit.ParseEvidence(bad); err != nil || !bytes.Equal(e.Leaf, good.Leaf) || e.Index != good.Index || e.Head != good.Head {
				t.Fatalf("octet %d: %v %+v", i, err, c)
			}
		}
	}
	if c, _ := b.judge(b.good); c.Verdict != Valid || held == 0 || held > 8*400 {
		t.Errorf("%+v; %d changes hold", c, held)
	}
}

// FuzzLedger judges any evidence, signed by the holder: no panic, and no entry that the ledger does not have.
func FuzzLedger(f *testing.F) {
	w, log := ledgerWorld(f, sm3Log)
	log.grow(20)
	evil := log.fork(3).grow(9)
	o := Options{At: noon}
	b := newEvidenceBench(f, o, w, scribe{log: log})
	log.grow(9)
	o.Logs.Trees = []Tree{{log.checkpoint(log.edge.Size()), log}}
	b.job = jobOf(o)
	good, err := audit.ParseEvidence(b.good)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b.good)
	f.Add(newEvidenceBench(f, o, w, scribe{log: evil}).good)
	f.Add(log.checkpoint(7))
	f.Add([]byte("courtseal.offline-evidence/v1\nuse AA==\ncourtseal.offline-grant/v1\n\n— x AAAA\n"))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra AA==\nindex 0\n\n"))
	f.Add(b.good[:len(b.good)-1])
	f.Fuzz(func(t *testing.T, evidence []byte) {
		c, entry := b.judge(evidence)
		if c.Verdict != Valid {
			if entry != nil || c.Detail.EN == c.Code {
				t.Errorf("%+v, %+v", c, entry)
			}
			return
		}
		if e, err := audit.ParseEvidence(evidence); err != nil || !bytes.Equal(e.Leaf, good.Leaf) || e.Index != good.Index || e.Head.Root != good.Head.Root {
			t.Errorf("%v: %+v", err, c)
		}
	})
}

// BenchmarkLedger verifies one small file without evidence and with it, of a ledger of a million entries, beside BenchmarkLedgerFloor:
// the check is one signature, that of the checkpoint, and 20 hashes.
func BenchmarkLedger(b *testing.B) {
	for _, origin := range []string{sm3Log, sha256Log} {
		w, log := ledgerWorld(b, origin)
		log.grow(1 << 20)
		plain := *w
		plain.seal = theWorld().seal
		for _, f := range formats {
			b.Run(string(f)+"/none", func(b *testing.B) { bench(b, w, sealFile(b, page(), plain.stamp(b, f, noon), visible)) })
			b.Run(string(f)+"/"+origin, func(b *testing.B) { bench(b, w, entered(b, w, f, scribe{log: log})) })
		}
		o := newEvidenceBench(b, Options{At: noon}, w, scribe{log: log})
		b.Run("check/"+origin, func(b *testing.B) {
			for b.Loop() {
				if c, _ := o.judge(o.good); c.Verdict != Valid {
					b.Fatal(c)
				}
			}
		})
	}
}

// BenchmarkLedgerFloor is the check of one signature of a checkpoint.
func BenchmarkLedgerFloor(b *testing.B) {
	for _, origin := range []string{sm3Log, sha256Log} {
		log := newLog(b, origin).grow(3)
		note := log.checkpoint(3)
		v := log.signer.Verifier()
		text, _, _ := bytes.Cut(note, []byte("\n\n"))
		sig, err := log.signer.Sign(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(origin, func(b *testing.B) {
			for b.Loop() {
				if !v.Verify(text, sig) {
					b.Fatal("wrong")
				}
			}
		})
	}
}

// Evidence stands once, and is an OCTET STRING.
func TestEvidencePlace(t *testing.T) {
	w := theWorld()
	entry := func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(sign.AttributeEvidence)) })
			b.AddASN1Boolean(true)
			b.AddASN1OctetString([]byte("evidence"))
		})
	}
	for n, code := range map[int]string{1: "malformed-evidence", 2: "evidence-twice"} {
		list := written(func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				for range n {
					entry(b)
				}
			})
		})
		r := verifyFile(t, w, handmade{gen: seal.V4, more: list}.sealed(t), func(o *Options) { o.Policy = Strict2020 })
		want(t, r, 0, Invalid, "ledger", code)
		want(t, r, 0, Invalid, "ses-extensions", "ok") // critical, and understood
	}
	octets, null := element(asn1.OCTET_STRING, []byte("evidence")), element(asn1.NULL)
	for _, x := range []struct {
		code   string
		values [][][]byte // of each attribute
	}{
		{"malformed-evidence", [][][]byte{{octets}}},
		{"malformed-evidence", [][][]byte{{null}}},
		{"malformed-evidence", [][][]byte{{}}},
		{"malformed-evidence", [][][]byte{{octets, octets}}},
		{"malformed-evidence", [][][]byte{{append(bytes.Clone(octets), 0)}}},
		{"evidence-twice", [][][]byte{{octets}, {octets}}},
	} {
		s := &cmsSignature{}
		for _, v := range x.values {
			s.Attributes = append(s.Attributes, cms.Attribute{Type: sign.AttributeEvidence, Values: v})
		}
		c := &signatureCase{judge: jobOf(Options{At: noon}).judge(&Signature{}), cms: s}
		if _, f := c.ledger(use{}); f.code != x.code {
			t.Errorf("%x: %s, not %s", x.values, f.code, x.code)
		}
	}
}

// Every bit of offline evidence, signed by the holder: nothing but what was granted, and the use as the device wrote it, is told.
func TestTamperOfflineEvidence(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	b := newEvidenceBench(t, Options{At: noon}, w, scribe{log: log})
	g := audit.OfflineGrant{
		ID: "offline-1", Log: sm3Log, Lists: sm3Log, Org: "法院", Seal: w.seal.ID, SealDigest: sign.SM3.Sum(w.seal.Raw),
		Devices: [][]byte{sign.SM3.Sum(w.sm2.Chain()[0])}, Kinds: []string{"*"}, From: noon, To: noon, Uses: 1, Oldest: 1,
	}
	note, err := g.Sign(log.signer)
	if err != nil {
		t.Fatal(err)
	}
	u := audit.OfflineUse{Number: 1, List: 1, Use: audit.Use{Request: "r", Seal: w.seal.ID, SealDigest: g.SealDigest, Org: g.Org, Grant: g.ID,
		Format: sign.SES, Content: b.sums, Certs: g.Devices, Time: noon}}
	leaf, err := u.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	good := (&audit.OfflineEvidence{GrantNote: note, Leaf: leaf}).Marshal()
	if c, use := b.judge(good); c.Code != "offline-not-reconciled" || use == nil {
		t.Fatalf("%+v", c)
	}
	codes := map[string]int{}
	for i := range good {
		for bit := range 8 {
			bad := changed(good, i, 1<<bit)
			c, use := b.judge(bad)
			codes[c.Code]++
			if c.Verdict == Valid {
				t.Fatalf("octet %d: %+v", i, c)
			}
			if use == nil {
				continue
			}
			// The device itself writes request and chain: the grant does not know them, and the ledger tells later.
			if e, err := audit.ParseOfflineEvidence(bad); err != nil || !bytes.Equal(e.GrantNote, note) || e.Use.Number != 1 || !use.Time.Equal(noon) && use.Time.Truncate(time.Second) != noon {
				t.Fatalf("octet %d: %v, %+v", i, err, use)
			}
		}
	}
	for _, code := range []string{"grant-signature-wrong", "log-unknown", "grant-exceeded", "evidence-other-document", "malformed-evidence", "offline-not-reconciled"} {
		if codes[code] == 0 {
			t.Errorf("no change was told as %s: %v", code, codes)
		}
	}
}
