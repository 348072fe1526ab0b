package offline_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

const judgment = "../../examples/quickstart/judgment.pdf"

// A judgment is sealed with a real seal in a room without network; its value binds the use that stands in the book.
func TestSealOffline(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	s := audit.Record(b.Recorder(purpose), must(d.stamp()))
	o := pdfx.Options{ID: "r-1", Document: "（2026）示例民初1号", Now: func() time.Time { return d.now }, DateLine: true}
	result, err := pdfx.SignFile(t.Context(), d.file("sealed.pdf"), judgment, s, o)
	if err != nil {
		t.Fatal(err)
	}
	e, err := evidence(d.file("sealed.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(known...); err != nil {
		t.Error(err)
	}
	u := e.Use.Use
	if e.Use.Number != 1 || e.Use.List != 42 || u.Request != "r-1" || u.Kind != "判决书" || u.App != "case-system" || !u.Time.Equal(d.now) ||
		!reflect.DeepEqual(u.Content, result.Act.Content) || !reflect.DeepEqual(u.Source, result.Act.Source) ||
		!bytes.Equal(u.SealDigest, sign.SM3.Sum(d.read("court.esl"))) {
		t.Errorf("%+v", e.Use)
	}
	if !audit.Concealed(u.Person) || !audit.Concealed(u.Document) {
		t.Errorf("person %q, document %q stand in the document", u.Person, u.Document)
	}
	d.put("roots.pem", d.root.PEM())
	report, err := verify.File(t.Context(), d.file("sealed.pdf"), verify.Options{
		Roots: must(verify.ReadRoots(d.file("roots.pem"))), At: d.now, Logs: verify.Logs{Keys: known},
	})
	if err != nil || report.Signatures[0].Seal.ID != esID || report.Signatures[0].Check("ledger").Code != "offline-not-reconciled" {
		t.Errorf("%v: %v", report, err)
	}

	// The same request gives the same file, and is one use.
	if _, err := pdfx.SignFile(t.Context(), d.file("again.pdf"), judgment, s, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(d.read("sealed.pdf"), d.read("again.pdf")) || b.State().Used != 1 {
		t.Errorf("asked again: another file, %d uses", b.State().Used)
	}

	chain, last, err := b.Export(0)
	if err != nil || last != 1 {
		t.Fatal(last, err)
	}
	c := must(audit.ParseOfflineChain(chain))
	r, err := c.Check(nil, known...)
	if err != nil || r.Whole != 1 || len(r.Faults) > 0 {
		t.Fatalf("%+v: %v", r, err)
	}
	if p := c.Uses[0].Private; p["person"].Value != "张三" || p["document"].Value != o.Document || c.Uses[0].Outcome == nil ||
		!bytes.Equal(must(c.Uses[0].Marshal()), e.Leaf) {
		t.Errorf("%+v", c.Uses[0])
	}
	if err := b.Reconciled(r.Whole, r.Head); err != nil || b.State().Reconciled != 1 {
		t.Error(err, b.State())
	}
}

func TestRefuses(t *testing.T) {
	listed := func(what, id string) audit.Listed {
		return audit.Listed{What: what, ID: id, Status: "lost", Since: morning}
	}
	at := func(t time.Time) func(*desk, *offline.Book) error {
		return func(d *desk, _ *offline.Book) error { d.now = t; return nil }
	}
	set := func(entries ...audit.Listed) func(*desk, *offline.Book) error {
		return func(d *desk, b *offline.Book) error { return b.SetList(d.list(43, entries...)) }
	}
	made := func(shift time.Duration) func(*sign.Act, *sign.Profile) {
		return func(a *sign.Act, _ *sign.Profile) { a.Time = a.Time.Add(shift) }
	}
	for name, tc := range map[string]struct {
		grant func(*audit.OfflineGrant)
		then  func(*desk, *offline.Book) error
		kind  string
		act   func(*sign.Act, *sign.Profile)
		want  error
	}{
		"nothing":                    {want: nil},
		"a document of another kind": {kind: "调解书", want: audit.ErrGrantKind},
		"after the end":              {then: at(morning.AddDate(0, 0, 8)), want: audit.ErrGrantExpired},
		"before the beginning":       {grant: func(g *audit.OfflineGrant) { g.From = morning.Add(2 * time.Hour) }, want: audit.ErrGrantNotYet},
		"an act of yesterday":        {act: made(-24 * time.Hour), want: audit.ErrGrantNotYet},
		"used up": {grant: func(g *audit.OfflineGrant) { g.Uses = 1 }, then: func(d *desk, b *offline.Book) error {
			_, err := b.Recorder(purpose).Begin(context.Background(), act("first", "x", d.now), d.profile())
			return err
		}, want: audit.ErrGrantUsedUp},
		"another seal": {act: func(_ *sign.Act, p *sign.Profile) { p.Seal = "11000000000002" }, want: audit.ErrGrantSeal},
		"another device": {act: func(_ *sign.Act, p *sign.Profile) {
			p.Specs[sign.CMS] = sign.Spec{Chain: [][]byte{[]byte("other")}}
		}, want: audit.ErrGrantDevice},
		"no certificate":          {act: func(_ *sign.Act, p *sign.Profile) { p.Specs = nil }, want: audit.ErrGrantDevice},
		"an act of an hour ago":   {act: made(-time.Hour), want: audit.ErrActTime},
		"an act of the next hour": {act: made(time.Hour), want: audit.ErrActTime},
		"no request id":           {act: func(a *sign.Act, _ *sign.Profile) { a.ID = "" }, want: offline.ErrRequest},
		"a very long id":          {act: func(a *sign.Act, _ *sign.Profile) { a.ID = strings.Repeat("x", 5000) }, want: offline.ErrRequest},
		"an expired list":         {then: at(morning.AddDate(0, 0, 4)), want: audit.ErrListExpired},
		"the seal was lost":       {then: set(listed(audit.ListedSeal, esID)), want: audit.ErrListed},
		"the device was lost": {then: func(d *desk, b *offline.Book) error {
			return b.SetList(d.list(43, listed(audit.ListedCertificate, hex.EncodeToString(sign.SM3.Sum(d.read("cert"))))))
		}, want: audit.ErrListed},
		"the grant was withdrawn": {then: set(listed(audit.ListedGrant, "offline-7")), want: audit.ErrListed},
		"another seal was lost":   {then: set(listed(audit.ListedSeal, "11000000000002"))},
		"a clock a second back":   {then: at(morning.Add(time.Hour - time.Second))},
		"a clock set back":        {then: at(morning.Add(time.Hour - 3*time.Second)), want: offline.ErrClock},
		"a closed book":           {then: func(_ *desk, b *offline.Book) error { return b.Close() }, want: offline.ErrBroken},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, tc.grant)
			b := d.book(t)
			if tc.then != nil {
				if err := tc.then(d, b); err != nil {
					t.Fatal(err)
				}
			}
			before := b.State().Used
			p, a := d.profile(), act("r", "content", d.now)
			if tc.act != nil {
				tc.act(a, &p)
			}
			use := purpose
			if tc.kind != "" {
				use.Kind = tc.kind
			}
			permit, err := b.Recorder(use).Begin(t.Context(), a, p)
			if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) || (err == nil) != (len(permit.Evidence) > 0) {
				t.Error(err)
			}
			if got := b.State().Used - before; (got == 1) != (tc.want == nil) {
				t.Errorf("%d uses", got)
			}
		})
	}
}

func TestNoList(t *testing.T) {
	d := newDesk(t, nil)
	b, err := offline.Create(d.file("book"), d.read("grant"), known, d.options())
	if err != nil {
		t.Fatal(err)
	}
	begin := func() error {
		_, err := b.Recorder(purpose).Begin(t.Context(), act("r", "content", d.now), d.profile())
		return err
	}
	again := func() {
		b.Close()
		b = d.book(t)
	}
	if err := begin(); !errors.Is(err, offline.ErrNoList) {
		t.Error(err)
	}
	list := func(log string, issued time.Time) *audit.StateList {
		return &audit.StateList{Log: log, Number: 50, Issued: issued, Expires: issued}
	}
	province, other := issuer(origin), issuer("other/sm3")
	for _, tc := range []struct {
		name string
		note []byte
		want error
	}{
		{"older than the grant wants", d.list(40), audit.ErrListOld},
		{"of another ledger", must(list("other/sm3", morning).Sign(other)), audit.ErrUnknownLog},
		{"signed by another one", must(audit.SignNote(must(list(origin, morning).Marshal()), other)), audit.ErrUnknownLog},
		{"of tomorrow", must(list(origin, d.now.Add(time.Hour)).Sign(province)), offline.ErrClock},
		{"good", d.list(45), nil},
		{"the same", d.list(45), nil},
		{"another one of that number", d.list(45, audit.Listed{What: audit.ListedSeal, ID: "x", Status: "lost", Since: morning}), audit.ErrListOld},
		{"an older one", d.list(44), audit.ErrListOld},
	} {
		if err := b.SetList(tc.note); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
	if again(); b.State().List == nil || b.State().List.Number != 45 {
		t.Error("the list does not last")
	}
	d.put("book/list", d.list(44)) // somebody puts an older one back
	again()
	if err := begin(); !errors.Is(err, offline.ErrNoList) || !errors.Is(err, audit.ErrListOld) {
		t.Error(err)
	}
	os.Remove(d.file("book/list"))
	again()
	if err := b.SetList(d.list(44)); !errors.Is(err, audit.ErrListOld) {
		t.Error("without its list, the book forgets its number:", err)
	}
	d.put("book/list", []byte("?"))
	again()
	if err := begin(); !errors.Is(err, offline.ErrNoList) {
		t.Error(err)
	}
	if err := errors.Join(b.SetList(d.list(46)), begin()); err != nil {
		t.Error(err)
	}
}

func TestClockLasts(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	if _, err := b.Recorder(purpose).Begin(t.Context(), act("r", "content", d.now), d.profile()); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(2 * time.Minute)
	if err := b.Recorder(purpose).End(t.Context(), act("r", "content", d.now), done("value"), nil); err != nil {
		t.Fatal(err)
	}
	b.Close()
	d.now = d.now.Add(-time.Minute) // after the beginning, and before the end
	b = d.book(t)
	if _, err := b.Recorder(purpose).Begin(t.Context(), act("r2", "content", d.now), d.profile()); !errors.Is(err, offline.ErrClock) {
		t.Error(err)
	}
}

// A list that was issued later than the clock shows proves the clock wrong.
func TestClockBeforeList(t *testing.T) {
	d := newDesk(t, nil)
	d.book(t).Close()
	d.now = morning.Add(-time.Minute)
	if _, err := d.book(t).Recorder(purpose).Begin(t.Context(), act("r", "content", d.now), d.profile()); !errors.Is(err, offline.ErrClock) {
		t.Error(err)
	}
}

func TestOneBook(t *testing.T) {
	d := newDesk(t, nil)
	if _, err := offline.Open(d.file("book"), known, d.options()); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a book out of nothing:", err)
	}
	b := d.book(t)
	if _, err := offline.Open(d.file("book"), known, d.options()); !errors.Is(err, offline.ErrBusy) {
		t.Error("opened twice:", err)
	}
	b.Close()
	if _, err := offline.Create(d.file("book"), d.read("grant"), known, d.options()); !errors.Is(err, fs.ErrExist) {
		t.Error("made twice:", err)
	}
	if _, err := offline.Open(d.file("book"), []audit.Verifier{issuer("other/sm3").Verifier()}, d.options()); !errors.Is(err, audit.ErrUnknownLog) {
		t.Error("unknown issuer:", err)
	}
	other := d.options()
	other.Seal = []byte("another")
	if _, err := offline.Open(d.file("book"), known, other); !errors.Is(err, audit.ErrGrantSeal) {
		t.Error("another seal:", err)
	}
	other.Seal = nil
	b, err := offline.Open(d.file("book"), known, other)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, err := b.Recorder(purpose).Begin(t.Context(), act("r", "x", d.now), d.profile()); !errors.Is(err, audit.ErrGrantSeal) {
		t.Error("to give account only:", err)
	}
	if _, _, err := b.Export(0); err != nil {
		t.Error(err)
	}
}

func TestRequests(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	r := b.Recorder(purpose)
	ctx := t.Context()
	begin := func(a *sign.Act) audit.Permit {
		t.Helper()
		permit, err := r.Begin(ctx, a, d.profile())
		if err != nil {
			t.Fatal(err)
		}
		return permit
	}
	number := func(p audit.Permit) uint64 {
		t.Helper()
		return must(audit.ParseOfflineEvidence(p.Evidence)).Use.Number
	}
	first := act("a", "content", d.now)
	one := begin(first)
	if err := r.End(ctx, first, done("value"), nil); err != nil {
		t.Fatal(err)
	}
	if again := begin(first); again.Evidence != nil || !reflect.DeepEqual(again.Values, done("value")) {
		t.Errorf("done: %+v", again)
	}
	if _, err := r.Begin(ctx, act("a", "other content", d.now), d.profile()); !errors.Is(err, offline.ErrRequest) {
		t.Error("done, and otherwise prepared:", err)
	}
	other := act("a", "content", d.now)
	other.Source = act("b", "", d.now).Source
	if _, err := r.Begin(ctx, other, d.profile()); !errors.Is(err, offline.ErrRequest) {
		t.Error("another document:", err)
	}
	if _, err := b.Recorder(offline.Purpose{Kind: "裁定书"}).Begin(ctx, first, d.profile()); !errors.Is(err, offline.ErrRequest) {
		t.Error("another kind:", err)
	}
	another := purpose
	another.Person = "李四"
	if _, err := b.Recorder(another).Begin(ctx, first, d.profile()); !errors.Is(err, offline.ErrRequest) {
		t.Error("another person:", err)
	}
	if err := r.End(ctx, first, done("value"), nil); !errors.Is(err, offline.ErrRequest) {
		t.Error("ended twice:", err)
	}

	// A failure is final for its number; the next try is a further use that names it.
	failed := act("c", "content", d.now)
	two := begin(failed)
	if err := r.End(ctx, failed, nil, errors.New("no key")); err != nil {
		t.Fatal(err)
	}
	three := begin(failed)
	if u := must(audit.ParseOfflineEvidence(three.Evidence)).Use; number(two) != 2 || u.Number != 3 || u.Use.Again == nil || *u.Use.Again != 2 {
		t.Errorf("%+v", u)
	}

	// The process ends before the third is signed.
	b.Close()
	b = d.book(t)
	r = b.Recorder(purpose)
	if p := begin(failed); !bytes.Equal(p.Evidence, three.Evidence) {
		t.Error("not the same use for the same content")
	}
	b.Close()
	b = d.book(t)
	r = b.Recorder(purpose)
	four := begin(act("c", "content, a minute later", d.now))
	if u := must(audit.ParseOfflineEvidence(four.Evidence)).Use; u.Number != 4 || *u.Use.Again != 3 {
		t.Errorf("%+v", u)
	}
	b.Close()
	b = d.book(t)
	r = b.Recorder(purpose)
	if again := begin(first); !reflect.DeepEqual(again.Values, done("value")) {
		t.Errorf("done, read from the book: %+v", again)
	}
	c := must(audit.ParseOfflineChain(must3(b.Export(0))))
	rep, err := c.Check(nil, known...)
	if err != nil || rep.Whole != 4 || len(rep.Faults) > 0 ||
		c.Uses[0].Outcome == nil || c.Uses[1].Outcome.Failure != "no key" || c.Uses[2].Outcome != nil {
		t.Errorf("%+v, %+v: %v", rep, c.Uses, err)
	}
	if !bytes.Equal(must(c.Uses[0].Marshal()), must(audit.ParseOfflineEvidence(one.Evidence)).Leaf) {
		t.Error("the chain has another use than the document")
	}
}

func must3(b []byte, _ uint64, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// 64 goroutines that want as much as they can get from 100 uses get 100.
func TestManyAtOnce(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	p := d.profile()
	var got, refused atomic.Int64
	var all sync.WaitGroup
	for g := range 64 {
		all.Go(func() {
			r := b.Recorder(purpose)
			for i := range 5 {
				a := act(fmt.Sprintf("%d-%d", g, i), "content", d.now)
				_, err := r.Begin(t.Context(), a, p)
				switch {
				case errors.Is(err, audit.ErrGrantUsedUp):
					refused.Add(1)
				case err != nil:
					t.Error(err)
				default:
					got.Add(1)
					if err := r.End(t.Context(), a, done(a.ID), nil); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if got.Load() != 100 || refused.Load() != 64*5-100 || b.State().Used != 100 {
		t.Errorf("%d got one, %d were refused, %d used", got.Load(), refused.Load(), b.State().Used)
	}
	r, err := must(audit.ParseOfflineChain(must3(b.Export(0)))).Check(nil, known...)
	if err != nil || r.Whole != 100 || len(r.Faults) > 0 {
		t.Errorf("%+v: %v", r, err)
	}
}

// A request that is sent many times at once is signed once, and all get its value.
func TestOneRequestAtOnce(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	p := d.profile()
	var signed atomic.Int64
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			r := b.Recorder(purpose)
			a := act("r", "content", d.now)
			permit, err := r.Begin(t.Context(), a, p)
			if err != nil {
				t.Error(err)
				return
			}
			if permit.Values == nil {
				signed.Add(1)
				time.Sleep(10 * time.Millisecond)
				if err := r.End(t.Context(), a, done("value"), nil); err != nil {
					t.Error(err)
				}
			} else if !reflect.DeepEqual(permit.Values, done("value")) {
				t.Errorf("%s", permit.Values)
			}
		})
	}
	all.Wait()
	if signed.Load() != 1 || b.State().Used != 1 {
		t.Errorf("signed %d times, %d uses", signed.Load(), b.State().Used)
	}
}

// Two devices go on from one state of a directory that was copied: the ledger sees it once it has both.
func TestStolenCopy(t *testing.T) {
	d := newDesk(t, nil)
	use := func(b *offline.Book, id string) {
		t.Helper()
		r, a := b.Recorder(purpose), act(id, id, d.now)
		if _, err := r.Begin(t.Context(), a, d.profile()); err != nil {
			t.Fatal(err)
		}
		if err := r.End(t.Context(), a, done(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	b := d.book(t)
	use(b, "1")
	use(b, "2")
	b.Close()
	if err := os.CopyFS(d.file("copy"), os.DirFS(d.file("book"))); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(d.file("copy"), "lock"))
	b = d.book(t)
	thief := must(d.open("copy"))
	defer thief.Close()
	use(b, "3")
	use(thief, "x")
	use(thief, "y")
	use(b, "4")
	use(b, "5")

	var report *audit.ChainReport
	var have []audit.OfflineUse
	for _, from := range []*offline.Book{b, thief} {
		c := must(audit.ParseOfflineChain(must3(from.Export(0))))
		r, err := c.Check(have, known...)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range c.Uses {
			have = append(have, u.OfflineUse)
		}
		if from == b && (r.Whole != 5 || len(r.Faults) > 0) {
			t.Errorf("alone: %+v", r)
		}
		report = r
	}
	if report.Whole != 2 || report.Uses != 5 || len(report.Faults) != 2 ||
		!errors.Is(report.Faults[0], audit.ErrUseTwice) || report.Faults[0].Number != 3 ||
		!errors.Is(report.Faults[1], audit.ErrUseTwice) || len(report.Faults[1].Uses) != 2 {
		t.Errorf("%+v, %v", report, report.Faults)
	}
	alone := must(must(audit.ParseOfflineChain(must3(b.Export(0)))).Check(nil, known...))
	if err := thief.Reconciled(alone.Whole, alone.Head); !errors.Is(err, offline.ErrFork) {
		t.Error("the copy is told of what it does not have:", err)
	}
	other := must(must(audit.ParseOfflineChain(must3(thief.Export(0)))).Check(nil, known...))
	if err := b.Reconciled(other.Whole, other.Head); !errors.Is(err, offline.ErrFork) {
		t.Error("the ledger has the copy's use of a number:", err)
	}
}

func TestExport(t *testing.T) {
	d := newDesk(t, nil)
	b := d.book(t)
	r := b.Recorder(purpose)
	begin := func(id string) *audit.OfflineUse {
		t.Helper()
		permit, err := r.Begin(t.Context(), act(id, "x", d.now), d.profile())
		if err != nil {
			t.Fatal(err)
		}
		return must(audit.ParseOfflineEvidence(permit.Evidence)).Use
	}
	end := func(id string) {
		t.Helper()
		if err := r.End(t.Context(), act(id, "x", d.now), done(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	export := func(after uint64) (c *audit.OfflineChain, last uint64) {
		t.Helper()
		chain, last, err := b.Export(after)
		if err != nil {
			t.Fatal(err)
		}
		return must(audit.ParseOfflineChain(chain)), last
	}
	reopen := func() {
		b.Close()
		b = d.book(t)
		r = b.Recorder(purpose)
	}
	for i := range 5 {
		begin(fmt.Sprint(i))
		end(fmt.Sprint(i))
	}
	begin("interrupted")
	reopen()
	begin("slow")
	begin("fast")
	end("fast")
	if c, last := export(0); last != 6 || len(c.Uses) != 6 || c.Uses[4].Outcome == nil || c.Uses[5].Outcome != nil {
		t.Errorf("what is being signed is sent: to %d, %+v", last, c.Uses)
	}
	if c, last := export(4); last != 6 || len(c.Uses) != 2 || c.Uses[0].Number != 5 {
		t.Errorf("the rest: to %d, %+v", last, c.Uses)
	}
	if c, last := export(8); last != 0 || len(c.Uses) != 0 {
		t.Errorf("nothing: to %d, %+v", last, c.Uses)
	}
	c, _ := export(0)
	rep := must(c.Check(nil, known...))
	for name, answer := range map[string]struct {
		whole uint64
		head  audit.Hash
	}{
		"a use that was never made": {9, rep.Head}, "another use": {rep.Whole, audit.Hash{}}, "another grant": {0, audit.Hash{}},
	} {
		if err := b.Reconciled(answer.whole, answer.head); !errors.Is(err, offline.ErrFork) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(b.Reconciled(rep.Whole, rep.Head), b.Reconciled(rep.Whole, rep.Head)); err != nil {
		t.Error(err)
	}
	reopen()
	if b.State().Reconciled != 6 {
		t.Error("what is reconciled does not last")
	}
	if u := begin("slow"); u.Number != 7 {
		t.Errorf("the same use for the same content: %d", u.Number)
	}
	if u := begin("interrupted"); u.Number != 9 || u.Use.Again == nil || *u.Use.Again != 6 {
		t.Errorf("the ledger has use 6 without an outcome, and %d is given for it", u.Number)
	}
}
