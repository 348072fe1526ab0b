package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"image"
	"image/png"
	"path"
	"sync"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// ledgerFiles makes, once, a ledger and what was sealed with it and past it: the files of ledger/ for the scripts.
var ledgerFiles = sync.OnceValues(func() (map[string][]byte, error) {
	log, err := newTestLog("example.cn/ledger")
	if err != nil {
		return nil, err
	}
	ca := testpki.NewCA(testpki.SM2, "Ledger Root")
	maker, holder := ca.Issue(testpki.SM2, "制章者", nil), ca.Issue(testpki.SM2, "持章人", nil)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		return nil, err
	}
	policy, err := audit.Policy{Required: true, Keys: []audit.Verifier{log.signer.Verifier()}}.Extension()
	if err != nil {
		return nil, err
	}
	e, err := seal.Make(context.Background(), &seal.Seal{
		ID: "11010600000001", Name: "账本印章", Certs: holder.Chain()[:1], NotBefore: time.Now().AddDate(0, -1, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		Created: time.Now().AddDate(0, -1, 0), Picture: sign.Picture{Type: "PNG", Data: picture.Bytes(), Width: 40, Height: 40},
		Extensions: []seal.Extension{{ID: sign.AttributePolicy, Value: policy}},
	}, maker)
	if err != nil {
		return nil, err
	}
	stamp, err := e.Stamp(holder, seal.StampOptions{Format: sign.CMS})
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"roots.pem": ca.PEM(), "key": []byte("# the ledger's\n" + log.signer.Verifier().String() + "\n")}
	put := func(name string, s sign.Signer) {
		var out bytes.Buffer
		if _, fail := pdfx.Sign(context.Background(), &out, bytes.NewReader(minimalPDF()), int64(len(minimalPDF())), s, pdfx.Options{}); fail != nil {
			err = fail
		}
		files[name] = out.Bytes()
	}
	log.grow("a", 3)
	fork := log.fork()
	fork.grow("b", 4)
	put("past.pdf", stamp)
	put("sealed.pdf", audit.Record(log, stamp))
	put("forked.pdf", audit.Record(fork, stamp))
	early := log.note()
	log.grow("c", 10)
	files["early"], files["late"] = early, log.note()
	for name, b := range log.tiles() {
		files[path.Join("copy", name)] = b
	}
	return files, err
})

// A testLog is a ledger of a few entries, in memory.
type testLog struct {
	origin string
	signer *audit.KeySigner
	hashes []audit.Hash // of the leaves
	edge   audit.Frontier
}

func newTestLog(origin string) (*testLog, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := audit.NewSigner(origin, key)
	return &testLog{origin: origin, signer: signer}, err
}

func (l *testLog) fork() *testLog {
	f := *l
	f.hashes = append([]audit.Hash(nil), l.hashes...)
	return &f
}

func (l *testLog) enter(leaf []byte) {
	h := audit.SHA256.LeafHash(leaf)
	l.hashes = append(l.hashes, h)
	l.edge.Append(h)
}

func (l *testLog) grow(name string, n int) {
	for i := range n {
		l.enter(fmt.Appendf(nil, "courtseal.leaf/v1 note\nname %s%d\n", name, i))
	}
}

func (l *testLog) note() []byte {
	note, err := audit.Checkpoint{Origin: l.origin, Size: l.edge.Size(), Root: l.edge.Root()}.Sign(l.signer)
	if err != nil {
		panic(err)
	}
	return note
}

// Nodes implements audit.NodeReader.
func (l *testLog) Nodes(_ context.Context, ids []audit.NodeID) (out []audit.Hash, err error) {
	for _, id := range ids {
		var sub audit.Frontier
		for _, h := range l.hashes[id.Index<<id.Level : (id.Index+1)<<id.Level] {
			sub.Append(h)
		}
		out = append(out, sub.Root())
	}
	return out, nil
}

// tiles are the files of a copy, of fewer than 256 entries.
func (l *testLog) tiles() map[string][]byte {
	return map[string][]byte{audit.CheckpointPath: l.note(), audit.TilePath(0, 0, len(l.hashes)): l.tile()}
}

func (l *testLog) tile() (b []byte) {
	for _, h := range l.hashes {
		b = append(b, h[:]...)
	}
	return b
}

// Begin implements audit.Recorder.
func (l *testLog) Begin(ctx context.Context, act *sign.Act, p sign.Profile) (audit.Permit, error) {
	u := audit.UseOf(act, p)
	u.Request, u.Time = "request 1", time.Now().UTC().Truncate(time.Second)
	leaf, err := u.Leaf()
	if err != nil {
		return audit.Permit{}, err
	}
	b, err := leaf.Marshal()
	if err != nil {
		return audit.Permit{}, err
	}
	l.enter(b)
	size := l.edge.Size()
	proof, err := audit.ProveInclusion(ctx, audit.SHA256, l, size-1, size)
	return audit.Permit{Evidence: audit.Receipt{Index: size - 1, Leaf: b, Proof: proof, Checkpoint: l.note()}.Evidence()}, err
}

// End implements audit.Recorder.
func (l *testLog) End(context.Context, *sign.Act, []sign.Value, error) error { return nil }
