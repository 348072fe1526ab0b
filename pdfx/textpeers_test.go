package pdfx_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/courtseal/courtseal/internal/pdf"
	"github.com/courtseal/courtseal/internal/pdftext"
	"github.com/courtseal/courtseal/pdfx"
)

// inFonts is a document for LibreOffice with the paragraphs of a judgment in several fonts, the third on a new page.
func inFonts(fonts []string) string {
	var styles, body strings.Builder
	for i, f := range fonts {
		page := ""
		if i == 2 {
			page = ` fo:break-before="page"`
		}
		fmt.Fprintf(&styles, `<style:style style:name="H%[1]d" style:family="paragraph" style:parent-style-name="P%[1]d">`+
			`<style:paragraph-properties%[2]s/></style:style>`, i, page)
		fmt.Fprintf(&styles, `<style:style style:name="P%d" style:family="paragraph"><style:paragraph-properties fo:text-align="justify"/>`+
			`<style:text-properties style:font-name="%[2]s" style:font-name-asian="%[2]s" fo:font-family="'%[2]s'" style:font-family-asian="'%[2]s'" `+
			`fo:font-size="14pt" style:font-size-asian="14pt"/></style:style>`, i, f)
		fmt.Fprintf(&body, `<text:p text:style-name="H%d">%s民事判决书</text:p>`, i, court)
		fmt.Fprintf(&body, `<text:p text:style-name="P%d">（2026）示01民终123号，原告：某甲商贸有限公司，住所地示例省示例市示例区示例路1号；被告“某乙”《建材》`+
			`有限公司。本院于2026年6月1日立案后，依法适用普通程序，公开开庭进行了审理。VAT 13%% affine file.</text:p>`, i)
		fmt.Fprintf(&body, `<text:p text:style-name="P%d">%s</text:p><text:p text:style-name="P%d">2026 年 11 月 24 日</text:p>`, i, date, i)
	}
	return `<?xml version="1.0" encoding="UTF-8"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" ` +
		`xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" ` +
		`xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" office:version="1.3" ` +
		`office:mimetype="application/vnd.oasis.opendocument.text"><office:automatic-styles>` + styles.String() +
		`</office:automatic-styles><office:body><office:text>` + body.String() + `</office:text></office:body></office:document>`
}

// Documents of LibreOffice in several Chinese fonts, and the same after Ghostscript has written them anew: of them only the page
// with TrueType fonts, as Ghostscript leaves out what tells the meaning of the glyphs of the others.
func TestTextLibreOffice(t *testing.T) {
	soffice, gs := tool(t, "soffice"), tool(t, "gs")
	dir := t.TempDir()
	in := write(t, "judgment.fodt", []byte(inFonts([]string{"Noto Serif CJK SC", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "AR PL UMing CN"})))
	cmd := exec.Command(soffice, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--convert-to", "pdf:writer_pdf_Export", "--outdir", dir, in)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	made, again, old := filepath.Join(dir, "judgment.pdf"), filepath.Join(dir, "again.pdf"), filepath.Join(dir, "old.pdf")
	for dst, level := range map[string]string{again: "1.7", old: "1.3"} {
		if out, err := exec.Command(gs, "-q", "-dNOPAUSE", "-dBATCH", "-sDEVICE=pdfwrite", "-dFirstPage=2", "-dCompatibilityLevel="+level, "-o", dst, made).CombinedOutput(); err != nil {
			t.Fatalf("gs: %v\n%s", err, out)
		}
	}
	for _, path := range []string{made, again, old} {
		t.Run(filepath.Base(path), func(t *testing.T) { everyWord(t, path) })
	}
}

// everyWord looks for each word that poppler sees, and for its dates.
func everyWord(t *testing.T, path string) {
	in, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := pdf.Open(bytes.NewReader(in), int64(len(in)), pdf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := pdftext.New(f)
	seen := 0
	for i, list := range words(t, path) {
		text, err := r.Page(context.Background(), i+1)
		if err != nil || text.Err != nil {
			t.Fatal(err, text.Err)
		}
		for _, w := range list {
			if seen++; !hit(text, w) {
				t.Errorf("page %d: %v is not found there", i+1, w)
			}
		}
	}
	if seen < 30 {
		t.Errorf("poppler sees %d words", seen)
	}
	dates, err := pdfx.FindDate(context.Background(), bytes.NewReader(in), int64(len(in)), pdfx.Options{})
	if err != nil || len(dates) == 0 {
		t.Fatalf("dates: %v, %v", dates, err)
	}
	for _, d := range dates {
		if s := norm.NFKC.String(d.Text); s != date && s != "2026年11月24日" {
			t.Errorf("a date %q", d.Text)
		}
	}
}
