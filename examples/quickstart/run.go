package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/courtseal/courtseal/examples/internal/demo"
	"github.com/courtseal/courtseal/examples/internal/document"
	"github.com/courtseal/courtseal/keydev"
	"github.com/courtseal/courtseal/officex"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/verify"
)

//go:embed judgment.pdf
var judgment []byte

//go:embed judgment.docx
var judgmentWord []byte

// The files that page.png and page-word.png show.
const (
	pageOfProof     = "judgment-dual.pdf"
	wordPageOfProof = "judgment-dual.docx"
)

// Each judgment is sealed on the date of its signature block, the lower arc over it (骑年盖月), and a PDF over the edges of its
// pages too (骑缝章), all with one signature.
var places = document.Options{
	PDF:  pdfx.Options{DateLine: true, Straddle: &pdfx.Straddle{}},
	Word: officex.Options{DateLine: true},
}

// A job is one way to seal.
type job struct {
	name string // of the sealed file
	from string
	key  string // of the seal's holder
	seal.StampOptions
	what verify.Text
}

// run does everything and tells about it. The verdict is the worst of all.
func run(ctx context.Context, w io.Writer, dir, lang string) (verify.Verdict, error) {
	out := &printer{w: w, lang: lang, width: len(filepath.Join(dir, "judgment-cms-rsa.docx"))}
	d, err := demo.Make(ctx, dir, time.Now())
	if err != nil {
		return 0, err
	}
	court, err := seal.ReadFile(d.Seal)
	if err != nil {
		return 0, err
	}
	plain, word, picture := filepath.Join(dir, "judgment.pdf"), filepath.Join(dir, "judgment.docx"), filepath.Join(dir, "court.png")
	if err := errors.Join(replace(plain, judgment), replace(word, judgmentWord), replace(picture, court.Picture.Data)); err != nil {
		return 0, err
	}
	made := verify.Text{ZH: "沿用已有的", EN: "used again"}
	if d.Made {
		made = verify.Text{ZH: "新制作", EN: "newly made"}
	}
	out.title(verify.Text{ZH: "印章与密钥", EN: "Seal and keys"}, made)
	out.item(d.Seal, verify.Text{
		ZH: fmt.Sprintf("%s，GB/T 38540-2020，直径 %d 毫米", court.Name, court.Picture.Width),
		EN: fmt.Sprintf("%s, GB/T 38540-2020, %d mm round", court.Name, court.Picture.Width),
	})
	out.item(picture, verify.Text{ZH: "印章图像（以五角星代替国徽）", EN: "its picture (a star stands for the emblem)"})
	out.item(d.Keys, verify.Text{ZH: "持章人和时间戳机构的密钥各两把，PIN 为 " + demo.PIN, EN: "keys of its two holders and of two time-stamping authorities, PIN " + demo.PIN})
	out.item(d.Roots, verify.Text{ZH: "验证时信任的根证书", EN: "the roots to trust"})

	keys := map[string]sign.Key{}
	for _, name := range []string{demo.HolderSM2, demo.HolderRSA} {
		key, dev, err := keydev.OpenKey(ctx, d.Key(name), keydev.PIN([]byte(demo.PIN)))
		if err != nil {
			return 0, err
		}
		defer dev.Close()
		keys[name] = key
	}
	dual := seal.StampOptions{Format: sign.Dual, Outer: keys[demo.HolderRSA]}
	jobs := []job{
		{"judgment-ses.pdf", plain, demo.HolderSM2, seal.StampOptions{Format: sign.SES},
			verify.Text{ZH: "SM2，裸电子签章（SES_Signature）", EN: "SM2, bare SES_Signature"}},
		{"judgment-cms-sm2.pdf", plain, demo.HolderSM2, seal.StampOptions{Format: sign.CMS},
			verify.Text{ZH: "SM2，携带印章的 CMS", EN: "SM2, CMS that carries the seal"}},
		{"judgment-cms-rsa.pdf", plain, demo.HolderRSA, seal.StampOptions{Format: sign.CMS},
			verify.Text{ZH: "RSA，携带印章的 CMS", EN: "RSA, CMS that carries the seal"}},
		{"judgment-dual.pdf", plain, demo.HolderSM2, dual,
			verify.Text{ZH: "RSA 在外，SM2 电子签章在内", EN: "RSA outside, SM2 seal signature inside"}},
		{"judgment-ses.docx", word, demo.HolderSM2, seal.StampOptions{Format: sign.SES},
			verify.Text{ZH: "SM2，电子签章（SES_Signature）", EN: "SM2, SES_Signature"}},
		{"judgment-cms-rsa.docx", word, demo.HolderRSA, seal.StampOptions{Format: sign.CMS},
			verify.Text{ZH: "RSA，Word 自己的签名，携带印章", EN: "RSA, the signature that Word itself shows, with the seal"}},
		{"judgment-dual.docx", word, demo.HolderSM2, dual,
			verify.Text{ZH: "二者兼有：SM2 电子签章和 Word 自己的签名", EN: "both: SM2 seal signature, and Word's own"}},
	}
	out.title(verify.Text{ZH: "盖章", EN: "Sealing"}, verify.Text{
		ZH: plain + "、" + word + "，三页；骑年盖月，PDF 另加骑缝章",
		EN: plain + " and " + word + ", three pages; on the date, and in the PDF over the edges of the pages",
	})
	opened := map[string]bool{}
	for _, j := range jobs {
		stamp, err := court.Stamp(keys[j.key], j.StampOptions)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", j.name, err)
		}
		start := time.Now()
		sealed := filepath.Join(dir, j.name)
		options := places
		options.Document = filepath.Base(j.from)
		if _, err := document.SignFile(ctx, sealed, j.from, stamp, options); err != nil {
			return 0, fmt.Errorf("%s: %w", j.name, err)
		}
		took := since(start)
		if !opened[j.key] { // the work factor of its encryption is most of the time
			opened[j.key] = true
			took += out.text(verify.Text{ZH: "（含解密私钥）", EN: " (decrypting the key among it)"})
		}
		out.item(sealed, j.what, took)
	}

	roots, err := verify.ReadRoots(d.Roots)
	if err != nil {
		return 0, err
	}
	out.title(verify.Text{ZH: "验证", EN: "Verifying"}, verify.Text{ZH: "信任 " + d.Roots, EN: "trusting " + d.Roots})
	verdict := verify.Valid
	reports := make([]*verify.Report, len(jobs))
	for i, j := range jobs {
		start := time.Now()
		report, err := verify.File(ctx, filepath.Join(dir, j.name), verify.Options{Roots: roots})
		if err != nil {
			return 0, fmt.Errorf("%s: %w", j.name, err)
		}
		reports[i] = report
		if report.Verdict != verify.Valid {
			verdict = report.Verdict
		}
		out.report(report, since(start))
	}

	page, err := lastPage(ctx, filepath.Join(dir, pageOfProof), filepath.Join(dir, "page"))
	if err != nil {
		return 0, err
	}
	wordPage, err := lastPageOfWord(ctx, filepath.Join(dir, wordPageOfProof), filepath.Join(dir, "page-word"))
	if err != nil {
		return 0, err
	}
	out.title(verify.Text{ZH: "结果", EN: "Result"}, verify.Text{ZH: "各项检查见上", EN: "every check stands above"})
	for _, r := range reports {
		out.item(r.File, r.Verdict.Text())
	}
	if page != "" {
		out.item(page, verify.Text{ZH: "盖章后的末页，请看", EN: "the last page, sealed: look at it"})
	}
	if wordPage != "" {
		out.item(wordPage, verify.Text{ZH: "Word 文档盖章后的末页，由 LibreOffice 显示", EN: "that of the Word document, as LibreOffice shows it"})
	}
	return verdict, nil
}

func since(start time.Time) string {
	return fmt.Sprintf("%.1f ms", float64(time.Since(start).Microseconds())/1000)
}

// replace writes a file unless it holds just that.
func replace(name string, b []byte) error {
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, b) {
		return nil
	}
	return os.WriteFile(name, b, 0o644)
}

// lastPage draws it, where poppler's pdftoppm is installed, and gives the name of the picture. Empty: it is not.
func lastPage(ctx context.Context, file, page string) (string, error) {
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		return "", nil
	}
	c := exec.CommandContext(ctx, tool, "-png", "-r", "100", "-f", "3", "-singlefile", file, page)
	if b, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pdftoppm: %w: %s", err, strings.TrimSpace(string(b)))
	}
	return page + ".png", nil
}

// lastPageOfWord draws that of a Word document, where LibreOffice is installed too.
func lastPageOfWord(ctx context.Context, file, page string) (string, error) {
	tool, err := exec.LookPath("soffice")
	if err != nil {
		return "", nil
	}
	work, err := os.MkdirTemp("", "quickstart-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	c := exec.CommandContext(ctx, tool, "-env:UserInstallation=file://"+filepath.ToSlash(filepath.Join(work, "profile")), "--headless",
		"--convert-to", "pdf", "--outdir", work, file)
	if b, err := c.CombinedOutput(); err != nil {
		return "", fmt.Errorf("soffice: %w: %s", err, strings.TrimSpace(string(b)))
	}
	return lastPage(ctx, filepath.Join(work, strings.TrimSuffix(filepath.Base(file), ".docx")+".pdf"), page)
}
