package offline_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
)

const (
	origin = "province.example.cn/ledger/sm3"
	esID   = "11000000000001"
)

var morning = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A desk has what a court has that seals offline, in files, so that another process can use it too.
type desk struct {
	dir  string
	now  time.Time
	root *testpki.CA
}

func issuer(name string) *audit.KeySigner {
	seed := sha256.Sum256([]byte(name))
	return must(audit.NewSigner(name, ed25519.NewKeyFromSeed(seed[:])))
}

var known = []audit.Verifier{issuer(origin).Verifier()}

var picture = sync.OnceValue(func() sign.Picture {
	return must(imprint.Draw(imprint.Options{Name: "示例省示例市示例区人民法院", Diameter: imprint.Basic}))
})

func newDesk(t testing.TB, change func(*audit.OfflineGrant)) *desk {
	t.Helper()
	return makeDesk(t.TempDir(), change)
}

func makeDesk(dir string, change func(*audit.OfflineGrant)) *desk {
	d := &desk{dir: dir, now: morning.Add(time.Hour), root: testpki.NewCA(testpki.SM2, "Offline Root")}
	key, chain := d.root.IssueSigner(testpki.SM2, "holder", nil)
	s := must(seal.Make(context.Background(), &seal.Seal{ID: esID, Name: "示例省示例市示例区人民法院", Certs: chain[:1], Picture: picture(),
		NotBefore: testpki.NotBefore, NotAfter: testpki.NotAfter}, d.root.Issue(testpki.SM2, "maker", nil)))
	d.put("key", must(gm.MarshalPKCS8(key)))
	d.put("cert", chain[0])
	d.put("court.esl", s.Raw)
	g := &audit.OfflineGrant{
		ID: "offline-7", Log: origin, Lists: origin, Org: "示例区人民法院", Seal: esID, SealDigest: sign.SM3.Sum(s.Raw),
		Devices: [][]byte{sign.SM3.Sum(chain[0])}, Kinds: []string{"判决书", "裁定书"},
		From: morning, To: morning.AddDate(0, 0, 7), Uses: 100, Oldest: 41,
	}
	if change != nil {
		change(g)
	}
	d.put("grant", must(g.Sign(issuer(origin))))
	d.put("list", d.list(42))
	return d
}

// list is a state list of a number, which expires three days after the morning.
func (d *desk) list(number uint64, entries ...audit.Listed) []byte {
	l := &audit.StateList{Log: origin, Number: number, Issued: morning, Expires: morning.AddDate(0, 0, 3), Entries: entries}
	return must(l.Sign(issuer(origin)))
}

func (d *desk) file(name string) string { return filepath.Join(d.dir, name) }

func (d *desk) put(name string, b []byte) {
	if err := os.WriteFile(d.file(name), b, 0o600); err != nil {
		panic(err)
	}
}

func (d *desk) read(name string) []byte { return must(os.ReadFile(d.file(name))) }

func (d *desk) options() offline.Options {
	return offline.Options{Seal: d.read("court.esl"), Now: func() time.Time { return d.now }}
}

// open opens the book, or makes it and gives it the list.
func (d *desk) open(name string) (*offline.Book, error) {
	b, err := offline.Open(d.file(name), known, d.options())
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	if b, err = offline.Create(d.file(name), d.read("grant"), known, d.options()); err != nil {
		return nil, err
	}
	return b, b.SetList(d.read("list"))
}

func (d *desk) book(t testing.TB) *offline.Book {
	t.Helper()
	b, err := d.open("book")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func (d *desk) stamp() (sign.Signer, error) {
	key, err := gm.ParsePKCS8(d.read("key"))
	if err != nil {
		return nil, err
	}
	s, err := seal.Parse(d.read("court.esl"))
	if err != nil {
		return nil, err
	}
	return s.Stamp(sign.NewKey(key, d.read("cert")), seal.StampOptions{Now: func() time.Time { return d.now }})
}

var purpose = offline.Purpose{Kind: "判决书", Person: "张三", App: "case-system"}

// evidence of the last signature of a file.
func evidence(name string) (*audit.OfflineEvidence, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	found, err := pdfx.Signatures(f, must(f.Stat()).Size(), pdfx.Options{})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, pdfx.ErrNoSignature
	}
	sd, err := cms.Parse(found[len(found)-1].Value)
	if err != nil {
		return nil, err
	}
	values, ok := sd.Signers[0].Attribute(sign.AttributeEvidence)
	if !ok {
		return nil, errors.New("no evidence")
	}
	v := values[0] // an OCTET STRING of more than 127 octets
	return audit.ParseOfflineEvidence(v[2+int(v[1]&0x7f):])
}

// act is an act with an id and a content.
func act(id, content string, at time.Time) *sign.Act {
	sums := func(s string) sign.Sums { return sign.Sums{sign.SM3: sign.SM3.Sum([]byte(s))} }
	return &sign.Act{ID: id, Document: "（2026）示例民初1号", Time: at, Source: sums("source of " + id), Content: sums(content),
		Parts: []sign.Part{{Format: sign.CMS}}}
}

// profile is that of a signer with the desk's seal and certificate.
func (d *desk) profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Seal: esID, Specs: map[sign.Format]sign.Spec{
		sign.CMS: {Hashes: []sign.Hash{sign.SM3}, MaxSize: 4096, Chain: [][]byte{d.read("cert")}}}}
}

func done(s string) []sign.Value { return []sign.Value{{Bytes: []byte(s)}} }
