package registry_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// court is a book with the seal S1 of court jc, kept by baoguan.
func court(t testing.TB) *book {
	t.Helper()
	b := newBook(t)
	run(t, b, "testdata/story/seal.inc")
	return b
}

// begins are the leaves of uses in the ledger, by their index.
func (b *book) begins(t testing.TB) map[uint64]audit.Use {
	t.Helper()
	all := map[uint64]audit.Use{}
	for e, err := range b.log.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := audit.ParseLeaf(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		if leaf.Kind != audit.KindUse {
			continue
		}
		if all[e.Index], err = audit.ParseUse(leaf); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// 64 sealers over one grant of a thousand uses get exactly a thousand.
func TestThousandUses(t *testing.T) {
	b := court(t)
	b.must(t, "baoguan", &registry.Authorise{ID: "g-1", Seal: "S1", Clerks: "jc", Uses: 1000, Reason: "r"})
	var done atomic.Int64
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := 0; ; i++ {
				request := fmt.Sprintf("w%d-%d", w, i)
				_, err := b.use(t.Context(), registry.Person("shujiyuan"), request, "S1", b.key("baoguan-key"), request, nil)
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
	g, err := b.Grant(t.Context(), "g-1")
	if n := len(b.begins(t)); err != nil || done.Load() != 1000 || g.Used != 1000 || n != 1000 {
		t.Fatalf("%d uses, %d by the grant, %d entries: %v", done.Load(), g.Used, n, err)
	}
	b.mustCompare(t)
}

// Those who ask for the same at once have one use and one answer.
func TestSameRequestAtOnce(t *testing.T) {
	b := court(t)
	b.must(t, "baoguan", &registry.Authorise{ID: "g-1", Seal: "S1", Clerks: "jc", Uses: 5, Reason: "r"})
	for round := range 5 {
		var wg sync.WaitGroup
		answers := make([]error, 16)
		for i := range answers {
			wg.Go(func() {
				_, answers[i] = b.use(t.Context(), registry.Person("shujiyuan"), fmt.Sprintf("r-%d", round), "S1", b.key("baoguan-key"), "d", nil)
			})
		}
		wg.Wait()
		good := 0
		for _, err := range answers {
			switch {
			case err == nil:
				good++
			case !errors.Is(err, registry.ErrState) && !errors.Is(err, registry.ErrRepeated):
				t.Error(err)
			}
		}
		g, err := b.Grant(t.Context(), "g-1")
		if err != nil || good == 0 || g.Used != round+1 {
			t.Fatalf("%d answers, %d uses in round %d: %v", good, g.Used, round, err)
		}
	}
	for index, u := range b.begins(t) {
		first, err := b.Use(t.Context(), u.Request)
		if err != nil || (u.Again == nil) != (index == first.Entry) || u.Again != nil && *u.Again != first.Entry {
			t.Errorf("entry %d of %s, first entered in %d, says %v: %v", index, u.Request, first.Entry, u.Again, err)
		}
	}
	b.mustCompare(t)
}

// act is an act with the key named baoguan-key, and its profile.
func (b *book) act(request, document string, formats ...sign.Format) (*sign.Act, sign.Profile) {
	if len(formats) == 0 {
		formats = []sign.Format{sign.SES}
	}
	act := &sign.Act{
		ID: request, Document: document, Time: b.now.UTC(), Source: sign.Sums{sign.SM3: sm3(document)}, Content: sign.Sums{sign.SM3: sm3("content of " + document)},
	}
	p := sign.Profile{Format: formats[0], Seal: "S1", Specs: map[sign.Format]sign.Spec{}}
	for _, f := range formats {
		act.Parts = append(act.Parts, sign.Part{Format: f})
		p.Specs[f] = sign.Spec{Chain: b.key("baoguan-key").Chain()}
	}
	return act, p
}

// What Begin refuses for the sake of the act or the keys, and leaves no entry of.
func TestBeginRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, b *book, act *sign.Act, p *sign.Profile)
		want   error
	}{
		"good":           {func(*testing.T, *book, *sign.Act, *sign.Profile) {}, nil},
		"no request":     {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.ID = "" }, registry.ErrOp},
		"request's form": {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.ID = "a b" }, registry.ErrOp},
		"no seal":        {func(_ *testing.T, _ *book, _ *sign.Act, p *sign.Profile) { p.Seal = "" }, registry.ErrOp},
		"another seal":   {func(_ *testing.T, _ *book, _ *sign.Act, p *sign.Profile) { p.Seal = "S2" }, registry.ErrUnknown},
		"no source":      {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.Source = nil }, registry.ErrOp},
		"no content":     {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.Content = nil }, registry.ErrOp},
		"no parts":       {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.Parts = nil }, registry.ErrOp},
		"a key unnamed":  {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.Parts[0].Format = sign.CMS }, registry.ErrOp},
		"the key inside unnamed": {func(_ *testing.T, b *book, act *sign.Act, p *sign.Profile) {
			act.Parts[0].Format = sign.Dual
			p.Specs = map[sign.Format]sign.Spec{sign.Dual: p.Specs[sign.SES]}
		}, registry.ErrOp},
		"a line feed in the document": {func(_ *testing.T, _ *book, act *sign.Act, _ *sign.Profile) { act.Document = "a\nb" }, registry.ErrOp},
		"unknown key": {func(_ *testing.T, b *book, _ *sign.Act, p *sign.Profile) {
			p.Specs[sign.SES] = sign.Spec{Chain: b.key("a stranger's").Chain()}
		}, registry.ErrUnknown},
		"another's key": {func(_ *testing.T, b *book, _ *sign.Act, p *sign.Profile) {
			p.Specs[sign.SES] = sign.Spec{Chain: b.key("shenpi1-key").Chain()}
		}, registry.ErrRights},
		"a key on no device": {func(t *testing.T, b *book, _ *sign.Act, p *sign.Profile) {
			b.must(t, "admin", &registry.AddKey{Person: "baoguan", Cert: b.key("soft").Chain()[0]})
			p.Specs[sign.SES] = sign.Spec{Chain: b.key("soft").Chain()}
		}, registry.ErrRights},
		"one key good, one not": {func(_ *testing.T, b *book, act *sign.Act, p *sign.Profile) {
			act.Parts = append(act.Parts, sign.Part{Format: sign.CMS})
			p.Specs[sign.CMS] = sign.Spec{Chain: b.key("shenpi1-key").Chain()}
		}, registry.ErrRights},
		"key ended": {func(t *testing.T, b *book, _ *sign.Act, p *sign.Profile) {
			digest := registry.CertDigest(b.key("baoguan-key").Chain()[0])
			b.must(t, "admin", &registry.EndKey{Digest: digest, Reason: "r"})
		}, registry.ErrRights},
		"certificate over": {func(t *testing.T, b *book, act *sign.Act, p *sign.Profile) {
			b.mu.Lock()
			b.now = b.now.AddDate(30, 0, 0)
			b.mu.Unlock()
		}, registry.ErrRights},
		"no keeper any more": {func(t *testing.T, b *book, _ *sign.Act, _ *sign.Profile) {
			b.must(t, "admin", &registry.TakeRole{Person: "baoguan", Role: registry.Keeper, Org: "jc", Reason: "r"})
			b.must(t, "admin", &registry.GiveRole{Person: "baoguan", Role: registry.Clerk, Org: "jc"})
		}, registry.ErrRights},
		"device lost": {func(t *testing.T, b *book, _ *sign.Act, _ *sign.Profile) {
			b.must(t, "admin", &registry.BreakDevice{Device: "key-1", Lost: true, Reason: "r"})
		}, registry.ErrState},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := court(t)
			act, p := b.act("r-1", "d")
			c.change(t, b, act, &p)
			before := b.size()
			permit, err := b.Recorder(registry.Person("baoguan"), registry.Use{}).Begin(t.Context(), act, p)
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if c.want != nil && (permit.Evidence != nil || b.size() != before) {
				t.Error("was refused, and left something")
			}
		})
	}
	b := court(t)
	act, p := b.act("r-1", "d")
	if _, err := b.Recorder(registry.Actor{}, registry.Use{}).Begin(t.Context(), act, p); !errors.Is(err, registry.ErrRights) {
		t.Error("nobody:", err)
	}
}

// An attempt ends once, by who began it, and not when another is in its place.
func TestEnd(t *testing.T) {
	b := court(t)
	r := b.Recorder(registry.Person("baoguan"), registry.Use{})
	begin := func(request string) *sign.Act {
		t.Helper()
		act, p := b.act(request, "d")
		permit, err := r.Begin(t.Context(), act, p)
		if err != nil {
			t.Fatal(err)
		}
		act.Evidence = permit.Evidence
		return act
	}
	wants := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%s: %v, want %v", what, err, want)
		}
	}
	value := []sign.Value{{Bytes: []byte("v"), Notes: []sign.Note{{Code: "timestamp-not-had", Detail: "no network"}}}}
	other := []sign.Value{{Bytes: []byte("w")}}
	ctx := t.Context()

	act := begin("r-1")
	bare := *act
	bare.Evidence = nil
	wants("without evidence", r.End(ctx, &bare, value, nil), registry.ErrOp)
	wants("by another", b.Recorder(registry.Person("shujiyuan"), registry.Use{}).End(ctx, act, value, nil), registry.ErrRights)
	wants("good", r.End(ctx, act, value, nil), nil)
	before := b.size()
	wants("the same again", r.End(ctx, act, value, nil), nil)
	wants("other values", r.End(ctx, act, other, nil), registry.ErrRepeated)
	wants("a failure after it", r.End(ctx, act, nil, errors.New("no finger")), registry.ErrRepeated)
	if b.size() != before {
		t.Error("an end that was there left an entry")
	}

	first, second := begin("r-2"), begin("r-2")
	wants("overtaken", r.End(ctx, first, value, nil), registry.ErrState)
	wants("overtaken failure", r.End(ctx, first, nil, errors.New("no finger")), nil)
	wants("newest", r.End(ctx, second, other, nil), nil)
	var repeated *registry.RepeatedError
	if err := r.End(ctx, first, value, nil); !errors.As(err, &repeated) || repeated.Use.Request != "r-2" || repeated.Use.State != registry.Done {
		t.Error("overtaken, and the other done:", err)
	}

	act = begin("r-3")
	b.must(t, "baoguan", &registry.WithdrawSealing{Request: "r-3", Reason: "not wanted any more"})
	wants("withdrawn", r.End(ctx, act, value, nil), registry.ErrState)

	// The answer to a repeated request is that of then, its notes among it; and when it is forgotten, it is not made up.
	act, p := b.act("r-1", "d")
	permit, err := r.Begin(ctx, act, p)
	if err != nil || len(permit.Values) != 1 || string(permit.Values[0].Bytes) != "v" || len(permit.Values[0].Notes) != 1 || permit.Values[0].Notes[0] != value[0].Notes[0] {
		t.Fatalf("%+v, %v", permit, err)
	}
	if err := b.Rebuild(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if permit, err := r.Begin(ctx, act, p); err != nil || permit.Values == nil {
		t.Fatal("after a rebuild:", permit, err)
	}
	if n, err := b.Forget(ctx, b.now.Add(-time.Second)); n != 0 || err != nil {
		t.Error(n, err)
	}
	if n, err := b.Forget(ctx, b.now.Add(time.Second)); n != 2 || err != nil {
		t.Error(n, err)
	}
	if _, err := r.Begin(ctx, act, p); !errors.As(err, &repeated) || repeated.Use.Entry == 0 || len(repeated.Use.Values) != 1 {
		t.Error("forgotten:", err)
	}
	b.mustCompare(t)
}

var document = string(pdftest.Page())

// stamp is the signer of S1 with baoguan's key.
func (b *book) stamp(t testing.TB) sign.Signer {
	t.Helper()
	_, der, err := b.Seal(t.Context(), "S1")
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := seal.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	s, err := parsed.Stamp(b.key("baoguan-key"), seal.StampOptions{Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (b *book) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

// A document that is sealed through the books is good with nothing but the keys of the ledger, its proof inside; the same
// request has the same answer; and when it is withdrawn, every copy is told.
func TestSealAndWithdraw(t *testing.T) {
	b := court(t)
	dir := t.TempDir()
	src, dst, copied := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf"), filepath.Join(dir, "copy.pdf")
	if err := os.WriteFile(src, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	signer := audit.Record(b.Recorder(registry.Person("baoguan"), registry.Use{Kind: "judgment"}), b.stamp(t))
	o := pdfx.Options{ID: "r-1", Document: "（2026）示01民终1号 王某", Now: b.clock}
	if _, err := pdfx.SignFile(t.Context(), dst, src, signer, o); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(dir, "again.pdf")
	if _, err := pdfx.SignFile(t.Context(), again, src, signer, o); err != nil {
		t.Fatal("the same request:", err)
	}
	sealed := read(t, dst)
	if string(read(t, again)) != string(sealed) {
		t.Error("the same request has another answer")
	}
	if err := os.WriteFile(copied, sealed, 0o600); err != nil {
		t.Fatal(err)
	}
	roots, err := verify.NewRoots(testpki.Shared(testpki.SM2).Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	judged := func(file string, at time.Time) *verify.Report {
		t.Helper()
		keys := []audit.Verifier{logSigner().Verifier()}
		r, err := verify.File(t.Context(), file, verify.Options{Roots: roots, At: at, States: b, Sealings: b, Logs: verify.Logs{Keys: keys}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := judged(copied, b.now); !hasCode(r, "withdrawn", "ok") || !hasCode(r, "ledger", "ok") || !hasCode(r, "time", "time-entered") {
		t.Fatalf("%s", r)
	}
	u, err := b.Use(t.Context(), "r-1")
	if err != nil || u.Document != o.Document || u.State != registry.Done {
		t.Fatalf("%+v %v", u, err)
	}
	for _, leaf := range b.begins(t) {
		if strings.Contains(leaf.Document, "王某") {
			t.Error("a name stands in the leaf")
		}
	}
	proof, err := b.Proof(t.Context(), u.Entry)
	if err != nil {
		t.Fatal(err)
	}
	if e, err := audit.ParseEvidence(proof.Evidence()); err != nil || e.Included() != nil {
		t.Error(err)
	}
	for _, entry := range []uint64{u.Entry, u.Outcome} {
		if got, err := b.UseAt(t.Context(), entry); err != nil || got.Request != "r-1" {
			t.Error(entry, got, err)
		}
	}
	if _, err := b.UseAt(t.Context(), 0); !errors.Is(err, registry.ErrUnknown) {
		t.Error(err)
	}

	sealedAt := b.now
	b.mu.Lock()
	b.now = b.now.Add(time.Hour)
	b.mu.Unlock()
	b.must(t, "baoguan", &registry.WithdrawSealing{Request: "r-1", Reason: "当事人姓名有误"})
	if r := judged(copied, b.now); r.Verdict != verify.Invalid || !hasCode(r, "withdrawn", "withdrawn") {
		t.Errorf("%s", r)
	}
	if r := judged(copied, sealedAt); !hasCode(r, "withdrawn", "withdrawn-since") {
		t.Errorf("%s", r)
	}
	// By its source: an attempt whose value was withheld and yet is in the world.
	unknown := seal.Sealing{Seal: "S1", Content: sign.Sums{sign.SM3: sm3("of no entry")}, Source: sign.Sums{sign.SM3: sign.SM3.Sum([]byte(document))}}
	if s, err := b.Sealing(t.Context(), unknown); err != nil || s.Withdrawn.IsZero() || s.Reason != "当事人姓名有误" {
		t.Errorf("%+v %v", s, err)
	}
	o.ID = "r-2" // sealed anew: that one is good
	if _, err := pdfx.SignFile(t.Context(), dst, src, signer, o); err != nil {
		t.Fatal(err)
	}
	if r := judged(dst, b.now); !hasCode(r, "withdrawn", "ok") {
		t.Errorf("%s", r)
	}
	if s, err := b.Sealing(t.Context(), unknown); err != nil || !s.Withdrawn.IsZero() {
		t.Errorf("%+v %v", s, err)
	}
	b.mustCompare(t)
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func hasCode(r *verify.Report, name, code string) bool {
	return len(r.Signatures) == 1 && slices.ContainsFunc(r.Signatures[0].Checks, func(c verify.Check) bool { return c.Name == name && c.Code == code })
}

// Statistics by every dimension are what the leaves of the ledger come to.
func TestStatistics(t *testing.T) {
	b := court(t)
	b.must(t, "admin", &registry.AddApp{ID: "trial", Name: "审判系统", Org: "zy", Seals: []string{"S1"}})
	b.must(t, "admin", &registry.SetControl{Seal: "S1", Limits: registry.Limits{Courts: []string{"zy", "jc"}}, Reason: "r"})
	b.must(t, "baoguan", &registry.Authorise{ID: "g-1", Seal: "S1", App: "trial", Reason: "r"})
	b.must(t, "baoguan", &registry.Authorise{ID: "g-2", Seal: "S1", Clerks: "jc", Reason: "r"})
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	for i := range 150 {
		b.mu.Lock()
		b.now = b.now.Add(time.Duration(rnd.IntN(10*24)) * time.Hour)
		b.mu.Unlock()
		f := map[string]string{"kind": pick("judgment", "ruling", "notice"), "court": pick("jc", "zy", "")}
		if how := pick("", "", "fail", "crash"); how != "" {
			f[how] = "broken"
		}
		by := who(pick("baoguan", "shujiyuan", "app:trial"))
		for range 1 + rnd.IntN(2) { // some are repeated
			if _, err := b.use(t.Context(), by, fmt.Sprintf("r-%d", i), "S1", b.key("baoguan-key"), fmt.Sprint("d", i), f); err != nil {
				t.Fatal(err)
			}
		}
		if u, err := b.Use(t.Context(), fmt.Sprintf("r-%d", i)); err == nil && u.State == registry.Done && rnd.IntN(4) == 0 {
			b.must(t, "baoguan", &registry.WithdrawSealing{Request: u.Request, Reason: "r"})
		}
	}
	for _, by := range [][]registry.Dimension{
		nil, {registry.ByCourt}, {registry.BySeal}, {registry.ByPerson}, {registry.ByApp}, {registry.ByKind}, {registry.ByDay}, {registry.ByMonth},
		{registry.ByYear}, {registry.ByMonth, registry.ByCourt, registry.ByKind},
	} {
		got, err := b.Statistics(t.Context(), registry.Filter{}, by...)
		if err != nil {
			t.Fatal(err)
		}
		want := b.figures(t, by)
		have := map[string]registry.Figure{}
		for _, f := range got {
			have[strings.Join(f.Values, "|")] = f
		}
		if !maps.EqualFunc(have, want, func(a, b registry.Figure) bool {
			return a.Uses == b.Uses && a.Done == b.Done && a.Failed == b.Failed && a.Withdrawn == b.Withdrawn
		}) {
			t.Errorf("%v:\n%v, and by the ledger\n%v", by, have, want)
		}
	}
	if _, err := b.Statistics(t.Context(), registry.Filter{}, "colour"); !errors.Is(err, registry.ErrOp) {
		t.Error(err)
	}
	b.testPages(t)
	b.mustCompare(t)
}

// figures are the statistics by the leaves alone.
func (b *book) figures(t *testing.T, by []registry.Dimension) map[string]registry.Figure {
	t.Helper()
	type use struct {
		audit.Use
		failed, done, withdrawn bool
	}
	byRequest := map[string]*use{}
	for e, err := range b.log.Entries(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := audit.ParseLeaf(e.Leaf)
		if err != nil {
			t.Fatal(err)
		}
		u := byRequest[leaf.Fields["request"]]
		switch leaf.Kind {
		case audit.KindUse:
			if u == nil {
				parsed, err := audit.ParseUse(leaf)
				if err != nil {
					t.Fatal(err)
				}
				byRequest[parsed.Request] = &use{Use: parsed}
			} else {
				u.failed = false
			}
		case audit.KindOutcome:
			u.failed = leaf.Fields["failure"] != ""
			u.done = !u.failed
		case "sealing.withdraw":
			u.withdrawn = true
		}
	}
	figures := map[string]registry.Figure{}
	for _, u := range byRequest {
		local := u.Time.In(registry.Zone)
		values := make([]string, len(by))
		for i, d := range by {
			values[i] = map[registry.Dimension]string{
				registry.ByCourt: u.Org, registry.BySeal: u.Seal, registry.ByPerson: u.Person, registry.ByApp: u.App, registry.ByKind: u.Kind,
				registry.ByDay: local.Format("2006-01-02"), registry.ByMonth: local.Format("2006-01"), registry.ByYear: local.Format("2006"),
			}[d]
		}
		key := strings.Join(values, "|")
		f := figures[key]
		f.Uses++
		for _, c := range []struct {
			n   *int
			add bool
		}{{&f.Done, u.done}, {&f.Failed, u.failed}, {&f.Withdrawn, u.withdrawn}} {
			if c.add {
				*c.n++
			}
		}
		figures[key] = f
	}
	return figures
}

// testPages reads all uses page by page, and filters them.
func (b *book) testPages(t *testing.T) {
	t.Helper()
	all, err := b.Uses(t.Context(), registry.Filter{Limit: 1000})
	if err != nil || len(all) != 150 {
		t.Fatal(len(all), err)
	}
	var paged []registry.UseInfo
	for f := (registry.Filter{Limit: 17}); ; f.After = paged[len(paged)-1].Entry {
		page, err := b.Uses(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		if paged = append(paged, page...); len(page) < 17 {
			break
		}
	}
	same := func(a, b registry.UseInfo) bool { return a.Entry == b.Entry }
	if !slices.EqualFunc(all, paged, same) {
		t.Error("pages do not come to the whole")
	}
	middle := all[75]
	for name, c := range map[string]struct {
		f    registry.Filter
		want func(registry.UseInfo) bool
	}{
		"court":     {registry.Filter{Court: "zy"}, func(u registry.UseInfo) bool { return u.Court == "zy" }},
		"app":       {registry.Filter{App: "trial", Kind: "ruling"}, func(u registry.UseInfo) bool { return u.App == "trial" && u.Kind == "ruling" }},
		"person":    {registry.Filter{Person: "baoguan", Seal: "S1"}, func(u registry.UseInfo) bool { return u.Person == "baoguan" }},
		"grant":     {registry.Filter{Grant: "g-2"}, func(u registry.UseInfo) bool { return u.Person == "shujiyuan" }},
		"state":     {registry.Filter{State: registry.Failed}, func(u registry.UseInfo) bool { return u.State == registry.Failed }},
		"withdrawn": {registry.Filter{Withdrawn: true}, func(u registry.UseInfo) bool { return !u.Withdrawn.IsZero() }},
		"period": {registry.Filter{From: middle.Time, To: all[100].Time}, func(u registry.UseInfo) bool {
			return !u.Time.Before(middle.Time) && u.Time.Before(all[100].Time)
		}},
		"source": {registry.Filter{Source: sign.Sums{sign.SM3: sm3("d75")}}, func(u registry.UseInfo) bool { return u.Request == "r-75" }},
	} {
		c.f.Limit = 1000
		got, err := b.Uses(t.Context(), c.f)
		var want []registry.UseInfo
		for _, u := range all {
			if c.want(u) {
				want = append(want, u)
			}
		}
		if err != nil || len(want) == 0 || !slices.EqualFunc(got, want, same) {
			t.Errorf("%s: %d uses, want %d: %v", name, len(got), len(want), err)
		}
	}
}
