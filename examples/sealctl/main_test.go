package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/examples/internal/demo"
	"github.com/courtseal/courtseal/examples/internal/minidocx"
	"github.com/courtseal/courtseal/examples/internal/minipdf"
)

// TestScripts runs testdata/*.txt, each in a directory of its own that holds demo/ (as `sealctl demo` makes it), pin (the
// PIN of its keys), plain.pdf (one page of A4), form.pdf (the same with an empty signature field, judge, and a text field,
// note), judgment.pdf (three pages of Chinese text with a date), judgment.docx (the same), tracked.docx (the same with a tracked change),
// arabic.ttf, ledger/ (see ledgerFiles) and audit/ (see auditFiles). A script is a list of lines:
//
//	sealctl ARG...      runs the program; quotes 'like this' keep blanks
//	zh sealctl ARG...   the same, with messages in Chinese
//	server ARG...       runs it in the background till the script ends; $URL stands for its first line from then on
//	exit N              the last run's exit code; a run without an exit line must give 0
//	stdout TEXT         the last run printed TEXT (stderr TEXT: to standard error); !stdout, !stderr: it did not
//	json KEY VALUE      each line of its output is JSON that has KEY (a.0.b goes down) with VALUE
//	write FILE TEXT     makes a file; \n is a new line
//	edit FILE OLD NEW   replaces the first OLD in a file by NEW
//	mode FILE OCTAL     changes a file's mode
//	cmp A B             the files are the same; !cmp: they are not
//	exists FILE         there is such a file; !exists: there is none
//	peer PROG ARG...    runs another program, which must succeed; the script ends here where it is not installed
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txt"), func(t *testing.T) {
			s := &script{T: t}
			s.prepare()
			for i, line := range strings.Split(string(text), "\n") {
				s.where = fmt.Sprintf("%s:%d", filepath.Base(name), i+1)
				if s.run(line); t.Failed() || s.over {
					t.Logf("%s\nstdout:\n%s\nstderr:\n%s", line, s.stdout.String(), s.stderr.String())
					return
				}
			}
			s.checkCode(0)
		})
	}
}

// demoFiles makes the demo once; every script gets a copy.
var demoFiles = sync.OnceValues(func() (map[string][]byte, error) {
	dir, err := os.MkdirTemp("", "sealctl-test")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	m := Main{Args: []string{"demo", dir}, Stdin: strings.NewReader(""), Stdout: new(bytes.Buffer), Stderr: new(bytes.Buffer)}
	if code := m.Run(context.Background()); code != 0 {
		return nil, fmt.Errorf("sealctl demo: exit code %d: %s", code, m.Stderr)
	}
	demo.Quicken(filepath.Join(dir, "keys")) // demo.txt uses keys as they are made
	files := map[string][]byte{}
	return files, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			files[rel], err = os.ReadFile(path)
		}
		return err
	})
})

type script struct {
	*testing.T
	where          string
	stdout, stderr bytes.Buffer
	code           int
	ran, over      bool
	url            string // of the server
}

func (s *script) prepare() {
	files, err := demoFiles()
	if err != nil {
		s.Fatal(err)
	}
	word := s.read("../quickstart/judgment.docx")
	tracked, err := minidocx.Edit(word, "word/document.xml", "<w:body>",
		`<w:body><w:p><w:ins w:id="1" w:author="x"><w:r><w:t>x</w:t></w:r></w:ins></w:p>`)
	if err != nil {
		s.Fatal(err)
	}
	others := map[string][]byte{"judgment.pdf": s.read("../quickstart/judgment.pdf"), "judgment.docx": word, "tracked.docx": tracked, "arabic.ttf": s.read("../../internal/glyph/testdata/arabic.ttf")}
	s.Chdir(s.TempDir())
	for name, b := range files {
		s.write(filepath.Join("demo", name), b)
	}
	for dir, make := range map[string]func() (map[string][]byte, error){"ledger": ledgerFiles, "audit": auditFiles} {
		files, err := make()
		if err != nil {
			s.Fatal(err)
		}
		for name, b := range files {
			s.write(filepath.Join(dir, name), b)
		}
	}
	s.write("pin", []byte(demo.PIN+"\n"))
	s.write("plain.pdf", minimalPDF())
	s.write("form.pdf", minimalPDF("<< /FT /Sig /T (judge) /Type /Annot /Subtype /Widget /P 3 0 R /Rect [100 100 230 230] /F 4 >>",
		"<< /FT /Tx /T (note) /Type /Annot /Subtype /Widget /P 3 0 R /Rect [100 300 230 330] /F 4 >>"))
	for name, b := range others {
		s.write(name, b)
	}
}

func (s *script) write(name string, b []byte) {
	s.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(name, b, 0o600); err != nil {
		s.Fatal(err)
	}
}

func (s *script) read(name string) []byte {
	s.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		s.Fatalf("%s: %v", s.where, err)
	}
	return b
}

// checkCode is asked by `exit`, and before the next run for those without.
func (s *script) checkCode(want int) {
	s.Helper()
	if s.ran && s.code != want {
		s.Errorf("%s: exit code %d, not %d", s.where, s.code, want)
	}
	s.ran = false
}

func (s *script) run(line string) {
	s.Helper()
	words := split(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return
	}
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "$URL", s.url)
	}
	verb, not := strings.CutPrefix(words[0], "!")
	args := words[1:]
	need := func(n int) {
		if len(args) != n {
			s.Fatalf("%s: %s takes %d words", s.where, verb, n)
		}
	}
	switch verb {
	case "zh", "sealctl":
		s.checkCode(0)
		if s.Failed() {
			return
		}
		m := Main{Args: args, Stdin: strings.NewReader(""), Stdout: &s.stdout, Stderr: &s.stderr}
		if verb == "zh" {
			m.Args, m.Chinese = args[1:], true
		}
		s.stdout.Reset()
		s.stderr.Reset()
		s.code, s.ran = m.Run(s.Context()), true
	case "server":
		s.serve(args)
	case "exit":
		need(1)
		n, err := strconv.Atoi(args[0])
		if err != nil {
			s.Fatal(err)
		}
		s.checkCode(n)
	case "stdout", "stderr":
		need(1)
		out := s.stdout.String()
		if verb == "stderr" {
			out = s.stderr.String()
		}
		if strings.Contains(out, args[0]) == not {
			s.Errorf("%s: %s", s.where, line)
		}
	case "json":
		need(2)
		for l := range strings.Lines(s.stdout.String()) {
			if got, err := lookup(l, args[0]); err != nil || got != args[1] {
				s.Errorf("%s: %s is %s (%v)", s.where, args[0], got, err)
			}
		}
	case "write":
		need(2)
		s.write(args[0], []byte(strings.ReplaceAll(args[1], `\n`, "\n")))
	case "edit":
		need(3)
		b := s.read(args[0])
		if !bytes.Contains(b, []byte(args[1])) {
			s.Fatalf("%s: no %q in %s", s.where, args[1], args[0])
		}
		s.write(args[0], bytes.Replace(b, []byte(args[1]), []byte(args[2]), 1))
	case "mode":
		need(2)
		mode, err := strconv.ParseUint(args[1], 8, 32)
		if err = errors.Join(err, os.Chmod(args[0], os.FileMode(mode))); err != nil {
			s.Fatal(err)
		}
	case "cmp":
		need(2)
		if bytes.Equal(s.read(args[0]), s.read(args[1])) == not {
			s.Errorf("%s: %s", s.where, line)
		}
	case "exists":
		need(1)
		if _, err := os.Stat(args[0]); (err == nil) == not {
			s.Errorf("%s: %s: %v", s.where, line, err)
		}
	case "peer":
		if _, err := exec.LookPath(args[0]); err != nil {
			if os.Getenv("CI") == "true" {
				s.Fatalf("%s: %s is needed", s.where, args[0])
			}
			s.over = true
			s.Skipf("%s is not installed", args[0])
		}
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			s.Errorf("%s: %s: %v\n%s", s.where, line, err, out)
		}
	default:
		s.Fatalf("%s: unknown verb %q", s.where, verb)
	}
}

// serve starts the program, waits for its first line, and has it end with the script, without an error.
func (s *script) serve(args []string) {
	s.Helper()
	ctx, stop := context.WithCancel(context.Background())
	r, w := io.Pipe()
	var stderr bytes.Buffer
	m := Main{Args: args, Stdin: strings.NewReader(""), Stdout: w, Stderr: &stderr}
	ended := make(chan int, 1)
	go func() {
		ended <- m.Run(ctx)
		w.Close()
	}()
	where := s.where
	s.Cleanup(func() {
		stop()
		if code := <-ended; code != 0 {
			s.Errorf("%s: the server ended with exit code %d: %s", where, code, &stderr)
		}
	})
	lines := bufio.NewScanner(r)
	lines.Scan()
	if s.url = lines.Text(); s.url == "" {
		s.Errorf("%s: it printed no URL", s.where)
	}
	go io.Copy(io.Discard, r)
}

// split cuts a line at blanks outside 'quotes'.
func split(line string) []string {
	var words []string
	for line = strings.TrimLeft(line, " \t"); line != ""; line = strings.TrimLeft(line, " \t") {
		end := " "
		if line[0] == '\'' {
			line, end = line[1:], "'"
		}
		var w string
		w, line, _ = strings.Cut(line, end)
		words = append(words, w)
	}
	return words
}

// lookup goes down a JSON value.
func lookup(text, path string) (string, error) {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return "", err
	}
	for _, key := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(at) {
				return "", fmt.Errorf("%d elements, no %s", len(at), key)
			}
			v = at[i]
		default:
			return "", fmt.Errorf("nothing at %s", key)
		}
	}
	if a, ok := v.([]any); ok {
		return fmt.Sprintf("%d elements", len(a)), nil
	}
	return fmt.Sprint(v), nil
}

// minimalPDF is one empty page of A4, with form fields.
func minimalPDF(fields ...string) []byte {
	refs := ""
	for i := range fields {
		refs += fmt.Sprintf("%d 0 R ", 5+i)
	}
	return minipdf.File(append([]string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [" + refs + "] >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << >> /Contents 4 0 R /Annots [" + refs + "] >>",
		"<< /Length 9 >>\nstream\n1 0 0 RG\n\nendstream",
	}, fields...)...)
}

func TestChinese(t *testing.T) {
	for _, test := range []struct {
		lcAll, lang string
		want        bool
	}{{"", "", false}, {"", "zh_CN.UTF-8", true}, {"C", "zh_CN.UTF-8", false}, {"zh_HK", "en_US", true}} {
		env := map[string]string{"LC_ALL": test.lcAll, "LANG": test.lang}
		if got := chinese(func(k string) string { return env[k] }); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// Of two hints for one error, nobody would see the second.
func TestHints(t *testing.T) {
	for i, h := range hints {
		for _, earlier := range hints[:i] {
			if errors.Is(h.err, earlier.err) {
				t.Errorf("%v: %s, and %s", h.err, earlier.zh, h.zh)
			}
		}
	}
}
