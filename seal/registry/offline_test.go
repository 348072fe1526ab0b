package registry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/offline"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// offline… commands play a device that has no network: its book stands in a directory named by the story.
func init() {
	commands["book"] = func(t testing.TB, b *book, args []string) (string, error) { return b.device(t, args[0]).do(args[1:]) }
	// uses GRANT: how many are in the books
	commands["uses"] = func(t testing.TB, b *book, args []string) (string, error) {
		list, err := b.OfflineUses(t.Context(), args[0])
		return strconv.Itoa(len(list)), err
	}
	// verdicts GRANT: on each, in their order
	commands["verdicts"] = func(t testing.TB, b *book, args []string) (string, error) {
		list, err := b.OfflineUses(t.Context(), args[0])
		words := make([]string, len(list))
		for i, u := range list {
			words[i] = u.Verdict
		}
		return strings.Join(words, " "), err
	}
	sentinels["gone"] = errGone
}

// errGone stands for whatever the device refuses with; the story's answer says what.
var errGone = errors.New("the device refuses")

type device struct {
	t    testing.TB
	b    *book
	name string
}

func (b *book) device(t testing.TB, name string) device { return device{t, b, name} }

func (d device) dir() string {
	if d.b.dir == "" {
		d.b.dir = d.t.TempDir()
	}
	return filepath.Join(d.b.dir, d.name)
}

func (d device) open(grant []byte) (*offline.Book, error) {
	_, der, err := d.b.Seal(d.t.Context(), "S1")
	if err != nil {
		return nil, err
	}
	known := []audit.Verifier{logSigner().Verifier()}
	o := offline.Options{Seal: der, Now: d.b.clock}
	if grant != nil {
		return offline.Create(d.dir(), grant, known, o)
	}
	return offline.Open(d.dir(), known, o)
}

// do runs: take GRANT; list; use REQUEST KEY DOCUMENT KIND; copy NAME; send WHO.
func (d device) do(args []string) (string, error) {
	ctx := d.t.Context()
	var grant []byte
	var err error
	switch args[0] {
	case "take":
		if grant, err = d.b.OfflineGrant(ctx, args[1]); err != nil {
			return "", err
		}
	case "copy":
		return "", os.CopyFS(filepath.Join(d.b.dir, args[1]), os.DirFS(d.dir()))
	}
	book, err := d.open(grant)
	if err != nil {
		return "", err
	}
	defer book.Close()
	switch args[0] {
	case "list":
		note, err := d.b.StateList(ctx)
		if err != nil {
			return "", err
		}
		return "", book.SetList(note)
	case "use":
		if err := d.use(ctx, book, args[1], d.b.key(args[2]), args[3], args[4]); err != nil {
			return "", fmt.Errorf("%w: %w", errGone, err)
		}
		return strconv.FormatUint(book.State().Used, 10), nil
	case "send":
		chain, _, err := book.Export(book.State().Reconciled)
		if err != nil {
			return "", err
		}
		r, err := d.b.Reconcile(ctx, who(args[1]), chain)
		if err != nil {
			return "", err
		}
		text := fmt.Sprintf("entered %d", r.Entered)
		for _, u := range r.Bad {
			text += fmt.Sprintf(" %d:%s", u.Number, u.Verdict)
		}
		for _, n := range r.Missing {
			text += fmt.Sprintf(" %d:missing", n)
		}
		if err := book.Reconciled(r.Report.Whole, r.Report.Head); errors.Is(err, offline.ErrFork) {
			text += " fork"
		} else if err != nil {
			return text, err
		}
		return text, nil
	}
	return "", nil
}

func (d device) use(ctx context.Context, book *offline.Book, request string, key sign.Key, document, kind string) error {
	act, profile := d.b.actWith(request, "S1", key, document)
	r := book.Recorder(offline.Purpose{Kind: kind, Person: "baoguan"})
	if _, err := r.Begin(ctx, act, profile); err != nil {
		return err
	}
	return r.End(ctx, act, []sign.Value{{Bytes: []byte("value of " + document)}}, nil)
}

// A document that was sealed offline could not be fully checked until its device gave account; then it is good, or is not.
func TestSealedOffline(t *testing.T) {
	b := court(t)
	b.must(t, "shenpi1", &registry.PublishList{Expires: b.now.Add(72 * time.Hour)})
	b.must(t, "shenpi1", &registry.IssueOffline{ID: "off-1", Seal: "S1", Uses: 3, To: b.now.Add(48 * time.Hour), Reason: "the line is down"})
	d := b.device(t, "d")
	for _, step := range []string{"take off-1", "list"} {
		if _, err := d.do(strings.Fields(step)); err != nil {
			t.Fatal(err)
		}
	}
	book, err := d.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	dir := t.TempDir()
	src := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(src, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	seal := func(name string) string {
		t.Helper()
		signer := audit.Record(book.Recorder(offline.Purpose{Kind: "judgment", Person: "baoguan"}), b.stamp(t))
		dst := filepath.Join(dir, name)
		if _, err := pdfx.SignFile(t.Context(), dst, src, signer, pdfx.Options{ID: name, Document: "（2026）示01民终1号", Now: b.clock}); err != nil {
			t.Fatal(err)
		}
		return dst
	}
	roots, err := verify.NewRoots(testpki.Shared(testpki.SM2).Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	judged := func(file, code, time string) {
		t.Helper()
		keys := []audit.Verifier{logSigner().Verifier()}
		r, err := verify.File(t.Context(), file, verify.Options{Roots: roots, At: b.clock(), States: b, Sealings: b, Logs: verify.Logs{Keys: keys}})
		if err != nil || !slices.ContainsFunc(r.Signatures[0].Checks, func(c verify.Check) bool { return c.Code == code }) {
			t.Errorf("no %s: %v\n%s", code, err, r)
		}
		if !hasCode(r, "time", time) {
			t.Errorf("the time is not %s\n%s", time, r)
		}
		want := map[string]verify.Verdict{"offline-reconciled": verify.Valid, "offline-not-reconciled": verify.Indeterminate, "offline-refused": verify.Invalid}[code]
		if time == "time-not-proven" && want == verify.Valid {
			want = verify.Indeterminate
		}
		if r.Verdict != want {
			t.Errorf("%s with %s: %s", r.Verdict, code, r)
		}
	}
	send := func(sent, bad int) {
		t.Helper()
		chain, _, err := book.Export(book.State().Reconciled)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Reconcile(t.Context(), registry.Person("baoguan"), chain)
		if err != nil || r.Entered != sent || len(r.Bad) != bad {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := book.Reconciled(r.Report.Whole, r.Report.Head); err != nil {
			t.Fatal(err)
		}
	}
	hour := func() {
		b.mu.Lock()
		b.now = b.now.Add(time.Hour)
		b.mu.Unlock()
	}
	good := seal("good.pdf")
	judged(good, "offline-not-reconciled", "time-claimed")
	hour()
	send(1, 0)
	judged(good, "offline-reconciled", "time-entered")
	before := seal("before.pdf")
	hour()
	b.must(t, "baoguan", &registry.ReportLoss{Seal: "S1", Reason: "left in a taxi"})
	hour()
	late := seal("late.pdf")
	send(2, 1)
	judged(late, "offline-refused", "time-entered")
	judged(good, "offline-reconciled", "time-entered")      // it was there before the loss
	judged(before, "offline-reconciled", "time-not-proven") // the device says so, who has it may say anything
	n := map[string]int{}
	for _, kind := range []registry.UseState{registry.Done, registry.Begun} {
		list, err := b.Uses(t.Context(), registry.Filter{Seal: "S1", State: kind})
		if err != nil {
			t.Fatal(err)
		}
		n[string(kind)] = len(list)
	}
	if n["done"] != 3 {
		t.Error("the books count", n)
	}
	b.mustCompare(t)
}

// A device that says that a use repeats an earlier one takes nothing back that was sealed: not by itself, and not by others under
// a grant that happens to have the same name.
func TestOfflineTakesNothingBack(t *testing.T) {
	b := court(t)
	b.must(t, "baoguan", &registry.Authorise{ID: "off-1", Seal: "S1", Person: "shujiyuan", Reason: "a grant of the same name"})
	if _, err := b.use(t.Context(), registry.Person("shujiyuan"), "online", "S1", b.key("baoguan-key"), "d-0", map[string]string{"grant": "off-1"}); err != nil {
		t.Fatal(err)
	}
	b.must(t, "shenpi1", &registry.PublishList{Expires: b.now.Add(72 * time.Hour)})
	b.must(t, "shenpi1", &registry.IssueOffline{ID: "off-1", Seal: "S1", Uses: 9, To: b.now.Add(48 * time.Hour), Reason: "the line is down"})
	d := b.device(t, "d")
	for _, step := range []string{"take off-1", "list", "use r-1 baoguan-key judgment-1 judgment"} {
		if _, err := d.do(strings.Fields(step)); err != nil {
			t.Fatal(err)
		}
	}
	book, err := d.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	sent, _, err := book.Export(0)
	if err != nil {
		t.Fatal(err)
	}
	chain, err := audit.ParseOfflineChain(sent)
	if err != nil {
		t.Fatal(err)
	}
	for i, request := range []string{"r-1", "online"} {
		before := chain.Uses[i]
		leaf, err := before.OfflineUse.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again := uint64(1)
		next := before
		next.Number, next.Prev, next.Private = before.Number+1, chain.Grant.Profile().LeafHash(leaf), nil
		next.Use.Request, next.Use.Again, next.Use.Document = request, &again, ""
		next.Outcome = &audit.Outcome{Begin: next.Number, Request: request, Time: next.Use.Time, Failure: "never was"}
		chain.Uses = append(chain.Uses, next)
	}
	forged, err := chain.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if r, err := b.Reconcile(t.Context(), registry.Person("baoguan"), forged); err != nil || r.Entered != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, request := range []string{"r-1", "online"} {
		if u, err := b.Use(t.Context(), request); err != nil || u.State != registry.Done {
			t.Errorf("%s is %s, %v", request, u.State, err)
		}
	}
	if f, err := b.Statistics(t.Context(), registry.Filter{}); err != nil || f[0].Uses != 4 || f[0].Failed != 2 {
		t.Errorf("%+v, %v", f, err)
	}
	b.mustCompare(t)
}
