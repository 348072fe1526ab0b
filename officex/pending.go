package officex

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/sign"
)

// A Pending is a file that waits for its signature values: what to sign, and what to write once it is signed. It does not hold the file.
// MarshalBinary and UnmarshalBinary carry it from one process to another.
type Pending struct{ plan *plan }

// Act is what is to be signed. The caller does not change it.
func (p *Pending) Act() *sign.Act { return p.plan.Act }

// Commit writes the sealed file: src, which must be the file that was prepared, with what was prepared and the values, one for each part of
// the Act. A native value that is not over what was prepared is ErrValue; of a seal signature package verify asks more. Another file is
// ErrOtherFile. Either is said before anything is written.
func (p *Pending) Commit(dst io.Writer, src io.ReaderAt, size int64, v []sign.Value) (*Result, error) {
	if p.plan == nil {
		return nil, fmt.Errorf("%w: nothing was prepared", ErrState)
	}
	if size != p.plan.Size {
		return nil, fmt.Errorf("%w: %d bytes, not %d", ErrOtherFile, size, p.plan.Size)
	}
	source := p.plan.Act.Source
	h := slices.Max(slices.Collect(maps.Keys(source))) // SM3 or the native hash
	got := hashFile(context.Background(), src, size, []sign.Hash{h})
	if got.err != nil {
		return nil, got.err
	}
	if !bytes.Equal(got.sums[h], source[h]) {
		return nil, fmt.Errorf("%w: its bytes changed", ErrOtherFile)
	}
	pkg, err := openPackage(src, size, p.plan.Limits)
	if err != nil {
		return nil, err
	}
	if err := p.plan.agrees(pkg); err != nil {
		return nil, err
	}
	return p.plan.finish(dst, pkg, v)
}

const pendingMagic = "courtseal-office-pending-1\n"

// MarshalBinary gives the state of a Pending, for Commit in another process: what is to be signed and what is to be written, and of the file
// only the parts that change. Whoever keeps it must keep it from being changed.
func (p *Pending) MarshalBinary() ([]byte, error) {
	if p.plan == nil {
		return nil, fmt.Errorf("%w: nothing was prepared", ErrState)
	}
	b, err := json.Marshal(p.plan)
	if err != nil {
		return nil, err
	}
	return append([]byte(pendingMagic), b...), nil
}

// UnmarshalBinary takes the state that MarshalBinary gave; ErrState says that it is not one, or not whole.
func (p *Pending) UnmarshalBinary(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(pendingMagic))
	if !ok {
		return fmt.Errorf("%w: it does not begin as one", ErrState)
	}
	d := json.NewDecoder(bytes.NewReader(rest))
	d.DisallowUnknownFields()
	s := new(plan)
	if err := d.Decode(s); err != nil {
		return fmt.Errorf("%w: it is cut short, or something else stands in it (%v)", ErrState, err)
	}
	if d.InputOffset() != int64(len(rest)) {
		return fmt.Errorf("%w: something stands behind it", ErrState)
	}
	if err := s.restore(); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	p.plan = s
	return nil
}

// restore asks that a plan from elsewhere is whole and says the same everywhere.
func (p *plan) restore() error {
	if p.Act == nil || p.Size <= 0 || number(p.Folder, "/_seals/seal", "/") == 0 {
		return fmt.Errorf("something is missing")
	}
	var formats []sign.Format
	for i, part := range p.Act.Parts {
		formats = append(formats, part.Format)
		if err := p.restorePart(i, part); err != nil {
			return err
		}
	}
	if s := fmt.Sprint(formats); s != "[ses]" && s != "[xml]" && s != "[ses xml]" {
		return fmt.Errorf("values of the formats %.40s", s)
	}
	hashes := p.hashes()
	if len(p.Act.Source) != len(hashes) {
		return fmt.Errorf("%d digests of the file", len(p.Act.Source))
	}
	for _, h := range hashes {
		if sum := p.Act.Source[h]; len(sum) == 0 || len(sum) != h.Size() {
			return fmt.Errorf("a digest is missing or of another length")
		}
	}
	return nil
}

func (p *plan) restorePart(i int, part sign.Part) error {
	switch {
	case part.Format == sign.SES && part.Property == p.Folder+opcsig.ManifestName:
		if text, ok := p.change(part.Property); !ok || !bytes.Equal(sign.SM3.Sum(text), p.Act.Content[sign.SM3]) {
			return fmt.Errorf("the seal manifest is not what is to be signed")
		}
	case part.Format == sign.XML && p.Draft != nil && len(p.Draft.Chain) > 0:
		if err := p.build(); err != nil {
			return err
		}
		h := p.Scheme.Hash
		if h != p.Draft.Hash || !bytes.Equal(h.Sum(p.native.Package()), p.Act.Content[h]) {
			return fmt.Errorf("the package object is not what is to be signed")
		}
		if p.Draft.Comments != p.Act.Reason || !p.Draft.Time.Equal(p.Act.Time) {
			return fmt.Errorf("the native signature has another reason or time")
		}
		p.Act.Parts[i].Office = p.native.Office()
	default:
		return fmt.Errorf("part %d, of format %.20q", i, part.Format)
	}
	return nil
}

// change is what a part will be.
func (p *plan) change(name string) ([]byte, bool) {
	i := slices.IndexFunc(p.Changes, func(c opc.Change) bool { return c.Name == name })
	if i < 0 {
		return nil, false
	}
	return p.Changes[i].Data, true
}

// agrees asks that what is signed is what will be written: all of it, and nothing but parts of this act beside it.
func (p *plan) agrees(pkg *opc.Package) error {
	found := findActs(pkg)
	if p.Folder != found.folder() || p.Sig != "" && p.Sig != found.sig() || (p.Sig != "") != (p.part(sign.XML) >= 0) {
		return fmt.Errorf("%w: it is another act's turn", ErrState)
	}
	after, err := pkg.With(p.Changes)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	cover := opcsig.NewCover(after)
	var seal, native []opcsig.Reference
	if p.part(sign.SES) >= 0 {
		seal = cover.References(opcsig.SealScope, sign.SM3)
	}
	if p.part(sign.XML) >= 0 {
		_, withSeal := p.change(p.Folder + opcsig.SealName)
		native = cover.References(opcsig.NativeScope, p.Scheme.Hash, p.own(cover, after, withSeal)...)
	}
	if err := opcsig.Fill(context.Background(), after, seal, native); err != nil {
		return packageError(err)
	}
	undo, _ := p.change(p.Folder + opcsig.UndoName)
	if u, err := opcsig.ParseUndo(undo); err != nil || !bytes.Equal(u.Digest, p.Act.Source[u.Hash]) {
		return fmt.Errorf("%w: its record of the file before is of another file", ErrState)
	}
	if p.part(sign.SES) >= 0 {
		text, _ := p.change(p.Folder + opcsig.ManifestName)
		m := opcsig.SealManifest{References: seal, Undo: sign.SM3.Sum(undo)}
		if b, err := m.Marshal(); err != nil || !bytes.Equal(b, text) {
			return fmt.Errorf("%w: its seal manifest is not that of what it writes", ErrState)
		}
	}
	if p.part(sign.XML) >= 0 && !slices.EqualFunc(p.Draft.Manifest, native, sameReference) {
		return fmt.Errorf("%w: its manifest is not that of what it writes", ErrState)
	}
	return p.onlyOwn(pkg, seal, native)
}

func sameReference(a, b opcsig.Reference) bool {
	return a.Name == b.Name && a.ContentType == b.ContentType && a.Hash == b.Hash && slices.Equal(a.IDs, b.IDs) && bytes.Equal(a.Digest, b.Digest)
}

// onlyOwn asks that what is changed and that nothing covers is of this act, or is how it is found.
func (p *plan) onlyOwn(pkg *opc.Package, lists ...[]opcsig.Reference) error {
	covered := map[string]bool{typesName: true}
	for _, list := range lists {
		for _, r := range list {
			covered[r.Name] = true
		}
	}
	for _, c := range p.Changes {
		name, act := strings.CutPrefix(c.Name, p.Folder)
		_, rels := opc.SourceOf(c.Name)
		origin := len(c.Data) == 0 && pkg.Part(c.Name) == nil
		switch {
		case covered[c.Name], rels, origin, act && (name == opcsig.ManifestName || name == opcsig.UndoName || name == opcsig.SealName):
		default:
			return fmt.Errorf("%w: it changes %.80q, which it does not sign", ErrState, c.Name)
		}
	}
	return nil
}
