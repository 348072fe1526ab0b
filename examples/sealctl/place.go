package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
)

// usual is where the date of a judgment on A4 stands. In a Word document it is the end.
var usual = pdfx.At{Page: -1, X: 150, Y: 240}

// placeFlags say where the seal goes, what stands beside it and what the signature is for. They are part of what a batch
// is known by, see runBatch.
type placeFlags struct {
	At         []string
	Keyword    string
	Occurrence string
	Offset     string
	DateLine   bool
	Straddle   bool
	Edge       string
	Pages      string
	Field      string
	Invisible  bool

	Bookmark string `json:",omitempty"`
	Header   bool   `json:",omitempty"`
	Footer   bool   `json:",omitempty"`
	Line     string `json:",omitempty"`
	AsLine   bool   `json:",omitempty"`

	Remark string
	Text   bool
	Font   string

	Name, Reason, Location string

	Certify    int
	Lock       bool
	LockFields []string
	Allow      []string `json:",omitempty"`
}

func (m *Main) placeFlags(flags *pflag.FlagSet, f *placeFlags) {
	pdf := func(zh, en string) string { return m.say("PDF："+zh, "PDF: "+en) }
	word := func(zh, en string) string { return m.say("Word："+zh, "Word: "+en) }
	flags.StringVar(&f.Keyword, "keyword", "", m.say("盖在此文字上", "seal at this text"))
	flags.StringVar(&f.Occurrence, "occurrence", "", m.say("用于 --keyword：N 为第 N 处，-1 为最后一处，all（PDF）为每一处；不给则该文字必须只出现一次",
		"with --keyword: N the n-th place where it stands, -1 the last, all (PDF) every one;\nwithout it the text must stand just once"))
	flags.StringVar(&f.Offset, "offset", "", m.say("DX,DY：用于 --keyword，从该处向右、向下移动的毫米数", "DX,DY: millimetres to the right of --keyword and below it"))
	flags.BoolVar(&f.DateLine, "date-line", false, m.say("骑年盖月：盖在落款日期上", "seal on the date of the signature block"))
	flags.BoolVar(&f.Invisible, "invisible", false, m.say("不显示印章", "show no seal"))
	flags.StringArrayVar(&f.At, "at", nil, fmt.Sprintf(pdf("PAGE,X,Y：页码（-1 为末页）和印章中心到页面左上角的毫米数，可多次给出；\n不给任何位置则为 %d,%g,%g",
		"PAGE,X,Y: the page (-1 the last) and the millimetres from its top left corner\nto the centre of the seal; may be repeated; without any place it is %d,%g,%g"), usual.Page, usual.X, usual.Y))
	flags.BoolVar(&f.Straddle, "straddle", false, pdf("骑缝章：盖在各页边缘", "seal over the edges of the pages"))
	flags.StringVar(&f.Edge, "edge", "", m.say("用于 --straddle：right（缺省）或 left", "with --straddle: right, which is usual, or left"))
	flags.StringVar(&f.Pages, "pages", "", m.say("用于 --straddle：all（缺省）、odd 或 even", "with --straddle: all, which is usual, odd or even"))
	flags.StringVar(&f.Field, "field", "", pdf("签在已有的空签名域中", "sign the empty signature field of this name"))
	flags.StringVar(&f.Bookmark, "bookmark", "", word("盖在此书签处；不给任何位置则盖在文末", "seal at this bookmark; without any place it is the end of the document"))
	flags.BoolVar(&f.Header, "header", false, word("盖在最后一节的页眉中", "seal in the header of the last section"))
	flags.BoolVar(&f.Footer, "footer", false, word("盖在最后一节的页脚中", "seal in its footer"))
	flags.StringVar(&f.Line, "line", "", word("签在预留的签名行中：N 为第 N 个空签名行，或签名行的 GUID；见 sealctl reserve", "sign a reserved signature line: N the n-th that is empty, or its GUID;\nsee sealctl reserve"))
	flags.BoolVar(&f.AsLine, "as-line", false, word("以签名行显示印章，签章失效时 Word 和 LibreOffice 会划去图像", "show the seal as a signature line, whose picture is crossed once the seal is broken"))
	flags.StringVar(&f.Remark, "remark", "", pdf("印章旁的批注", "text beside the seal"))
	flags.BoolVar(&f.Text, "text", false, pdf("印章下方写签名人、时间、理由", "signer, time and reason below the seal"))
	flags.StringVar(&f.Font, "font", "", m.say("--remark 和 --text 的字体文件 (TTF、OTF、TTC#N)；不给则用内嵌的宋体", "font file of --remark and --text (TTF, OTF, TTC#N); without it the embedded one"))
	flags.StringVar(&f.Name, "name", "", pdf("签名人姓名", "name of who signs"))
	flags.StringVar(&f.Reason, "reason", "", m.say("签章理由", "why it is signed"))
	flags.StringVar(&f.Location, "location", "", pdf("签章地点", "where it is signed"))
	flags.IntVar(&f.Certify, "certify", 0, pdf("认证文件，此后：1 不得更改，2 可填表单，3 可填表单和批注", "certify the document; from then on 1: no change, 2: forms are filled in, 3: and annotated"))
	flags.BoolVar(&f.Lock, "lock", false, m.say("文件锁定：锁定整个文件", "lock the whole document"))
	flags.StringArrayVar(&f.LockFields, "lock-field", nil, pdf("只锁定此表单域，可多次给出", "lock this form field only; may be repeated"))
	const allowed = "tracked-changes, comments, fields,\ntemplate, alt-chunk, macros, embedded, external"
	flags.StringSliceVar(&f.Allow, "allow", nil, word("文档带有这些内容也签章："+allowed, "seal although the document has these: "+allowed))
}

// pdfOnly and wordOnly are the flags of seal that the other kind of file does not know.
var (
	pdfOnly = []string{"at", "straddle", "edge", "pages", "field", "remark", "text", "font", "name", "location", "certify", "lock-field",
		"repair", "password-file"}
	wordOnly = []string{"bookmark", "header", "footer", "line", "as-line", "allow"}
)

// fits refuses a flag that is not for the kind of a file.
func (m *Main) fits(flags *pflag.FlagSet, k document.Kind, file string) error {
	others := pdfOnly
	if k == document.PDF {
		others = wordOnly
	}
	for _, name := range others {
		if flags.Changed(name) {
			return m.notFor("--"+name, k, file)
		}
	}
	if o, err := flags.GetString("occurrence"); k == document.Word && err == nil && o == "all" {
		return m.notFor("--occurrence all", k, file)
	}
	return nil
}

func (m *Main) notFor(flag string, k document.Kind, file string) error {
	if k == document.Word {
		return fmt.Errorf(m.say("%s 不能用于 Word 文档，而 %s 是 Word 文档", "%s is not for Word documents, and %s is one"), flag, file)
	}
	return fmt.Errorf(m.say("%s 只用于 Word 文档，而 %s 不是", "%s is for Word documents, and %s is none"), flag, file)
}

// place turns the flags into options. They may be of either kind of file, or of both.
func (m *Main) place(f placeFlags, o *document.Options) error {
	if err := m.exclusive(f); err != nil {
		return err
	}
	if f.Keyword != "" {
		k, err := m.keyword(f)
		if err != nil {
			return err
		}
		o.PDF.Keyword = k
		o.Word.Keyword = &officex.Keyword{Text: k.Text, Occurrence: k.Occurrence, DX: k.DX, DY: k.DY}
	}
	if err := m.placePDF(f, &o.PDF); err != nil {
		return err
	}
	return m.placeWord(f, &o.Word)
}

func (m *Main) placePDF(f placeFlags, o *pdfx.Options) error {
	for _, text := range f.At {
		first, rest, _ := strings.Cut(text, ",")
		page, err := strconv.Atoi(strings.TrimSpace(first))
		xy, ok := numbers(rest, 2)
		if err != nil || page == 0 || !ok {
			return fmt.Errorf(m.say("--at %q 应为 PAGE,X,Y，如 1,105,240", "--at %q is not PAGE,X,Y, such as 1,105,240"), text)
		}
		o.At = append(o.At, pdfx.At{Page: page, X: xy[0], Y: xy[1]})
	}
	if f.Straddle {
		o.Straddle = &pdfx.Straddle{}
		if f.Edge != "" && o.Straddle.Edge.UnmarshalText([]byte(f.Edge)) != nil {
			return fmt.Errorf(m.say("--edge %q 应为 left 或 right", "--edge %q is not left or right"), f.Edge)
		}
		if f.Pages != "" && o.Straddle.Pages.UnmarshalText([]byte(f.Pages)) != nil {
			return fmt.Errorf(m.say("--pages %q 应为 all、odd 或 even", "--pages %q is not all, odd or even"), f.Pages)
		}
	}
	if len(f.LockFields) > 0 || f.Lock {
		o.Lock = &pdfx.Lock{Fields: f.LockFields}
	}
	if f.Certify < 0 || f.Certify > 3 {
		return fmt.Errorf(m.say("--certify %d 应为 1、2 或 3", "--certify %d is not 1, 2 or 3"), f.Certify)
	}
	o.DateLine, o.Field, o.Certify = f.DateLine, f.Field, f.Certify
	o.Remark, o.Text = f.Remark, f.Text
	o.Name, o.Reason, o.Location = f.Name, f.Reason, f.Location
	if !f.placed() && !f.Invisible {
		o.At = []pdfx.At{usual}
	}
	return nil
}

func (m *Main) placeWord(f placeFlags, o *officex.Options) error {
	for _, name := range f.Allow {
		bit, err := officex.ParseAllow(name)
		if err != nil {
			return fmt.Errorf("--allow: %w", err)
		}
		o.Allow |= bit
	}
	o.DateLine, o.Bookmark, o.Header, o.Footer, o.Line = f.DateLine, f.Bookmark, f.Header, f.Footer, f.Line
	o.Invisible, o.AsLine, o.Lock, o.Reason = f.Invisible, f.AsLine, f.Lock, f.Reason
	return nil
}

// placed: a place is named.
func (f *placeFlags) placed() bool {
	return len(f.At) > 0 || f.Straddle || f.Field != "" || len(f.wordPlaces()) > 0
}

// wordPlaces are the flags that name a place in a Word document, where the seal is shown once.
func (f *placeFlags) wordPlaces() (named []string) {
	for _, p := range []struct {
		flag  string
		given bool
	}{
		{"--keyword", f.Keyword != ""}, {"--date-line", f.DateLine}, {"--bookmark", f.Bookmark != ""}, {"--header", f.Header},
		{"--footer", f.Footer}, {"--line", f.Line != ""},
	} {
		if p.given {
			named = append(named, p.flag)
		}
	}
	return named
}

// exclusive finds flags that do not go together, or go with one that is missing.
func (m *Main) exclusive(f placeFlags) error {
	own := f
	own.Field = ""
	word := f.wordPlaces()
	inWord := len(word) > 1 && (f.Bookmark != "" || f.Header || f.Footer || f.Line != "") // else they may be for a PDF
	if inWord {
		return fmt.Errorf(m.say("%s 不能与 %s 一起使用", "%s and %s exclude each other"), word[0], word[1])
	}
	for _, x := range []struct {
		a, b string
		both bool
	}{
		{"--invisible", "--at, --keyword, --date-line, --straddle, --field, --bookmark, --header, --footer, --line", f.Invisible && f.placed()},
		{"--invisible", "--as-line", f.Invisible && f.AsLine},
		{"--invisible", "--remark, --text", f.Invisible && (f.Remark != "" || f.Text)},
		{"--field", "--at, --keyword, --date-line, --straddle", f.Field != "" && own.placed()},
		{"--lock", "--lock-field", f.Lock && len(f.LockFields) > 0},
	} {
		if x.both {
			return fmt.Errorf(m.say("%s 不能与 %s 一起使用", "%s and %s exclude each other"), x.a, x.b)
		}
	}
	for _, x := range []struct {
		flag, with string
		missing    bool
	}{
		{"--occurrence", "--keyword", f.Occurrence != "" && f.Keyword == ""},
		{"--offset", "--keyword", f.Offset != "" && f.Keyword == ""},
		{"--edge", "--straddle", f.Edge != "" && !f.Straddle},
		{"--pages", "--straddle", f.Pages != "" && !f.Straddle},
		{"--font", "--remark, --text", f.Font != "" && f.Remark == "" && !f.Text},
	} {
		if x.missing {
			return fmt.Errorf(m.say("%s 只与 %s 一起使用", "%s goes with %s"), x.flag, x.with)
		}
	}
	return nil
}

func (m *Main) keyword(f placeFlags) (*pdfx.Keyword, error) {
	k := &pdfx.Keyword{Text: f.Keyword}
	switch n, err := strconv.Atoi(f.Occurrence); {
	case f.Occurrence == "":
	case f.Occurrence == "all":
		k.Occurrence = pdfx.Every
	case err == nil && n != 0 && n >= -1:
		k.Occurrence = n
	default:
		return nil, fmt.Errorf(m.say("--occurrence %q 应为 1、2…、-1 或 all", "--occurrence %q is not 1, 2…, -1 or all"), f.Occurrence)
	}
	if f.Offset != "" {
		n, ok := numbers(f.Offset, 2)
		if !ok {
			return nil, fmt.Errorf(m.say("--offset %q 应为 DX,DY，如 0,10", "--offset %q is not DX,DY, such as 0,10"), f.Offset)
		}
		k.DX, k.DY = n[0], n[1]
	}
	return k, nil
}

// numbers reads n numbers with commas between them.
func numbers(text string, n int) ([]float64, bool) {
	parts := strings.Split(text, ",")
	if len(parts) != n {
		return nil, false
	}
	out := make([]float64, n)
	for i, p := range parts {
		var err error
		if out[i], err = strconv.ParseFloat(strings.TrimSpace(p), 64); err != nil {
			return nil, false
		}
	}
	return out, true
}

// font reads --font.
func (m *Main) font(f placeFlags, o *pdfx.Options) (err error) {
	if f.Font != "" {
		o.Font, err = pdfx.ReadFont(f.Font)
	}
	return err
}
