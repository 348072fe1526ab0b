package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/plain"
	"github.com/courtseal/courtseal/sign/cms"
	"github.com/courtseal/courtseal/verify"
)

// printDocument prints what `show` found, in words.
func (m *Main) printDocument(d *shownDocument) error {
	w := &words{m: m}
	if d.Revisions > 0 {
		w.title(fmt.Sprintf(m.say("%s：%s，%d 字节，%d 版，%d 个签名", "%s: %s, %d bytes, revisions: %d, signatures: %d"), d.File, d.Format, d.Size, d.Revisions, len(d.Signatures)))
	} else {
		w.title(fmt.Sprintf(m.say("%s：%s，%d 字节，%d 个签名", "%s: %s, %d bytes, signatures: %d"), d.File, d.Format, d.Size, len(d.Signatures)))
	}
	w.disclaim()
	for i := range d.Signatures {
		w.signature(i+1, d, &d.Signatures[i])
	}
	for i, l := range d.Lines {
		w.signatureLine(i+1, l)
	}
	_, err := fmt.Fprint(m.Stdout, w.String())
	return err
}

func (m *Main) printSealFile(name string, s *shownSeal) error {
	w := &words{m: m}
	w.title(name)
	w.disclaim()
	w.seal("", s)
	_, err := fmt.Fprint(m.Stdout, w.String())
	return err
}

// words are lines of text in the language of the messages. Whatever comes from a file goes through plain.Text.
type words struct {
	m *Main
	strings.Builder
}

func (w *words) title(text string) { w.WriteString(plain.Text(text) + "\n") }

func (w *words) disclaim() {
	w.title(w.m.say("以下是文件自己的说法，未经验证；是否可信见 sealctl verify。", "This is what the file says of itself. Nothing was verified: see sealctl verify."))
}

func (w *words) line(margin, zh, en, value string) {
	if value == "" {
		return
	}
	w.WriteString(margin + w.m.say(zh+"：", en+": ") + plain.Text(value) + "\n")
}

func (w *words) signature(n int, d *shownDocument, s *shownSignature) {
	const margin = "   "
	w.title(fmt.Sprintf("%d. %s", n, s.Name))
	w.line(margin, "格式", "format", strings.TrimSuffix(or(string(s.Format), "?")+" ("+s.SubFilter+")", " ()"))
	w.line(margin, "无法读取", "unreadable", s.Error)
	where := pageList(s.Pages)
	if where == "" {
		where = w.m.say("不显示", "nowhere, it is invisible")
	}
	if d.Revisions > 0 {
		w.line(margin, "显示于页", "on pages", where)
	}
	w.line(margin, "范围", "coverage", w.m.say(s.Coverage.ZH, s.Coverage.EN))
	w.line(margin, "声称的时间", "claimed time", s.Claimed)
	for _, t := range s.Stamps {
		w.line(margin, "时间戳 ("+t.Over+")", "time stamp ("+t.Over+")", or(t.Time, "?"))
		w.certificate(margin+"   ", "时间戳机构", "authority", t.Authority)
	}
	w.certificate(margin, "签名人", "signer", s.Signer)
	w.certificate(margin, "签章人", "seal's signer", s.Inner)
	for _, c := range s.Certificates {
		w.certificate(margin, "随附证书", "further certificate", c)
	}
	if s.Seal != nil {
		w.title(margin + w.m.say("印章：", "seal:"))
		w.seal(margin+margin, s.Seal)
	}
	if s.Evidence > 0 {
		w.line(margin, "账本证据", "evidence of a ledger", fmt.Sprintf(w.m.say("%d 字节", "%d bytes"), s.Evidence))
	}
	if s.Entry != nil {
		w.line(margin, "账本条目", "entry of a ledger", s.Entry.String())
	}
}

func (w *words) signatureLine(n int, l shownLine) {
	state := w.m.say("空", "empty")
	if l.Filled {
		state = w.m.say("已签", "filled")
	}
	w.title(fmt.Sprintf(w.m.say("签名行 %d：%s", "signature line %d: %s"), n, state))
	w.line("   ", "编号", "id", l.ID)
	w.line("   ", "签名人", "for", l.Signer)
}

func (w *words) certificate(margin, zh, en string, c *verify.Certificate) {
	if c == nil {
		return
	}
	w.line(margin, zh, en, c.Subject)
	margin += "   "
	w.line(margin, "颁发者", "issuer", c.Issuer)
	w.line(margin, "序列号", "serial", c.Serial)
	w.line(margin, "有效期", "valid", period(dateTime(c.NotBefore), dateTime(c.NotAfter)))
	w.line(margin, "密钥", "key", c.Key)
}

func (w *words) seal(margin string, s *shownSeal) {
	w.line(margin, "名称", "name", s.Name)
	w.line(margin, "编号 (esID)", "number (esID)", s.ID)
	w.line(margin, "厂商 (Vid)", "vendor (Vid)", s.Vid)
	w.line(margin, "标准", "standard", fmt.Sprintf(w.m.say("%s，版本 %d", "%s, version %d"), s.Standard, s.Version))
	w.line(margin, "类型", "type", fmt.Sprint(s.Type))
	w.line(margin, "制作时间", "made", s.Created)
	w.line(margin, "有效期", "valid", period(s.NotBefore, s.NotAfter))
	w.line(margin, "图像", "picture", fmt.Sprintf(w.m.say("%s，%d × %d 毫米，%d 字节", "%s, %d x %d mm, %d bytes"), s.Picture.Type, s.Picture.Width, s.Picture.Height, s.Picture.Size))
	w.certificate(margin, "制章者", "maker", s.Maker)
	for _, c := range s.Holders {
		w.certificate(margin, "持章人", "holder", c)
	}
	if s.Digests > 0 {
		w.line(margin, "持章人", "holders", fmt.Sprintf(w.m.say("%d 个，仅给出证书杂凑值", "%d, by digests of their certificates"), s.Digests))
	}
	for _, n := range s.Notes {
		w.line(margin, "备注", "note", n.Code+": "+n.Detail)
	}
}

func or(s, empty string) string {
	if s == "" {
		return empty
	}
	return s
}

func period(from, to string) string {
	if from == "" && to == "" {
		return ""
	}
	return from + " - " + to
}

func dateTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// certificates are those that a CMS carries.
func certificates(value []byte) [][]byte {
	sd, err := cms.Parse(value)
	if err != nil {
		return nil
	}
	return sd.Certificates
}
