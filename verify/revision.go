package verify

import (
	"bytes"
	"slices"
	"strconv"

	"github.com/courtseal/courtseal/internal/pdf"
)

var revisionRule = &rule{
	name:   "pdf-revision",
	clause: "ISO 32000-2 7.5.6, 12.8.1",
	stops:  "a signature whose dictionary stands outside what it signs, or that ends in the middle of a revision",
	codes: []outcome{
		{codeOK, Valid, "签名字典位于其所签的第 %[1]d 版内，该版以 startxref 和 %%%%EOF 结束", "the signature dictionary stands in revision %[1]d, which it signs and which ends in startxref and %%%%EOF"},
		{"signature-outside", Invalid, "签名字典不在所签范围内", "the signature dictionary stands outside what it signs"},
		{"revision-incomplete", Invalid, "所签范围在第 %[1]d 字节结束，那里没有一个完整的版本", "what is signed ends at byte %[1]d, where no revision ends"},
		{"revision-startxref", Invalid, "所签版本的 startxref 不指向该版本的交叉引用", "the startxref of the signed revision does not lead to its cross-reference"},
		{"rebuilt", Indeterminate, "文件的交叉引用已损坏，无法判断所签版本", "the cross-reference of the file is damaged: which revision was signed cannot be told"},
	},
}

// A revision is the file as one saving left it: all bytes up to end.
type revision struct {
	sections []pdf.Section // newest first: the ones this saving added; two in a linearised file
	end      int64         // after %%EOF, the end of line left out
}

// revisions lists the savings of a file, oldest first. A section whose %%EOF comes before that of an older one, as the
// first page's of a linearised file does, belongs to the same saving.
func revisions(f *pdf.File) []revision {
	if f.Repaired() != nil {
		return nil
	}
	var out []revision
	for _, s := range slices.Backward(f.Sections()) {
		if n := len(out) - 1; n >= 0 && s.EOF <= out[n].end {
			out[n].sections = append([]pdf.Section{s}, out[n].sections...)
			continue
		}
		out = append(out, revision{[]pdf.Section{s}, s.EOF})
	}
	return out
}

// signedRevision finds the revision that ends where the signature's range ends. The answer is its index; -1: none.
func (d *document) signedRevision(j *judge, s *pdf.Signature, at span) (int, error) {
	if d.file.Repaired() != nil {
		j.add(revisionRule.check("rebuilt"))
		return -1, nil
	}
	found := -1
	for i, r := range d.revisions {
		if r.end > 0 && r.end <= at.end {
			found = i
		}
	}
	if found < 0 {
		j.add(revisionRule.check("revision-incomplete", at.end))
		return -1, nil
	}
	tail, err := d.read(d.revisions[found].end, min(at.end, d.revisions[found].end+maxEOL))
	if err != nil {
		return -1, err
	}
	switch {
	case at.end > d.revisions[found].end+maxEOL || len(bytes.Trim(tail, "\r\n \t\x00")) > 0:
		j.add(revisionRule.check("revision-incomplete", at.end))
		return -1, nil
	case s.Value.Offset < 0 || s.Value.Offset+int64(len(s.Value.Raw)) > at.end:
		j.add(revisionRule.check("signature-outside"))
		return -1, nil
	}
	leads, err := d.startXRefLeads(found)
	if err != nil {
		return -1, err
	}
	if !leads {
		j.add(revisionRule.check("revision-startxref"))
		return -1, nil
	}
	j.add(revisionRule.check(codeOK, found+1))
	return found, nil
}

// maxEOL is how much white space may follow %%EOF inside the signed range.
const maxEOL = 64

// startXRefLeads: the words before the end of a revision are "startxref N %%EOF", and N is its newest section, so that
// whoever reads the signed bytes alone comes to the same sections.
func (d *document) startXRefLeads(i int) (bool, error) {
	r := d.revisions[i]
	tail, err := d.read(max(0, r.end-128), r.end)
	if err != nil {
		return false, err
	}
	at := bytes.LastIndex(tail, []byte("startxref"))
	if at < 0 {
		return false, nil
	}
	words := bytes.Fields(tail[at:])
	if len(words) != 3 || string(words[2]) != "%%EOF" {
		return false, nil
	}
	n, err := strconv.ParseInt(string(words[1]), 10, 64)
	if err != nil {
		return false, nil
	}
	return n+d.file.Base() == r.sections[0].Offset, nil
}

func (d *document) read(from, to int64) ([]byte, error) {
	b := make([]byte, max(0, to-from))
	_, err := readFull(d.src, b, from)
	return b, err
}
