package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/examples/internal/demo"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/imprint"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// A province in miniature: courts in three tiers, people in every role, seals in use and one that waits to be approved, and
// an application with a credential. Nothing made here is secret, and nothing real should trust it.

const (
	demoApp  = "trial"
	demoSeal = "dong-1" // of a basic court, whose keys make every format
	demoOpen = "sq-bei" // the application that waits
)

var courts = []struct {
	id, name string
	tier     registry.Tier
	parent   string
	seal     string // esID; empty: none
}{
	{"gy", "示例省高级人民法院", registry.Province, "", ""},
	{"yi", "示例市第一中级人民法院", registry.Intermediate, "gy", "yi-1"},
	{"er", "示例市第二中级人民法院", registry.Intermediate, "gy", ""},
	{"dong", "示例市东区人民法院", registry.Basic, "yi", demoSeal},
	{"xi", "示例市西区人民法院", registry.Basic, "yi", "xi-1"},
	{"bei", "示例县人民法院", registry.Basic, "er", ""},
}

var staff = []struct {
	id, name, org string
	role          registry.Role // empty: the administrator that the registry is founded with
}{
	{"admin", "管理员", "gy", ""},
	{"maker", "制章人", "gy", registry.Maker},
	{"approver1", "审批人甲", "gy", registry.Approver},
	{"approver2", "审批人乙", "gy", registry.Approver},
	{"auditor", "审计员", "gy", registry.Auditor},
	{"keeper-yi", "一中院保管人", "yi", registry.Keeper},
	{"keeper-dong", "东区保管人", "dong", registry.Keeper},
	{"clerk-dong", "东区书记员", "dong", registry.Clerk},
	{"keeper-xi", "西区保管人", "xi", registry.Keeper},
	{"keeper-bei", "示例县保管人", "bei", registry.Keeper},
}

// makeDemo makes the province in a directory, or leaves the one that is there.
func makeDemo(ctx context.Context, dir string, now func() time.Time) error {
	if _, err := os.Stat(filepath.Join(dir, "server.json")); err == nil {
		return nil
	}
	if names, err := os.ReadDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	} else if len(names) > 0 {
		return fmt.Errorf("%s: %w, and no server.json in it: a demonstration is made in a directory of its own", dir, fs.ErrExist)
	}
	p := &province{
		dir: dir, now: now, roots: map[testpki.Kind]*testpki.CA{}, keys: map[string]sign.Key{}, credentials: &bytes.Buffer{},
		config: config{
			Listen: "127.0.0.1:8480", Database: "sqlite:registry.db", Origin: "example.org/courtseal-demo/sm3", Witness: "witness",
			LogKeys: []keyConfig{{URI: "soft:keys/ledger#ledger", PINFile: "pin"}},
			Keys:    []keyConfig{{URI: "soft:keys/seals", PINFile: "pin"}},
			Roots:   []string{"roots.pem"},
		},
	}
	if err := p.make(ctx); err != nil {
		return fmt.Errorf("the demonstration in %s, which is to be removed: %w", dir, err)
	}
	return nil
}

// A province is one in the making.
type province struct {
	dir         string
	now         func() time.Time
	config      config
	books       *books
	roots       map[testpki.Kind]*testpki.CA
	keys        map[string]sign.Key
	credentials *bytes.Buffer
}

func (p *province) make(ctx context.Context) (err error) {
	for _, name := range []string{"ledger", "seals", "people"} {
		if err := os.MkdirAll(filepath.Join(p.dir, "keys", name), 0o700); err != nil {
			return err
		}
	}
	roots := []byte{}
	for _, kind := range []testpki.Kind{testpki.RSA, testpki.SM2} {
		p.roots[kind] = testpki.NewCA(kind, "Courtseal Demo Root "+string(kind))
		roots = append(roots, p.roots[kind].PEM()...)
	}
	if err := errors.Join(p.write("roots.pem", roots), p.write("pin", []byte(demo.PIN+"\n"))); err != nil {
		return err
	}
	if _, err := p.key(ctx, testpki.SM2, "ledger", "ledger", courts[0].name); err != nil {
		return err
	}
	p.books, err = openBooks(ctx, p.config, p.dir, p.now, &registry.Found{Org: courts[0].id, OrgName: courts[0].name, Person: "admin", PersonName: "管理员"})
	if err != nil {
		return err
	}
	err = p.people(ctx)
	for _, c := range courts {
		if err == nil && c.seal != "" {
			err = p.seal(ctx, c.id, c.name, c.seal)
		}
	}
	if err == nil {
		err = p.application(ctx)
	}
	if err = errors.Join(err, p.books.close()); err != nil {
		return err
	}
	b, err := json.MarshalIndent(p.config, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(p.write("credentials", p.credentials.Bytes()), p.write("server.json", append(b, '\n')))
}

func (p *province) write(name string, b []byte) error {
	return os.WriteFile(filepath.Join(p.dir, name), b, 0o600)
}

// do does operations one after the other.
func (p *province) do(ctx context.Context, by string, ops ...registry.Op) error {
	for _, op := range ops {
		if _, err := p.books.Do(ctx, registry.Person(by), op); err != nil {
			return fmt.Errorf("%s: %s: %w", by, op.Kind(), err)
		}
	}
	return nil
}

// key makes a key in a folder of keys.
func (p *province) key(ctx context.Context, kind testpki.Kind, folder, name, org string) (sign.Key, error) {
	k, chain := p.roots[kind].IssueSigner(kind, "", demo.Subject(org, name))
	p.keys[name] = sign.NewKey(k, chain...)
	return p.keys[name], keydev.WriteSoftKey(ctx, filepath.Join(p.dir, "keys", folder), name, k, chain, []byte(demo.PIN))
}

// people enters the courts, who works there, and their credentials.
func (p *province) people(ctx context.Context) error {
	for _, c := range courts[1:] {
		if err := p.do(ctx, "admin", &registry.AddOrg{ID: c.id, Name: c.name, Tier: c.tier, Parent: c.parent}); err != nil {
			return err
		}
	}
	for _, s := range staff {
		if s.role != "" {
			if err := p.do(ctx, "admin", &registry.AddPerson{ID: s.id, Name: registry.Name(s.name), Org: s.org},
				&registry.GiveRole{Person: s.id, Role: s.role, Org: s.org}); err != nil {
				return err
			}
		}
		if s.role == registry.Approver {
			k, err := p.key(ctx, testpki.SM2, "people", s.id, s.name)
			if err != nil {
				return err
			}
			if err := p.do(ctx, "admin", &registry.AddKey{Person: s.id, Cert: k.Chain()[0]}); err != nil {
				return err
			}
		}
		if err := p.credential(ctx, registry.Person(s.id)); err != nil {
			return err
		}
	}
	return nil
}

func (p *province) credential(ctx context.Context, owner registry.Actor) error {
	secret, op, err := registry.NewCredential(rand.Reader, owner)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.credentials, "%s.%s\n", owner, secret)
	return p.do(ctx, "admin", op)
}

// seal brings a seal from its application to its first day. Its maker wants every use of it on the ledger.
func (p *province) seal(ctx context.Context, org, name, id string) error {
	keeper, device := "keeper-"+org, "key-"+org
	if err := p.do(ctx, "admin", &registry.AddDevice{ID: device, Type: registry.SoftwareKey, Org: org, Holder: keeper}); err != nil {
		return err
	}
	kinds := []testpki.Kind{testpki.SM2}
	if id == demoSeal {
		kinds = append(kinds, testpki.RSA)
	}
	var certs [][]byte
	for _, kind := range kinds {
		k, err := p.key(ctx, kind, "seals", strings.ToLower(id+"-"+string(kind)), name)
		if err != nil {
			return err
		}
		certs = append(certs, k.Chain()[0])
		if err := p.do(ctx, "admin", &registry.AddKey{Person: keeper, Device: device, Cert: k.Chain()[0]}); err != nil {
			return err
		}
	}
	made, err := p.makeSeal(ctx, name, id, certs)
	if err != nil {
		return err
	}
	application := "sq-" + org
	if err := p.do(ctx, keeper, &registry.Apply{ID: application, Purpose: registry.ForSeal, Org: org, Seal: id, Name: name, Type: "court",
		Holder: keeper, Reason: "首枚电子印章"}); err != nil {
		return err
	}
	if err := p.approve(ctx, "approver1", application); err != nil {
		return err
	}
	if err := p.do(ctx, "maker", &registry.MakeSeal{Application: application, DER: made.Raw}, &registry.DeliverSeal{Seal: id, Device: device}); err != nil {
		return err
	}
	return p.do(ctx, keeper, &registry.ReceiveSeal{Seal: id})
}

func (p *province) makeSeal(ctx context.Context, name, id string, certs [][]byte) (*seal.Seal, error) {
	picture, err := imprint.Draw(imprint.Options{Name: name, Diameter: imprint.Basic})
	if err != nil {
		return nil, err
	}
	log, err := audit.NewSigner(p.config.Origin, p.keys["ledger"])
	if err != nil {
		return nil, err
	}
	policy, err := audit.Policy{Required: true, Keys: []audit.Verifier{log.Verifier()}}.Extension()
	if err != nil {
		return nil, err
	}
	from := p.now().UTC().AddDate(0, 0, -1)
	return seal.Make(ctx, &seal.Seal{
		ID: id, Name: name, Certs: certs, NotBefore: from, NotAfter: from.AddDate(10, 0, 0), Picture: picture,
		Extensions: []seal.Extension{{ID: sign.AttributePolicy, Value: policy}},
	}, p.roots[testpki.SM2].Issue(testpki.SM2, "", demo.Subject("示例印章制作中心", "制章者")))
}

// approve signs a decision with the approver's own key.
func (p *province) approve(ctx context.Context, approver, application string) error {
	a, err := p.books.Application(ctx, application)
	if err != nil {
		return err
	}
	key := p.keys[approver]
	scheme, err := sign.SchemeFor(key.Public())
	if err != nil {
		return err
	}
	value, err := scheme.Sign(ctx, key, registry.DecisionText(a.ID, a.Digest, false))
	if err != nil {
		return err
	}
	return p.do(ctx, approver, &registry.Decide{Application: a.ID, Digest: a.Digest, Cert: registry.CertDigest(key.Chain()[0]), Signature: value})
}

// application enters the application of the demonstration, which may use every seal, and files a request for another seal.
func (p *province) application(ctx context.Context) error {
	var ids []string
	for _, c := range courts {
		if c.seal != "" {
			ids = append(ids, c.seal)
		}
	}
	if err := p.do(ctx, "admin", &registry.AddApp{ID: demoApp, Name: "审判系统", Org: "gy", Seals: ids}); err != nil {
		return err
	}
	if err := p.credential(ctx, registry.App(demoApp)); err != nil {
		return err
	}
	for _, id := range ids {
		if err := p.do(ctx, "approver1", &registry.Authorise{ID: "g-" + id, Seal: id, App: demoApp, Reason: "裁判文书用印"}); err != nil {
			return err
		}
	}
	return p.do(ctx, "keeper-bei", &registry.Apply{ID: demoOpen, Purpose: registry.ForSeal, Org: "bei", Seal: "bei-1", Name: "示例县人民法院",
		Type: "court", Holder: "keeper-bei", Reason: "首枚电子印章"})
}

// tellDemo shows who there is to be, and what to try.
func (m *Main) tellDemo() error {
	credentials, err := os.ReadFile(filepath.Join(m.Dir, "credentials"))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(m.Out, `
Credentials (%[1]s/credentials):
%[2]s
Try:
  app=$(grep ^app: %[1]s/credentials)
  curl -H "Authorization: Bearer $app" -H "Idempotency-Key: try-1" \
    -F 'request={"kind": "judgment", "dateLine": true};type=application/json' -F file=@judgment.pdf \
    -o sealed.pdf %[3]s/v1/seals/%[4]s/documents
  curl -H "Authorization: Bearer $app" -H "Content-Type: application/pdf" --data-binary @sealed.pdf %[3]s/v1/verify
  curl -H "Authorization: Bearer $app" %[3]s/v1/uses/trial:try-1
  curl %[3]s/log/checkpoint
  curl %[3]s/openapi.yaml
`, m.Dir, credentials, m.URL, demoSeal)
	return err
}
