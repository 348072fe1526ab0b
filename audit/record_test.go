package audit

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/sign"
)

// receiptOf is the receipt of entry index in tr.
func receiptOf(t testing.TB, tr *tree, index uint64, leaf []byte, name string, signers ...Signer) Receipt {
	t.Helper()
	size := tr.f.Size()
	note := must(Checkpoint{Origin: name, Size: size, Root: tr.f.Root()}.Sign(signers...))
	return Receipt{index, leaf, must(ProveInclusion(t.Context(), tr.p, tr, index, size)), note}
}

func TestEvidence(t *testing.T) {
	ed, sm, other := edSigner(t, origin), smSigner(t, origin), edSigner(t, "other.example.cn/sm3")
	tr, _ := grown(SM3)
	leaf := must(Leaf{Kind: "use.begin", Fields: map[string]string{"request": "1"}}.Marshal())
	tr.add(leaf)
	tr.add(entry(1))
	r := receiptOf(t, tr, sizes, leaf, origin, ed, sm)
	b := r.Evidence()
	e, err := ParseEvidence(b)
	if err != nil || !bytes.Equal(e.Evidence(), b) || e.Index != sizes || !bytes.Equal(e.Leaf, leaf) ||
		e.Head.Size != sizes+2 || e.Head.Origin != origin {
		t.Fatalf("%+v: %v", e, err)
	}
	by, err := e.Check(sm.Verifier())
	if err != nil || len(by) != 1 || by[0].String() != sm.Verifier().String() {
		t.Fatal(by, err)
	}
	if _, err := e.Check(other.Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error("other key:", err)
	}
	foreign := must(ParseEvidence(Receipt{r.Index, r.Leaf, r.Proof, must(SignNote(e.Head.Marshal(), other))}.Evidence()))
	if _, err := foreign.Check(ed.Verifier(), other.Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error("the key of another log speaks for this one:", err)
	}
	e.Index++
	if _, err := e.Check(ed.Verifier()); !errors.Is(err, ErrProof) {
		t.Error("other index:", err)
	}
}

// TestEveryByteOfEvidenceCounts: whatever byte is changed, the evidence is refused, or a signature line became one of an unknown key
// and the evidence says the same by the other.
func TestEveryByteOfEvidenceCounts(t *testing.T) {
	ed, sm := edSigner(t, origin), smSigner(t, origin)
	tr, _ := grown(SM3)
	leaf := must(must(use().Leaf()).Marshal())
	tr.add(leaf)
	good := receiptOf(t, tr, sizes, leaf, origin, ed, sm).Evidence()
	e := must(ParseEvidence(good))
	signatures := bytes.LastIndex(good, []byte("\n\n")) + 2
	for i := range good {
		for _, x := range []byte{1, 0x20} {
			b := bytes.Clone(good)
			b[i] ^= x
			c, err := ParseEvidence(b)
			if err != nil {
				continue
			}
			by, err := c.Check(ed.Verifier(), sm.Verifier())
			if err == nil && (i < signatures || len(by) != 1 || c.Index != e.Index || !bytes.Equal(c.Leaf, e.Leaf) || c.Head != e.Head) {
				t.Fatalf("byte %d ^ %02x is not found", i, x)
			}
		}
	}
	for n := range len(good) {
		if c, err := ParseEvidence(good[:n]); err == nil && n < signatures {
			t.Fatalf("cut to %d bytes: %+v", n, c)
		}
	}
}

type recorder struct {
	permit     Permit
	begin, end error
	calls      []string
	acts       []*sign.Act
	err        error
	values     []sign.Value
	ctx        context.Context
}

func (r *recorder) Begin(_ context.Context, act *sign.Act, _ sign.Profile) (Permit, error) {
	r.calls, r.acts = append(r.calls, "begin"), append(r.acts, act)
	return r.permit, r.begin
}

func (r *recorder) End(ctx context.Context, act *sign.Act, v []sign.Value, err error) error {
	r.calls, r.acts, r.values, r.err, r.ctx = append(r.calls, "end"), append(r.acts, act), v, err, ctx
	return r.end
}

type signer struct {
	r      *recorder
	cancel func()
	act    *sign.Act
	values []sign.Value
	err    error
}

func (s *signer) Profile() sign.Profile {
	return sign.Profile{Format: sign.CMS, Seal: "s", Specs: map[sign.Format]sign.Spec{sign.CMS: {MaxSize: 10}, sign.SES: {MaxSize: 20}, sign.Dual: {MaxSize: 30}}}
}

func (s *signer) Sign(_ context.Context, act *sign.Act) ([]sign.Value, error) {
	s.r.calls, s.act = append(s.r.calls, "sign"), act
	if s.cancel != nil {
		s.cancel()
	}
	return s.values, s.err
}

func TestRecord(t *testing.T) {
	broken, refused := errors.New("device gone"), errors.New("limit reached")
	one := []sign.Value{{Bytes: []byte("value")}}
	entered := Permit{Evidence: []byte("e")}
	tooLong := make([]byte, MaxEvidence+1)
	for name, tc := range map[string]struct {
		r     recorder
		s     signer
		calls string
		want  error // of Sign
		ended error // told to End
		ok    bool
	}{
		"good":           {recorder{permit: entered}, signer{values: one}, "begin sign end", nil, nil, true},
		"refused":        {recorder{begin: refused}, signer{values: one}, "begin", refused, nil, false},
		"signing fails":  {recorder{permit: entered}, signer{err: broken}, "begin sign end", broken, broken, false},
		"end fails":      {recorder{permit: entered, end: refused}, signer{values: one}, "begin sign end", refused, nil, false},
		"both fail":      {recorder{permit: entered, end: refused}, signer{err: broken}, "begin sign end", broken, broken, false},
		"done before":    {recorder{permit: Permit{Values: one}}, signer{}, "begin", nil, nil, true},
		"done otherwise": {recorder{permit: Permit{Values: append(one, one...)}}, signer{}, "begin", ErrAct, nil, false},
		"no evidence":    {recorder{}, signer{values: one}, "begin end", ErrAct, ErrAct, false},
		"long evidence":  {recorder{permit: Permit{Evidence: tooLong}}, signer{values: one}, "begin end", ErrAct, ErrAct, false},
		"no value":       {recorder{permit: entered}, signer{}, "begin sign end", ErrAct, ErrAct, false},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			r, s := &tc.r, &tc.s
			s.r, s.cancel = r, cancel
			act := &sign.Act{ID: "1", Parts: []sign.Part{{Format: sign.CMS}}}
			values, err := Record(r, s).Sign(ctx, act)
			if !errors.Is(err, tc.want) || (err == nil) != tc.ok || (values != nil) != tc.ok {
				t.Fatalf("%v, %v", values, err)
			}
			if got := strings.Join(r.calls, " "); got != tc.calls || !errors.Is(r.err, tc.ended) {
				t.Fatalf("%s; End was told %v", got, r.err)
			}
			if len(act.Evidence) != 0 {
				t.Error("the caller's act was changed")
			}
			if s.act != nil && (!bytes.Equal(s.act.Evidence, tc.r.permit.Evidence) || s.act == act) {
				t.Error("the signer got no copy with evidence")
			}
			if r.ctx != nil && (r.ctx.Err() != nil || !bytes.Equal(r.acts[1].Evidence, tc.r.permit.Evidence)) {
				t.Errorf("End: %v, %+v", r.ctx.Err(), r.acts[1])
			}
		})
	}
}

// A signer that panics, as a driver of a device may, ends what was begun.
func TestRecordPanic(t *testing.T) {
	r := &recorder{permit: Permit{Evidence: []byte("e")}}
	s := &signer{r: r, cancel: func() { panic("driver") }}
	func() {
		defer func() {
			if p := recover(); p != "driver" {
				t.Errorf("recovered %v", p)
			}
		}()
		Record(r, s).Sign(t.Context(), &sign.Act{ID: "1", Parts: []sign.Part{{Format: sign.CMS}}})
	}()
	if got := strings.Join(r.calls, " "); got != "begin sign end" || !errors.Is(r.err, ErrAct) || r.values != nil {
		t.Errorf("%s; End was told %v and %v", got, r.values, r.err)
	}
}

func TestRecordTwice(t *testing.T) {
	r := &recorder{permit: Permit{Evidence: []byte("e")}}
	act := &sign.Act{Parts: []sign.Part{{Format: sign.CMS}}}
	if _, err := Record(r, Record(r, &signer{r: r})).Sign(t.Context(), act); !errors.Is(err, ErrAct) {
		t.Error(err)
	}
}

type roomy struct{ recorder }

func (*roomy) MaxEvidence() int { return 100 }

func TestRecordMakesRoom(t *testing.T) {
	r := &recorder{}
	s := &signer{r: r}
	p := Record(r, s).Profile()
	if p.Specs[sign.CMS].MaxSize != 10+MaxEvidence+128 || p.Specs[sign.SES].MaxSize != 20+MaxEvidence+128 ||
		p.Specs[sign.Dual].MaxSize != 30+2*(MaxEvidence+128) || p.Seal != "s" {
		t.Errorf("%+v", p)
	}
	if p := Record(&roomy{}, s).Profile(); p.Specs[sign.CMS].MaxSize != 10+100+128 {
		t.Errorf("%+v", p)
	}
	if s.Profile().Specs[sign.CMS].MaxSize != 10 {
		t.Error("the signer's own profile was changed")
	}
}
