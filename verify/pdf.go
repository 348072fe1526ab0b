package verify

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/appearance"
	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// A document is a PDF under judgement.
type document struct {
	*job
	src       io.ReaderAt
	size      int64
	file      *pdf.File
	found     []pdf.Signature
	revisions []revision
	shared    []named // dictionaries that every signature depends on
	shown     *appearance.Comparer
	gallery   *gallery
	painted   *pdftext.Reader       // for pictures: what it reads of the file is bounded
	named     map[pdf.Ref]*pdf.Page // pages that widgets of signatures name; nil values: no page
	allNamed  bool                  // all that any of them names are there
	ends      []int64               // where the ranges of signatures end that sign a revision

	limits Limits
	proofs []proof
	steps  []*step // by the index of the older revision; nil: not compared
	views  map[int]*pdf.File
	budget int // objects that may still be visited
	bytes  *anatomy
	laterWork
}

// What the savings after the first signature did, as far as it concerns the whole file.
type laterWork struct {
	changes  []Change
	told     int // changes of all steps
	stamps   []bool
	added    map[uint32]bool // objects that they made
	adders   map[uint32]int  // the revision that made each, the last one where it was made again
	redone   map[uint32]place
	writers  map[uint32][]*step // of those
	strays   []stray
	guarded  map[uint32]bool            // dictionaries of appearances that were written again, as they were
	inStore  map[uint32]bool            // what a DSS is made of, certificates and lists aside
	owners   map[uint32]map[uint32]bool // whose appearance an object is
	fillings map[*Change]map[uint32]bool
	filledIn map[uint32]int // by field that was empty: the revision that filled it
	onPages  *pageMap
	hops     map[uint32]hop
}

type named struct {
	zh, en string
	dict   *pdf.Dict
}

// pdf judges a PDF.
func (j *job) pdf(src io.ReaderAt, size int64) (*Report, error) {
	d, err := j.document(src, size)
	if err != nil {
		return nil, err
	}
	sigs, err := d.judgeAll()
	if err != nil {
		return nil, err
	}
	return &Report{Format: "PDF", Time: d.at, Size: size, Revisions: len(d.revisions), Policy: d.opts.Policy, Signatures: sigs, Changes: d.changes, Notes: d.notes}, nil
}

// document opens a PDF.
func (j *job) document(src io.ReaderAt, size int64) (*document, error) {
	d := &document{job: j, src: src, size: size, limits: j.opts.Limits.orDefaults(size), gallery: j.newGallery(), named: map[pdf.Ref]*pdf.Page{}}
	d.budget = d.limits.Objects
	if err := d.open(); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *document) open() error {
	o := pdf.Options{Password: d.opts.Password}
	f, err := pdf.Open(d.src, d.size, o)
	if errors.Is(err, pdf.ErrDamaged) {
		o.Repair = true
		f, err = pdf.Open(d.src, d.size, o)
	}
	if err != nil {
		return err
	}
	d.file, d.shown, d.painted = f, appearance.NewComparer(f, d.size), pdftext.New(f)
	if d.found, err = f.Signatures(); err != nil {
		return err
	}
	if most := d.limits.Signatures; len(d.found) > most {
		return fmt.Errorf("%w: %d signatures, %d allowed", pdf.ErrLimit, len(d.found), most)
	}
	d.revisions = revisions(f)
	d.steps = make([]*step, len(d.revisions))
	d.views = map[int]*pdf.File{}
	d.laterWork = laterWork{added: map[uint32]bool{}, adders: map[uint32]int{}, redone: map[uint32]place{}, writers: map[uint32][]*step{}, guarded: map[uint32]bool{}, owners: map[uint32]map[uint32]bool{}, fillings: map[*Change]map[uint32]bool{},
		filledIn: map[uint32]int{}}
	d.tell()
	return d.share()
}

// tell notes what a person should know of the file, signed or not.
func (d *document) tell() {
	if at, _ := d.file.Header(); at != 0 {
		d.notes = append(d.notes, Note{"header-offset", Text{fmt.Sprintf("PDF 文件头不在开头，而在第 %d 字节", at), fmt.Sprintf("the PDF header is not at the beginning but at byte %d", at)}})
	}
	if err := d.file.Repaired(); err != nil {
		d.notes = append(d.notes, Note{"damaged", Text{fmt.Sprintf("文件的交叉引用已损坏，经重建后读取：%v", err), fmt.Sprintf("the cross-reference is damaged and was rebuilt to read the file: %v", err)}})
	}
	if encrypted, _ := d.file.Encrypted(); encrypted {
		d.notes = append(d.notes, Note{"encrypted", Text{"文件已加密", "the file is encrypted"}})
	}
}

func (d *document) share() error {
	catalog, err := d.file.Catalog()
	if err != nil {
		return err
	}
	form, _, err := d.file.Form()
	if err != nil {
		return err
	}
	d.shared = []named{{"目录", "catalog", catalog.Dict()}, {"表单", "form", form}}
	return nil
}

// A pdfCase is one signature of a PDF on its way through the checks.
type pdfCase struct {
	*signatureCase
	field    *pdf.Signature
	span     span
	hashable bool     // the range may be hashed
	whole    bool     // the range and its gap are right
	token    []byte   // a document time stamp; nil: it is a signature
	boxes    []placed // where it is seen; nil: not asked yet
}

func (d *document) judgeAll() ([]Signature, error) {
	out := make([]Signature, len(d.found))
	cases := make([]*pdfCase, len(d.found))
	for i := range d.found {
		c, err := d.prepare(&d.found[i], &out[i])
		if err != nil {
			return nil, err
		}
		cases[i] = c
	}
	if err := d.beginStructure(cases); err != nil {
		return nil, err
	}
	sums, err := d.hash(cases)
	if err != nil {
		return nil, err
	}
	if err := d.endStructure(); err != nil {
		return nil, err
	}
	spans := make([]int, len(cases))
	for _, i := range stampsFirst(cases) {
		if err := d.ctx.Err(); err != nil {
			return nil, err
		}
		c := cases[i]
		for _, p := range d.proofs {
			if c.whole && c.span.end <= p.gap {
				c.archived = earlier(c.archived, p.stamps)
			}
		}
		if spans[i], err = d.judgeOne(c, sums[i]); err != nil {
			return nil, err
		}
	}
	if err := d.compareLater(cases, spans); err != nil {
		return nil, err
	}
	for _, c := range cases {
		c.conclude()
	}
	return out, d.lookalikes(cases)
}

// A proof is a good document time stamp: what ends before its gap is proven.
type proof struct {
	gap int64
	*stamps
}

// stampsFirst is the order in which to judge: document time stamps before what they prove, among them each other.
func stampsFirst(cases []*pdfCase) []int {
	order := make([]int, len(cases))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := cases[a], cases[b]
		switch {
		case (x.token != nil) != (y.token != nil):
			return cmp.Compare(len(y.token), len(x.token))
		case x.token != nil:
			return cmp.Compare(y.span.end, x.span.end)
		}
		return 0
	})
	return order
}

// prepare makes the checks of structure and parses the value, which tells the hashes that are needed.
func (d *document) prepare(s *pdf.Signature, out *Signature) (*pdfCase, error) {
	*out = Signature{Name: s.Name, SubFilter: string(s.SubFilter), Checks: []Check{}, Coverage: Text{"无法确定签名范围", "what is signed cannot be told"}}
	c := &pdfCase{signatureCase: &signatureCase{judge: d.judge(out)}, field: s}
	d.signature(c.judge, s)
	if s.Dict == nil {
		return c, nil
	}
	c.span, c.hashable = c.byteRange(s, d.size)
	if c.hashable {
		var err error
		if c.whole, err = c.contents(s, c.span, d.src); err != nil {
			return nil, err
		}
	}
	b, kind := c.value(s.Contents)
	c.raw = b
	switch kind {
	case cmsValue:
		out.Format = sign.CMS
		var stamp bool
		if c.cms, stamp = c.parseCMS(b); stamp {
			c.token, out.Timestamp = b, true
		}
		if c.cms != nil && c.cms.inner != nil {
			out.Format = sign.Dual
		}
	case sesValue:
		out.Format = sign.SES
		c.ses = c.parseSES(b, signerRole)
	}
	c.subFilter(string(s.SubFilter), out.Format)
	return c, nil
}

// hash makes the digests that all signatures need, in one pass over the file.
func (d *document) hash(cases []*pdfCase) ([]sign.Sums, error) {
	ranges, want := make([]sign.Embedded, len(cases)), make([][]sign.Hash, len(cases))
	for i, c := range cases {
		if !c.whole {
			continue // nothing is signed by a range that leaves out other bytes than its value
		}
		ranges[i].Ranges = []sign.Range{{Length: c.span.gap}, {Offset: c.span.resume, Length: c.span.end - c.span.resume}}
		switch {
		case c.cms != nil:
			want[i] = c.cms.hashes()
		case c.ses != nil:
			want[i] = []sign.Hash{c.ses.hash()}
		case c.token != nil:
			want[i] = []sign.Hash{stampHash(c.token)}
		}
		want[i] = append(want[i], c.named()...)
		known := want[i][:0:0]
		for _, h := range want[i] {
			if h.Size() > 0 {
				known = append(known, h)
			}
		}
		want[i] = known
	}
	var owners []*pdfCase
	for i, c := range cases {
		cuts := d.cuts(c)
		if len(want[i]) == 0 || len(ranges)+len(cuts) > maxRanges {
			continue // some of them alone would refute what is right
		}
		for _, cut := range cuts {
			ranges = append(ranges, sign.Embedded{Ranges: []sign.Range{{Length: cut}, {Offset: cut}}})
			want, owners = append(want, want[i]), append(owners, c)
		}
	}
	sums, err := pdfx.Hash(d.ctx, d.bytes.survey.Through(d.src), d.size, ranges, want)
	if err != nil {
		return nil, err
	}
	for i, c := range owners {
		c.sources = append(c.sources, sums[len(cases)+i])
	}
	return sums[:len(cases)], nil
}

// maxRanges bounds what is hashed of one file: less than pdfx.Hash does.
const maxRanges = 1000

// cuts are where the file may have ended before a signature was added: before the line feed or the signature dictionary with which
// its revision begins, or at the end of the revision before, with or without an end of line. Only evidence and a source of withdrawn
// documents ask for them.
func (d *document) cuts(c *pdfCase) []int64 {
	if !c.whole || c.token != nil {
		return nil
	}
	if evidence, f := c.carried(); evidence == nil && f == nil && d.opts.Sealings == nil {
		return nil
	}
	header, end := c.field.Value.Header, int64(0)
	for _, r := range d.revisions {
		if r.end < header {
			end = r.end
		}
	}
	if end == 0 {
		return nil
	}
	cuts := []int64{header - 1}
	for _, cut := range []int64{header, end, end + 1, end + 2} {
		if cut <= header && !slices.Contains(cuts, cut) {
			cuts = append(cuts, cut)
		}
	}
	return cuts
}

// judgeOne makes every check of a signature but those of later revisions and of time. The answer is the index of the
// revision that was signed; -1: none.
func (d *document) judgeOne(c *pdfCase, sums sign.Sums) (int, error) {
	revision := -1
	if c.whole {
		var err error
		if revision, err = d.signedRevision(c.judge, c.field, c.span); err != nil {
			return -1, err
		}
		c.sig.Revision = revision + 1
		if revision >= 0 {
			d.ends = append(d.ends, c.span.end)
		}
	}
	d.structure(c, revision)
	if c.cms == nil && c.ses == nil {
		c.claim(dateOf(d.file, c.field.Dict))
		if c.token != nil {
			stamps := c.documentStamp(c.token, sums)
			c.sayStamps(stamps)
			c.prove(earlier(stamps, c.archived))
			if c.whole && worst(c.sig.Checks) == Valid {
				d.proofs = append(d.proofs, proof{c.span.gap, stamps})
			}
		}
		return revision, nil
	}
	d.claims(c)
	if e := c.judgeValue(sums, c.span.property(), string(c.field.SubFilter)); e != nil {
		if err := d.picture(c.judge, c.field, e); err != nil {
			return -1, err
		}
	}
	return revision, nil
}

// claims finds the claimed time: timeInfo of the seal signature, else /M, else the signingTime attribute.
func (d *document) claims(c *pdfCase) {
	m := claim{"/M", dateOf(d.file, c.field.Dict)}
	switch {
	case c.ses != nil:
		c.claims(c.ses.timeOf(), m)
	case c.cms.inner != nil:
		c.claims(c.cms.inner.timeOf(), m, claim{"signingTime", c.cms.signingTime()})
	case m.at.IsZero():
		c.claims(c.cms.signingTime())
	default:
		c.claims(m.at, claim{"signingTime", c.cms.signingTime()})
	}
}

// dateOf reads /M of a signature dictionary (ISO 32000-2 7.9.4); zero: absent or malformed. A time without zone is taken
// as UTC.
func dateOf(f *pdf.File, d *pdf.Dict) time.Time {
	if d == nil {
		return time.Time{}
	}
	o, _ := f.Resolve(d.Get("M"))
	s, ok := o.(*pdf.String)
	if !ok || len(s.Value) > 64 {
		return time.Time{}
	}
	text := strings.TrimPrefix(strings.ReplaceAll(string(s.Value), "'", ""), "D:")
	for _, layout := range []string{"20060102150405Z0700", "20060102150405Z07", "20060102150405", "20060102150405Z", "200601021504", "20060102"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	if i := strings.IndexByte(text, 'Z'); i > 0 { // "Z00'00'", as some write
		if t, err := time.Parse("20060102150405", text[:i]); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
