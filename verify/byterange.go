package verify

import (
	"fmt"
	"io"
	"math"

	"github.com/courtseal/courtseal/internal/pdf"
)

var signatureRule = &rule{
	name:   "pdf-signature",
	clause: "ISO 32000-2 12.8.1, 7.3.7 (duplicate keys)",
	stops:  "a dictionary that two readers read differently; a field that leads to no signature",
	codes: []outcome{
		{codeOK, Valid, "签名域指向一个签名字典，没有重复的键", "the field leads to one signature dictionary and no key stands twice"},
		{"malformed-signature", Invalid, "签名域或签名字典有误：%[1]s", "the field or its signature dictionary is malformed: %[1]s"},
		{"duplicate-key", Invalid, "%[1]s中键 /%[2]s 重复", "in the %[3]s the key /%[2]s stands twice"},
	},
}

var byteRangeRule = &rule{
	name:   "pdf-byterange",
	clause: "ISO 32000-2 12.8.1 (ByteRange); ETSI EN 319 142-1 5.3",
	stops:  "a ByteRange that is missing, negative, overlapping, too long, or leaves out the beginning of the file",
	codes: []outcome{
		{codeOK, Valid, "ByteRange 为 [0 %[1]d %[2]d %[3]d]", "ByteRange is [0 %[1]d %[2]d %[3]d]"},
		{"byterange-missing", Invalid, "没有 ByteRange", "there is no ByteRange"},
		{"byterange-shape", Invalid, "ByteRange %[1]s 不是 [0 a b c] 四个递增的整数", "ByteRange %[1]s is not four integers [0 a b c] in order"},
		{"byterange-outside", Invalid, "ByteRange %[1]s 超出文件的 %[2]d 字节", "ByteRange %[1]s reaches beyond the %[2]d bytes of the file"},
	},
}

var contentsRule = &rule{
	name:   "pdf-contents",
	clause: "ISO 32000-2 12.8.1 (Contents); ETSI EN 319 142-1 5.3",
	stops:  "anything but the value itself in the gap of the ByteRange, where nothing is signed",
	codes: []outcome{
		{codeOK, Valid, "ByteRange 的空隙恰为该签名字典 /Contents 的十六进制串", "the gap in the ByteRange is exactly the hex string /Contents of this signature dictionary"},
		{"contents-not-hex", Invalid, "/Contents 不是只含十六进制数字的串", "/Contents is not a string of hex digits alone"},
		{"gap-differs", Invalid, "ByteRange 的空隙 %[1]d - %[2]d 不是 /Contents 所在的 %[3]d - %[4]d", "the gap in the ByteRange, %[1]d - %[2]d, is not where /Contents stands, %[3]d - %[4]d"},
	},
}

// A span is the two runs of bytes that a signature signs: from 0 to gap, and from resume to end.
type span struct{ gap, resume, end int64 }

func (s span) property() string {
	return fmt.Sprintf("ByteRange=[0 %d %d %d]", s.gap, s.resume, s.end-s.resume)
}

// byteRange reads /ByteRange; ok is false where nothing can be hashed by it.
func (j *judge) byteRange(s *pdf.Signature, size int64) (span, bool) {
	r := s.ByteRange
	if len(r) == 0 {
		j.add(byteRangeRule.check("byterange-missing"))
		return span{}, false
	}
	text := fmt.Sprint(r)
	if len(text) > 80 {
		text = text[:80]
	}
	if len(r) != 4 || r[0] != 0 || r[1] <= 0 || r[2] <= r[1] || r[3] < 0 {
		j.add(byteRangeRule.check("byterange-shape", text))
		return span{}, false
	}
	if r[3] > math.MaxInt64-r[2] || r[2]+r[3] > size {
		j.add(byteRangeRule.check("byterange-outside", text, size))
		return span{}, false
	}
	j.add(byteRangeRule.check(codeOK, r[1], r[2], r[3]))
	return span{r[1], r[2], r[2] + r[3]}, true
}

// contents compares the gap with the place of /Contents in the object that the field reaches.
func (j *judge) contents(s *pdf.Signature, at span, src io.ReaderAt) (bool, error) {
	from, to := s.ContentsAt.Offset, s.ContentsAt.End()
	if to <= from || !s.Hex {
		j.add(contentsRule.check("contents-not-hex"))
		return false, nil
	}
	token := make([]byte, to-from)
	if _, err := readFull(src, token, from); err != nil {
		return false, err
	}
	switch {
	case !pdf.HexContents(token):
		j.add(contentsRule.check("contents-not-hex"))
		return false, nil
	case at.gap != from || at.resume != to:
		j.add(contentsRule.check("gap-differs", at.gap, at.resume, from, to))
		return false, nil
	}
	j.add(contentsRule.check(codeOK))
	return true, nil
}

// signature judges the dictionaries that lead to the value.
func (d *document) signature(j *judge, s *pdf.Signature) {
	if s.Err != nil {
		j.add(signatureRule.check("malformed-signature", s.Err.Error()))
		return
	}
	dicts := []named{{"签名字典", "signature dictionary", s.Dict}, {"签名域", "signature field", s.Field.Dict()}}
	dicts = append(dicts, d.shared...)
	load := func(zh, en string, o pdf.Object) *pdf.Dict {
		ref, ok := o.(pdf.Ref)
		if !ok {
			return nil
		}
		obj, err := d.file.Load(ref)
		if err != nil {
			return nil // who needs it says so
		}
		dicts = append(dicts, named{zh, en, obj.Dict()})
		return obj.Dict()
	}
	for _, ref := range s.Widgets {
		if w := load("注释", "widget annotation", ref); w != nil {
			load("页面", "page", w.Get("P"))
		}
	}
	for _, x := range dicts {
		if x.dict == nil {
			continue
		}
		if k := x.dict.Duplicate(); k != "" {
			j.add(signatureRule.check("duplicate-key", x.zh, string(k), x.en))
			return
		}
	}
	j.add(signatureRule.check(codeOK))
}

func readFull(r io.ReaderAt, b []byte, off int64) (int, error) {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("verify: reading at %d: %w", off, err)
}
