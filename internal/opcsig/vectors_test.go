package opcsig

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
	"github.com/courtseal/courtseal/sign/xmldsig"
)

var rewrite = flag.Bool("rewrite", false, "write the vectors of officex/FORMAT.md anew")

// The vectors of officex/FORMAT.md: a line "expect: " with a word or words, a line "about: ", an empty line, the bytes.
const formatVectors = "../../officex/testdata/format"

type vectorFile struct{ kind, name, expect, about, body string }

// made are the vectors. Those of signatures are by a key that is made for them and thrown away.
func made(t *testing.T) []vectorFile {
	var all []vectorFile
	slug := func(s string) string { return strings.NewReplacer(" ", "-", ",", "").Replace(strings.ToLower(s)) }
	add := func(kind, name, expect string, body []byte) {
		all = append(all, vectorFile{kind, slug(name), expect, name, string(body)})
	}

	good, err := manifest().Marshal()
	if err != nil {
		t.Fatal(err)
	}
	add("manifest", "as written", "ok", good)
	for _, c := range manifestFlaws() {
		add("manifest", c.name, "malformed", []byte(strings.ReplaceAll(string(good), c.old, c.new)))
	}

	key := testpki.NewCA(testpki.P256, "Example CA").Issue(testpki.P256, "Example signer", nil)
	d := draft(sign.SHA256, key)
	_, part := signed(t, d, key, nil, "")
	add("signature", "as written", "ok", part)
	d.Line = line()
	_, withLine := signed(t, d, key, authority(t), "ledger.example.cn/court#"+b64(32))
	add("signature", "with line, reference and time stamp", "ok", withLine)
	for _, c := range flaws() {
		add("signature", c.name, c.codes, c.apply(t, string(part)))
	}
	changed := bytes.Replace(part, []byte(`<mdssi:Value>2026`), []byte(`<mdssi:Value>2025`), 1)
	add("signature", "digest of another package object", "digest", changed)
	add("signature", "value of something else", "value", redigest(t, string(changed)))

	undo := Undo{Hash: sign.SM3, Digest: sign.SM3.Sum([]byte("file")), Record: []byte("undo 1\ndata 4\n\nfile")}.Marshal()
	add("undo", "as written", "ok", undo)
	for _, c := range [][3]string{
		{"upper case", "source SM3 ", "source sm3 "}, {"unknown hash", "SM3", "MD5"}, {"short digest", "source SM3 ", "source SHA-384 "},
		{"no source", "source ", "Source "}, {"two blanks", "source ", "source  "}, {"carriage return", "\n", "\r\n"},
	} {
		add("undo", c[0], "malformed", []byte(strings.Replace(string(undo), c[1], c[2], 1)))
	}
	return all
}

// judge says what a reader makes of a vector.
func judge(t *testing.T, kind string, body []byte) string {
	t.Helper()
	word := func(err, sentinel error) string {
		switch {
		case err == nil:
			return "ok"
		case errors.Is(err, sentinel):
			return "malformed"
		}
		return err.Error()
	}
	switch kind {
	case "manifest":
		_, err := ParseSealManifest(body)
		return word(err, ErrManifest)
	case "undo":
		_, err := ParseUndo(body)
		return word(err, ErrUndo)
	}
	s, err := Parse(body)
	if err != nil {
		return word(err, ErrSignature)
	}
	if len(s.Findings) > 0 {
		return codes(s)
	}
	if !s.Intact() {
		return "digest"
	}
	cert, err := gm.ParseCertificate(s.Certificates[0])
	if err != nil {
		return err.Error()
	}
	if xmldsig.Check(cert.PublicKey, s.Scheme, s.SignedInfo, s.Value) != nil {
		return "value"
	}
	return "ok"
}

func TestFormatVectors(t *testing.T) {
	if *rewrite {
		if err := os.RemoveAll(formatVectors); err != nil {
			t.Fatal(err)
		}
		for _, v := range made(t) {
			name := filepath.Join(formatVectors, v.kind, v.name+".txt")
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte("expect: "+v.expect+"\nabout: "+v.about+"\n\n"+v.body), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(formatVectors, "*", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var names, want []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		kind := filepath.Base(filepath.Dir(f))
		names = append(names, kind+"/"+strings.TrimSuffix(filepath.Base(f), ".txt"))
		head, body, _ := bytes.Cut(b, []byte("\n\n"))
		expect, _, _ := strings.Cut(string(head), "\n")
		if got := judge(t, kind, body); "expect: "+got != expect {
			t.Errorf("%s: %s, want %s", f, got, expect)
		}
	}
	// Every flaw that is tested has its vector, and nothing else is there.
	for _, v := range made(t) {
		want = append(want, v.kind+"/"+v.name)
	}
	slices.Sort(names)
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("vectors\n%s\nwant\n%s\n(write them anew with -rewrite)", strings.Join(names, "\n"), strings.Join(want, "\n"))
	}
}
