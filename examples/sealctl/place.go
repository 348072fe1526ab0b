package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/pdfx"
)

// usual is where the date of a judgment on A4 stands.
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

	Remark string
	Text   bool
	Font   string

	Name, Reason, Location string

	Certify    int
	Lock       bool
	LockFields []string
}

func (m *Main) placeFlags(flags *pflag.FlagSet, f *placeFlags) {
	flags.StringArrayVar(&f.At, "at", nil, fmt.Sprintf(m.say("PAGE,X,Y：页码（-1 为末页）和印章中心到页面左上角的毫米数，可多次给出；\n不给任何位置则为 %d,%g,%g",
		"PAGE,X,Y: the page (-1 the last) and the millimetres from its top left corner\nto the centre of the seal; may be repeated; without any place it is %d,%g,%g"), usual.Page, usual.X, usual.Y))
	flags.StringVar(&f.Keyword, "keyword", "", m.say("盖在此文字上", "seal at this text"))
	flags.StringVar(&f.Occurrence, "occurrence", "", m.say("用于 --keyword：N 为第 N 处，-1 为最后一处，all 为每一处；不给则该文字必须只出现一次",
		"with --keyword: N the n-th place where it stands, -1 the last, all every one;\nwithout it the text must stand just once"))
	flags.StringVar(&f.Offset, "offset", "", m.say("DX,DY：用于 --keyword，从该处向右、向下移动的毫米数", "DX,DY: millimetres to the right of --keyword and below it"))
	flags.BoolVar(&f.DateLine, "date-line", false, m.say("骑年盖月：盖在落款日期上", "seal on the date of the signature block"))
	flags.BoolVar(&f.Straddle, "straddle", false, m.say("骑缝章：盖在各页边缘", "seal over the edges of the pages"))
	flags.StringVar(&f.Edge, "edge", "", m.say("用于 --straddle：right（缺省）或 left", "with --straddle: right, which is usual, or left"))
	flags.StringVar(&f.Pages, "pages", "", m.say("用于 --straddle：all（缺省）、odd 或 even", "with --straddle: all, which is usual, odd or even"))
	flags.StringVar(&f.Field, "field", "", m.say("签在已有的空签名域中", "sign the empty signature field of this name"))
	flags.BoolVar(&f.Invisible, "invisible", false, m.say("不显示印章", "show no seal"))
	flags.StringVar(&f.Remark, "remark", "", m.say("印章旁的批注", "text beside the seal"))
	flags.BoolVar(&f.Text, "text", false, m.say("印章下方写签名人、时间、理由", "signer, time and reason below the seal"))
	flags.StringVar(&f.Font, "font", "", m.say("--remark 和 --text 的字体文件 (TTF、OTF、TTC#N)；不给则用内嵌的宋体", "font file of --remark and --text (TTF, OTF, TTC#N); without it the embedded one"))
	flags.StringVar(&f.Name, "name", "", m.say("签名人姓名", "name of who signs"))
	flags.StringVar(&f.Reason, "reason", "", m.say("签章理由", "why it is signed"))
	flags.StringVar(&f.Location, "location", "", m.say("签章地点", "where it is signed"))
	flags.IntVar(&f.Certify, "certify", 0, m.say("认证文件，此后：1 不得更改，2 可填表单，3 可填表单和批注", "certify the document; from then on 1: no change, 2: forms are filled in, 3: and annotated"))
	flags.BoolVar(&f.Lock, "lock", false, m.say("文件锁定：锁定整个文件", "lock the whole document"))
	flags.StringArrayVar(&f.LockFields, "lock-field", nil, m.say("只锁定此表单域，可多次给出", "lock this form field only; may be repeated"))
}

// place turns the flags into options.
func (m *Main) place(f placeFlags, o *pdfx.Options) error {
	if err := m.exclusive(f); err != nil {
		return err
	}
	for _, text := range f.At {
		first, rest, _ := strings.Cut(text, ",")
		page, err := strconv.Atoi(strings.TrimSpace(first))
		xy, ok := numbers(rest, 2)
		if err != nil || page == 0 || !ok {
			return fmt.Errorf(m.say("--at %q 应为 PAGE,X,Y，如 1,105,240", "--at %q is not PAGE,X,Y, such as 1,105,240"), text)
		}
		o.At = append(o.At, pdfx.At{Page: page, X: xy[0], Y: xy[1]})
	}
	if err := m.keyword(f, o); err != nil {
		return err
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

// placed: a place is named.
func (f *placeFlags) placed() bool {
	return len(f.At) > 0 || f.Keyword != "" || f.DateLine || f.Straddle || f.Field != ""
}

// exclusive finds flags that do not go together, or go with one that is missing.
func (m *Main) exclusive(f placeFlags) error {
	own := f
	own.Field = ""
	for _, x := range []struct {
		a, b string
		both bool
	}{
		{"--invisible", "--at, --keyword, --date-line, --straddle, --field", f.Invisible && f.placed()},
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

func (m *Main) keyword(f placeFlags, o *pdfx.Options) error {
	if f.Keyword == "" {
		return nil
	}
	k := &pdfx.Keyword{Text: f.Keyword}
	switch n, err := strconv.Atoi(f.Occurrence); {
	case f.Occurrence == "":
	case f.Occurrence == "all":
		k.Occurrence = pdfx.Every
	case err == nil && n != 0 && n >= -1:
		k.Occurrence = n
	default:
		return fmt.Errorf(m.say("--occurrence %q 应为 1、2…、-1 或 all", "--occurrence %q is not 1, 2…, -1 or all"), f.Occurrence)
	}
	if f.Offset != "" {
		n, ok := numbers(f.Offset, 2)
		if !ok {
			return fmt.Errorf(m.say("--offset %q 应为 DX,DY，如 0,10", "--offset %q is not DX,DY, such as 0,10"), f.Offset)
		}
		k.DX, k.DY = n[0], n[1]
	}
	o.Keyword = k
	return nil
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
