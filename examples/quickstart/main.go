// Quickstart seals a court judgment and verifies it, end to end:
//
//	go run ./examples/quickstart
//
// It makes demo roots, keys and a seal where there are none yet, seals the three pages of judgment.pdf four times (as a bare
// SES_Signature, as CMS with SM2, as CMS with RSA, and as dual) and the same judgment as a Word document three times (as
// SES_Signature, as Word's own signature with RSA, and as dual), verifies all seven, prints the reports and leaves everything in
// ./out. Everything it makes and shows is invented, and trusted by nobody but itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/courtseal/courtseal/verify"
)

const usage = `Seals a court judgment and verifies it, end to end.

usage: quickstart [-o DIR] [-lang zh|en|both]

  -o DIR      where everything is written (default out); keys and seal that are there already are used again
  -lang L     language of the output: zh, en or both (default: as LC_ALL, LC_MESSAGES or LANG say, else en)

DIR then holds
  judgment.pdf            the judgment, three pages, not sealed
  judgment-ses.pdf        sealed with a bare SES_Signature of GB/T 38540-2020 (SM2)
  judgment-cms-sm2.pdf    sealed with CMS that carries the seal (SM2)
  judgment-cms-rsa.pdf    the same with RSA, which every PDF reader understands
  judgment-dual.pdf       RSA for every reader, and the SM2 seal signature bound inside
  judgment.docx           the same judgment as a Word document, not sealed
  judgment-ses.docx       sealed with SES_Signature (SM2)
  judgment-cms-rsa.docx   sealed with the signature that Word itself shows (RSA)
  judgment-dual.docx      sealed with both
  page.png                the last page of judgment-dual.pdf, where pdftoppm is installed
  page-word.png           that of judgment-dual.docx, where LibreOffice is installed too
  court.esl, court.png    the electronic seal and its picture
  roots.pem               the roots to trust: quickstart's own
  keys/                   the keys of the seal's two holders and of two time-stamping authorities; their PIN is 123456

Exit codes: 0 all seven are valid; 1 one of them is not; 4 something went wrong.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := quickstart(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func quickstart(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	dir := flags.String("o", "out", "")
	lang := flags.String("lang", language(getenv), "")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return 0
	case err != nil: // Parse has said why
		fmt.Fprint(stderr, "\n", usage)
		return 4
	case flags.NArg() > 0 || (*lang != "zh" && *lang != "en" && *lang != "both"):
		fmt.Fprint(stderr, usage)
		return 4
	}
	verdict, err := run(ctx, stdout, *dir, *lang)
	switch {
	case err != nil:
		fmt.Fprintln(stderr, "quickstart:", err)
		return 4
	case verdict != verify.Valid:
		return 1
	}
	return 0
}

// language is zh where the environment asks for Chinese.
func language(getenv func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(v, "zh") {
				return "zh"
			}
			break
		}
	}
	return "en"
}
