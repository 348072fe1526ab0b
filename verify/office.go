package verify

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/internal/opc"
	"github.com/courtseal/courtseal/internal/opcsig"
	"github.com/courtseal/courtseal/internal/wordscan"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// An office is an Office document under judgement.
type office struct {
	*job
	src             io.ReaderAt
	size            int64
	limits          Limits
	room            int64 // bytes of signatures that may still be read
	pkg             *opc.Package
	format          string
	main            *finding // of mainRule
	alsoPDF         bool
	seen            *look
	acts            []*act // of ours, in the order in which they are listed
	cases           []*officeCase
	sums            map[*opc.Part]sign.Sums // of parts that are signed
	damaged         map[*opc.Part]error     // parts that cannot be read
	kept            map[*opc.Part][]byte    // text of the document that was read to be hashed
	evidences       map[string][]byte       // of ledgers, anywhere in the package, by reference
	accounted       map[*opc.Part]bool      // parts of signatures and seals that have their place
	showsProperties bool                    // the document has fields that show its properties
	cover           *opcsig.Cover
}

// An act is one sealing of ours, by what it added to the package beside the signature that Office programs know
// (officex/FORMAT.md).
type act struct {
	folder string    // "/_seals/seal1/"
	undo   *opc.Part // nil: it is not there
	before sign.Sums // of the file before it; nil: not asked, or not to be had
}

// An officeCase is one signature of an Office document on its way through the checks.
type officeCase struct {
	*signatureCase
	part   *opc.Part          // nil: it is not in the package
	broken *finding           // of officeSignatureRule: why there is nothing to judge
	refs   []opcsig.Reference // what is signed of the package
	file   string             // what a seal signature says that it protects: its manifest
	undo   []byte             // SM3 of the record of its act, which a seal manifest names; nil: none
	signed sign.Sums          // of what the value is over
	act    *act               // nil: it is not of ours, or nothing says of which act it is
}

// maxSignatureBytes bounds what is read of all signatures together.
const maxSignatureBytes = 24 << 20

// office judges an Office document.
func (j *job) office(src io.ReaderAt, size int64) (*Report, error) {
	pkg, err := opc.Open(src, size, opc.Limits{})
	if err != nil {
		return nil, err
	}
	if pkg.Part("/[Content_Types].xml") == nil {
		return nil, fmt.Errorf("%w: this is %s", ErrFormat, wordscan.Main(pkg))
	}
	d := &office{job: j, src: src, size: size, limits: j.opts.Limits.orDefaults(size), room: maxSignatureBytes, pkg: pkg, evidences: map[string][]byte{}, accounted: map[*opc.Part]bool{}}
	if err := d.open(); err != nil {
		return nil, err
	}
	sigs, err := d.judgeAll()
	if err != nil {
		return nil, err
	}
	return &Report{Format: d.format, Time: d.at, Size: size, Policy: d.opts.Policy, Signatures: sigs, Notes: d.notes}, nil
}

// open reads the signatures of the package and all that they sign.
func (d *office) open() error {
	head, err := d.read(0, min(d.size, 1024))
	if err != nil {
		return err
	}
	d.alsoPDF = bytes.Contains(head, []byte("%PDF-"))
	d.findMain()
	if err := d.collect(); err != nil {
		return err
	}
	d.seen = d.look()
	d.tell()
	return nil
}

// collect reads the signatures and hashes what they sign.
func (d *office) collect() error {
	for _, step := range []func() error{d.findActs, d.findNatives, d.pair, d.account, d.digest, d.restore} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// An origin is a part from which relationships lead to signatures. A sound package has at most one of a kind.
func (d *office) origins(relation string) (parts []*opc.Part) {
	for _, r := range d.pkg.Rels("/").ByType(relation) {
		if p := d.pkg.Part(r.Part); p != nil && !slices.Contains(parts, p) {
			parts = append(parts, p)
			d.accounted[p] = p.Size == 0 // what stands in it would be signed by nobody
		}
	}
	return parts
}

// findActs finds the acts of ours and the seal signatures among them.
func (d *office) findActs() error {
	origins := d.origins(opcsig.RelSealOrigin)
	for _, origin := range origins {
		rels := d.pkg.Rels(origin.Name)
		for _, r := range rels.ByType(opcsig.RelAct) {
			d.acts = append(d.acts, &act{folder: folder(r.Part), undo: d.part(r.Part, opcsig.TypeUndo)})
		}
		for _, r := range rels.ByType(opcsig.RelSeal) {
			c, err := d.newCase(r)
			if err != nil {
				return err
			}
			if err := d.readSeal(c, len(origins)); err != nil {
				return err
			}
		}
	}
	return nil
}

// findNatives finds the signatures that Office programs know.
func (d *office) findNatives() error {
	origins := d.origins(opcsig.RelOrigin)
	for _, origin := range origins {
		for _, r := range d.pkg.Rels(origin.Name).ByType(opcsig.RelSignature) {
			c, err := d.newCase(r)
			if err != nil {
				return err
			}
			if err := d.readNative(c, len(origins)); err != nil {
				return err
			}
		}
	}
	return nil
}

func folder(name string) string { return name[:strings.LastIndexByte(name, '/')+1] }

// part is the part of a name, if it is of that type; nil: there is none.
func (d *office) part(name, contentType string) *opc.Part {
	if p := d.pkg.Part(name); p != nil && p.ContentType == contentType {
		return p
	}
	return nil
}

func (d *office) newCase(r opc.Relationship) (*officeCase, error) {
	if most := d.limits.Signatures; len(d.cases) == most {
		return nil, fmt.Errorf("%w: more than %d signatures", opc.ErrLimit, most)
	}
	name := r.Part
	if name == "" {
		name = clipName(r.Target)
	}
	c := &officeCase{part: d.pkg.Part(r.Part), file: name}
	c.signatureCase = &signatureCase{apart: true, judge: d.judge(&Signature{Name: name, Checks: []Check{}, Coverage: Text{"无法确定签名范围", "what is signed cannot be told"}})}
	for _, o := range d.cases {
		if c.part != nil && o.part == c.part {
			c.broken = found("signature-twice", o.sig.Name)
		}
	}
	d.cases = append(d.cases, c)
	d.judgePackage(c.judge)
	c.add(mainRule.check(d.main.code, d.main.args...))
	return c, nil
}

// readSignature reads a part that holds something of a signature.
func (d *office) readSignature(p *opc.Part) ([]byte, error) {
	if d.room -= p.Size; d.room < 0 {
		return nil, fmt.Errorf("%w: more than %d bytes of signatures", opc.ErrLimit, maxSignatureBytes)
	}
	return d.pkg.Read(p)
}

// readSeal reads the manifest of a seal signature, and the signature.
func (d *office) readSeal(c *officeCase, origins int) error {
	c.sig.Format = sign.SES
	var value *opc.Part
	if c.part != nil {
		value = d.part(folder(c.part.Name)+"SignedValue.dat", opcsig.TypeSignedValue)
		d.accounted[c.part], d.accounted[value] = true, true
		c.act = d.actOf(folder(c.part.Name))
	}
	switch {
	case c.part == nil || value == nil:
		c.broken = found("signature-missing", c.file)
		return nil
	case origins > 1:
		c.broken = found("origin-twice", origins)
	case c.part.ContentType != opcsig.TypeManifest:
		c.broken = found("signature-type", c.part.ContentType)
	}
	manifest, err := d.readSignature(c.part)
	if err == nil {
		c.raw, err = d.readSignature(value)
	}
	if err != nil {
		return c.breaks(err)
	}
	m, err := opcsig.ParseSealManifest(manifest)
	if err != nil {
		return c.breaks(err)
	}
	c.refs, c.undo = m.References, m.Undo
	if c.ses = c.parseSES(c.raw, signerRole); c.ses == nil {
		return nil
	}
	c.signed = sign.Sums{sign.SM3: sign.SM3.Sum(manifest)}
	if h := c.ses.hash(); h != "" {
		c.signed[h] = h.Sum(manifest)
	}
	if b, f := c.carried(); b != nil && f == nil {
		if ref, err := audit.Reference(b); err == nil {
			d.evidences[ref] = b
		}
	}
	return nil
}

// breaks remembers why a signature cannot be read, or passes on an error that is not of the file.
func (c *officeCase) breaks(err error) error {
	for _, e := range []error{opc.ErrDamaged, opc.ErrEncrypted, opc.ErrMethod, opcsig.ErrSignature, opcsig.ErrManifest, opcsig.ErrLimit} {
		if errors.Is(err, e) {
			c.broken = found("signature-unreadable", err.Error())
			return nil
		}
	}
	return err
}

// readNative reads a signature of Office programs.
func (d *office) readNative(c *officeCase, origins int) error {
	c.sig.Format = sign.XML
	switch {
	case c.part == nil:
		c.broken = found("signature-missing", c.file)
		return nil
	case origins > 1:
		c.broken = found("origin-twice", origins)
	case c.part.ContentType != opcsig.TypeSignature:
		c.broken = found("signature-type", c.part.ContentType)
	}
	d.accounted[c.part] = true
	b, err := d.readSignature(c.part)
	if err != nil {
		return c.breaks(err)
	}
	s, err := opcsig.Parse(b)
	if err != nil {
		return c.breaks(err)
	}
	for _, o := range d.cases {
		if c.broken == nil && o.native != nil && s.SignedInfo != nil && bytes.Equal(o.native.SignedInfo, s.SignedInfo) {
			c.broken = found("signature-twice", o.sig.Name) // a copy in another part
		}
	}
	c.native = &nativeSignature{Signature: s}
	c.refs = s.Manifest
	c.signed = sign.Sums{}
	if s.Object != nil {
		for _, h := range []sign.Hash{sign.SHA256, sign.SHA384, sign.SHA512} {
			c.signed[h] = h.Sum(s.Object)
		}
	}
	c.native.findCertificate()
	c.bring(s.Certificates...)
	return nil
}

// pair finds what belongs to a native signature elsewhere in the package: the seal that it was made with, the evidence that it names,
// the seal signature that is of the same act.
func (d *office) pair() error {
	parts := map[string]*opc.Part{} // of evidence, by reference
	for _, p := range d.pkg.Parts() {
		if p.ContentType != opcsig.TypeEvidence || !strings.HasPrefix(p.Name, sealFolder) {
			continue
		}
		b, err := d.readSignature(p)
		if isOfPackage(err) {
			continue // nothing will have a use for it
		}
		if err != nil {
			return err
		}
		// What a seal signature binds needs no part of its own.
		if ref, err := audit.Reference(b); err == nil && d.evidences[ref] == nil {
			d.evidences[ref], parts[ref] = b, p
		}
	}
	for _, c := range d.cases {
		if c.native == nil {
			continue
		}
		if err := d.boundSeal(c); err != nil {
			return err
		}
		ref := c.native.reference()
		if ref == "" {
			continue
		}
		evidence := d.evidences[ref]
		if evidence == nil {
			c.native.lost = found("evidence-missing", ref)
			continue
		}
		c.native.evidence = evidence
		if p := parts[ref]; p != nil {
			d.accounted[p] = true
			c.act = d.actOf(folder(p.Name))
			c.native.apart = true
		}
		for _, s := range d.cases {
			if s.ses == nil {
				continue
			}
			if b, f := s.carried(); f == nil && bytes.Equal(b, evidence) {
				c.native.partner, c.act = s.ses, s.act
			}
		}
	}
	return nil
}

const sealFolder = "/_seals/"

func (d *office) actOf(folder string) *act {
	for _, a := range d.acts {
		if strings.EqualFold(a.folder, folder) {
			return a
		}
	}
	return nil
}

// boundSeal reads the seal that a native signature was made with: it signs the part in which it stands.
func (d *office) boundSeal(c *officeCase) error {
	for _, r := range c.refs {
		if !strings.HasPrefix(r.Name, sealFolder) {
			continue
		}
		p := d.pkg.Part(r.Name)
		if a := d.actOf(folder(r.Name)); a != nil && p != nil && a.undo == p {
			c.act = a
		} else if r.ContentType == opcsig.TypeUndo && c.broken == nil {
			c.broken = found("undo-missing") // or nothing leads to it
		}
		// The seal of a signature that was there before is that one's, though programs that sign all parts sign it again.
		if p == nil || p.ContentType != opcsig.TypeSeal || r.ContentType != opcsig.TypeSeal || d.accounted[p] {
			continue
		}
		d.accounted[p] = true
		if c.native.seal != nil || c.native.unsealed != nil {
			c.native.seal, c.native.unsealed = nil, found("seal-binding-twice")
			continue
		}
		b, err := d.readSignature(p)
		if err == nil {
			c.native.seal, err = seal.Parse(b)
		} else if !isOfPackage(err) {
			return err
		}
		if err != nil {
			c.native.unsealed = found("malformed-binding", err.Error())
		}
	}
	return nil
}

// judgeAll makes every check of every signature. Each is compared with all that there is in the package.
func (d *office) judgeAll() ([]Signature, error) {
	all := len(d.pkg.Parts())
	for _, source := range d.pkg.Sources() {
		all += len(d.pkg.Rels(source).All())
	}
	if cost := all * len(d.cases); cost > d.limits.Objects {
		return nil, fmt.Errorf("%w: %d parts and relationships to compare with %d signatures", opc.ErrLimit, all, len(d.cases))
	}
	out := make([]Signature, len(d.cases))
	for i, c := range d.cases {
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		d.judgeCase(c)
		c.conclude()
		out[i] = *c.sig
	}
	return out, d.lookalikes()
}

func (d *office) judgeCase(c *officeCase) {
	if c.broken == nil {
		c.broken = d.judgeUndo(c)
	}
	if c.broken != nil {
		c.add(officeSignatureRule.check(c.broken.code, c.broken.args...))
	} else {
		c.add(officeSignatureRule.check(codeOK))
	}
	if c.ses == nil && c.native == nil {
		return
	}
	if c.native != nil {
		c.xmlForm(c.native)
	}
	d.judgeDamage(c)
	d.judgeParts(c)
	d.judgeCoverage(c)
	d.claims(c)
	for _, o := range d.cases {
		if o != c && o.signed != nil {
			c.others = append(c.others, o.signed)
		}
	}
	if c.act != nil && c.act.before != nil {
		c.sources = []sign.Sums{c.act.before}
	}
	if c.native != nil {
		c.raw = c.native.value()
	}
	if e := c.judgeValue(c.signed, c.file, ""); e != nil {
		d.picture(c, e)
	}
}

// claims finds the claimed time: timeInfo of the seal signature, or SigningTime of XAdES, else the one in the package object.
func (d *office) claims(c *officeCase) {
	if c.ses != nil {
		c.claims(c.ses.timeOf())
		return
	}
	s, t := c.native.Signature, time.Time{}
	if s.XAdES != nil {
		t = s.XAdES.Time
	}
	if t.IsZero() {
		c.claims(s.Time)
		return
	}
	c.claims(t, claim{"SignatureTime", s.Time})
}

// tell notes what a document shows that is not settled by what is signed.
func (d *office) tell() {
	for _, f := range d.seen.found {
		kind := contentZH[f.Kind.String()]
		text := Text{fmt.Sprintf("%s（%s）：%s", kind, f.Part, f.Detail), fmt.Sprintf("%s, in %s: %s", f.Kind, f.Part, f.Detail)}
		switch f.Kind {
		case wordscan.TrackedChanges, wordscan.Comments, wordscan.Tracking:
			d.notes = append(d.notes, Note{"unsettled-content", text})
		default:
			d.notes = append(d.notes, Note{"dynamic-content", text})
		}
		d.showsProperties = d.showsProperties || f.Kind == wordscan.PropertyFields
	}
	if err := d.seen.err; err != nil {
		d.notes = append(d.notes, Note{"content-unreadable", Text{"无法查找动态内容：" + err.Error(), "dynamic content cannot be looked for: " + err.Error()}})
	}
	d.unsealed()
}

func (d *office) read(from, to int64) ([]byte, error) {
	b := make([]byte, max(0, to-from))
	_, err := readFull(d.src, b, from)
	return b, err
}
