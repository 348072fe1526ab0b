package interop

import (
	"context"
	"crypto/rand"
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
	lifeOf(t, one, two, key)
	for _, r := range []*registry.Registry{one, two} {
		if d, err := r.Compare(t.Context(), nil); err != nil || len(d) > 0 {
			t.Fatal(d, err)
		}
		if err := r.Rebuild(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
}

// lifeOf takes a seal through a device, its loss, a correction, another holder and a redaction, two processes in turn.
func lifeOf(t *testing.T, one, two *registry.Registry, key sign.Key) {
	t.Helper()
	next := testpki.Shared(testpki.SM2).Issue(testpki.SM2, "device", nil)
	for _, op := range []registry.Op{
		&registry.AddPerson{ID: "approver", Name: "孙某", Org: "gy"}, &registry.GiveRole{Person: "approver", Role: registry.Approver, Org: "gy"},
		&registry.AddPerson{ID: "keeper2", Name: "周某", Org: "zy"}, &registry.GiveRole{Person: "keeper2", Role: registry.Keeper, Org: "zy"},
		&registry.AddDevice{ID: "dev-1", Type: registry.CipherCard, Org: "zy", Holder: "keeper"},
		&registry.AddKey{Person: "keeper", Device: "dev-1", Cert: next.Chain()[0]},
	} {
		do(t, two, "admin", op)
	}
	der := madeSealAs(t, "S2", key, next)
	do(t, one, "maker", &registry.ImportSeal{DER: der, Org: "zy", Type: "court", Holder: "keeper", From: "the old system", State: "lost",
		Active: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), At: time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)})
	do(t, two, "approver", &registry.ResumeSeal{Seal: "S2", Reason: "found"})
	do(t, one, "maker", &registry.MoveSeal{Seal: "S2", Device: "dev-1", Reason: "a card"})
	broken := do(t, two, "keeper", &registry.BreakDevice{Device: "dev-1", Lost: true, Reason: "meant another"})
	state := func(r *registry.Registry, at time.Time, want seal.Status) {
		t.Helper()
		if got, err := r.State(t.Context(), "S2", at); err != nil || got != want {
			t.Errorf("at %s: %q, %v; want %q", at, got, err, want)
		}
	}
	state(one, time.Time{}, seal.StatusSuspended)
	correction := do(t, one, "approver", &registry.Correct{Entry: broken.Index, Reason: "another device"})
	state(two, time.Time{}, seal.StatusActive)
	state(two, time.Date(2020, 6, 1, 0, 0, 0, 0, time.UTC), seal.StatusActive)
	state(two, time.Date(2021, 6, 1, 0, 0, 0, 0, time.UTC), seal.StatusSuspended)
	list, err := two.History(t.Context(), "S2")
	if err != nil || len(list) != 4 || list[3].Annulled != correction.Index || list[3].By != registry.Person("keeper") {
		t.Error(list, err)
	}
	do(t, two, "approver", &registry.ChangeHolder{Seal: "S2", To: "keeper2", Reason: "leaves"})
	if h, err := one.Holder(t.Context(), "S2", time.Time{}); err != nil || h.Person != "keeper2" || h.Device != "dev-1" {
		t.Error(h, err)
	}
	secret, op, err := registry.NewCredential(rand.Reader, registry.App("trial"))
	if err != nil {
		t.Fatal(err)
	}
	do(t, one, "admin", op)
	if got, err := two.Authenticate(t.Context(), "app:trial", secret); err != nil || got != registry.App("trial") {
		t.Error(got, err)
	}
	for _, id := range []string{"app:trial\x00", "app:\xff", "app:other"} {
		if _, err := two.Authenticate(t.Context(), id, secret); !errors.Is(err, registry.ErrRights) {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := two.State(t.Context(), "S2\x00", time.Time{}); !errors.Is(err, registry.ErrOp) {
		t.Error(err)
	}
	do(t, two, "admin", &registry.Redact{Reason: "asked for"}) // the name of the founder
	if _, err := one.Do(t.Context(), registry.Person("admin"), &registry.Redact{Reason: "again"}); !errors.Is(err, registry.ErrState) {
		t.Error(err)
	}
}

func do(t *testing.T, r *registry.Registry, by string, op registry.Op) audit.Receipt {
	t.Helper()
	receipt, err := r.Do(t.Context(), registry.Person(by), op)
	if err != nil {
		t.Fatal(err)
	}
	return receipt
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

func madeSeal(t *testing.T, key sign.Key) []byte { return madeSealAs(t, "S1", key) }

func madeSealAs(t *testing.T, id string, keys ...sign.Key) []byte {
	t.Helper()
	var certs [][]byte
	for _, k := range keys {
		certs = append(certs, k.Chain()[0])
	}
	var picture strings.Builder
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 32, 32))); err != nil {
		t.Fatal(err)
	}
	made, err := seal.Make(t.Context(), &seal.Seal{
		ID: id, Name: "示例市中级人民法院", NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		Picture: sign.Picture{Data: []byte(picture.String()), Width: 45, Height: 45}, Certs: certs,
	}, testpki.Shared(testpki.SM2).Issue(testpki.SM2, "maker", nil))
	if err != nil {
		t.Fatal(err)
	}
	return made.Raw
}
