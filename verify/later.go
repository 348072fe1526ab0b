package verify

import (
	"errors"
	"fmt"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
)

var laterRule = &rule{
	name:   "pdf-later",
	clause: "ISO 32000-2 12.8.2.2 (DocMDP), 7.5.6; ETSI EN 319 142-1",
	stops:  "content changed, added or hidden after signing, in the revision of another signature too; bytes appended to the file",
	codes: []outcome{
		{codeOK, Valid, "其后文件没有任何增加", "nothing was added to the file later"},
		{"later-signatures", Valid, "其后仅增加了签名：%[1]s", "later revisions add nothing but signatures: %[2]s"},
		{"later-changes-unanalysed", Indeterminate, "其后的改动不止是签名：%[1]s", "later revisions change more than signatures need: %[2]s"},
		{"later-bytes", Indeterminate, "最后一版之后还有 %[1]d 字节", "%[1]d bytes follow the last revision"},
		{"later-after-certification", Invalid, "认证签名不允许任何改动，其后却有：%[1]s", "the certification allows no change, and later there is: %[2]s"},
		{"later-after-lock", Invalid, "签章锁定了文件或其后签署的域，其后却有：%[1]s", "the signature locks the document, or a field that was signed later, and later there is: %[2]s"},
	},
}

// A step is what one saving did to the file: from one revision to the next.
type step struct {
	revision int      // that it made, 1 the first
	signed   []string // names of the signatures it added
	filled   []string // full names of those fields among them that were there before
	changes  []Text   // whatever else it did
}

func (s *step) text() Text {
	var zh, en []string
	for i, n := range s.signed {
		if i == maxSigned {
			more := len(s.signed) - i
			zh, en = append(zh, fmt.Sprintf("及另外 %d 个签名", more)), append(en, fmt.Sprintf("and %d more signatures", more))
			break
		}
		n = clipName(n)
		zh, en = append(zh, "增加签名 "+n), append(en, "adds signature "+n)
	}
	for _, c := range s.changes {
		zh, en = append(zh, c.ZH), append(en, c.EN)
	}
	if len(zh) == 0 {
		zh, en = []string{"无变化"}, []string{"changes nothing"}
	}
	return Text{fmt.Sprintf("第 %d 版%s", s.revision, strings.Join(zh, "，")), fmt.Sprintf("revision %d %s", s.revision, strings.Join(en, ", "))}
}

const (
	maxTold   = 5  // changes of one step that are told
	maxSigned = 12 // signatures of one step that are named
)

// clipName shortens a name of thousands of letters, which every earlier signature tells of.
func clipName(name string) string {
	const most = 120
	for i := range name {
		if i > most {
			return name[:i] + "…"
		}
	}
	return name
}

func (s *step) change(zh, en string, args ...any) {
	switch {
	case len(s.changes) < maxTold:
		s.changes = append(s.changes, Text{fmt.Sprintf(zh, args...), fmt.Sprintf(en, args...)})
	case len(s.changes) == maxTold:
		s.changes = append(s.changes, Text{"等", "and more"})
	}
}

// locked reports whether a signature locks the document, or a field that was signed after its revision.
func (d *document) locked(said pdf.Restrictions, revision int) (bool, error) {
	names := 0
	for _, l := range []*pdf.Lock{said.FieldLock, said.Fields} {
		if l == nil {
			continue
		}
		if l.Level == 1 && l == said.FieldLock {
			return true, nil
		}
		names += 1 + len(l.Names)/namesCost
	}
	if names == 0 {
		return false, nil
	}
	for _, s := range d.steps[revision : len(d.revisions)-1] {
		if err := d.spend(names * len(s.filled)); err != nil {
			return false, err
		}
		for _, n := range s.filled {
			if said.FieldLock.Holds(n) || said.Fields.Holds(n) {
				return true, nil
			}
		}
	}
	return false, nil
}

// namesCost is how many names of a lock are compared for the cost of one object.
const namesCost = 64

// later judges everything after the revision that a signature signed, and says in words what it covers. certified: it
// allows no change; locked: it locks what was signed later.
func (d *document) later(j *judge, at span, revision int, certified, locked bool) error {
	total := len(d.revisions)
	if d.size == at.end {
		j.sig.Coverage = Text{
			fmt.Sprintf("签名覆盖整个文件（第 %d 版，共 %d 版）", revision+1, total),
			fmt.Sprintf("the whole file is signed (revision %d of %d)", revision+1, total),
		}
		j.add(laterRule.check(codeOK))
		return nil
	}
	var zh, en []string
	clean := true
	for i := revision; i+1 < total; i++ {
		s, err := d.step(i)
		if err != nil {
			return err
		}
		t := s.text()
		zh, en = append(zh, t.ZH), append(en, t.EN)
		clean = clean && len(s.changes) == 0 && len(s.signed) > 0
	}
	rest, err := d.trailing()
	if err != nil {
		return err
	}
	if rest > 0 {
		zh, en = append(zh, fmt.Sprintf("末尾多出 %d 字节", rest)), append(en, fmt.Sprintf("%d bytes follow the end", rest))
	}
	after := Text{brief(zh, "；"), brief(en, "; ")}
	j.sig.Coverage = Text{
		fmt.Sprintf("签名覆盖第 %d 版，即文件 %d 字节中的前 %d 字节；其后：%s", revision+1, d.size, at.end, after.ZH),
		fmt.Sprintf("revision %d is signed, the first %d of %d bytes; after it: %s", revision+1, at.end, d.size, after.EN),
	}
	switch {
	case certified:
		j.add(laterRule.check("later-after-certification", after.ZH, after.EN))
	case locked:
		j.add(laterRule.check("later-after-lock", after.ZH, after.EN))
	case !clean:
		j.add(laterRule.check("later-changes-unanalysed", after.ZH, after.EN))
	case rest > 0:
		j.add(laterRule.check("later-bytes", rest))
	default:
		j.add(laterRule.check("later-signatures", after.ZH, after.EN))
	}
	return nil
}

// brief joins texts and leaves out the middle of a long list.
func brief(texts []string, sep string) string {
	if len(texts) > 12 {
		texts = append(append(append([]string(nil), texts[:10]...), "…"), texts[len(texts)-1])
	}
	return strings.Join(texts, sep)
}

// trailing counts the bytes after the end of the last revision and the end of line that may follow it there.
func (d *document) trailing() (int64, error) {
	end := d.revisions[len(d.revisions)-1].end
	for _, e := range d.ends { // what a signature signs belongs to its revision
		if e > end {
			end = e
		}
	}
	tail, err := d.read(end, min(d.size, end+2))
	if err != nil {
		return 0, err
	}
	if s := string(tail); end+int64(len(tail)) == d.size && (s == "\n" || s == "\r" || s == "\r\n") && !d.ended(end) {
		return 0, nil
	}
	return d.size - end, nil
}

// ended: a signature ends exactly here, so that even an end of line after it was appended.
func (d *document) ended(end int64) bool {
	for _, e := range d.ends {
		if e == end {
			return true
		}
	}
	return false
}

// step compares revision i with the one after it, once for all signatures. Limits and damage are told as changes that
// could not be analysed; only a failure to read the file, or the end of ctx, is an error.
func (d *document) step(i int) (*step, error) {
	if err := d.ctx.Err(); err != nil {
		return nil, err
	}
	if d.steps[i] != nil {
		return d.steps[i], nil
	}
	s := &step{revision: i + 2}
	d.steps[i] = s
	before, err := d.view(i)
	if err == nil {
		var after *pdf.File
		if after, err = d.view(i + 1); err == nil {
			err = (&comparison{document: d, step: s, index: i, old: before, new: after}).run()
		}
	}
	if err != nil {
		if !isOfFile(err) {
			return nil, err
		}
		s.change("无法分析：%[1]v", "cannot be analysed: %[1]v", err)
	}
	return s, nil
}

// isOfFile: the error is about what the file says, not about reading it.
func isOfFile(err error) bool {
	for _, e := range []error{pdf.ErrSyntax, pdf.ErrDamaged, pdf.ErrLimit, pdf.ErrEncrypted, pdf.ErrPassword, pdf.ErrNotPDF, pdf.ErrFilter} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// view opens the file as revision i left it. The two most recent are kept.
func (d *document) view(i int) (*pdf.File, error) {
	if i == len(d.revisions)-1 {
		return d.file, nil
	}
	if f := d.views[i]; f != nil {
		return f, nil
	}
	cost := int(d.file.MaxObject()) / 8 // each view reads all its cross-reference again
	for _, r := range d.revisions[:i+1] {
		cost += sectionCost * len(r.sections)
	}
	if err := d.spend(cost); err != nil {
		return nil, err
	}
	f, err := d.file.At(d.revisions[i].end)
	if err != nil {
		return nil, err
	}
	for k := range d.views {
		if k < i-1 {
			delete(d.views, k)
		}
	}
	d.views[i] = f
	return f, nil
}

// sectionCost is what reading a cross-reference section again costs, in objects.
const sectionCost = 32

// spend counts objects against Limits.Objects.
func (d *document) spend(n int) error {
	if d.budget -= n; d.budget < 0 {
		return fmt.Errorf("%w: more than %d objects to compare", pdf.ErrLimit, d.limits.Objects)
	}
	return nil
}
