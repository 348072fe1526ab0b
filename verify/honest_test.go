package verify

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/sign"
)

// An evolution is a signed file and what somebody honestly made of it later.
type evolution struct {
	name          string
	before, after []byte
	code          string // that pdf-later has for the signatures that were there; empty: later-signatures
	strangers     bool   // signatures of others are among them, whom nobody trusts: they stay what they were
}

// doubts are the codes that an honest evolution can have which the report asks a person to look at.
var doubts = []string{"later-covers", "later-overwritten", "later-annotated"}

// ranks orders the codes of honest evolutions: of several, a signature has the last.
var ranks = append([]string{"ok", "later-signatures", "later-allowed"}, doubts...)

// evolutions checks evolutions, and counts them.
type evolutions struct {
	w      *world
	mu     sync.Mutex
	tried  map[string]int // by group
	before map[*byte]*Report
	doubts int
}

// check verifies a file before and after: no signature is worse than it was, but where a person must look.
func (h *evolutions) check(t *testing.T, e evolution) {
	t.Run(e.name, func(t *testing.T) {
		if e.code == "" {
			e.code = "later-signatures"
		}
		was, is := h.judged(t, e), h.judge(t, e, e.after)
		if len(was.Signatures) == 0 {
			t.Fatal("nothing is signed")
		}
		if !bytes.HasPrefix(e.after, e.before) {
			t.Fatal("this is no update")
		}
		doubted := false
		for _, a := range was.Signatures {
			i := slices.IndexFunc(is.Signatures, func(s Signature) bool { return s.Name == a.Name })
			if i < 0 {
				t.Errorf("signature %s is gone\n%s", a.Name, is)
				continue
			}
			code := e.code
			if len(e.before) == len(e.after) {
				code = "ok"
			}
			if had := a.Check("pdf-later").Code; !slices.Contains(ranks, had) || slices.Index(ranks, had) > slices.Index(ranks, code) {
				code = had // and that of an attack, in files of others
			}
			v := a.Verdict
			switch {
			case slices.Contains(doubts, code):
				v, doubted = worse(v, Indeterminate), true
			case a.Verdict != Valid && !e.strangers:
				t.Errorf("signature %s was %s\n%s", a.Name, a.Verdict, was)
			}
			want(t, is, i, v, "pdf-later", code)
		}
		for _, s := range is.Signatures {
			old := slices.ContainsFunc(was.Signatures, func(a Signature) bool { return a.Name == s.Name })
			if c := s.Check("content-hash"); !old && !s.Timestamp && c.Code != codeOK {
				t.Errorf("the new signature %s is not good: %+v", s.Name, c)
			}
		}
		h.count(t, doubted)
	})
}

// judged is the report of the file before, of which there are fewer.
func (h *evolutions) judged(t *testing.T, e evolution) *Report {
	t.Helper()
	h.mu.Lock()
	r := h.before[&e.before[0]]
	h.mu.Unlock()
	if r == nil {
		r = h.judge(t, e, e.before)
		h.mu.Lock()
		h.before[&e.before[0]] = r
		h.mu.Unlock()
	}
	return r
}

func (h *evolutions) judge(t *testing.T, e evolution, file []byte) *Report {
	t.Helper()
	o := Options{Roots: h.w.roots, At: noon.AddDate(0, 1, 0)}
	if e.strangers {
		o.Roots = nil
	}
	r, err := Document(context.Background(), bytes.NewReader(file), int64(len(file)), o)
	if err != nil && !errors.Is(err, ErrUnsigned) {
		t.Fatal(err)
	}
	return r
}

func (h *evolutions) count(t *testing.T, doubted bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tried[strings.Split(t.Name(), "/")[2]]++
	if doubted {
		h.doubts++
	}
}

// Two hundred things that people and programs do to signed files, none of which is an attack: no signature is refused for them.
func TestHonestEvolutions(t *testing.T) {
	groups := map[string]func(*testing.T, *evolutions){
		"sealed again": honestSeals,
		"other makers": honestFiles,
		"certified":    honestCertified,
		"vectors":      honestVectors,
		"by hand":      honestHands,
		"PDFBox":       honestPDFBox, "MuPDF": honestMuPDF, "poppler": honestPoppler,
	}
	h := &evolutions{w: theWorld(), tried: map[string]int{}, before: map[*byte]*Report{}}
	ran := 0
	t.Run("all", func(t *testing.T) {
		for name, group := range groups {
			t.Run(name, func(t *testing.T) {
				if testing.Short() && name != "sealed again" && name != "certified" {
					t.Skip("long")
				}
				ran++
				t.Parallel()
				group(t, h)
			})
		}
	})
	total := 0
	for _, n := range h.tried {
		total += n
	}
	t.Logf("%d evolutions, of which %d ask for a look: %v", total, h.doubts, h.tried)
	const promised = 200
	if made := total - h.doubts - h.tried["vectors"]; ran == len(groups) && !t.Failed() && made < promised {
		t.Errorf("%d evolutions that need no look; %d were promised", made, promised)
	}
}

// signers are all that we can sign with.
func (h *evolutions) signers(t *testing.T) map[string]sign.Signer {
	return map[string]sign.Signer{
		"ses": h.w.stamp(t, sign.SES, noon), "cms": h.w.stamp(t, sign.CMS, noon), "dual": h.w.stamp(t, sign.Dual, noon),
		"rsa": cmsSigner(t, h.w.rsa), "sm2": cmsSigner(t, h.w.sm2), "p256": cmsSigner(t, h.ecdsa()),
	}
}

func (h *evolutions) ecdsa() sign.Key { return h.w.rsaCA.Issue(testpki.P256, "书记员", nil) }
