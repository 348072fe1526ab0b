package interop

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"image"
	"image/png"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

const origin = "court.example/seals/sm3"

// books are a registry on PostgreSQL, and another process's view of the same.
func books(t *testing.T, db *sql.DB, signer audit.Signer, create bool) *registry.Registry {
	t.Helper()
	o := ledger.Options{Dialect: ledger.Postgres, Origin: origin, Signers: []audit.Signer{signer}, Witness: ledger.Unwitnessed}
	open := ledger.Open
	if create {
		open = ledger.Create
	}
	log, err := open(t.Context(), db, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	var r *registry.Registry
	if create {
		r, err = registry.Create(t.Context(), log, registry.Options{}, registry.Found{Org: "gy", OrgName: "示例省高级人民法院", Person: "admin", PersonName: "王某"})
	} else {
		r, err = registry.Open(t.Context(), log, registry.Options{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A registry on PostgreSQL, written by two processes at once: a grant of a hundred uses is a hundred uses, statistics and
// filters count them, the tables are what the ledger says, and can be filled again.
func TestRegistryPostgres(t *testing.T) {
	c := newCluster(t)
	signer, err := audit.NewSigner(origin, sign.NewKey(testpki.NewKey(testpki.SM2)))
	if err != nil {
		t.Fatal(err)
	}
	one := books(t, c.db(t, "postgres", nil), signer, true)
	two := books(t, c.db(t, "postgres", nil), signer, false)
	key := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "keeper", nil)
	for _, op := range []registry.Op{
		&registry.AddOrg{ID: "zy", Name: "示例市中级人民法院", Tier: registry.Intermediate, Parent: "gy"},
		&registry.AddPerson{ID: "keeper", Name: "李某", Org: "zy"}, &registry.GiveRole{Person: "keeper", Role: registry.Keeper, Org: "zy"},
		&registry.AddPerson{ID: "maker", Name: "赵某", Org: "gy"}, &registry.GiveRole{Person: "maker", Role: registry.Maker, Org: "gy"},
		&registry.AddKey{Person: "keeper", Cert: key.Chain()[0]},
	} {
		do(t, one, "admin", op)
	}
	do(t, one, "maker", &registry.ImportSeal{DER: madeSeal(t, key), Org: "zy", Type: "court", Holder: "keeper", From: "the old system", State: "active"})
	do(t, two, "admin", &registry.AddApp{ID: "trial", Name: "审判系统", Org: "zy", Seals: []string{"S1"}, PerDay: 1000})
	do(t, two, "admin", &registry.SetControl{Seal: "S1", Limits: registry.Limits{Kinds: []string{"judgment", "notice"}, PerDay: 1000}, Reason: "r"})
	do(t, two, "keeper", &registry.Authorise{ID: "g-1", Seal: "S1", App: "trial", Uses: 100, Reason: "r"})

	var done atomic.Int64
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			r := []*registry.Registry{one, two}[w%2]
			for i := 0; ; i++ {
				err := useOnce(t.Context(), r, key, fmt.Sprintf("r-%d-%d", w, i))
				if errors.Is(err, registry.ErrLimit) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	if g, err := one.Grant(t.Context(), "g-1"); err != nil || done.Load() != 100 || g.Used != 100 {
		t.Fatalf("%d uses, %d by the grant: %v", done.Load(), g.Used, err)
	}
	uses, err := two.Uses(t.Context(), registry.Filter{App: "trial", Seal: "S1", Court: "zy", From: time.Now().Add(-time.Hour), State: registry.Done, Limit: 1000})
	if err != nil || len(uses) != 100 {
		t.Fatal(len(uses), err)
	}
	do(t, two, "keeper", &registry.WithdrawSealing{Request: uses[7].Request, Reason: "当事人姓名有误"})
	if s, err := one.Sealing(t.Context(), seal.Sealing{Seal: "S1", Log: origin, Index: uses[7].Entry}); err != nil || s.Reason != "当事人姓名有误" {
		t.Error(s, err)
	}
	figures, err := one.Statistics(t.Context(), registry.Filter{}, registry.ByMonth, registry.ByApp)
	sum := registry.Figure{}
	for _, f := range figures {
		if len(f.Values) != 2 || len(f.Values[0]) != len("2026-01") || !strings.Contains(f.Values[0], "-") || f.Values[1] != "trial" {
			t.Error(f)
		}
		sum.Done, sum.Withdrawn = sum.Done+f.Done, sum.Withdrawn+f.Withdrawn
	}
	if err != nil || sum.Done != 100 || sum.Withdrawn != 1 {
		t.Error(figures, err)
	}
	for _, r := range []*registry.Registry{one, two} {
		if d, err := r.Compare(t.Context(), nil); err != nil || len(d) > 0 {
			t.Fatal(d, err)
		}
		if err := r.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

func do(t *testing.T, r *registry.Registry, by string, op registry.Op) {
	t.Helper()
	if _, err := r.Do(t.Context(), registry.Person(by), op); err != nil {
		t.Fatal(err)
	}
}

// useOnce signs one act through the books, twice: the second time with the answer of the first.
func useOnce(ctx context.Context, r *registry.Registry, key sign.Key, request string) error {
	digest := sign.Sums{sign.SM3: sign.SM3.Sum([]byte(request))}
	signer := audit.Record(r.Recorder(registry.App("trial"), registry.Use{Kind: "judgment"}), bareSigner{key})
	act := &sign.Act{ID: request, Document: "（2026）王某", Time: time.Now().UTC(), Source: digest, Content: digest, Parts: []sign.Part{{Format: sign.CMS}}}
	first, err := signer.Sign(ctx, act)
	if err != nil {
		return err
	}
	again, err := signer.Sign(ctx, act)
	if err == nil && string(again[0].Bytes) != string(first[0].Bytes) {
		err = fmt.Errorf("the same request %s has another answer", request)
	}
	return err
}

// bareSigner signs nothing, with a certificate: it is the books that are tested.
type bareSigner struct{ key sign.Key }

func (s bareSigner) Profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Seal: "S1", Specs: map[sign.Format]sign.Spec{sign.CMS: {Chain: s.key.Chain()}}}
}

func (s bareSigner) Sign(_ context.Context, act *sign.Act) ([]sign.Value, error) {
	return []sign.Value{{Bytes: []byte("value of " + act.ID)}}, nil
}

func madeSeal(t *testing.T, key sign.Key) []byte {
	t.Helper()
	var picture strings.Builder
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	made, err := seal.Make(t.Context(), &seal.Seal{
		ID: "S1", Name: "示例市中级人民法院", NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		Picture: sign.Picture{Data: []byte(picture.String()), Width: 45, Height: 45}, Certs: [][]byte{key.Chain()[0]},
	}, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "maker", nil))
	if err != nil {
		t.Fatal(err)
	}
	return made.Raw
}
