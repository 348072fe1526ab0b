package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/verify"
)

var document = string(pdftest.Page())

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// memory is a ledger in memory, whole but for its permanence.
type memory struct {
	mu      sync.Mutex
	origin  string
	signers []audit.Signer
	f       audit.Frontier
	nodes   map[audit.NodeID]audit.Hash
	leaves  [][]byte
	pad     int // more bytes in each use
}

func newMemory(origin string, signers ...audit.Signer) *memory {
	f, _ := audit.NewFrontier(context.Background(), audit.ProfileOf(origin), nil, 0)
	return &memory{origin: origin, signers: signers, f: f, nodes: map[audit.NodeID]audit.Hash{}}
}

func (m *memory) Nodes(_ context.Context, ids []audit.NodeID) ([]audit.Hash, error) {
	var out []audit.Hash
	for _, id := range ids {
		out = append(out, m.nodes[id])
	}
	return out, nil
}

func (m *memory) add(ctx context.Context, l audit.Leaf) (audit.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	leaf, err := l.Marshal()
	if err != nil {
		return audit.Receipt{}, err
	}
	p, index := audit.ProfileOf(m.origin), m.f.Size()
	for level, h := range m.f.Append(p.LeafHash(leaf)) {
		m.nodes[audit.NodeID{Level: uint(level), Index: index >> level}] = h
	}
	m.leaves = append(m.leaves, leaf)
	proof, err := audit.ProveInclusion(ctx, p, m, index, m.f.Size())
	if err != nil {
		return audit.Receipt{}, err
	}
	note, err := audit.Checkpoint{Origin: m.origin, Size: m.f.Size(), Root: m.f.Root()}.Sign(m.signers...)
	return audit.Receipt{Index: index, Leaf: leaf, Proof: proof, Checkpoint: note}, err
}

func (m *memory) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	u := audit.UseOf(act, p)
	u.Time = noon
	if m.pad > 0 {
		u.Extra = map[string]string{"pad": string(bytes.Repeat([]byte("x"), m.pad))}
	}
	l, err := u.Leaf()
	if err != nil {
		return audit.Permit{}, err
	}
	r, err := m.add(ctx, l)
	return audit.Permit{Evidence: r.Evidence()}, err
}

func (m *memory) End(ctx context.Context, act *sign.Act, values []sign.Value, failed error) error {
	e, err := audit.ParseEvidence(act.Evidence)
	if err != nil {
		return err
	}
	o := audit.OutcomeOf(e.Index, act, values, failed)
	o.Time = noon
	l, err := o.Leaf()
	if err != nil {
		return err
	}
	_, err = m.add(ctx, l)
	return err
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// signers are all that make values for PDF, by name, and the roots they chain to.
func signers(t *testing.T) (map[string]sign.Signer, *verify.Roots) {
	t.Helper()
	sm2CA, rsaCA := testpki.Shared(testpki.SM2), testpki.Shared(testpki.RSA)
	sm2, rsa := sm2CA.Issue(testpki.SM2, "示例市中级人民法院", nil), rsaCA.Issue(testpki.RSA, "示例市中级人民法院", nil)
	e := must(seal.Make(t.Context(), &seal.Seal{
		ID: "11010600000001", Name: "示例市中级人民法院", Certs: [][]byte{sm2.Chain()[0], rsa.Chain()[0]},
		Created: noon.AddDate(-1, 0, 0), NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(5, 0, 0),
		Picture: sign.Picture{Type: "PNG", Data: dot, Width: 45, Height: 45},
	}, sm2CA.Issue(testpki.SM2, "制章者", nil)))
	return map[string]sign.Signer{
		"ses":          must(e.Stamp(sm2, seal.StampOptions{Format: sign.SES, Now: now})),
		"cms, seal":    must(e.Stamp(sm2, seal.StampOptions{Format: sign.CMS, Now: now})),
		"cms, seal, 2": must(e.Stamp(rsa, seal.StampOptions{Format: sign.CMS, Now: now})),
		"dual":         must(e.Stamp(sm2, seal.StampOptions{Format: sign.Dual, Outer: rsa, Now: now})),
		"cms, SM2":     must(cms.New(sm2, cms.Options{})),
		"cms, RSA":     must(cms.New(rsa, cms.Options{})),
	}, must(verify.NewRoots(sm2CA.Cert.Raw, rsaCA.Cert.Raw))
}

// dot is a PNG of one pixel.
var dot = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde\x00\x00\x00\x0cIDAT" +
	"x\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82")

// sealed is the document as s seals it at noon.
func sealed(t *testing.T, s sign.Signer) ([]byte, *pdfx.Result, error) {
	t.Helper()
	var out bytes.Buffer
	r, err := pdfx.Sign(t.Context(), &out, strings.NewReader(document), int64(len(document)), s, pdfx.Options{Now: now})
	return out.Bytes(), r, err
}

func now() time.Time { return noon }

func logKeys(origin string) (ed, sm *audit.KeySigner) {
	seed := sha256.Sum256([]byte(origin))
	return must(audit.NewSigner(origin, ed25519.NewKeyFromSeed(seed[:]))), must(audit.NewSigner(origin, must(gm.GenerateKey())))
}

// TestRecordedSealsCarryTheirProof seals with each signer through a ledger, and reads from the sealed file alone what was entered.
func TestRecordedSealsCarryTheirProof(t *testing.T) {
	all, roots := signers(t)
	for name, s := range all {
		for _, origin := range []string{"court.example.cn/ledger", "court.example.cn/ledger/sm3"} {
			t.Run(name+" "+origin, func(t *testing.T) {
				ed, sm := logKeys(origin)
				m := newMemory(origin, ed, sm)
				must(m.add(t.Context(), audit.Leaf{Kind: "log.begin"}))
				out, done, err := sealed(t, audit.Record(m, s))
				if err != nil {
					t.Fatal(err)
				}
				file, size := bytes.NewReader(out), int64(len(out))
				r := must(verify.Document(t.Context(), file, size, verify.Options{Roots: roots, Now: now}))
				if len(r.Signatures) != 1 || r.Signatures[0].Verdict == verify.Invalid {
					t.Fatal(r)
				}
				e, err := audit.ParseEvidence(r.Signatures[0].Evidence)
				if err != nil {
					t.Fatal(err)
				}
				for _, k := range []audit.Verifier{ed.Verifier(), sm.Verifier()} {
					if _, err := e.Check(k); err != nil {
						t.Error(err)
					}
				}
				u := must(audit.ParseUse(must(audit.ParseLeaf(e.Leaf))))
				if u.Request != done.Act.ID || u.Seal != s.Profile().Seal || u.Format != s.Profile().Format {
					t.Errorf("%+v", u)
				}
				found := must(pdfx.Signatures(file, size, pdfx.Options{}))
				h := s.Profile().Specs[s.Profile().Format].Hashes[0]
				sums := must(pdfx.Hash(t.Context(), file, size, found, [][]sign.Hash{{h}}))
				if !bytes.Equal(u.Content[h], sums[0][h]) || !bytes.Equal(u.Source[h], h.Sum([]byte(document))) {
					t.Error("the entry names another document")
				}
				o := must(audit.ParseOutcome(must(audit.ParseLeaf(m.leaves[2]))))
				if o.Begin != 1 || o.Request != u.Request || len(o.Values) != 1 || !bytes.Equal(o.Values[0], sign.SM3.Sum(found[0].Value)) {
					t.Errorf("%+v", o)
				}
				if name == "dual" && len(u.Certs) != 2 {
					t.Errorf("a dual of %d certificates", len(u.Certs))
				}
				t.Logf("%d bytes of evidence", len(r.Signatures[0].Evidence))
			})
		}
	}
}

// TestRoomForEvidence: the room that Record adds holds evidence of every length up to MaxEvidence, in every format.
func TestRoomForEvidence(t *testing.T) {
	all, _ := signers(t)
	for name, s := range all {
		for _, n := range []int{1, 100, 127, 128, 255, 256, 1000, 4000, audit.MaxEvidence} {
			fixed := fixedRecorder(bytes.Repeat([]byte("e"), n))
			if _, _, err := sealed(t, audit.Record(fixed, s)); err != nil {
				t.Errorf("%s, %d: %v", name, n, err)
			}
		}
	}
}

type fixedRecorder []byte

func (f fixedRecorder) Begin(context.Context, *sign.Act, sign.Profile) (audit.Permit, error) {
	return audit.Permit{Evidence: f}, nil
}
func (f fixedRecorder) End(context.Context, *sign.Act, []sign.Value, error) error { return nil }

// exact is a Recorder that reserves what it needs and no more.
type exact struct{ fixedRecorder }

func (e exact) MaxEvidence() int { return len(e.fixedRecorder) }

// TestRoomIsWhatTheRecorderSays: also where a Recorder reserves exactly the length of its evidence, there is room.
func TestRoomIsWhatTheRecorderSays(t *testing.T) {
	all, _ := signers(t)
	for name, s := range all {
		for _, n := range []int{1, 50, 120, 127, 128, 250, 256, 20000, 65400, 70000} {
			rec := audit.Record(exact{bytes.Repeat([]byte("e"), n)}, s)
			p := rec.Profile()
			if _, _, err := sealed(t, rec); err != nil {
				t.Errorf("%s, %d, room %d: %v", name, n, p.Specs[p.Format].MaxSize, err)
			}
		}
	}
}

func TestSixtyFourSealersLeaveTheirEntries(t *testing.T) {
	all, _ := signers(t)
	ed, _ := logKeys("court.example.cn/ledger/sm3")
	m := newMemory("court.example.cn/ledger/sm3", ed)
	s := audit.Record(m, all["ses"])
	var wg sync.WaitGroup
	errs := make(chan error, 64)
	for i := range 64 {
		wg.Go(func() {
			_, err := s.Sign(t.Context(), &sign.Act{
				ID: fmt.Sprint(i), Time: noon, Content: sign.Sums{sign.SM3: sign.SM3.Sum(fmt.Append(nil, i))}, Parts: []sign.Part{{Format: sign.SES}},
			})
			errs <- err
		})
	}
	wg.Wait()
	for range 64 {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	begun, ended := map[uint64]string{}, 0
	for i, b := range m.leaves {
		l := must(audit.ParseLeaf(b))
		if l.Kind == audit.KindUse {
			begun[uint64(i)] = must(audit.ParseUse(l)).Request
			continue
		}
		o := must(audit.ParseOutcome(l))
		if r, ok := begun[o.Begin]; !ok || r != o.Request {
			t.Errorf("entry %d ends %d of request %q", i, o.Begin, o.Request)
		}
		ended++
	}
	if len(begun) != 64 || ended != 64 {
		t.Errorf("%d begun, %d ended", len(begun), ended)
	}
}

// TestALeafTooLongForItsRoom: a Recorder whose entries outgrow the room is told, and nothing is signed.
func TestALeafTooLongForItsRoom(t *testing.T) {
	all, _ := signers(t)
	ed, _ := logKeys("court.example.cn/ledger/sm3")
	m := newMemory("court.example.cn/ledger/sm3", ed)
	m.pad = audit.MaxEvidence
	act := &sign.Act{ID: "1", Time: noon, Content: sign.Sums{sign.SM3: sign.SM3.Sum(nil)}, Parts: []sign.Part{{Format: sign.SES}}}
	if _, err := audit.Record(m, all["ses"]).Sign(t.Context(), act); !errors.Is(err, audit.ErrAct) {
		t.Error(err)
	}
	if o := must(audit.ParseOutcome(must(audit.ParseLeaf(m.leaves[1])))); o.Failure == "" {
		t.Errorf("%+v", o)
	}
}
