package registry_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

// A prepared document waits for its value, and keeps what is needed to make one at any time: as who has the key and a copy of what
// passed through their hands.
type prepared struct {
	b       *book
	pending *pdfx.Pending
	act     sign.Act
	profile sign.Profile
	stamp   sign.Signer // of a clock that stands still
}

func (b *book) prepare(t *testing.T, request string) *prepared {
	t.Helper()
	s := b.stamp(t)
	profile := audit.Record(b.Recorder(registry.Person("baoguan"), registry.Use{}), s).Profile()
	pending, err := pdfx.Prepare(strings.NewReader(document), int64(len(document)), profile, pdfx.Options{ID: request, Now: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	return &prepared{b, pending, *pending.Act(), profile, s}
}

func (p *prepared) recorder() audit.Recorder {
	return p.b.Recorder(registry.Person("baoguan"), registry.Use{})
}

// begin enters it and keeps the evidence.
func (p *prepared) begin(t *testing.T) *prepared {
	t.Helper()
	permit, err := p.recorder().Begin(t.Context(), &p.act, p.profile)
	if err != nil {
		t.Fatal(err)
	}
	p.act.Evidence = permit.Evidence
	return p
}

// value signs with whatever evidence there is.
func (p *prepared) value(t *testing.T) []sign.Value {
	t.Helper()
	v, err := p.stamp.Sign(t.Context(), &p.act)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (p *prepared) end(t *testing.T, v []sign.Value, failed error) {
	t.Helper()
	if err := p.recorder().End(t.Context(), &p.act, v, failed); err != nil {
		t.Fatal(err)
	}
}

func (p *prepared) file(t *testing.T, v []sign.Value) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := p.pending.Commit(&out, strings.NewReader(document), int64(len(document)), v); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (b *book) pass(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

// Sealed three hours before the seal was reported lost: what the books had by then is valid. Whoever has the key afterwards, and old
// evidence, is caught, whatever time they claim.
func TestSealedBeforeTheLoss(t *testing.T) {
	b := court(t)
	signed := b.prepare(t, "signed").begin(t)
	v := signed.value(t)
	signed.end(t, v, nil)
	good, twice := signed.file(t, v), signed.file(t, signed.value(t))

	crashed, late := b.prepare(t, "crashed").begin(t), b.prepare(t, "late").begin(t)
	failed := b.prepare(t, "failed").begin(t)
	failed.end(t, nil, errors.New("no finger on the key"))
	overtaken, newest := b.prepare(t, "overtaken").begin(t), b.prepare(t, "overtaken").begin(t)
	v = newest.value(t)
	newest.end(t, v, nil)
	second := newest.file(t, v)
	between, last := b.prepare(t, "thrice").begin(t), b.prepare(t, "thrice")
	between.end(t, nil, errors.New("no finger"))
	middle := b.prepare(t, "thrice").begin(t)
	v = last.begin(t).value(t)
	last.end(t, v, nil)

	b.pass(3 * time.Hour)
	b.must(t, "baoguan", &registry.ReportLoss{Seal: "S1", Reason: "left in a taxi"})
	b.pass(time.Hour)
	if _, err := audit.Record(crashed.recorder(), b.stamp(t)).Sign(t.Context(), b.prepare(t, "after").pending.Act()); !errors.Is(err, registry.ErrState) {
		t.Error("through the books after the loss:", err)
	}
	v = late.value(t)
	late.end(t, v, nil) // the act was entered in time, its value now
	lateFile := late.file(t, v)
	now := b.prepare(t, "now")
	now.act.Evidence = crashed.act.Evidence // of another content, too
	b.pass(5 * time.Hour)

	roots, err := verify.NewRoots(testpki.Shared(testpki.SM2).Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	options := verify.Options{Roots: roots, At: b.clock(), States: b, Sealings: b, Logs: verify.Logs{Keys: []audit.Verifier{logSigner().Verifier()}}}
	deaf := options
	deaf.Sealings = nil
	for _, x := range []struct {
		name        string
		file        []byte
		o           verify.Options
		verdict     verify.Verdict
		check, code string
	}{
		{"sealed before", good, options, verify.Valid, "time", "time-entered"},
		{"sealed before, at the second attempt", second, options, verify.Valid, "time", "time-entered"},
		{"signed again after it, at the third attempt", last.file(t, last.value(t)), options, verify.Indeterminate, "time", "time-not-proven"},
		{"nobody asked when the value was entered", good, deaf, verify.Indeterminate, "time", "time-not-proven"},
		{"signed again after it", twice, options, verify.Indeterminate, "time", "time-not-proven"},
		{"begun before, signed after", crashed.file(t, crashed.value(t)), options, verify.Indeterminate, "time", "time-not-proven"},
		{"begun before, entered after", lateFile, options, verify.Indeterminate, "time", "time-not-proven"},
		{"failed before, signed after", failed.file(t, failed.value(t)), options, verify.Invalid, "ledger", "entry-refused"},
		{"overtaken before, signed after", overtaken.file(t, overtaken.value(t)), options, verify.Invalid, "ledger", "entry-refused"},
		{"neither first nor last, signed after", middle.file(t, middle.value(t)), options, verify.Invalid, "ledger", "entry-refused"},
		{"signed after, and says so", now.file(t, now.value(t)), options, verify.Invalid, "seal-state", "not-active"},
	} {
		r, err := verify.Document(t.Context(), bytes.NewReader(x.file), int64(len(x.file)), x.o)
		if err != nil {
			t.Fatal(x.name, err)
		}
		if r.Verdict != x.verdict || !hasCode(r, x.check, x.code) {
			t.Errorf("%s: %s, no %s\n%s", x.name, r.Verdict, x.code, r)
		}
		if x.code == "time-entered" && !r.Signatures[0].Proven.Equal(b.now.Add(-9*time.Hour)) {
			t.Errorf("%s: proven for %s", x.name, r.Signatures[0].Proven)
		}
	}
	// At a moment before the books had it, they prove nothing.
	options.At = b.now.Add(-10 * time.Hour)
	if r, err := verify.Document(t.Context(), bytes.NewReader(good), int64(len(good)), options); err != nil || hasCode(r, "time", "time-entered") {
		t.Errorf("%v\n%s", err, r)
	}
	b.mustCompare(t)
}

// Acts that were begun and came to no end count on the day on which they are taken up again.
func TestLimitOfADayOverMidnight(t *testing.T) {
	b := court(t)
	b.must(t, "admin", &registry.SetControl{Seal: "S1", Limits: registry.Limits{PerDay: 1}, Reason: "r"})
	r := b.Recorder(registry.Person("baoguan"), registry.Use{})
	begin := func(request string, want error) *sign.Act {
		t.Helper()
		act, p := b.act(request, request)
		permit, err := r.Begin(t.Context(), act, p)
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Fatalf("%s: %v, want %v", request, err, want)
		}
		act.Evidence = permit.Evidence
		return act
	}
	begin("monday", nil)
	begin("more", registry.ErrLimit)
	begin("monday", nil) // the same again counts once
	b.pass(24 * time.Hour)
	tuesday := begin("tuesday", nil)
	begin("monday", registry.ErrLimit)
	if err := r.End(t.Context(), tuesday, nil, errors.New("no finger")); err != nil {
		t.Fatal(err)
	}
	monday := begin("monday", nil)
	begin("tuesday", registry.ErrLimit)
	if err := r.End(t.Context(), monday, nil, errors.New("no finger")); err != nil {
		t.Fatal(err)
	}
	begin("tuesday", nil)
	b.mustCompare(t)
}

// Values of other content than was begun do not end a use, and a name may not be of any length.
func TestEndOfOtherContent(t *testing.T) {
	b := court(t)
	r := b.Recorder(registry.Person("baoguan"), registry.Use{})
	act, p := b.act("r-1", "d")
	permit, err := r.Begin(t.Context(), act, p)
	if err != nil {
		t.Fatal(err)
	}
	other := *act
	other.Evidence, other.Content = permit.Evidence, sign.Sums{sign.SM3: sm3("of another document")}
	if err := r.End(t.Context(), &other, []sign.Value{{Bytes: []byte("v")}}, nil); !errors.Is(err, registry.ErrState) {
		t.Error("values of other content:", err)
	}
	act.Document = strings.Repeat("长", 1<<20)
	if _, err := r.Begin(t.Context(), act, p); !errors.Is(err, registry.ErrOp) && !errors.Is(err, audit.ErrTooLarge) {
		t.Errorf("a name of three megabytes: %.200v", err)
	}
}

// A seal that becomes active and is used within one second is good: signing times have no fractions, entries have.
func TestSealedInTheSameSecond(t *testing.T) {
	b := court(t)
	b.must(t, "shenpi1", &registry.SuspendSeal{Seal: "S1", Reason: "r"})
	later := func(d time.Duration) {
		b.mu.Lock()
		b.now = b.now.Add(d)
		b.mu.Unlock()
	}
	later(300 * time.Millisecond)
	b.must(t, "shenpi2", &registry.ResumeSeal{Seal: "S1", Reason: "r"})
	later(200 * time.Millisecond)
	signer := audit.Record(b.Recorder(registry.Person("baoguan"), registry.Use{}), b.stamp(t))
	var sealed bytes.Buffer
	if _, err := pdfx.Sign(t.Context(), &sealed, strings.NewReader(document), int64(len(document)), signer, pdfx.Options{ID: "r-1", Now: b.clock}); err != nil {
		t.Fatal(err)
	}
	roots, err := verify.NewRoots(testpki.Shared(testpki.SM2).Cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	judged := func(logs verify.Logs) *verify.Report {
		t.Helper()
		r, err := verify.Document(t.Context(), bytes.NewReader(sealed.Bytes()), int64(sealed.Len()), verify.Options{Roots: roots, At: b.clock(), States: b, Sealings: b, Logs: logs})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := judged(verify.Logs{Keys: []audit.Verifier{logSigner().Verifier()}}); r.Verdict != verify.Valid || !hasCode(r, "seal-state", "ok") {
		t.Errorf("%s", r)
	}
	if r := judged(verify.Logs{}); !hasCode(r, "seal-state", "not-active") { // the entry proves nothing without a key
		t.Errorf("%s", r)
	}
}
