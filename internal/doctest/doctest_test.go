// Package doctest compiles and runs every code block of the README files and of docs/.
//
// A go block is a whole program: it is built against this tree and run in a directory where out/ holds what quickstart
// leaves. A sh block is run by bash in such a directory, with sealctl and sealserver on the PATH; the block of the two commands is run
// from the root of the repository. Blocks of other languages (text, json) are shown, not run.
package doctest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

const root = "../.."

type block struct {
	file string
	line int
	lang string
	text string
}

var fence = regexp.MustCompile("^```([a-z]*)$")

func blocks(t *testing.T, name string) []block {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	var out []block
	var cur *block
	for i, line := range strings.Split(string(text), "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && cur == nil:
			cur = &block{file: name, line: i + 1, lang: m[1]}
		case m != nil:
			out = append(out, *cur)
			cur = nil
		case cur != nil:
			cur.text += line + "\n"
		}
	}
	if cur != nil {
		t.Fatalf("%s:%d: code block without an end", name, cur.line)
	}
	return out
}

func pages(t *testing.T) []string {
	t.Helper()
	names := []string{"README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "sign/FORMAT.md", "audit/FORMAT.md", "officex/FORMAT.md"}
	docs, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range docs {
		names = append(names, "docs/"+filepath.Base(d))
	}
	return names
}

func TestBlocksRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs programs")
	}
	if runtime.GOOS == "windows" {
		t.Skip("the blocks are for a POSIX shell")
	}
	bin := t.TempDir()
	build(t, filepath.Join(bin, "sealctl"), "./examples/sealctl")
	build(t, filepath.Join(bin, "quickstart"), "./examples/quickstart")
	build(t, filepath.Join(bin, "sealserver"), "./examples/sealserver")
	made := t.TempDir()
	run(t, block{file: "examples/quickstart"}, made, bin, "quickstart", "-o", ".")
	for _, page := range pages(t) {
		for _, b := range blocks(t, page) {
			switch b.lang {
			case "go":
				dir := workDir(t, made)
				src := filepath.Join(dir, "main.go")
				write(t, src, b.text)
				build(t, filepath.Join(dir, "program"), src)
				run(t, b, dir, bin, filepath.Join(dir, "program"))
			case "sh":
				if strings.Contains(b.text, ".ci/run") {
					theTwoCommands(t, b, bin)
					continue
				}
				run(t, b, workDir(t, made), bin, "bash", "-euo", "pipefail", "-c", b.text)
			case "text", "json":
			default:
				t.Errorf("%s:%d: a code block of language %q is not run by any test", b.file, b.line, b.lang)
			}
		}
	}
}

// theTwoCommands runs the first and checks that the second, which runs this test, is a script.
func theTwoCommands(t *testing.T, b block, bin string) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
		command, _, _ := strings.Cut(line, "#")
		switch command = strings.TrimSpace(command); command {
		case "go run ./examples/quickstart":
			run(t, b, root, bin, "go", "run", "./examples/quickstart", "-o", t.TempDir())
		case "bash .ci/run":
			run(t, b, root, bin, "bash", "-n", ".ci/run")
		default:
			t.Errorf("%s:%d: %q is not one of the two commands", b.file, b.line, command)
		}
	}
}

// The Chinese README shows the same programs as the English one.
func TestREADMEsAgree(t *testing.T) {
	en, zh := blocks(t, "README.md"), blocks(t, "README.zh-CN.md")
	if len(en) != len(zh) {
		t.Fatalf("README.md has %d code blocks, README.zh-CN.md %d", len(en), len(zh))
	}
	comment := regexp.MustCompile(`(?m)\s*(#|//).*$`)
	for i := range en {
		if en[i].lang == "text" {
			continue
		}
		if comment.ReplaceAllString(en[i].text, "") != comment.ReplaceAllString(zh[i].text, "") {
			t.Errorf("README.md:%d and README.zh-CN.md:%d differ", en[i].line, zh[i].line)
		}
	}
}

// Links between the pages lead somewhere.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	code := regexp.MustCompile("(?ms)^```.*?^```$")
	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join(root, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s: link to %s: %v", page, m[1], err)
			}
		}
	}
}

// workDir is a directory with a copy of what quickstart left.
func workDir(t *testing.T, made string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "out"), os.DirFS(made)); err != nil {
		t.Fatal(err)
	}
	keys, err := filepath.Glob(filepath.Join(dir, "out", "keys", "*.key"))
	if err != nil || len(keys) == 0 {
		t.Fatal(keys, err)
	}
	for _, key := range keys { // a copy is everybody's to read, and such keys are refused
		if err := os.Chmod(key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func build(t *testing.T, out, what string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", out, what)
	cmd.Dir = root
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", what, err, msg)
	}
}

func run(t *testing.T, b block, dir, bin, name string, args ...string) {
	t.Helper()
	if own := filepath.Join(bin, name); !strings.ContainsRune(name, filepath.Separator) {
		if _, err := os.Stat(own); err == nil {
			name = own
		}
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		t.Errorf("%s:%d: %v\n%s", b.file, b.line, err, out.Bytes())
	}
}
