package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/courtseal/courtseal/internal/pdf"
)

var laterRule = &rule{
	name:   "pdf-later",
	clause: "ISO 32000-2 12.8.2.2 (DocMDP, table 257), 12.8.2.4 (FieldMDP), 7.5.6; ETSI EN 319 142-1 5.5",
	stops:  "content changed, added, hidden or covered after signing, in the revision of another signature too; what a certification or a lock forbids; bytes appended to the file",
	codes: []outcome{
		{codeOK, Valid, "其后文件没有任何增加", "nothing was added to the file later"},
		{"later-signatures", Valid, "其后仅增加了签名、时间戳或验证材料：%[1]s", "later revisions add nothing but signatures, time stamps and what they are checked with: %[2]s"},
		{"later-allowed", Valid, "其后的改动均为该签名所允许：%[1]s", "later revisions change nothing that this signature does not allow: %[2]s"},
		{"later-covers", Indeterminate, "其后新增的内容遮盖了签名时页面上的内容：%[1]s", "something that was added later covers what the page showed when it was signed: %[2]s"},
		{"later-overwritten", Indeterminate, "其后改写了签名人所见的域值：%[1]s", "the value of a field that the signer saw was replaced later: %[2]s"},
		{"later-annotated", Indeterminate, "其后增加或改动了注释，签名人未见：%[1]s", "annotations, which the signer has not seen, were added or changed later: %[2]s"},
		{"later-bytes", Indeterminate, "其后有不属于任何对象的字节：%[1]s", "later there are bytes that belong to no object: %[2]s"},
		{"later-unreadable", Indeterminate, "无法分析其后的改动：%[1]s", "what was done later cannot be analysed: %[2]s"},
		{"later-changed", Invalid, "其后改动了所签内容：%[1]s", "what was signed was changed later: %[2]s"},
		{"later-after-certification", Invalid, "认证签名（DocMDP）不允许的改动：%[1]s", "later there is what the certification (DocMDP) does not allow: %[2]s"},
		{"later-after-lock", Invalid, "签章锁定了文件或域，其后却有改动：%[1]s", "the signature locks the document, or a field that was changed later: %[2]s"},
	},
}

// laterCodes from the mildest to the worst.
var laterCodes = []string{codeOK, "later-signatures", "later-allowed", "later-bytes", "later-annotated", "later-overwritten", "later-covers",
	"later-unreadable", "later-changed", "later-after-certification", "later-after-lock"}

func graver(a, b string) string {
	for _, c := range laterCodes {
		switch c {
		case a:
			return b
		case b:
			return a
		}
	}
	return a
}

// Levels of DocMDP, and of /P in the lock of a field (ISO 32000-2, table 257).
const (
	noChanges   = 1 // but DSS and document time stamps
	formsOnly   = 2 // and signatures
	annotations = 3 // and forms
)

// permits says whether a level allows a change of this kind at all; what it covers is another question. alone: the saving is one that
// adds time stamps and what signatures are checked with, and nothing else.
func permits(level int64, c *Change, alone bool) bool {
	switch c.Kind {
	case changeBytes, changeUnread: // not known to be a change
		return true
	case changeStamp:
		return level > noChanges || !c.shown
	case changeValidation:
		return true
	case changeMetadata:
		return level > noChanges || alone
	case changeSignature, changeField, changeFill:
		return level > noChanges
	case changeAnnotation:
		return level >= annotations
	}
	return false
}

// An allowance is what one signature says of later changes.
type allowance struct {
	revision  int         // that it signed, 1 the first
	certified int64       // DocMDP; 0: it does not certify
	locked    int64       // /P in the lock of its field; 0: none
	locks     []*pdf.Lock // of fields
}

func allowanceOf(said pdf.Restrictions) (a allowance) {
	a.certified = said.Level
	for _, l := range []*pdf.Lock{said.FieldLock, said.Fields} {
		if l != nil {
			a.locks = append(a.locks, l)
		}
	}
	if said.FieldLock != nil {
		a.locked = said.FieldLock.Level
	}
	return a
}

// of is the code for one change.
func (a allowance) of(c *Change, alone bool) string {
	switch {
	case a.locked > 0 && !permits(a.locked, c, alone):
		return "later-after-lock"
	case a.certified > 0 && !permits(a.certified, c, alone):
		return "later-after-certification"
	}
	if c.Kind == changeFill || c.waiting {
		for _, l := range a.locks {
			if l.Holds(c.Field) {
				return "later-after-lock"
			}
		}
	}
	free := a.certified == 0 && a.locked == 0
	switch {
	case c.Kind == changeContent:
		return "later-changed"
	case c.Kind == changeUnread:
		return "later-unreadable"
	case c.covers != nil:
		return "later-covers"
	case c.Kind == changeFill && c.seen && c.since <= a.revision && free:
		return "later-overwritten"
	case c.Kind == changeAnnotation && free:
		return "later-annotated"
	case c.Kind == changeBytes:
		return "later-bytes"
	case c.Kind == changeFill, c.Kind == changeAnnotation, c.Kind == changeMetadata:
		return "later-allowed"
	}
	return "later-signatures"
}

// step is the code for what one saving did.
func (a allowance) step(s *step) string {
	proves := func(c *Change) bool { return c.Kind == changeStamp || c.Kind == changeValidation }
	alone := slices.ContainsFunc(s.changes, proves) &&
		!slices.ContainsFunc(s.changes, func(c *Change) bool { return !proves(c) && c.Kind != changeMetadata })
	worst := "later-signatures"
	for _, c := range s.changes {
		worst = graver(worst, a.of(c, alone))
	}
	return worst
}

// work is what asking for a step costs, in objects: comparing names with locks.
func (a allowance) work(s *step) int {
	names := 0
	for _, l := range a.locks {
		names += 1 + len(l.Names)/namesCost
	}
	return names * len(s.changes)
}

// namesCost is how many names of a lock are compared for the cost of one object.
const namesCost = 64

// compareLater compares the revisions after each signed one, all of them before any is told: what one step finds may
// concern the others.
func (d *document) compareLater(cases []*pdfCase, revision []int) error {
	first := len(d.revisions)
	for _, r := range revision {
		if r >= 0 {
			first = min(first, r)
		}
	}
	d.stamps = make([]bool, len(cases))
	for i, c := range cases {
		d.stamps[i] = c.token != nil
	}
	for i := first; i+1 < len(d.revisions); i++ {
		if err := d.compare(i); err != nil {
			return err
		}
	}
	if first+1 < len(d.revisions) {
		if err := d.reachedAnotherWay(d.steps[first : len(d.revisions)-1]); err != nil {
			return err
		}
		if err := d.cover(cases, d.steps[first:len(d.revisions)-1]); err != nil {
			return err
		}
		for _, s := range d.steps[first : len(d.revisions)-1] {
			for _, c := range s.changes {
				d.changes = append(d.changes, *c)
			}
		}
	}
	restrictor := d.file.Restrictor()
	for i, c := range cases {
		if revision[i] < 0 {
			continue
		}
		said, err := restrictor.Of(c.field.Dict, c.field.Field.Dict())
		if err != nil && !isOfFile(err) {
			return err
		}
		a := allowanceOf(said)
		a.revision = revision[i] + 1
		if err := d.later(c.judge, c.span, revision[i], a, err); err != nil {
			return err
		}
	}
	return nil
}

// maxSteps is how many savings are told in words.
const maxSteps = 12

// later judges everything after the revision that a signature signed, and says in words what it covers. unknown: what it allows
// could not be read.
func (d *document) later(j *judge, at span, revision int, a allowance, unknown error) error {
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
	code, codes := "later-signatures", make([]string, 0, total)
	steps := d.steps[revision : total-1]
	for _, s := range steps {
		if err := d.spend(a.work(s)); err != nil {
			unknown = err
			break
		}
		codes = append(codes, a.step(s))
		code = graver(code, codes[len(codes)-1])
	}
	for i, s := range steps {
		if len(steps) > maxSteps && (i >= len(codes) || codes[i] != code) {
			continue // of many savings, those that decide
		}
		if len(zh) == maxSteps {
			zh, en = append(zh, "…"), append(en, "…")
			break
		}
		t := s.text()
		zh, en = append(zh, t.ZH), append(en, t.EN)
	}
	if unknown != nil {
		code = graver(code, "later-unreadable")
		zh, en = append(zh, fmt.Sprintf("无法得知是否允许：%v", unknown)), append(en, fmt.Sprintf("cannot be known to be allowed: %v", unknown))
	}
	rest, err := d.trailing()
	if err != nil {
		return err
	}
	if rest > 0 {
		code = graver(code, "later-bytes")
		zh, en = append(zh, fmt.Sprintf("末尾多出 %d 字节", rest)), append(en, fmt.Sprintf("%d bytes follow the end", rest))
	}
	after := Text{strings.Join(zh, "；"), strings.Join(en, "; ")}
	j.sig.Coverage = Text{
		fmt.Sprintf("签名覆盖第 %d 版，即文件 %d 字节中的前 %d 字节；其后：%s", revision+1, d.size, at.end, after.ZH),
		fmt.Sprintf("revision %d is signed, the first %d of %d bytes; after it: %s", revision+1, at.end, d.size, after.EN),
	}
	j.add(laterRule.check(code, after.ZH, after.EN))
	return nil
}

// trailing counts the bytes after the end of the last revision and the end of line that may follow it there.
func (d *document) trailing() (int64, error) {
	end := d.revisions[len(d.revisions)-1].end
	for _, e := range d.ends { // what a signature signs belongs to its revision
		end = max(end, e)
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
