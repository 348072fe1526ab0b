package verify

import (
	"bytes"
	"testing"
	"time"

	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// What the books say of the very value proves its time, as a time stamp does: for a seal that was suspended since.
func TestEntered(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	for _, f := range formats {
		file := entered(t, w, f, scribe{log: log})
		embedded, err := pdfx.Signatures(bytes.NewReader(file), int64(len(file)), pdfx.Options{})
		if err != nil {
			t.Fatal(err)
		}
		in := func(d time.Duration) seal.SealingState { return seal.SealingState{Entered: noon.Add(d)} }
		for _, x := range []struct {
			name        string
			books       seal.SealingState
			verdict     Verdict
			check, code string
		}{
			{"before the loss", in(time.Second), Valid, "time", "time-entered"},
			{"at its end", in(3*time.Hour - time.Second), Valid, "time", "time-entered"},
			{"after it", in(3*time.Hour + time.Second), Indeterminate, "time", "time-not-proven"},
			{"in the future", in(48 * time.Hour), Indeterminate, "time", "time-not-proven"},
			{"not at all", seal.SealingState{}, Indeterminate, "time", "time-not-proven"},
			{"before what is claimed", in(-time.Minute), Valid, "time", "time-entered"},
			{"long before what is claimed", in(-10 * time.Minute), Indeterminate, "time", "time-refuted"},
			{"long before its entry", in(-10 * time.Minute), Invalid, "ledger", "signed-before-entry"},
			{"of no value", seal.SealingState{Fault: "it failed"}, Invalid, "ledger", "entry-refused"},
		} {
			books := &sealingBooks{all: x.books}
			r := verifyFile(t, w, file, func(o *Options) {
				o.At, o.Sealings = noon.Add(9*time.Hour), books
				o.States = stateFunc(func(at time.Time) (seal.Status, error) {
					if at.Before(noon.Add(3 * time.Hour)) {
						return seal.StatusActive, nil
					}
					return seal.StatusSuspended, nil
				})
			})
			if x.code == "time-refuted" { // said beside the ledger's own answer
				if c := r.Signatures[0].Check("time"); c.Code != x.code {
					t.Errorf("%s %s: %+v", f, x.name, c)
				}
				continue
			}
			want(t, r, 0, x.verdict, x.check, x.code)
			if got := books.asked[0].Value; !bytes.Equal(got, sign.SM3.Sum(embedded[0].Value)) {
				t.Errorf("%s: asked about the value %x", f, got)
			}
			if p := r.Signatures[0].Proven; x.code == "time-entered" && !p.Equal(x.books.Entered) {
				t.Errorf("%s %s: proven for %s", f, x.name, p)
			}
		}
	}
}

// The earlier of a time stamp and the books wins.
func TestEnteredBesideATimeStamp(t *testing.T) {
	w := theWorld()
	for _, x := range []struct {
		after time.Duration
		code  string
	}{{-time.Minute, "time-entered"}, {time.Hour, "time-proven"}} {
		for _, f := range formats {
			file := sealFile(t, page(), stamped(t, w.seal, w.sm2, f, noon, tsa(noon.Add(2*time.Minute))), visible)
			entered := noon.Add(2*time.Minute + x.after)
			r := verifyFile(t, w, file, func(o *Options) {
				o.At, o.Sealings = noon.Add(9*time.Hour), &sealingBooks{all: seal.SealingState{Entered: entered}}
			})
			want(t, r, 0, Valid, "time", x.code)
		}
	}
}
