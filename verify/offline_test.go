package verify

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// A device seals where no ledger can be reached: the Recorder of the tests, which counts as it is told to.
type device struct {
	log    *memoryLog
	signer audit.Signer // of the grant; nil: the log's
	grant  audit.OfflineGrant
	use    func(*audit.OfflineUse)
	bytes  func([]byte) []byte
}

func (d device) Begin(_ context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	u := &audit.OfflineUse{Number: 3, List: 7, Use: audit.UseOf(act, p)}
	u.Use.SealDigest, u.Use.Org, u.Use.Kind, u.Use.Grant, u.Use.Time = d.grant.SealDigest, d.grant.Org, "判决书", d.grant.ID, noon
	if d.use != nil {
		d.use(u)
	}
	leaf, err := u.Marshal()
	if err != nil {
		return audit.Permit{}, err
	}
	if d.signer == nil {
		d.signer = d.log.signer
	}
	text, err := d.grant.Marshal()
	if err != nil {
		return audit.Permit{}, err
	}
	note, err := audit.SignNote(text, d.signer)
	if err != nil {
		return audit.Permit{}, err
	}
	e := (&audit.OfflineEvidence{GrantNote: note, Leaf: leaf}).Marshal()
	if d.bytes != nil {
		e = d.bytes(e)
	}
	return audit.Permit{Evidence: e}, nil
}

func (d device) End(context.Context, *sign.Act, []sign.Value, error) error { return nil }

// Uses under an offline grant: what the grant gives and does not give, and what the ledger says of them later.
func TestOfflineEvidence(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	stranger, elsewhere := newLog(t, sm3Log), newLog(t, sha256Log)
	digest := sign.SM3.Sum
	granted := func(mod func(*audit.OfflineGrant)) device {
		g := audit.OfflineGrant{
			ID: "offline-1", Log: sm3Log, Lists: sm3Log, Org: "示例市中级人民法院", Seal: w.seal.ID, SealDigest: digest(w.seal.Raw),
			Devices: [][]byte{digest(w.sm2.Chain()[0]), digest(w.rsa.Chain()[0])}, Kinds: []string{"判决书"},
			From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Uses: 5, Oldest: 7,
		}
		if mod != nil {
			mod(&g)
		}
		return device{log: log, grant: g}
	}
	uses := func(f func(*audit.OfflineUse)) device {
		d := granted(nil)
		d.use = f
		return d
	}
	by := func(d device, l *memoryLog) device { d.signer = l.signer; return d }
	raw := func(f func([]byte) []byte) device { d := granted(nil); d.bytes = f; return d }
	type says struct {
		state seal.SealingState
		err   error
	}
	reconciled := says{state: seal.SealingState{Reconciled: noon.AddDate(0, 0, 3)}}
	for _, x := range []struct {
		name    string
		device  device
		says    *says // nil: nobody is asked
		verdict Verdict
		code    string
	}{
		{"reconciled", granted(nil), &reconciled, Valid, "offline-reconciled"},
		{"nobody is asked", granted(nil), nil, Indeterminate, "offline-not-reconciled"},
		{"not reconciled", granted(nil), &says{}, Indeterminate, "offline-not-reconciled"},
		{"the books are closed", granted(nil), &says{err: errors.New("no line")}, Indeterminate, "offline-unknown"},
		{"one number twice", granted(nil), &says{state: seal.SealingState{Reconciled: noon.AddDate(0, 0, 3), Fault: "number 3 was used twice"}}, Invalid, "offline-refused"},
		{"used up", granted(func(g *audit.OfflineGrant) { g.Uses = 2 }), &reconciled, Invalid, "grant-used-up"},
		{"ended", granted(func(g *audit.OfflineGrant) { g.To = noon.Add(-time.Minute) }), &reconciled, Invalid, "grant-period"},
		{"not begun", granted(func(g *audit.OfflineGrant) { g.From = noon.Add(time.Minute) }), &reconciled, Invalid, "grant-period"},
		{"for another seal", granted(func(g *audit.OfflineGrant) { g.Seal = "11010600000009" }), &reconciled, Invalid, "grant-seal"},
		{"for another device", granted(func(g *audit.OfflineGrant) { g.Devices = [][]byte{digest([]byte("x"))} }), &reconciled, Invalid, "grant-device"},
		{"for another court", uses(func(u *audit.OfflineUse) { u.Use.Org = "别处" }), &reconciled, Invalid, "grant-exceeded"},
		{"for other documents", uses(func(u *audit.OfflineUse) { u.Use.Kind = "调解书" }), &reconciled, Invalid, "grant-exceeded"},
		{"of another grant", uses(func(u *audit.OfflineUse) { u.Use.Grant = "offline-2" }), &reconciled, Invalid, "grant-exceeded"},
		{"by an old list", uses(func(u *audit.OfflineUse) { u.List = 6 }), &reconciled, Invalid, "grant-list"},
		{"another document", uses(func(u *audit.OfflineUse) { u.Use.Content = sums(u.Use.Content, "x") }), &reconciled, Invalid, "evidence-other-document"},
		{"another seal", uses(func(u *audit.OfflineUse) { u.Use.Seal = "11010600000009" }), &reconciled, Invalid, "evidence-other-seal"},
		{"another key", uses(func(u *audit.OfflineUse) { u.Use.Certs = [][]byte{digest(w.maker.Chain()[0])} }), &reconciled, Invalid, "evidence-other-key"},
		{"dated back", uses(func(u *audit.OfflineUse) { u.Use.Time = noon.Add(10 * time.Minute) }), &reconciled, Invalid, "signed-before-entry"},
		{"granted by the holder", by(granted(nil), stranger), &reconciled, Indeterminate, "log-unknown"},
		{"granted by another ledger", by(granted(func(g *audit.OfflineGrant) { g.Log = sha256Log }), elsewhere), &reconciled, Invalid, "evidence-other-ledger"},
		{"signed by nobody", raw(flipSignature), &reconciled, Invalid, "grant-signature-wrong"},
		{"half of it", raw(func(b []byte) []byte { return b[:len(b)/2] }), &reconciled, Invalid, "malformed-evidence"},
	} {
		for _, f := range formats {
			t.Run(x.name+"/"+string(f), func(t *testing.T) {
				file := sealFile(t, page(), audit.Record(x.device, w.stamp(t, f, noon)), visible)
				books := &sealingBooks{}
				r := verifyFile(t, w, file, func(o *Options) {
					if o.At = noon.AddDate(0, 0, 7); x.says != nil {
						books.all, books.err, o.Sealings = x.says.state, x.says.err, books
					}
				})
				want(t, r, 0, x.verdict, "ledger", x.code)
				if x.code == "offline-reconciled" {
					s := books.asked[0]
					if e := r.Signatures[0].Entry; e == nil || e.Number != 3 || e.Grant != "offline-1" || s.Grant != e.Grant || s.Number != 3 || s.Log != "" {
						t.Errorf("entry %+v, asked for %+v", e, s)
					}
				}
			})
		}
	}
}

// A seal that was reported lost: what was sealed offline after the report is invalid, and what claims to be older has to prove it.
func TestOfflineAfterTheLossReport(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	d := device{log: log, grant: audit.OfflineGrant{
		ID: "offline-1", Log: sm3Log, Lists: sm3Log, Org: "示例市中级人民法院", Seal: w.seal.ID, SealDigest: sign.SM3.Sum(w.seal.Raw),
		Devices: [][]byte{sign.SM3.Sum(w.sm2.Chain()[0])}, Kinds: []string{"*"}, From: noon.Add(-time.Hour), To: noon.Add(time.Hour), Uses: 5, Oldest: 7,
	}}
	file := sealFile(t, page(), audit.Record(d, w.stamp(t, sign.SES, noon)), visible)
	for _, x := range []struct {
		lost        time.Time
		verdict     Verdict
		check, code string
	}{
		{noon.Add(-time.Minute), Invalid, "seal-state", "not-active"},
		{noon.Add(time.Minute), Indeterminate, "time", "time-not-proven"},
		{noon.AddDate(1, 0, 0), Valid, "ledger", "offline-reconciled"},
	} {
		r := verifyFile(t, w, file, func(o *Options) {
			o.At, o.Sealings = noon.AddDate(0, 0, 7), &sealingBooks{all: seal.SealingState{Reconciled: noon.AddDate(0, 0, 3)}}
			o.States = stateFunc(func(at time.Time) (seal.Status, error) {
				if at.Before(x.lost) {
					return seal.StatusActive, nil
				}
				return seal.StatusSuspended, nil
			})
		})
		want(t, r, 0, x.verdict, x.check, x.code)
	}
}
