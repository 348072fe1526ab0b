package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/examples/internal/secret"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/tsp/tsphttp"
)

type sealFlags struct {
	seal     string
	keys     []string
	pinFile  string
	format   string
	place    placeFlags
	tsa      string
	repair   bool
	password string
	asJSON   bool
	batch    batchFlags
}

func (m *Main) seal() *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal --seal F --key URI [--key URI] IN OUT | IN... --out-dir D",
		Short: m.say("加盖电子签章", "seal files"),
		Long: m.say(`用印章 F 和持章人的密钥为 IN 签章，写成 OUT。IN 是 PDF 文件或 Word 文档 (.docx)，以内容判断，与文件名无关。
密钥的 URI 如 soft:目录#名称。格式 cms、ses 用一个密钥；dual 用两个，次序不限：SM2 的签在内，RSA 或 ECDSA 的签在外。
不给 --format 时，两个密钥为 dual，一个为 cms；Word 文档只用一个 SM2 密钥时为 ses，因为 Word 自己的签名不支持 SM2。

给出 --out-dir D 时为批量签章：每个 IN 以原名写入 D，各占标准输出一行，次序与 IN 相同：
  ok IN -> OUT        已签章
  skip IN -> OUT      D 中已有用此印章签好的 IN，不再签
  fail IN: 原因       其余文件照常签章；退出码为 4
D 中同名的其他文件不会被覆盖。中断（包括 kill -9）后以同样的参数再次运行即可继续，不会重复签章，也不会遗漏。`,
			`Seals IN, a PDF file or a Word document (.docx), with the seal F and the key of one of its holders, and writes OUT. Which of
the two a file is, its bytes say. A key's URI is soft:DIR#NAME.
The formats cms and ses take one key; dual takes two, in any order: the SM2 key signs inside, the RSA or ECDSA key
outside. Without --format two keys make dual, and one makes cms; or ses, where the file is a Word document and the key SM2,
which Word's own signatures do not have.

With --out-dir D every IN is sealed into D under its own name. Each has a line on standard output, in the order of IN:
  ok IN -> OUT        it was sealed
  skip IN -> OUT      D has IN sealed with this seal already
  fail IN: REASON     the others are sealed all the same; the exit code is 4
Another file of that name in D is never overwritten. A run that was ended, by kill -9 too, goes on when it is started
again with the same arguments: none is sealed twice, and none is left out.`),
		Args: func(cmd *cobra.Command, a []string) error {
			if f.batch.dir != "" {
				return args(cobra.MinimumNArgs(1))(cmd, a)
			}
			return args(cobra.ExactArgs(2))(cmd, a)
		},
		RunE: func(cmd *cobra.Command, a []string) error { return m.runSeal(cmd.Context(), cmd.Flags(), f, a) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.seal, "seal", "", m.say("印章文件 (.esl)", "file of the seal (.esl)"))
	flags.StringArrayVar(&f.keys, "key", nil, m.say("密钥 URI；dual 需要两个", "URI of a key; two of them for dual"))
	flags.StringVar(&f.pinFile, "pin-file", "", m.say("第一行是 PIN 的文件；不给则在终端询问", "file whose first line is the PIN of the keys; without it the terminal asks"))
	flags.StringVar(&f.format, "format", "", "ses, cms, dual")
	m.placeFlags(flags, &f.place)
	flags.StringVar(&f.tsa, "tsa", "", m.say("时间戳服务的 URL；取不到时间戳时给出提示，签章照常完成", "URL of a time-stamping authority; a stamp that is not had is noted, and the seal is made all the same"))
	flags.BoolVar(&f.repair, "repair", false, m.say("PDF：文件已损坏也签章", "PDF: seal a damaged file too"))
	m.passwordFlag(cmd, &f.password)
	m.batchFlags(flags, &f.batch)
	flags.BoolVar(&f.asJSON, "json", false, m.say("每个文件输出一行 JSON", "print one line of JSON for every file"))
	return cmd
}

func (m *Main) passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", m.say("PDF：第一行是口令的文件", "PDF: file whose first line is its password"))
}

func (m *Main) runSeal(ctx context.Context, flags *pflag.FlagSet, f sealFlags, a []string) error {
	options := document.Options{PDF: pdfx.Options{Repair: f.repair}}
	if err := m.place(f.place, &options); err != nil {
		return usageError{err}
	}
	files := a
	if f.batch.dir == "" {
		files = a[:1]
	}
	kinds, err := m.fitAll(flags, f.place, files)
	if err != nil {
		return usageError{err}
	}
	format, err := m.chooseFormat(f)
	if err != nil {
		return usageError{err}
	}
	if u, err := url.Parse(f.tsa); f.tsa != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return usageError{errors.New(m.say("--tsa 应为 http 或 https 的 URL", "--tsa is not a URL of http or https"))}
	}
	if err := m.checkBatch(f.batch); err != nil {
		return usageError{err}
	}
	if err := m.font(f.place, &options.PDF); err != nil {
		return err
	}
	if options.PDF.Password, err = m.password(f.password); err != nil {
		return err
	}
	s, err := seal.ReadFile(f.seal)
	if err != nil {
		return err
	}
	stamp, done, err := m.stamp(ctx, s, format, f, kinds[document.Word])
	if err != nil {
		return err
	}
	defer done()
	if f.batch.dir != "" {
		return m.runBatch(ctx, f, a, s, stamp, options)
	}

	in, out := a[0], a[1]
	options.Document = in
	result, err := document.SignFile(ctx, out, in, stamp, options)
	if f.asJSON {
		line := outcomeLine{File: in, Out: out, Status: "ok"}
		if err != nil {
			line.Status, line.Error = "fail", err.Error()
		} else {
			line.ID, line.Notes = result.Act.ID, notesOf(result)
		}
		err = errors.Join(err, m.printJSON(line))
	}
	if err != nil {
		return err
	}
	m.printNotes(out, result)
	return nil
}

// fitAll refuses flags that are not for every one of the files, and tells what kinds there are. One that cannot be read is told of when it is its turn.
func (m *Main) fitAll(flags *pflag.FlagSet, f placeFlags, files []string) (seen map[document.Kind]bool, err error) {
	seen = map[document.Kind]bool{}
	for _, file := range files {
		k, err := document.KindOfFile(file)
		if err != nil || seen[k] {
			continue
		}
		seen[k] = true
		if err := m.fits(flags, k, file); err != nil {
			return nil, err
		}
		if places := f.wordPlaces(); k == document.Word && len(places) > 1 {
			return nil, fmt.Errorf(m.say("%s 在 Word 文档中不能与 %s 一起使用", "%s and %s exclude each other in a Word document"), places[0], places[1])
		}
	}
	return seen, nil
}

// stamp opens the keys and puts the seal to use, which may be for Word documents. The caller calls done when it no longer needs them.
func (m *Main) stamp(ctx context.Context, s *seal.Seal, format sign.Format, f sealFlags, word bool) (stamp sign.Signer, done func(), err error) {
	var devices []keydev.Device
	closeAll := func() {
		for _, d := range devices {
			d.Close()
		}
	}
	defer func() {
		if err != nil {
			closeAll()
		}
	}()
	auth := m.auth(ctx, f.pinFile)
	var keys []sign.Key
	for _, uri := range f.keys {
		key, device, err := keydev.OpenKey(ctx, uri, auth)
		if err != nil {
			return nil, nil, err
		}
		devices, keys = append(devices, device), append(keys, key)
	}
	if f.format == "" && format == sign.CMS && word && isSM2(keys[0]) {
		format = sign.SES
	}
	o := seal.StampOptions{Format: format}
	var tsa sign.Timestamper
	if f.tsa != "" {
		tsa = &tsphttp.Client{URL: f.tsa}
	}
	o.TSA = tsa
	if format == sign.Dual {
		if keys, err = m.innerFirst(keys); err != nil {
			return nil, nil, usageError{err}
		}
		o.Outer, o.OuterTSA = keys[1], tsa
	}
	stamp, err = s.Stamp(keys[0], o)
	return stamp, closeAll, err
}

// chooseFormat reads --format and counts the keys.
func (m *Main) chooseFormat(f sealFlags) (sign.Format, error) {
	if f.seal == "" {
		return "", errors.New(m.say("缺少 --seal", "--seal is missing"))
	}
	format := sign.Format(f.format)
	if format == "" {
		format = sign.CMS
		if len(f.keys) > 1 {
			format = sign.Dual
		}
	}
	want := 1
	switch format {
	case sign.CMS, sign.SES:
	case sign.Dual:
		want = 2
	default:
		return "", fmt.Errorf(m.say("--format %q 应为 ses、cms 或 dual", "--format %q is not ses, cms or dual"), f.format)
	}
	if len(f.keys) != want {
		return "", fmt.Errorf(m.say("格式 %s 需要 %d 个 --key，给出了 %d 个", "format %s takes %d --key, and %d were given"), format, want, len(f.keys))
	}
	return format, nil
}

func isSM2(k sign.Key) bool {
	s, err := sign.SchemeFor(k.Public())
	return err == nil && s.Kind == sign.SM2
}

// innerFirst puts the SM2 key of a dual first.
func (m *Main) innerFirst(keys []sign.Key) ([]sign.Key, error) {
	switch {
	case isSM2(keys[0]) && !isSM2(keys[1]):
		return keys, nil
	case isSM2(keys[1]) && !isSM2(keys[0]):
		return []sign.Key{keys[1], keys[0]}, nil
	}
	return nil, errors.New(m.say("dual 需要一个 SM2 密钥和一个 RSA 或 ECDSA 密钥", "dual takes one SM2 key and one RSA or ECDSA key"))
}

func (m *Main) password(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	return secret.Read(file)
}

func (m *Main) remove() *cobra.Command {
	var password string
	cmd := &cobra.Command{
		Use:   "remove IN OUT",
		Short: m.say("撤销最后一个签章", "take the last seal off"),
		Long: m.say("撤销 IN 的最后一个签章，把签章之前的字节原样写成 OUT。",
			"Takes the last seal off IN and writes OUT: the very bytes that were there before it."),
		Args: args(cobra.ExactArgs(2)),
		RunE: func(_ *cobra.Command, a []string) error {
			pw, err := m.password(password)
			if err != nil {
				return err
			}
			return document.RemoveFile(a[1], a[0], document.Options{PDF: pdfx.Options{Password: pw}})
		},
	}
	m.passwordFlag(cmd, &password)
	return cmd
}
