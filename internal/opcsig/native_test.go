package opcsig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/der"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/internal/xmldoc"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

func b64(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }

const mainType = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"

// draft is one with everything a document has; the digests are those of nothing.
func draft(h sign.Hash, key sign.Key) *Draft {
	return &Draft{
		Hash: h, Time: time.Date(2026, 1, 31, 9, 30, 0, 0, time.FixedZone("", 8*3600)), Chain: key.Chain(), Comments: "批准 <a & b>\r\n\"x\"",
		Manifest: []Reference{
			{Name: "/word/document.xml", ContentType: mainType, Digest: make([]byte, h.Size())},
			{Name: "/_rels/.rels", ContentType: TypeRelationships, IDs: []string{"rId1"}, Digest: make([]byte, h.Size())},
			{Name: "/word/styles.xml", ContentType: "application/xml", Digest: make([]byte, h.Size())},
			{Name: "/word/_rels/document.xml.rels", ContentType: TypeRelationships, IDs: []string{"rId2", "rId10", "r&3"}, Digest: make([]byte, h.Size())},
		},
	}
}

func line() *Line {
	return &Line{Setup: "{0A1B2C3D-0000-4000-8000-0123456789ab}", Provider: StampProvider, Text: "张三 & <李四>", Picture: []byte("plain"),
		Valid: []byte("valid"), Invalid: []byte("invalid")}
}

// signed makes a signature part of a draft by the real signer.
func signed(t testing.TB, d *Draft, key sign.Key, tsa sign.Timestamper, reference string) (*Native, []byte) {
	t.Helper()
	s, err := xmldsig.New(key, tsa)
	if err != nil {
		t.Fatal(err)
	}
	n, err := d.Build()
	if err != nil {
		t.Fatal(err)
	}
	act := &sign.Act{Time: d.Time, Content: sign.Sums{d.Hash: d.Hash.Sum(n.Package())}, Reference: reference,
		Parts: []sign.Part{{Format: sign.XML, Office: n.Office()}}}
	values, err := s.Sign(t.Context(), act)
	if err != nil {
		t.Fatal(err)
	}
	v, err := sign.ParseXMLValue(values[0].Bytes)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := sign.SchemeFor(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	part, err := n.Part(scheme, v)
	if err != nil {
		t.Fatal(err)
	}
	return n, part
}

// kinds are the keys that sign Office documents.
var kinds = []struct {
	kind testpki.Kind
	hash sign.Hash
}{{testpki.RSA, sign.SHA256}, {testpki.P256, sign.SHA256}, {testpki.P384, sign.SHA384}}

// authority stamps times.
func authority(t testing.TB) *tsp.Authority {
	t.Helper()
	a, err := tsp.NewAuthority(testpki.Shared(testpki.RSA).Issue(testpki.RSA, "tsa", testpki.TimeStamping), tsp.AuthorityOptions{Policy: der.MustOID("1.2.3.4.1")})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fresh is a signature part by an RSA key.
func fresh(t testing.TB, l *Line) []byte {
	t.Helper()
	key := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "signer", nil)
	d := draft(sign.SHA256, key)
	d.Line = l
	_, part := signed(t, d, key, nil, "")
	return part
}

// redigest puts the digests that are right into SignedInfo, as an attacker can.
func redigest(t testing.TB, part string) []byte {
	t.Helper()
	s, err := Parse([]byte(part))
	if err != nil {
		return []byte(part)
	}
	for _, r := range s.Signed {
		if r.Computed != nil && r.Digest != nil {
			part = strings.Replace(part, base64.StdEncoding.EncodeToString(r.Digest), base64.StdEncoding.EncodeToString(r.Computed), 1)
		}
	}
	return []byte(part)
}

// What is written is canonical: each text that is hashed is what canonical XML makes of the part.
func TestNativeIsCanonical(t *testing.T) {
	key := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "signer", nil)
	d := draft(sign.SHA256, key)
	d.Line = line()
	n, part := signed(t, d, key, authority(t), "ledger.example/log#abc=")
	doc, err := xmldoc.Parse(part, xmldoc.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var all, byID = 0, map[string]string{}
	var walk func(e *xmldoc.Element)
	walk = func(e *xmldoc.Element) {
		if id, ok := e.Attr("", "Id"); ok {
			b, err := doc.Canonical(e, xmldoc.Method{})
			if err != nil {
				t.Fatal(err)
			}
			byID[id] = string(b)
			all++
		}
		for _, c := range e.Elements() {
			walk(c)
		}
	}
	walk(doc.Root)
	comments := string(xmldoc.AppendText(nil, d.Comments+" ledger.example/log#abc="))
	for id, want := range map[string]string{
		xmldsig.PackageObject: n.pkg, xmldsig.SignedProperties: n.properties, xmldsig.ValidImage: n.valid, xmldsig.InvalidImage: n.invalid,
		xmldsig.OfficeObject: n.office.Object[0] + comments + n.office.Object[1],
	} {
		if byID[id] != want {
			t.Errorf("%s\n%s\nis not canonical:\n%s", id, want, byID[id])
		}
	}
	// The whole part is its own canonical form behind the declaration: no white space, nothing abbreviated.
	whole, err := doc.Canonical(nil, xmldoc.Method{})
	if err != nil {
		t.Fatal(err)
	}
	if decl := `<?xml version="1.0" encoding="UTF-8"?>`; string(part) != decl+string(whole) {
		t.Errorf("not canonical:\n%s\n%s", part, whole)
	}
	if n := strings.Count(string(part), "\n"); n != 1 || all != 8 {
		t.Errorf("%d Ids", all)
	}
}

func TestNativeIsReadBack(t *testing.T) {
	for _, k := range kinds {
		t.Run(string(k.kind), func(t *testing.T) {
			key := testpki.Shared(testpki.RSA).Issue(k.kind, "signer", nil)
			d := draft(k.hash, key)
			d.Line = line()
			n, part := signed(t, d, key, nil, "ledger.example/log#abc=")
			s, err := Parse(part)
			if err != nil {
				t.Fatal(err)
			}
			if len(s.Findings) > 0 || !s.Intact() || len(s.Signed) != 5 {
				t.Errorf("%v, %d references", s.Findings, len(s.Signed))
			}
			if len(s.TimeStamps) != 0 {
				t.Error("a time stamp")
			}
			if err := xmldsig.Check(key.Public(), s.Scheme, s.SignedInfo, s.Value); err != nil {
				t.Error(err)
			}
			if string(s.Object) != string(n.Package()) {
				t.Error("the package object")
			}
			cert, err := gm.ParseCertificate(key.Chain()[0])
			if err != nil {
				t.Fatal(err)
			}
			if x := s.XAdES; x == nil || !x.Time.Equal(d.Time) || !x.Implied || len(x.Certificates) != 1 || x.Certificates[0].Hash != k.hash ||
				!bytes.Equal(x.Certificates[0].Digest, k.hash.Sum(cert.Raw)) || x.Certificates[0].Serial != cert.SerialNumber.String() ||
				x.Certificates[0].Issuer != cert.Issuer.String() {
				t.Errorf("%+v", x)
			}
			l := line()
			if i := s.Info; i.Setup != l.Setup || i.Provider != l.Provider || i.Text != l.Text || i.Type != 2 || !bytes.Equal(i.Picture, l.Picture) ||
				!bytes.Equal(i.Valid, l.Valid) || !bytes.Equal(i.Invalid, l.Invalid) || i.Comments != d.Comments+" ledger.example/log#abc=" {
				t.Errorf("%+v", i)
			}
			if !s.Time.Equal(d.Time) || len(s.Certificates) != len(key.Chain()) || !bytes.Equal(s.Certificates[0], key.Chain()[0]) {
				t.Error(s.Time, len(s.Certificates))
			}
			var names []string
			for _, r := range s.Manifest {
				names = append(names, r.Name+" "+r.ContentType+" "+strings.Join(r.IDs, ","))
			}
			if got := strings.Join(names, "\n"); got != "/_rels/.rels "+TypeRelationships+" rId1\n/word/_rels/document.xml.rels "+TypeRelationships+
				" r&3,rId10,rId2\n/word/document.xml "+mainType+" \n/word/styles.xml application/xml " {
				t.Error(got)
			}
		})
	}
}

// A time stamp stands in the part, and is over the canonical SignatureValue.
func TestTimeStamp(t *testing.T) {
	key := testpki.Shared(testpki.RSA).Issue(testpki.P256, "signer", nil)
	_, part := signed(t, draft(sign.SHA256, key), key, authority(t), "")
	s, err := Parse(part)
	if err != nil || !s.Intact() || len(s.TimeStamps) != 1 {
		t.Fatalf("%v, %v", err, s)
	}
	ts := s.TimeStamps[0]
	if !bytes.Equal(ts.Over, xmldsig.SignatureValue(s.Value)) {
		t.Errorf("over %s", ts.Over)
	}
	token, err := tsp.Parse(ts.Token)
	if err != nil {
		t.Fatal(err)
	}
	if err := token.CheckImprint(ts.Over); err != nil {
		t.Error(err)
	}
}

// peer finds somebody else's program.
func peer(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// xmlsec1 agrees with values, digests and canonical forms, and does not when an octet of what is signed is another.
func TestXmlsec1(t *testing.T) {
	peer(t, "xmlsec1")
	verify := func(t *testing.T, ca, part []byte) (string, error) {
		dir := t.TempDir()
		for name, b := range map[string][]byte{"ca.pem": ca, "sig1.xml": part} {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command("xmlsec1", "--verify", "--ignore-manifests", "--trusted-pem", "ca.pem", "--id-attr:Id", xmldsig.NS+":Object",
			"--id-attr:Id", xmldsig.XAdES+":SignedProperties", "sig1.xml")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, k := range kinds {
		for _, l := range []*Line{nil, line()} {
			name, want := string(k.kind), "SignedInfo References (ok/all): 3/3"
			if l != nil {
				name, want = name+" line", "SignedInfo References (ok/all): 5/5"
			}
			t.Run(name, func(t *testing.T) {
				ca := testpki.Shared(testpki.RSA)
				key := ca.Issue(k.kind, "signer", nil)
				d := draft(k.hash, key)
				d.Line = l
				_, part := signed(t, d, key, nil, "ledger.example/log#abc=")
				out, err := verify(t, ca.PEM(), part)
				if err != nil || !strings.Contains(out, want) {
					t.Errorf("%v\n%s", err, out)
				}
				if out, err := verify(t, ca.PEM(), bytes.Replace(part, []byte("批准"), []byte("拒绝"), 1)); err == nil {
					t.Errorf("another comment is accepted:\n%s", out)
				}
			})
		}
	}
}

func TestBuildRefuses(t *testing.T) {
	key := testpki.Shared(testpki.RSA).Issue(testpki.RSA, "signer", nil)
	for _, c := range []struct {
		name string
		do   func(*Draft)
		err  error
	}{
		{"SM3", func(d *Draft) { d.Hash = sign.SM3 }, ErrHash},
		{"SHA-1", func(d *Draft) { d.Hash = sign.SHA1 }, ErrHash},
		{"long comments", func(d *Draft) { d.Comments = strings.Repeat("印", 256) }, ErrText},
		{"comments with a control character", func(d *Draft) { d.Comments = "a\x00" }, ErrText},
		{"comments that are not UTF-8", func(d *Draft) { d.Comments = "a\xff" }, ErrText},
		{"no certificate", func(d *Draft) { d.Chain = nil }, ErrCertificate},
		{"no certificate in it", func(d *Draft) { d.Chain = [][]byte{{1}} }, ErrCertificate},
		{"long text", func(d *Draft) { d.Line.Text = strings.Repeat("a", 101) }, ErrText},
		{"no GUID", func(d *Draft) { d.Line.Setup = "{}" }, ErrText},
		{"markup for a GUID", func(d *Draft) { d.Line.Setup = "{<A1B2C3D-0000-4000-8000-0123456789ab}" }, ErrText},
		{"no provider", func(d *Draft) { d.Line.Provider = "x" }, ErrText},
		{"no picture", func(d *Draft) { d.Line.Invalid = nil }, ErrText},
		{"large picture", func(d *Draft) { d.Line.Picture = make([]byte, maxPicture+1) }, ErrLimit},
		{"a part twice", func(d *Draft) { d.Manifest[2].Name = "/Word/document.xml" }, ErrReference},
		{"a relationship twice", func(d *Draft) { d.Manifest[1].IDs = []string{"a", "a"} }, ErrReference},
		{"no relationship", func(d *Draft) { d.Manifest[1].IDs = []string{} }, ErrReference},
		{"relationships as a whole", func(d *Draft) { d.Manifest[1].IDs = nil }, ErrReference},
		{"no digest", func(d *Draft) { d.Manifest[0].Digest = nil }, ErrReference},
		{"no content type", func(d *Draft) { d.Manifest[0].ContentType = "" }, ErrReference},
		{"a query", func(d *Draft) { d.Manifest[0].Name = "/a?b" }, ErrReference},
		{"a relative name", func(d *Draft) { d.Manifest[0].Name = "a" }, ErrReference},
		{"dots", func(d *Draft) { d.Manifest[0].Name = "/a/../b" }, ErrReference},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := draft(sign.SHA256, key)
			d.Line = line()
			c.do(d)
			if _, err := d.Build(); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
		})
	}
	n, err := draft(sign.SHA256, key).Build()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Part(sign.Scheme{Kind: sign.ECDSA, Hash: sign.SHA384}, sign.XMLValue{Value: []byte{1}}); !errors.Is(err, ErrHash) {
		t.Error(err)
	}
	if _, err := n.Part(sign.Scheme{Kind: sign.RSA, Hash: sign.SHA256}, sign.XMLValue{Value: []byte{1}, Reference: "a\x01"}); !errors.Is(err, ErrText) {
		t.Error(err)
	}
}
