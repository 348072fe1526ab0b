package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/peertest"
)

// What other software says of the same files, and why where it is something else. Trust is not asked about: each answers for bytes and
// values, and for what it knows of later savings.

// An opinion is an answer of somebody about a file.
type opinion int

const (
	noAnswer  opinion = iota // no signature is seen, or none that can be checked, or the file cannot be read
	isWrong                  // at least one signature is not valid
	isDoubted                // of ours alone: indeterminate
	followed                 // valid, and something follows; that is said of honest savings too
	isRight                  // valid
)

var opinions = [...]string{noAnswer: "no answer", isWrong: "invalid", isDoubted: "indeterminate", followed: "valid, something follows", isRight: "valid"}

func (a opinion) String() string { return opinions[a] }

// agrees: nobody who reads the one answer is misled where the other is right.
func (a opinion) agrees(theirs opinion) bool {
	switch a {
	case isRight:
		return theirs == isRight || theirs == followed
	case isWrong, isDoubted:
		return theirs == isWrong
	}
	return theirs == noAnswer
}

// A judgedFile is a file with our answer.
type judgedFile struct {
	class, name string
	file        []byte
	ours        opinion
	codes       []string // of checks that are not valid
	formats     []string // of signatures
}

func judgedOf(t testing.TB, class, name string, file []byte, o Options) judgedFile {
	t.Helper()
	f := judgedFile{class: class, name: name, file: file}
	r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), o)
	switch {
	case err != nil && !errors.Is(err, ErrUnsigned):
		f.codes = []string{isUnreadable}
		return f
	case err != nil:
		f.codes = []string{isUnsigned}
	default:
		f.ours = map[Verdict]opinion{Valid: isRight, Invalid: isWrong, Indeterminate: isDoubted}[r.Verdict]
	}
	for _, s := range r.Signatures {
		f.formats = append(f.formats, string(s.Format))
		if s.Timestamp {
			f.formats = append(f.formats, "stamp")
		}
		for _, c := range s.Checks {
			if c.Verdict == Invalid || c.Verdict == Indeterminate {
				f.codes = append(f.codes, c.Code)
			}
		}
	}
	return f
}

// ask runs a program for ten seconds at most.
func ask(name string, args ...string) string {
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	out, _ := exec.CommandContext(ctx, name, args...).CombinedOutput()
	return string(out)
}

// together is the answer about a file of answers about its signatures; last: one of them covers all of it.
func together(each []opinion, last bool) opinion {
	switch {
	case len(each) == 0:
		return noAnswer
	case slices.Contains(each, isWrong):
		return isWrong
	case slices.Contains(each, noAnswer):
		return noAnswer
	case last:
		return isRight
	}
	return followed
}

// askPdfsig: -nocert, so that it does not look for roots.
func askPdfsig(path string) opinion {
	var each []opinion
	last := false
	for line := range strings.Lines(ask("pdfsig", "-nocert", path)) {
		line = strings.TrimSpace(line)
		last = last || line == "- Total document signed"
		switch said, ok := strings.CutPrefix(line, "- Signature Validation: "); {
		case !ok:
		case said == "Signature is Valid.":
			each = append(each, isRight)
		case said == "Digest Mismatch." || said == "Signature is Invalid.":
			each = append(each, isWrong)
		default: // "Unknown Validation Failure.", "Signature has not yet been verified."
			each = append(each, noAnswer)
		}
	}
	return together(each, last)
}

func askMutool(path string) opinion {
	var each []opinion
	last := false
	for line := range strings.Lines(ask("mutool", "sign", "-v", path)) {
		switch line = strings.TrimSpace(line); {
		case line == "The document is unchanged since signing.":
			each, last = append(each, isRight), true
		case strings.Contains(line, "edits since signing"):
			each = append(each, followed)
		case line == "Digest error: Unknown error.":
			each = append(each, noAnswer)
		case strings.HasPrefix(line, "Digest error:"):
			each = append(each, isWrong)
		}
	}
	return together(each, last)
}

// askOpenSSL takes values and bytes out of the file as each ByteRange says, and has the CMS checked.
func askOpenSSL(path string) opinion {
	file, err := os.ReadFile(path)
	if err != nil {
		return noAnswer
	}
	var each []opinion
	for _, m := range rangeOfFour.FindAllSubmatch(file, -1) {
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(string(m[i+1]))
		}
		from, to, end := n[0], n[1], n[1]+n[2]
		if from+2 > to || to > end || end > len(file) || n[2] < 0 {
			each = append(each, noAnswer)
			continue
		}
		value, err := hex.DecodeString(strings.TrimSpace(strings.Trim(string(file[from:to]), "<> \r\n")))
		if err != nil {
			each = append(each, noAnswer)
			continue
		}
		os.WriteFile(path+".value", value, 0o600)
		os.WriteFile(path+".bytes", slices.Concat(file[:from], file[to:end]), 0o600)
		switch out := ask("openssl", "cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", path+".value", "-content", path+".bytes", "-out", os.DevNull); {
		case strings.Contains(out, "successful"):
			each = append(each, isRight)
		case strings.Contains(out, "digest verify") || strings.Contains(out, "verification failure") || strings.Contains(out, "content verify error"):
			each = append(each, isWrong)
		default:
			each = append(each, noAnswer)
		}
	}
	return together(each, true)
}

// pdfPeers are who is asked about PDF files.
var pdfPeers = []struct {
	name string
	ask  func(path string) opinion
}{{"pdfsig", askPdfsig}, {"mutool", askMutool}, {"OpenSSL", askOpenSSL}}

// peerFiles are honest files, and of each attack the one that others can read best: with a signature by RSA.
func peerFiles(t testing.TB) (out []judgedFile) {
	t.Helper()
	o := Options{Roots: theWorld().roots, At: noon.Add(time.Hour)}
	for _, f := range signedPDFs(t) {
		out = append(out, judgedOf(t, "honest", f.name, f.bytes, o))
	}
	best := map[string]int{}
	var chosen []attacked
	for _, a := range allAttacks(t, pdftest.Kinds) {
		i := strings.LastIndexByte(a.name, '/')
		at, ok := best[a.name[:i]]
		good := strings.HasSuffix(a.name, "-rsa") || strings.HasSuffix(a.name, "-dual")
		switch {
		case !ok:
			best[a.name[:i]] = len(chosen)
			chosen = append(chosen, a)
		case good:
			chosen[at] = a
		}
	}
	for _, a := range chosen {
		class, _, _ := strings.Cut(a.name, "/")
		out = append(out, judgedOf(t, class, a.name, a.file, o))
	}
	return out
}

// asked has everybody asked about every file.
func asked(t testing.TB, files []judgedFile) [][]opinion {
	t.Helper()
	dir := t.TempDir()
	out := make([][]opinion, len(files))
	var wg sync.WaitGroup
	next := make(chan int)
	for range 2 * runtime.GOMAXPROCS(0) { // they wait for their programs
		wg.Go(func() {
			for i := range next {
				path := filepath.Join(dir, fmt.Sprintf("%d.pdf", i))
				os.WriteFile(path, files[i].file, 0o600)
				for _, p := range pdfPeers {
					out[i] = append(out[i], p.ask(path))
				}
				os.Remove(path)
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	wg.Wait()
	return out
}

// A reason is why another program says something else of a file than this package.
type reason struct {
	id   string
	text string
	is   func(peer string, f *judgedFile, theirs opinion) bool
}

// sm2: nobody else checks SM2 or an SES_Signature.
func (f *judgedFile) sm2() bool {
	return slices.ContainsFunc(f.formats, func(s string) bool { return s == "ses" || s == "cms" }) && !strings.HasSuffix(f.name, "-rsa") && !strings.HasSuffix(f.name, "-dual")
}

// onlyLater: nothing is wrong with the signature itself, but with what came after.
func (f *judgedFile) onlyLater() bool {
	return len(f.codes) > 0 && !slices.ContainsFunc(f.codes, func(c string) bool { return !strings.HasPrefix(c, "later-") })
}

func passes(o opinion) bool { return o == isRight || o == followed }

// reasons, in order: the first that applies counts.
var reasons = []reason{
	{"sm2", "It knows neither SM2 nor SES_Signature: it gives no answer, or calls what it cannot check wrong.",
		func(_ string, f *judgedFile, theirs opinion) bool { return f.sm2() && !passes(theirs) }},
	{"bytes-alone", "OpenSSL is given the value and the bytes of the ByteRange, and knows nothing of the PDF around them: what was appended, hidden, covered or read otherwise is not its business.",
		func(peer string, f *judgedFile, theirs opinion) bool {
			return peer == "OpenSSL" && f.ours != isRight && passes(theirs)
		}},
	{"not-compared", "It does not compare later savings. pdfsig says at most that not the total document is signed, and mutool that there were edits, of honest savings and of attacks alike.",
		func(_ string, f *judgedFile, theirs opinion) bool { return f.onlyLater() && theirs == followed }},
	{"not-covered", "It takes what was added last for part of the signed document, since the newest signature covers the whole file: that it covers what an earlier signer saw, or that an earlier signature forbids it, is not looked at.",
		func(_ string, f *judgedFile, theirs opinion) bool { return f.onlyLater() && theirs == isRight }},
	{"own-reading", "It reads a structure that has two meanings (a gap that is not /Contents, keys that stand twice, cross-references that disagree, padding that is not zero) in its own way, without a word.",
		func(_ string, f *judgedFile, theirs opinion) bool {
			return (f.ours == isWrong || f.ours == isDoubted) && passes(theirs)
		}},
	{"not-found", "It does not find the signature, or cannot read it, where this package says what is wrong.",
		func(_ string, f *judgedFile, theirs opinion) bool {
			return (f.ours == isWrong || f.ours == isDoubted) && theirs == noAnswer
		}},
	{"rebuilt", "It finds a signature that no field of the newest revision reaches, or reads a file that this package refuses: it rebuilds what is damaged, or does not look where the cross-reference leads.",
		func(_ string, f *judgedFile, theirs opinion) bool { return f.ours == noAnswer }},
}

// Each answer of another program that is not ours has a reason; that others refuse what is valid here, or cannot read it, has SM2 alone.
func TestPeersPDF(t *testing.T) {
	if testing.Short() {
		t.Skip("asks other programs about hundreds of files")
	}
	peertest.Need(t, "pdfsig", "mutool", "openssl")
	files := peerFiles(t)
	if !*rewrite { // every third: the others are asked when the table is written
		kept := files[:0:0]
		for i, f := range files {
			if i%3 == 0 || f.class == "honest" {
				kept = append(kept, f)
			}
		}
		files = kept
	}
	said := asked(t, files)
	counts, why := map[string]map[string]*[3]int{}, map[string]int{}
	var classes []string
	for i := range files {
		f := &files[i]
		if counts[f.class] == nil {
			counts[f.class] = map[string]*[3]int{}
			classes = append(classes, f.class)
		}
		for k, p := range append(pdfPeers[:len(pdfPeers):len(pdfPeers)], struct {
			name string
			ask  func(string) opinion
		}{"this package", nil}) {
			theirs := f.ours
			if k < len(pdfPeers) {
				theirs = said[i][k]
			}
			if counts[f.class][p.name] == nil {
				counts[f.class][p.name] = new([3]int)
			}
			switch n := counts[f.class][p.name]; {
			case theirs == isWrong || theirs == isDoubted:
				n[0]++
			case passes(theirs):
				n[1]++
			default:
				n[2]++
			}
			if k == len(pdfPeers) || f.ours.agrees(theirs) {
				continue
			}
			at := slices.IndexFunc(reasons, func(r reason) bool { return r.is(p.name, f, theirs) })
			if at < 0 {
				t.Errorf("%s says %s of %s, which is %s here %v %v: nobody has said why", p.name, theirs, f.name, f.ours, f.codes, f.formats)
				continue
			}
			why[p.name+"/"+reasons[at].id]++
		}
	}
	if !*rewrite {
		return
	}
	var b strings.Builder
	b.WriteString("| files | this package | pdfsig 22.12 | mutool 1.21 | OpenSSL 3.0 |\n|---|---|---|---|---|\n")
	slices.Sort(classes)
	for _, c := range classes {
		fmt.Fprintf(&b, "| %s |", c)
		for _, p := range []string{"this package", "pdfsig", "mutool", "OpenSSL"} {
			fmt.Fprintf(&b, " %d / %d / %d |", counts[c][p][0], counts[c][p][1], counts[c][p][2])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n| where they differ | pdfsig | mutool | OpenSSL |\n|---|---|---|---|\n")
	for _, r := range reasons {
		fmt.Fprintf(&b, "| %s | %d | %d | %d |\n", r.text, why["pdfsig/"+r.id], why["mutool/"+r.id], why["OpenSSL/"+r.id])
	}
	b.WriteString("\n")
	inDocs(t, "what other software says", b.String())
}
