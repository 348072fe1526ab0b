package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/courtseal/courtseal/verify"
)

// A printer tells what happens, in one language or both.
type printer struct {
	w     io.Writer
	lang  string // zh, en, both
	width int    // of the column of file names
	n     int
}

func (p *printer) text(t verify.Text) string {
	switch p.lang {
	case "zh":
		return t.ZH
	case "en":
		return t.EN
	}
	return t.String()
}

// title starts a step.
func (p *printer) title(what, more verify.Text) {
	p.n++
	fmt.Fprintf(p.w, "\n%d. %s", p.n, p.text(what))
	if s := p.text(more); s != "" {
		fmt.Fprintf(p.w, " (%s)", s)
	}
	fmt.Fprintln(p.w)
}

// item tells of one file.
func (p *printer) item(file string, what verify.Text, more ...string) {
	fmt.Fprintf(p.w, "   %-*s  %s\n", p.width, file, strings.Join(append([]string{p.text(what)}, more...), "  "))
}

var marks = map[verify.Verdict]string{
	verify.Valid:         "✓",
	verify.Invalid:       "✗",
	verify.Indeterminate: "?",
	verify.NotAsked:      "-",
}

// report prints every check of a report, in both languages as the report prints itself.
func (p *printer) report(r *verify.Report, took string) {
	if p.lang == "both" {
		fmt.Fprintf(p.w, "\n%s", r)
		return
	}
	fmt.Fprintf(p.w, "\n   %s %s: %s, %s\n", marks[r.Verdict], r.File, p.text(r.Verdict.Text()), took)
	for _, s := range r.Signatures {
		if s.Signer != nil {
			fmt.Fprintf(p.w, "     %s\n", s.Signer)
		}
		fmt.Fprintf(p.w, "     %s\n", p.text(s.Coverage))
		for _, c := range s.Checks {
			fmt.Fprintf(p.w, "     %s %s: %s [%s]\n", marks[c.Verdict], c.Name, p.text(c.Detail), c.Clause)
		}
		for _, n := range s.Notes {
			fmt.Fprintf(p.w, "     * %s: %s\n", n.Code, p.text(n.Detail))
		}
	}
	for _, n := range r.Notes {
		fmt.Fprintf(p.w, "     * %s: %s\n", n.Code, p.text(n.Detail))
	}
}
