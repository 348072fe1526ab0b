package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// usual is where the date of a judgment on A4 stands.
var usual = pdfx.At{Page: -1, X: 150, Y: 240}

type sealFlags struct {
	seal      string
	keys      []string
	pinFile   string
	format    string
	at        string
	invisible bool
	repair    bool
	password  string
}

func (m *Main) seal() *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal --seal F --key URI [--key URI] IN OUT",
		Short: m.say("加盖电子签章", "seal a file"),
		Long: m.say(`用印章 F 和持章人的密钥为 PDF 文件 IN 签章，写成 OUT。密钥的 URI 如 soft:目录#名称。
格式 cms、ses 用一个密钥；dual 用两个，次序不限：SM2 的签在内，RSA 或 ECDSA 的签在外。
不给 --format 时，一个密钥为 cms，两个为 dual。`,
			`Seals the PDF file IN with the seal F and the key of one of its holders, and writes OUT. A key's URI is soft:DIR#NAME.
The formats cms and ses take one key; dual takes two, in any order: the SM2 key signs inside, the RSA or ECDSA key
outside. Without --format one key makes cms, and two make dual.`),
		Args: args(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, a []string) error { return m.runSeal(cmd, f, a[0], a[1]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.seal, "seal", "", m.say("印章文件 (.esl)", "file of the seal (.esl)"))
	flags.StringArrayVar(&f.keys, "key", nil, m.say("密钥 URI，dual 需两个", "URI of a key; two of them for dual"))
	flags.StringVar(&f.pinFile, "pin-file", "", m.say("第一行是 PIN 的文件；不给则在终端询问", "file whose first line is the PIN of the keys; without it the terminal asks"))
	flags.StringVar(&f.format, "format", "", "ses, cms, dual")
	flags.StringVar(&f.at, "at", "", fmt.Sprintf(m.say("PAGE,X,Y：页码（-1 为末页）和印章中心到页面左上角的毫米数；不给则为 %d,%g,%g",
		"PAGE,X,Y: the page (-1 the last) and the millimetres from its top left corner\nto the centre of the seal; without it %d,%g,%g"), usual.Page, usual.X, usual.Y))
	flags.BoolVar(&f.invisible, "invisible", false, m.say("不显示印章", "show no seal"))
	flags.BoolVar(&f.repair, "repair", false, m.say("文件已损坏也签章", "seal a damaged file too"))
	m.passwordFlag(cmd, &f.password)
	return cmd
}

func (m *Main) passwordFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVar(file, "password-file", "", m.say("第一行是 PDF 口令的文件", "file whose first line is the password of the PDF"))
}

func (m *Main) runSeal(cmd *cobra.Command, f sealFlags, in, out string) error {
	options := pdfx.Options{Document: in, Repair: f.repair}
	if err := m.place(f, &options); err != nil {
		return usageError{err}
	}
	format, err := m.chooseFormat(f)
	if err != nil {
		return usageError{err}
	}
	if options.Password, err = m.password(f.password); err != nil {
		return err
	}
	s, err := seal.ReadFile(f.seal)
	if err != nil {
		return err
	}

	var keys []sign.Key
	for _, uri := range f.keys {
		key, device, err := keydev.OpenKey(cmd.Context(), uri, m.auth(f.pinFile))
		if err != nil {
			return err
		}
		defer device.Close()
		keys = append(keys, key)
	}
	stampOptions := seal.StampOptions{Format: format}
	if format == sign.Dual {
		if keys, err = m.innerFirst(keys); err != nil {
			return usageError{err}
		}
		stampOptions.Outer = keys[1]
	}
	stamp, err := s.Stamp(keys[0], stampOptions)
	if err != nil {
		return err
	}
	result, err := pdfx.SignFile(cmd.Context(), out, in, stamp, options)
	if err != nil {
		return err
	}
	for _, n := range result.Notes {
		fmt.Fprintf(m.Stderr, "sealctl: %s: %s\n", out, n)
	}
	return nil
}

// place reads --at and --invisible.
func (m *Main) place(f sealFlags, o *pdfx.Options) error {
	switch {
	case f.invisible && f.at != "":
		return errors.New(m.say("--at 与 --invisible 只能用一个", "--at and --invisible exclude each other"))
	case f.invisible:
		return nil
	case f.at == "":
		o.At = []pdfx.At{usual}
		return nil
	}
	bad := fmt.Errorf(m.say("--at %q 应为 PAGE,X,Y，如 1,105,240", "--at %q is not PAGE,X,Y, such as 1,105,240"), f.at)
	parts := strings.Split(f.at, ",")
	if len(parts) != 3 {
		return bad
	}
	page, err := strconv.Atoi(strings.TrimSpace(parts[0]))
	if err != nil || page == 0 {
		return bad
	}
	at := pdfx.At{Page: page}
	for i, v := range []*float64{&at.X, &at.Y} {
		if *v, err = strconv.ParseFloat(strings.TrimSpace(parts[i+1]), 64); err != nil {
			return bad
		}
	}
	o.At = []pdfx.At{at}
	return nil
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

// innerFirst puts the SM2 key of a dual first.
func (m *Main) innerFirst(keys []sign.Key) ([]sign.Key, error) {
	sm2 := func(k sign.Key) bool {
		s, err := sign.SchemeFor(k.Public())
		return err == nil && s.Kind == sign.SM2
	}
	switch {
	case sm2(keys[0]) && !sm2(keys[1]):
		return keys, nil
	case sm2(keys[1]) && !sm2(keys[0]):
		return []sign.Key{keys[1], keys[0]}, nil
	}
	return nil, errors.New(m.say("dual 需要一个 SM2 密钥和一个 RSA 或 ECDSA 密钥", "dual takes one SM2 key and one RSA or ECDSA key"))
}

func (m *Main) password(file string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	return m.readSecret(file)
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
			return pdfx.RemoveFile(a[1], a[0], pdfx.Options{Password: pw})
		},
	}
	m.passwordFlag(cmd, &password)
	return cmd
}
