package officex

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/wordscan"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

// A plan is an act on a document, all but its values: what is signed and what will be written.
type plan struct {
	Size    int64         `json:"size"` // of the file as it is
	Limits  Limits        `json:"limits,omitzero"`
	Act     *sign.Act     `json:"act"`
	Folder  string        `json:"folder"`        // of the act: /_seals/seal1/
	Sig     string        `json:"sig,omitempty"` // the part of the native signature; empty: none
	Draft   *opcsig.Draft `json:"draft,omitempty"`
	Scheme  sign.Scheme   `json:"scheme"` // of the native signature
	Changes []opc.Change  `json:"changes"`
	Shown   string        `json:"shown,omitempty"`
	// Properties: the text shows properties of the document, so that the native signature covers them too.
	Properties bool        `json:"properties,omitempty"`
	Line       string      `json:"line,omitempty"`
	Notes      []sign.Note `json:"notes,omitempty"`

	native *opcsig.Native
}

// newPlan reads the file, and tells what is to be signed for a signer of a profile.
func newPlan(ctx context.Context, pkg *opc.Package, main *opc.Part, src io.ReaderAt, profile sign.Profile, o Options) (*plan, error) {
	if err := countable(pkg); err != nil {
		return nil, err
	}
	found := findActs(pkg)
	p := &plan{Size: pkg.Size(), Limits: o.Limits, Folder: found.folder()}
	if err := p.begin(profile, o); err != nil {
		return nil, err
	}
	dangers, err := refuse(pkg, o.Allow)
	if err != nil {
		return nil, err
	}
	for _, f := range dangers {
		p.Properties = p.Properties || f.Kind == wordscan.PropertyFields
		p.Notes = append(p.Notes, sign.Note{Code: f.Kind.String(), Detail: f.Part + ": " + f.Detail})
	}
	hashes := p.hashes()
	source := make(chan sourceSums, 1) // the whole file is hashed beside the rest
	go func() { source <- hashFile(ctx, src, pkg.Size(), hashes) }()

	e := newEdit(pkg)
	if p.part(sign.XML) >= 0 && len(found.natives) == 0 { // later, one by LibreOffice could have it in its digests
		e.compact()
	}
	line, err := p.show(e, main, found, profile, o)
	if err == nil {
		err = p.outline(e, found)
	}
	s := <-source
	if err = errors.Join(err, s.err); err != nil {
		return nil, err
	}
	p.Act.Source = s.sums
	return p, p.content(ctx, e, profile, line, o)
}

// maxItems bounds parts and relationships together. A verifier compares each with every signature, so what has more may be sealed and
// then not be verified.
const maxItems = 20_000

func countable(pkg *opc.Package) error {
	all := len(pkg.Parts())
	for _, source := range pkg.Sources() {
		all += len(pkg.Rels(source).All())
	}
	if all > maxItems {
		return fmt.Errorf("%w: %d parts and relationships, %d allowed", ErrLimit, all, maxItems)
	}
	return nil
}

// begin makes the Act, and picks the formats of its parts.
func (p *plan) begin(profile sign.Profile, o Options) error {
	now := time.Now
	if o.Now != nil {
		now = o.Now
	}
	p.Act = &sign.Act{ID: o.ID, Document: o.Document, Reason: o.Reason, Time: now().UTC().Truncate(time.Second), Content: sign.Sums{}}
	if p.Act.ID == "" {
		id := make([]byte, 16)
		rand.Read(id)
		p.Act.ID = hex.EncodeToString(id)
	}
	formats := map[sign.Format][]sign.Format{sign.SES: {sign.SES}, sign.CMS: {sign.XML}, sign.XML: {sign.XML}, sign.Dual: {sign.SES, sign.XML}}[profile.Format]
	if formats == nil {
		return fmt.Errorf("%w: format %q", ErrProfile, profile.Format)
	}
	for _, f := range formats {
		spec, ok := profile.Specs[f]
		switch {
		case !ok && f == sign.XML:
			return fmt.Errorf("%w: the signature that Word knows takes an RSA or ECDSA key, and has no SM2; seal as %q, or as %q with a second key",
				ErrProfile, sign.SES, sign.Dual)
		case !ok || len(spec.Chain) == 0 || f == sign.SES && !slices.Contains(spec.Hashes, sign.SM3):
			return fmt.Errorf("%w: format %q", ErrProfile, f)
		case f == sign.SES:
			p.Act.Parts = append(p.Act.Parts, sign.Part{Format: f, Property: p.Folder + opcsig.ManifestName})
			continue
		}
		pub, err := publicKey(spec.Chain[0])
		if err != nil {
			return err
		}
		if p.Scheme, err = sign.SchemeFor(pub); err != nil {
			return fmt.Errorf("%w: %w", ErrProfile, err)
		}
		p.Act.Parts = append(p.Act.Parts, sign.Part{Format: f})
	}
	return nil
}

func publicKey(cert []byte) (any, error) {
	c, err := gm.ParseCertificate(cert)
	if err != nil {
		return nil, fmt.Errorf("%w: its certificate: %w", ErrProfile, err)
	}
	return c.PublicKey, nil
}

// part is the index of the part of a format; -1: there is none.
func (p *plan) part(f sign.Format) int {
	return slices.IndexFunc(p.Act.Parts, func(part sign.Part) bool { return part.Format == f })
}

// hashes are those of all that is signed.
func (p *plan) hashes() (list []sign.Hash) {
	if p.part(sign.SES) >= 0 {
		list = append(list, sign.SM3)
	}
	if p.part(sign.XML) >= 0 {
		list = append(list, p.Scheme.Hash)
	}
	return list
}

// outline puts in the parts and relationships by which values are found.
func (p *plan) outline(e *edit, found acts) error {
	type part struct{ name, contentType string }
	type relation struct{ source, relType, target string }
	var parts []part
	var relations []relation
	// An origin that is there is kept, wherever it is.
	origin := func(relType, name, contentType string) (string, error) {
		o := e.pkg.Rels("/").ByType(relType)
		if len(o) == 0 {
			parts = append(parts, part{name, contentType})
			relations = append(relations, relation{"/", relType, name})
			return name, nil
		}
		at := e.pkg.Part(o[0].Part)
		if len(o) > 1 || at == nil || at.ContentType != contentType {
			return "", fmt.Errorf("%w: the origin of its signatures is missing, or there are two", ErrPackage)
		}
		return at.Name, nil
	}
	acts, err := origin(opcsig.RelSealOrigin, opcsig.SealOrigin, opcsig.TypeSealOrigin)
	if err != nil {
		return err
	}
	relations = append(relations, relation{acts, opcsig.RelAct, p.Folder + opcsig.UndoName})
	if p.part(sign.SES) >= 0 {
		relations = append(relations, relation{acts, opcsig.RelSeal, p.Folder + opcsig.ManifestName})
	}
	if p.part(sign.XML) >= 0 {
		origin, err := origin(opcsig.RelOrigin, opcsig.Origin, opcsig.TypeOrigin)
		if err != nil {
			return err
		}
		p.Sig = found.sig()
		relations = append(relations, relation{origin, opcsig.RelSignature, p.Sig})
	}
	for _, r := range relations {
		if _, err := e.relate(r.source, r.relType, r.target); err != nil {
			return err
		}
	}
	for _, x := range parts {
		if err := e.add(x.name, x.contentType, []byte{}); err != nil {
			return err
		}
	}
	return nil
}

// content hashes what is signed, and makes what will be.
func (p *plan) content(ctx context.Context, e *edit, profile sign.Profile, line *opcsig.Line, o Options) error {
	ses, xml := p.part(sign.SES), p.part(sign.XML)
	if xml >= 0 && ses < 0 && profile.SESeal != nil {
		if err := e.add(p.Folder+opcsig.SealName, opcsig.TypeSeal, profile.SESeal); err != nil {
			return err
		}
	}
	undo, err := p.undo(e)
	if err != nil {
		return err
	}
	if err := e.add(p.Folder+opcsig.UndoName, opcsig.TypeUndo, undo); err != nil {
		return err
	}
	declare := [][2]string{}
	if ses >= 0 {
		declare = append(declare, [2]string{p.Folder + opcsig.ManifestName, opcsig.TypeManifest}, [2]string{p.Folder + opcsig.ValueName, opcsig.TypeSignedValue})
	}
	if xml >= 0 {
		declare = append(declare, [2]string{p.Sig, opcsig.TypeSignature})
	}
	for _, d := range declare {
		if e.types, err = e.types.WithOverride(d[0], d[1]); err != nil {
			return packageError(err)
		}
	}
	after, err := e.pkg.With(e.list())
	if err != nil {
		return packageError(err)
	}
	var seal, native []opcsig.Reference
	cover := opcsig.NewCover(after)
	if ses >= 0 {
		seal = cover.References(opcsig.SealScope, sign.SM3)
	}
	if xml >= 0 {
		native = cover.References(opcsig.NativeScope, p.Scheme.Hash, p.own(cover, after, profile.SESeal != nil)...)
	}
	switch err := opcsig.Fill(ctx, after, seal, native); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return packageError(err)
	}
	if ses >= 0 {
		m := opcsig.SealManifest{References: seal, Undo: sign.SM3.Sum(undo)}
		b, err := m.Marshal()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrPackage, err)
		}
		e.replace(p.Folder+opcsig.ManifestName, b)
		p.Act.Content[sign.SM3] = sign.SM3.Sum(b)
	}
	if xml >= 0 {
		p.Draft = &opcsig.Draft{Hash: p.Scheme.Hash, Manifest: native, Time: p.Act.Time, Chain: profile.Specs[sign.XML].Chain,
			Comments: o.Reason, Line: line}
		if err := p.build(); err != nil {
			return err
		}
		p.Act.Content[p.Scheme.Hash] = p.Scheme.Hash.Sum(p.native.Package())
		p.Act.Parts[xml].Office = p.native.Office()
	}
	p.Changes = e.list()
	return nil
}

// own are the parts that this native signature binds besides what every one covers: the record of its act, the seal where no seal
// signature has it, and the properties of a document whose text shows them.
func (p *plan) own(cover *opcsig.Cover, after *opc.Package, withSeal bool) []string {
	names := []string{p.Folder + opcsig.UndoName}
	if withSeal && p.part(sign.SES) < 0 {
		names = append(names, p.Folder+opcsig.SealName)
	}
	for _, part := range after.Parts() {
		if p.Properties && cover.IsProperty(part) {
			names = append(names, part.Name)
		}
	}
	return names
}

// build makes the native signature's text of its draft.
func (p *plan) build() (err error) {
	if p.Draft == nil {
		return nil
	}
	if p.native, err = p.Draft.Build(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	return nil
}

// undo records how to get the file back that is there now.
func (p *plan) undo(e *edit) ([]byte, error) {
	var names []string
	for _, c := range e.list() {
		names = append(names, c.Name)
	}
	record, err := e.pkg.Undo(names)
	if err != nil {
		return nil, packageError(err)
	}
	h := slices.Min(slices.Collect(maps.Keys(p.Act.Source)))
	return opcsig.Undo{Hash: h, Digest: p.Act.Source[h], Record: record}.Marshal(), nil
}

type sourceSums struct {
	sums sign.Sums
	err  error
}

// hashFile hashes all of the file as it is, with each hash on its own.
func hashFile(ctx context.Context, src io.ReaderAt, size int64, hashes []sign.Hash) sourceSums {
	running := make([]hash.Hash, len(hashes))
	for i, h := range hashes {
		running[i] = h.New()
	}
	buf := make([]byte, 256<<10)
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return sourceSums{err: err}
		}
		b := buf[:min(int64(len(buf)), size-at)]
		n, err := src.ReadAt(b, at)
		if n < len(b) {
			if err == nil || errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return sourceSums{err: err}
		}
		var wait sync.WaitGroup
		for _, h := range running[1:] {
			wait.Go(func() { h.Write(b) })
		}
		running[0].Write(b)
		wait.Wait()
		at += int64(n)
	}
	sums := sign.Sums{}
	for i, h := range hashes {
		sums[h] = running[i].Sum(nil)
	}
	return sourceSums{sums: sums}
}

// fill takes the values, checks that they are those of the act, and gives the parts that hold them.
func (p *plan) fill(pkg *opc.Package, values []sign.Value) (changes []opc.Change, parts []string, notes []sign.Note, err error) {
	if len(values) != len(p.Act.Parts) {
		return nil, nil, nil, fmt.Errorf("%w: %d values for %d parts", ErrValue, len(values), len(p.Act.Parts))
	}
	changes = slices.Clone(p.Changes)
	for i, part := range p.Act.Parts {
		if len(values[i].Bytes) == 0 {
			return nil, nil, nil, fmt.Errorf("%w: value %d is empty", ErrValue, i)
		}
		notes = append(notes, values[i].Notes...)
		if part.Format == sign.SES {
			if !bytes.Contains(values[i].Bytes, p.Act.Content[sign.SM3]) { // its dataHash; package verify asks more
				return nil, nil, nil, fmt.Errorf("%w: a seal signature over something else", ErrValue)
			}
			changes = append(changes, opc.Change{Name: p.Folder + opcsig.ValueName, Data: values[i].Bytes})
			parts = append(parts, p.Folder+opcsig.ManifestName)
			continue
		}
		v, err := p.check(part, values[i].Bytes)
		if err != nil {
			return nil, nil, nil, err
		}
		b, err := p.native.Part(p.Scheme, v)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%w: %w", ErrValue, err)
		}
		changes, parts = append(changes, opc.Change{Name: p.Sig, Data: b}), append(parts, p.Sig)
		if v.Evidence != nil {
			if changes, err = p.enter(pkg, changes, v.Evidence); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return changes, parts, notes, nil
}

// check asks that a native value is over what stands in the document, the reference of the ledger's entry among it.
func (p *plan) check(part sign.Part, der []byte) (sign.XMLValue, error) {
	v, err := sign.ParseXMLValue(der)
	if err != nil {
		return v, fmt.Errorf("%w: %w", ErrValue, err)
	}
	act := *p.Act
	act.Reference = v.Reference
	info, err := xmldsig.ToSign(&act, part, p.Scheme)
	if err != nil {
		return v, fmt.Errorf("%w: %w", ErrValue, err)
	}
	pub, err := publicKey(p.Draft.Chain[0])
	if err != nil {
		return v, err
	}
	if err := xmldsig.Check(pub, p.Scheme, info, v.Value); err != nil {
		return v, fmt.Errorf("%w: %w", ErrValue, err)
	}
	return v, nil
}

// enter puts in the evidence of a ledger, which is known only now, and its content type.
func (p *plan) enter(pkg *opc.Package, changes []opc.Change, evidence []byte) ([]opc.Change, error) {
	name := p.Folder + opcsig.EvidenceName
	after, err := pkg.With(changes)
	if err != nil {
		return nil, packageError(err)
	}
	types, err := after.ContentTypes().WithOverride(name, opcsig.TypeEvidence)
	if err != nil {
		return nil, packageError(err)
	}
	for i := range changes {
		if changes[i].Name == typesName {
			changes[i].Data = types.Bytes()
		}
	}
	return append(changes, opc.Change{Name: name, Data: evidence}), nil
}
