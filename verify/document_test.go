package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/pdfx"
	"github.com/courtseal/courtseal/sign"
)

func TestSealedFilesAreValid(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			file := sealFile(t, page(), w.stamp(t, f, noon), visible)
			r := verifyFile(t, w, file, nil)
			want(t, r, 0, Valid, "time", "time-claimed")
			want(t, r, 0, Valid, "picture", "ok")
			want(t, r, 0, Valid, "pdf-later", "ok")
			want(t, r, 0, Valid, "maker-chain", "ok")
			want(t, r, 0, Valid, "signer-revocation", "no-source")
			want(t, r, 0, Valid, "seal-state", "no-state")
			s := r.Signatures[0]
			if s.Format != f || r.Verdict != Valid || s.Seal == nil || s.Seal.ID != "11010600000001" || s.Signer == nil || !s.Claimed.Equal(noon) || s.Revision != 2 {
				t.Errorf("%+v", s)
			}
			if (f == sign.Dual) != (s.Inner != nil) {
				t.Errorf("inner signer: %v", s.Inner)
			}
		})
	}
	for _, key := range []sign.Key{w.sm2, w.rsa, w.rsaCA.Issue(testpki.P256, "EC", nil), w.rsaCA.Issue(testpki.P384, "EC", nil)} {
		r := verifyFile(t, w, sealFile(t, page(), cmsSigner(t, key), pdfx.Options{}), nil)
		want(t, r, 0, Valid, "cms-value", "ok")
	}
}

func TestNobodyIsTrustedByDefault(t *testing.T) {
	w := theWorld()
	for _, f := range formats {
		file := sealFile(t, page(), w.stamp(t, f, noon), visible)
		r := verifyFile(t, w, file, func(o *Options) { o.Roots = nil })
		want(t, r, 0, Indeterminate, "signer-chain", "no-roots")
		want(t, r, 0, Indeterminate, "maker-chain", "no-roots")
	}
}

func TestUnsigned(t *testing.T) {
	r, err := Document(context.Background(), bytes.NewReader(page()), int64(len(page())), Options{})
	if !errors.Is(err, ErrUnsigned) || r == nil || !r.Unsigned || r.Verdict == Valid {
		t.Fatalf("%v, %+v", err, r)
	}
	if s := r.String(); !strings.Contains(s, "未签章 / unsigned") {
		t.Error(s)
	}
	if b, _ := json.Marshal(r); !bytes.Contains(b, []byte(`"signatures":[]`)) {
		t.Errorf("%s", b)
	}
}

func TestQuestionsThatCannotBeAsked(t *testing.T) {
	ctx := context.Background()
	if _, err := Document(ctx, strings.NewReader("no document"), 11, Options{}); !errors.Is(err, pdfx.ErrNotPDF) {
		t.Error(err)
	}
	if _, err := File(ctx, "testdata/not-there.pdf", Options{}); err == nil {
		t.Error("a file that is not there was verified")
	}
	w := theWorld()
	file := sealFile(t, page(), w.stamp(t, sign.CMS, noon), visible)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := Document(ended, bytes.NewReader(file), int64(len(file)), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	two := sealFile(t, file, w.stamp(t, sign.CMS, noon), visible)
	if _, err := Document(ctx, bytes.NewReader(two), int64(len(two)), Options{Limits: Limits{Signatures: 1}}); !errors.Is(err, pdfx.ErrLimit) {
		t.Error(err)
	}
	if _, err := Document(ctx, broken{bytes.NewReader(file)}, int64(len(file)), Options{}); err == nil {
		t.Error("a file that cannot be read was verified")
	}
}

// broken fails to read the middle of a file.
type broken struct{ *bytes.Reader }

func (b broken) ReadAt(p []byte, off int64) (int, error) {
	if off <= 300 && off+int64(len(p)) > 300 {
		return 0, errors.New("disk on fire")
	}
	return b.Reader.ReadAt(p, off)
}

// The JSON is an interface: its keys stay.
func TestJSONIsStable(t *testing.T) {
	w := theWorld()
	r := verifyFile(t, w, sealFile(t, page(), w.stamp(t, sign.Dual, noon), visible), nil)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	s := m["signatures"].([]any)[0].(map[string]any)
	c := s["checks"].([]any)[0].(map[string]any)
	for _, x := range []struct {
		in   map[string]any
		keys string
	}{
		{m, "format policy revisions signatures size time verdict"},
		{s, "checks claimed coverage format inner name revision seal signer subFilter verdict"},
		{c, "clause code detail name verdict"},
		{c["detail"].(map[string]any), "en zh"},
		{s["seal"].(map[string]any), "created esID height maker name notAfter notBefore type version vid width"},
	} {
		for _, k := range strings.Fields(x.keys) {
			if _, ok := x.in[k]; !ok {
				t.Errorf("no key %q in %v", k, x.in)
			}
			delete(x.in, k)
		}
		if len(x.in) > 0 {
			t.Errorf("further keys: %v", x.in)
		}
	}
	var back Report
	if err := json.Unmarshal(b, &back); err != nil || back.Verdict != Valid || back.Signatures[0].Checks[0].Verdict != Valid {
		t.Errorf("%v %+v", err, back)
	}
}

func TestVerdicts(t *testing.T) {
	var zero Verdict
	if zero != Indeterminate {
		t.Error("the zero verdict answers something")
	}
	for _, x := range []struct {
		a, b, want Verdict
	}{{Valid, NotAsked, Valid}, {Valid, Indeterminate, Indeterminate}, {Indeterminate, Invalid, Invalid}, {NotAsked, Invalid, Invalid}} {
		if worse(x.a, x.b) != x.want || worse(x.b, x.a) != x.want {
			t.Errorf("worse(%s, %s)", x.a, x.b)
		}
	}
	if worst([]Check{{Verdict: NotAsked}}) != Indeterminate {
		t.Error("a signature of which nothing was asked is valid")
	}
	for _, word := range []string{"valid", "invalid", "indeterminate", "not-asked"} {
		var v Verdict
		if err := v.UnmarshalText([]byte(word)); err != nil || v.String() != word {
			t.Errorf("%s: %v, %s", word, err, v)
		}
	}
	if new(Verdict).UnmarshalText([]byte("fine")) == nil {
		t.Error("fine is no verdict")
	}
}

// A report is read on terminals: names from certificates and seals must not write to them.
func TestReportIsSafeToPrint(t *testing.T) {
	r := &Report{Format: "PDF", File: "a\x1b[2Jb\nVerdict: valid", Signatures: []Signature{{Name: "x\r\n1. forged", Checks: []Check{{Name: "n", Code: "c", Detail: Text{"\u202ez", "e\u009b"}}}}}}
	for _, bad := range []string{"\x1b", "\r", "\u202e", "\u009b", "\nVerdict", "\n1. forged"} {
		if strings.Contains(r.String(), bad) {
			t.Errorf("%q in %q", bad, r.String())
		}
	}
}

func TestClockIsInjected(t *testing.T) {
	w := theWorld()
	file := sealFile(t, page(), w.stamp(t, sign.SES, noon), visible)
	asked := 0
	r := verifyFile(t, w, file, func(o *Options) {
		o.At, o.Now = time.Time{}, func() time.Time { asked++; return noon.Add(time.Minute) }
	})
	if asked != 1 || !r.Time.Equal(noon.Add(time.Minute)) {
		t.Errorf("asked %d times, %v", asked, r.Time)
	}
}
