package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

type showFlags struct {
	signature string
	picture   string
	content   string
	asJSON    bool
	password  string
}

func (m *Main) show() *cobra.Command {
	var f showFlags
	cmd := &cobra.Command{
		Use:   "show [--signature NAME] [--picture OUT] [--content OUT] FILE",
		Short: m.say("显示签章、印章和证书", "show signatures, seals and certificates"),
		Long: m.say(`显示 PDF 文件或 Word 文档中的签章、印章和证书，或印章文件 (.esl) 的内容。
这里只显示文件自己的说法，什么都不验证；是否可信要看 sealctl verify。`,
			`Shows the signatures, seals and certificates of a PDF file or Word document, or what a seal file (.esl) holds.
It is what the file says of itself, and nothing is verified: whether to believe it, sealctl verify tells.`),
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error { return m.runShow(cmd, f, a[0]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.signature, "signature", "", m.say("签名域或签名部件的名称；不给则显示全部，--picture 和 --content 取最后一个", "name of a signature field, or of a part; without it all are shown, and --picture and --content take the last"))
	flags.StringVar(&f.picture, "picture", "", m.say("把印章图像写入此文件，格式与印章中的相同", "write the seal's picture to this file, as it is in the seal"))
	flags.StringVar(&f.content, "content", "", m.say("把签名覆盖的内容写入此文件：签署时的文件原样", "write what the signature covers to this file: the document exactly as it was when signed"))
	flags.BoolVar(&f.asJSON, "json", false, m.say("输出一行 JSON", "print one line of JSON"))
	m.passwordFlag(cmd, &f.password)
	return cmd
}

func (m *Main) runShow(cmd *cobra.Command, f showFlags, name string) error {
	src, err := os.Open(name)
	if err != nil {
		return err
	}
	defer src.Close()
	head := make([]byte, 1)
	if _, err := src.ReadAt(head, 0); err == nil && head[0] == 0x30 { // a SEQUENCE, which no PDF begins with
		return m.showSealFile(f, name)
	}
	info, err := src.Stat()
	if err != nil {
		return err
	}
	o := verify.Options{}
	if o.Password, err = m.password(f.password); err != nil {
		return err
	}
	report, err := verify.File(cmd.Context(), name, o)
	if err != nil && !errors.Is(err, verify.ErrUnsigned) {
		return err
	}
	d, err := m.look(src, info.Size(), o.Password)
	if err != nil {
		return err
	}
	doc := shownDocument{File: name, Format: report.Format, Size: info.Size(), Revisions: report.Revisions, Signatures: []shownSignature{}, Lines: d.lines}
	chosen, sealed := -1, -1 // for --content, and for --picture
	var names []string
	for i := range d.found {
		names = append(names, d.found[i].Name)
		if f.signature != "" && f.signature != d.found[i].Name {
			continue
		}
		doc.Signatures = append(doc.Signatures, d.signature(&report.Signatures[i], i))
		if chosen < 0 || d.later(i, chosen) {
			chosen = i
		}
		if doc.Signatures[len(doc.Signatures)-1].Seal != nil && (sealed < 0 || d.later(i, sealed)) {
			sealed = i
		}
	}
	if chosen < 0 && (f.signature != "" || f.picture != "" || f.content != "") {
		if len(names) == 0 {
			return fmt.Errorf("%s: %w", name, pdfx.ErrNoSignature)
		}
		return fmt.Errorf(m.say("没有签名 %q；有：%s", "there is no signature %q; there are: %s"), f.signature, strings.Join(names, ", "))
	}
	if f.picture != "" {
		if sealed < 0 {
			sealed = chosen // whose error says why
		}
		s, err := d.seal(sealed)
		if err != nil {
			return fmt.Errorf("%s: %w", d.found[sealed].Name, err)
		}
		if err := writePicture(f.picture, s); err != nil {
			return err
		}
	}
	if f.content != "" {
		content, err := d.content(chosen)
		if err != nil {
			return fmt.Errorf("%s: %w", d.found[chosen].Name, err)
		}
		if err := writeWhole(f.content, content); err != nil {
			return err
		}
	}
	if f.asJSON {
		return m.printJSON(doc)
	}
	return m.printDocument(&doc)
}

func (m *Main) showSealFile(f showFlags, name string) error {
	if f.signature != "" || f.content != "" {
		return usageError{errors.New(m.say("印章文件没有签名；--signature 和 --content 用于文档", "a seal file has no signatures; --signature and --content are for documents"))}
	}
	s, err := seal.ReadFile(name)
	if err != nil {
		return err
	}
	if f.picture != "" {
		if err := writePicture(f.picture, s); err != nil {
			return err
		}
	}
	shown := sealOf(s)
	if f.asJSON {
		return m.printJSON(shownSealFile{File: name, Verified: false, shownSeal: *shown})
	}
	return m.printSealFile(name, shown)
}

func writePicture(name string, s *seal.Seal) error {
	return writeWhole(name, strings.NewReader(string(s.Picture.Data)))
}

// writeWhole writes a file that appears whole or not at all.
func writeWhole(name string, r io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".sealctl-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// What --json prints. Nothing in it was verified.
type (
	shownDocument struct {
		File       string           `json:"file"`
		Format     string           `json:"format"`
		Size       int64            `json:"size"`
		Revisions  int              `json:"revisions,omitempty"` // of a PDF
		Verified   bool             `json:"verified"`            // always false
		Signatures []shownSignature `json:"signatures"`
		Lines      []shownLine      `json:"lines,omitempty"` // signature lines of a Word document
	}
	shownSignature struct {
		Name         string                `json:"name"`
		Format       sign.Format           `json:"format,omitempty"`
		SubFilter    string                `json:"subFilter,omitempty"`
		Error        string                `json:"error,omitempty"`  // why it cannot be read
		Pages        []int                 `json:"pages"`            // of a PDF, that show it
		Covers       int64                 `json:"covers,omitempty"` // bytes from the beginning of the file
		Revision     int                   `json:"revision,omitempty"`
		Coverage     verify.Text           `json:"coverage"`
		Claimed      string                `json:"claimed,omitempty"`
		Stamps       []shownStamp          `json:"timeStamps,omitempty"`
		Signer       *verify.Certificate   `json:"signer,omitempty"`
		Inner        *verify.Certificate   `json:"inner,omitempty"` // dual: of the seal signature inside
		Certificates []*verify.Certificate `json:"certificates,omitempty"`
		Seal         *shownSeal            `json:"seal,omitempty"`
		Evidence     int                   `json:"evidence,omitempty"` // bytes of a ledger's evidence
		Entry        *verify.Entry         `json:"entry,omitempty"`    // what that says
	}
	shownLine struct {
		ID     string `json:"id"`               // GUID
		Signer string `json:"signer,omitempty"` // who is to sign
		Filled bool   `json:"filled"`
	}
	shownStamp struct {
		Over      string              `json:"over"` // what was stamped: the value of the cms, the ses or the seal
		Time      string              `json:"time,omitempty"`
		Authority *verify.Certificate `json:"authority,omitempty"`
	}
	shownSeal struct {
		ID        string                `json:"esID"`
		Name      string                `json:"name"`
		Vid       string                `json:"vid"`
		Version   int                   `json:"version"`
		Standard  string                `json:"standard"`
		Type      int                   `json:"type"`
		Created   string                `json:"created,omitempty"`
		NotBefore string                `json:"notBefore,omitempty"`
		NotAfter  string                `json:"notAfter,omitempty"`
		Maker     *verify.Certificate   `json:"maker,omitempty"`
		Holders   []*verify.Certificate `json:"holders,omitempty"`
		Digests   int                   `json:"holderDigests,omitempty"` // holders named by a digest only
		Picture   shownPicture          `json:"picture"`
		Notes     []noteLine            `json:"notes,omitempty"`
	}
	shownSealFile struct {
		File     string `json:"file"`
		Verified bool   `json:"verified"` // always false
		shownSeal
	}
	shownPicture struct {
		Type   string `json:"type"`
		Width  int    `json:"width"`  // mm
		Height int    `json:"height"` // mm
		Size   int    `json:"size"`   // bytes
	}
)

var standards = map[seal.Version]string{seal.V1: "GM/T 0031-2014", seal.V4: "GB/T 38540-2020", seal.V5: "GM/T 0031-2025"}

func sealOf(s *seal.Seal) *shownSeal {
	out := &shownSeal{
		ID: s.ID, Name: s.Name, Vid: s.Vid, Version: int(s.Version), Standard: standards[s.Generation()], Type: s.Type,
		Created: dateTime(s.Created), NotBefore: dateTime(s.NotBefore), NotAfter: dateTime(s.NotAfter), Digests: len(s.CertDigests),
		Picture: shownPicture{s.Picture.Type, s.Picture.Width, s.Picture.Height, len(s.Picture.Data)},
	}
	out.Maker, _ = verify.DescribeCertificate(s.MakerCert)
	for _, der := range s.Certs {
		if c, err := verify.DescribeCertificate(der); err == nil {
			out.Holders = append(out.Holders, c)
		}
	}
	for _, n := range s.Notes {
		out.Notes = append(out.Notes, noteLine(n))
	}
	return out
}

// pageList writes pages as 1-3, 7.
func pageList(pages []int) string {
	var parts []string
	for i := 0; i < len(pages); {
		k := i
		for k+1 < len(pages) && pages[k+1] == pages[k]+1 {
			k++
		}
		if k > i {
			parts = append(parts, fmt.Sprintf("%d-%d", pages[i], pages[k]))
		} else {
			parts = append(parts, fmt.Sprint(pages[i]))
		}
		i = k + 1
	}
	return strings.Join(parts, ", ")
}

// chainOf are the certificates that a CMS carries beside those of its signers.
func chainOf(value []byte, signers ...*verify.Certificate) (chain []*verify.Certificate) {
	for _, der := range certificates(value) {
		c, err := verify.DescribeCertificate(der)
		known := func(s *verify.Certificate) bool { return s != nil && slices.Equal(s.DER, der) }
		if err == nil && !slices.ContainsFunc(signers, known) {
			chain = append(chain, c)
		}
	}
	return chain
}
