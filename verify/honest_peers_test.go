package verify

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/courtseal/courtseal/internal/pdftest"
	"github.com/courtseal/courtseal/internal/peertest"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

// What other programs make of sealed files. Each program is started once for all of them: it gets a verb, a file, and the name of
// another, as often as there is something to do.

// A task is one file for another program.
type task struct {
	verb, in, out string
	evolution
}

// tasks are what to do to blank, sealed in files of some kinds: each verb at each level at which it is honest.
func (h *evolutions) tasks(t *testing.T, dir string, kinds []pdftest.Kind, verbs []verb) (out []task) {
	t.Helper()
	seal := h.w.stamp(t, sign.Dual, noon)
	sealed := map[string][]byte{}
	for n, v := range verbs {
		for level := range 4 {
			code, ok := v.codes[level]
			if !ok {
				continue
			}
			k := kinds[(n+level)%len(kinds)]
			in := filepath.Join(dir, fmt.Sprintf("%s%d.pdf", k, level))
			if sealed[in] == nil {
				sealed[in] = sealFile(t, informed(k, blank(nil)), seal, pdfx.Options{Certify: level, At: []pdfx.At{{Page: 1, X: 60, Y: 250}}})
				if err := os.WriteFile(in, sealed[in], 0o600); err != nil {
					t.Fatal(err)
				}
			}
			out = append(out, task{v.name, in, filepath.Join(dir, fmt.Sprintf("%d.%d.pdf", n, level)),
				evolution{name: fmt.Sprintf("%s, P %d, %s", v.name, level, k), before: sealed[in], code: code}})
		}
	}
	return out
}

// A verb is what a script knows to do.
type verb struct {
	name string
	codes
}

func verbsOf(c codes, names string) (out []verb) {
	for _, n := range strings.Split(names, "; ") {
		out = append(out, verb{n, c})
	}
	return out
}

// PDFBox fills, annotates, signs and archives. (Asked to save what is not changed, it writes a cross-reference that nobody reads.)
func honestPDFBox(t *testing.T, h *evolutions) {
	var jars []string
	for _, j := range []string{"pdfbox2", "fontbox2", "commons-logging", "bcprov", "bcutil", "bcpkix"} {
		jars = append(jars, filepath.Join("/usr/share/java", j+".jar"))
	}
	java := peertest.Need(t, append([]string{"java"}, jars...)...)
	dir := t.TempDir()
	verbs := slices.Concat(
		verbsOf(fillingCodes, "text; lines; comb; below; apart; tick; radio; choice; list; all; flag; font; title; metadata"),
		verbsOf(refillingCodes, "again"), verbsOf(notingCodes, "note; popup; stamp; square"), verbsOf(notingOver, "highlight"),
		verbsOf(fillingCodes, "version"), verbsOf(provingCodes, "dss; vri"), verbsOf(signingCodes, "empty; unseen; sign; waiting; sign, seen"))
	h.run(t, h.tasks(t, dir, pdftest.Kinds, verbs), java, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", strings.Join(jars, string(os.PathListSeparator)),
		filepath.Join("testdata", "Honest.java"), keyFile(t, h.w.rsaCA, testpki.RSA, "password"), "password")
}

// MuPDF fills, annotates and signs. It does not see what a hybrid file has in its stream.
func honestMuPDF(t *testing.T, h *evolutions) {
	dir := t.TempDir()
	verbs := slices.Concat(
		verbsOf(fillingCodes, "text; bare text; lines; comb; below; apart; tick; radio; choice; all; title"),
		verbsOf(refillingCodes, "again"), verbsOf(notingCodes, "note; freetext; ink; square; circle; line; stamp; reply; highlight"),
		verbsOf(provingCodes, "nothing"), verbsOf(signingCodes, "sign"))
	h.run(t, h.tasks(t, dir, []pdftest.Kind{pdftest.Table, pdftest.XRefStream}, verbs), peertest.Need(t, "mutool"), "run",
		filepath.Join("testdata", "honest.js"), keyFile(t, h.w.rsaCA, testpki.RSA, "password"), "password")
}

// pdfsig adds signatures, and signs in fields that wait.
func honestPoppler(t *testing.T, h *evolutions) {
	pdfsig, certutil, pk12util := peertest.Need(t, "pdfsig"), peertest.Need(t, "certutil"), peertest.Need(t, "pk12util")
	dir := t.TempDir()
	for _, args := range [][]string{
		{certutil, "-N", "-d", "sql:" + dir, "--empty-password"},
		{pk12util, "-i", keyFile(t, h.w.rsaCA, testpki.RSA, "password"), "-d", "sql:" + dir, "-W", "password"},
	} {
		if text, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	}
	for _, x := range h.tasks(t, dir, []pdftest.Kind{pdftest.Table, pdftest.XRefStream}, verbsOf(signingCodes, "-add-signature; -sign Clerk; -etsi -sign Judge")) {
		args := append([]string{"-nssdir", dir, "-nick", "clerk"}, strings.Fields(x.verb)...)
		text, err := exec.Command(pdfsig, append(args, x.in, x.out)...).CombinedOutput()
		if x.after, _ = os.ReadFile(x.out); len(x.after) == 0 {
			t.Errorf("pdfsig %s: %v\n%s", x.verb, err, text)
			continue
		}
		h.check(t, x.evolution)
	}
}

// run has a program do its tasks, and checks what came of them.
func (h *evolutions) run(t *testing.T, tasks []task, command ...string) {
	t.Helper()
	for _, x := range tasks {
		command = append(command, x.verb, x.in, x.out)
	}
	text, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil || strings.Contains(string(text), "\n- ") || strings.HasPrefix(string(text), "- ") {
		t.Errorf("%s: %v\n%s", command[0], err, text)
	}
	for _, x := range tasks {
		if x.after, err = os.ReadFile(x.out); err != nil {
			t.Error(err)
			continue
		}
		h.check(t, x.evolution)
	}
}
