package verify

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// sealingBooks are books of withdrawn documents, as a registry keeps them: by the digest of what is signed, and by that of the
// file that was sealed.
type sealingBooks struct {
	content, source map[string]seal.SealingState // by SM3
	all             seal.SealingState            // of what is in neither
	asked           []seal.Sealing
	err             error
}

func (b *sealingBooks) Sealing(_ context.Context, s seal.Sealing) (seal.SealingState, error) {
	b.asked = append(b.asked, s)
	if state, ok := b.content[string(s.Content[sign.SM3])]; ok {
		return state, b.err
	}
	if state, ok := b.source[string(s.Source[sign.SM3])]; ok {
		return state, b.err
	}
	return b.all, b.err
}

func TestWithdrawn(t *testing.T) {
	w, log := ledgerWorld(t, sm3Log)
	withdrawn := seal.SealingState{Withdrawn: noon.Add(time.Minute), Reason: "文书有误，另行送达"}
	for _, f := range formats {
		if f == sign.CMS {
			continue // with an SM2 key it is like ses
		}
		file := entered(t, w, f, scribe{log: log})
		again := sealFile(t, file, w.stampOf(t, theWorld().seal, sign.CMS, noon), visible)                                             // a copy that somebody else sealed too
		elsewhere := sealFile(t, page(), audit.Record(scribe{log: log, seal: w.seal, now: noon}, w.stamp(t, f, noon)), pdfx.Options{}) // sealed in another way

		asked := &sealingBooks{}
		with := func(b *sealingBooks) func(*Options) { return func(o *Options) { o.Sealings = b } }
		want(t, verifyFile(t, w, file, nil), 0, Valid, "withdrawn", "no-sealings")
		want(t, verifyFile(t, w, file, with(asked)), 0, Valid, "withdrawn", "ok")
		s := asked.asked[0]
		if s.Seal != w.seal.ID || len(s.Content[sign.SM3]) != 32 || !bytes.Equal(s.Source[sign.SM3], sign.SM3.Sum(page())) || s.Log != sm3Log || s.Index+2 != log.edge.Size() {
			t.Errorf("%s: asked for %+v", f, s)
		}
		content := map[string]seal.SealingState{string(s.Content[sign.SM3]): withdrawn}
		source := map[string]seal.SealingState{string(s.Source[sign.SM3]): withdrawn}

		want(t, verifyFile(t, w, file, with(&sealingBooks{content: content})), 0, Invalid, "withdrawn", "withdrawn")
		r := verifyFile(t, w, again, with(&sealingBooks{content: content}))
		want(t, r, 0, Invalid, "withdrawn", "withdrawn")
		want(t, r, 1, Valid, "withdrawn", "ok")
		want(t, verifyFile(t, w, elsewhere, with(&sealingBooks{content: content})), 0, Valid, "withdrawn", "ok")
		want(t, verifyFile(t, w, elsewhere, with(&sealingBooks{source: source})), 0, Invalid, "withdrawn", "withdrawn")
		if d := verifyFile(t, w, file, with(&sealingBooks{content: content})).Signatures[0].Check("withdrawn").Detail; d.EN != "the sealing was withdrawn at 2026-06-01 12:01:00Z: 文书有误，另行送达" {
			t.Errorf("told as %q", d.EN)
		}
		want(t, verifyFile(t, w, file, func(o *Options) { o.At, o.Sealings = noon, &sealingBooks{content: content} }), 0, Valid, "withdrawn", "withdrawn-since")
		want(t, verifyFile(t, w, file, with(&sealingBooks{err: errors.New("no line")})), 0, Indeterminate, "withdrawn", "sealing-unknown")
	}
}

// Without good evidence there is no entry that could be asked about: the digests are those computed from the file.
func TestWithdrawnWithoutEvidence(t *testing.T) {
	w, _ := ledgerWorld(t, sm3Log)
	books := &sealingBooks{}
	file := bypass(t, page(), w.seal, w.sm2, w.rsa, sign.SES)
	verifyFile(t, w, file, func(o *Options) { o.Sealings = books })
	if s := books.asked[0]; s.Log != "" || !bytes.Equal(s.Source[sign.SM3], sign.SM3.Sum(page())) || len(s.Content[sign.SM3]) != 32 {
		t.Errorf("asked for %+v", s)
	}
}
