package audit

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/sign"
)

func TestLeaf(t *testing.T) {
	l := Leaf{Kind: "seal.lost", Fields: map[string]string{"seal": "11000000000001", "reason": "遗失 lost", "a-b": "x", "a.b": " y "}}
	b := must(l.Marshal())
	if want := "courtseal.leaf/v1 seal.lost\na-b x\na.b  y \nreason 遗失 lost\nseal 11000000000001\n"; string(b) != want {
		t.Fatalf("%q", b)
	}
	if back, err := ParseLeaf(b); err != nil || !reflect.DeepEqual(back, l) {
		t.Fatalf("%+v: %v", back, err)
	}
	bare := Leaf{Kind: "x"}
	if back, err := ParseLeaf(must(bare.Marshal())); err != nil || !reflect.DeepEqual(back, bare) {
		t.Fatalf("%+v: %v", back, err)
	}
}

func TestLeafRefuses(t *testing.T) {
	many := map[string]string{}
	for i := range MaxFields + 1 {
		many[fmt.Sprintf("f%d", i)] = "x"
	}
	for name, tc := range map[string]struct {
		l    Leaf
		want error
	}{
		"no kind":        {Leaf{}, ErrFormat},
		"kind of two":    {Leaf{Kind: "a b"}, ErrFormat},
		"upper case":     {Leaf{"k", map[string]string{"A": "x"}}, ErrFormat},
		"no name":        {Leaf{"k", map[string]string{"": "x"}}, ErrFormat},
		"long name":      {Leaf{"k", map[string]string{strings.Repeat("a", maxName+1): "x"}}, ErrFormat},
		"empty value":    {Leaf{"k", map[string]string{"a": ""}}, ErrFormat},
		"two lines":      {Leaf{"k", map[string]string{"a": "x\nb y"}}, ErrFormat},
		"C1":             {Leaf{"k", map[string]string{"a": "x\u0085"}}, ErrFormat},
		"not UTF-8":      {Leaf{"k", map[string]string{"a": "\xff"}}, ErrFormat},
		"many fields":    {Leaf{"k", many}, ErrTooLarge},
		"a long value":   {Leaf{"k", map[string]string{"a": strings.Repeat("x", MaxLeaf)}}, ErrTooLarge},
		"as long as can": {Leaf{"k", map[string]string{"a": strings.Repeat("x", MaxLeaf-len("courtseal.leaf/v1 k\na \n"))}}, nil},
	} {
		b, err := tc.l.Marshal()
		if !errors.Is(err, tc.want) || (err == nil) != (b != nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			if _, err := ParseLeaf(b); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestPrivate(t *testing.T) {
	l := Leaf{Kind: KindUse, Fields: map[string]string{"request": "1"}}
	v := Private{}
	v.Hide(SM3, l, "person", "张三")
	v.Hide(SM3, l, "document", "（2026）示例民初1号")
	v.Hide(SM3, l, "phone", "")
	if len(v) != 2 || len(l.Fields) != 3 || strings.Contains(fmt.Sprint(l.Fields), "张三") {
		t.Fatal(v, l)
	}
	if err := v.Check(SM3, l); err != nil {
		t.Fatal(err)
	}
	b := must(v.Marshal())
	if back, err := ParsePrivate(b); err != nil || !maps.Equal(back, v) {
		t.Fatalf("%q: %v", b, err)
	}

	bad := map[string]func() (Private, Leaf){
		"other profile": nil,
		"other value": func() (Private, Leaf) {
			v := maps.Clone(v)
			v["person"] = Secret{v["person"].Salt, "李四"}
			return v, l
		},
		"other salt": func() (Private, Leaf) { v := maps.Clone(v); v["person"] = Secret{NewSalt(), "张三"}; return v, l },
		"swapped": func() (Private, Leaf) {
			return Private{"person": v["document"], "document": v["person"]}, l
		},
		"missing":       func() (Private, Leaf) { v := maps.Clone(v); delete(v, "person"); return v, l },
		"all missing":   func() (Private, Leaf) { return nil, l },
		"not in leaf":   func() (Private, Leaf) { v := maps.Clone(v); v["x"] = Secret{NewSalt(), "x"}; return v, l },
		"not concealed": func() (Private, Leaf) { v := maps.Clone(v); v["request"] = Secret{NewSalt(), "1"}; return v, l },
	}
	for name, f := range bad {
		p, v, l := SHA256, v, l
		if f != nil {
			p = SM3
			v, l = f()
		}
		if err := v.Check(p, l); !errors.Is(err, ErrPrivate) {
			t.Errorf("%s: %v", name, err)
		}
	}

	v.Redact("person", "no such field")
	if len(v) != 2 || !v["person"].Redacted() || v["document"].Redacted() || v.Check(SM3, l) != nil {
		t.Error(v, v.Check(SM3, l))
	}
	v.Redact()
	b = must(v.Marshal())
	if want := "courtseal.private/v1\ndocument -\nperson -\n"; string(b) != want || v.Check(SM3, l) != nil {
		t.Errorf("%q, %v", b, v.Check(SM3, l))
	}
	if back, err := ParsePrivate(b); err != nil || !maps.Equal(back, v) {
		t.Error(back, err)
	}
}

func TestParsePrivateRefuses(t *testing.T) {
	salt := "AAAAAAAAAAAAAAAAAAAAAA=="
	for text, want := range map[string]error{
		"":                                     nil,
		"a " + salt + " b\n":                   ErrFormat,
		privateHeader:                          ErrFormat,
		privateHeader + "a\n":                  ErrFormat,
		privateHeader + "a -":                  ErrFormat,
		privateHeader + "a AAAA x\n":           ErrFormat,
		privateHeader + "a " + salt + "\n":     ErrFormat,
		privateHeader + "a " + salt + " \n":    ErrFormat,
		privateHeader + "b -\na -\n":           ErrFormat,
		privateHeader + "a -\na -\n":           ErrFormat,
		privateHeader + "a " + salt + " x y\n": nil,
		privateHeader + "a " + salt + strings.Repeat("x", MaxPrivate):      ErrTooLarge,
		privateHeader + "a " + strings.Replace(salt, "==", "", 1) + " x\n": ErrFormat,
	} {
		if _, err := ParsePrivate([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.80q: %v", text, err)
		}
	}
}

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func use() Use {
	again := uint64(41)
	return Use{
		Request: "r-1", Seal: "11000000000001", SealDigest: sign.SM3.Sum([]byte("seal")), Document: "#1", Kind: "民事判决书", Org: "110000",
		Person: "p-7", App: "case-system", Grant: "g-1", Approval: "a-1", Format: sign.Dual,
		Source:  sign.Sums{sign.SM3: sign.SM3.Sum([]byte("source"))},
		Content: sign.Sums{sign.SM3: sign.SM3.Sum([]byte("content")), sign.SHA384: sign.SHA384.Sum([]byte("content"))},
		Certs:   [][]byte{sign.SM3.Sum([]byte("one")), sign.SM3.Sum([]byte("two"))}, Time: noon, Again: &again,
		Extra: map[string]string{"batch": "7"},
	}
}

func TestUse(t *testing.T) {
	for name, u := range map[string]Use{"full": use(), "least": {
		Request: "r", Format: sign.CMS, Source: sign.Sums{sign.SM3: sign.SM3.Sum(nil)}, Certs: [][]byte{sign.SM3.Sum(nil)}, Time: noon,
	}} {
		l := must(u.Leaf())
		back := must(ParseLeaf(must(l.Marshal())))
		if got, err := ParseUse(back); err != nil || !reflect.DeepEqual(got, u) {
			t.Errorf("%s: %+v\nnot %+v: %v", name, got, u, err)
		}
	}
	for name, change := range map[string]func(*Use){
		"no request":  func(u *Use) { u.Request = "" },
		"no format":   func(u *Use) { u.Format = "" },
		"no time":     func(u *Use) { u.Time = time.Time{} },
		"no cert":     func(u *Use) { u.Certs = nil },
		"short cert":  func(u *Use) { u.Certs = [][]byte{{1}} },
		"no document": func(u *Use) { u.Source, u.Content = nil, nil },
		"SHA-1":       func(u *Use) { u.Source = sign.Sums{sign.SHA1: sign.SHA1.Sum(nil)} },
		"short sum":   func(u *Use) { u.Source = sign.Sums{sign.SM3: {1}} },
		"seal digest": func(u *Use) { u.SealDigest = []byte{1} },
		"extra":       func(u *Use) { u.Extra = map[string]string{"request": "other"} },
		"hidden":      func(u *Use) { u.Grant, u.Extra = "", map[string]string{"source.md5": "00"} },
		"year":        func(u *Use) { u.Time = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		u := use()
		change(&u)
		if _, err := u.Leaf(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUseOf(t *testing.T) {
	rsa, sm2 := []byte("rsa certificate"), []byte("sm2 certificate")
	p := sign.Profile{Format: sign.Dual, Seal: "s", Specs: map[sign.Format]sign.Spec{
		sign.Dual: {Chain: [][]byte{rsa, []byte("ca")}}, sign.SES: {Chain: [][]byte{sm2}}, sign.CMS: {Chain: [][]byte{sm2}},
	}}
	act := &sign.Act{ID: "r", Document: "d", Content: sign.Sums{sign.SM3: sign.SM3.Sum(nil)}, Parts: []sign.Part{{Format: sign.Dual}}}
	u := UseOf(act, p)
	if u.Request != "r" || u.Seal != "s" || u.Document != "d" || u.Format != sign.Dual || len(u.Certs) != 2 || !u.Time.IsZero() {
		t.Errorf("%+v", u)
	}
	act.Parts = []sign.Part{{Format: sign.SES}, {Format: sign.CMS}}
	if u = UseOf(act, p); len(u.Certs) != 1 || !bytes.Equal(u.Certs[0], sign.SM3.Sum(sm2)) || u.Format != sign.SES {
		t.Errorf("%+v", u)
	}
	if _, err := u.Leaf(); !errors.Is(err, ErrFormat) {
		t.Error("a use without the ledger's time:", err)
	}
}

func TestOutcome(t *testing.T) {
	act := &sign.Act{ID: "r"}
	good := OutcomeOf(0, act, []sign.Value{{Bytes: []byte("v")}}, nil)
	failed := OutcomeOf(1<<40, act, nil, fmt.Errorf("no\x1b[2J\ndevice %s", strings.Repeat("印", 200)))
	empty := OutcomeOf(1, act, nil, nil)
	for _, o := range []Outcome{good, failed, empty} {
		o.Time = noon
		l, err := o.Leaf()
		if err != nil {
			t.Fatal(err)
		}
		back := must(ParseLeaf(must(l.Marshal())))
		if got, err := ParseOutcome(back); err != nil || !reflect.DeepEqual(got, o) {
			t.Errorf("%+v\nnot %+v: %v", got, o, err)
		}
	}
	if len(good.Values) != 1 || good.Failure != "" || failed.Values != nil || len(failed.Failure) > 404 || empty.Failure == "" {
		t.Errorf("%+v\n%+v\n%+v", good, failed, empty)
	}
	both := good
	both.Time, both.Failure = noon, "x"
	neither := Outcome{Request: "r", Time: noon}
	for _, o := range []Outcome{both, neither, good} {
		if _, err := o.Leaf(); !errors.Is(err, ErrFormat) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	if _, err := ParseOutcome(must(use().Leaf())); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

func TestPolicy(t *testing.T) {
	ed, sm := edSigner(t, origin).Verifier(), smSigner(t, origin).Verifier()
	for _, p := range []Policy{{true, []Verifier{ed, sm}}, {false, []Verifier{sm}}} {
		b := must(p.Extension())
		back, err := ParsePolicy(b)
		if err != nil || back.Required != p.Required || len(back.Keys) != len(p.Keys) || back.Keys[0].String() != p.Keys[0].String() {
			t.Errorf("%+v: %v", back, err)
		}
	}
	good := string(must(Policy{true, []Verifier{ed}}.Extension()))
	for name, text := range map[string]string{
		"nothing": "", "no keys": policyHeader + "entry required\n", "no entry": strings.Replace(good, "entry required\n", "", 1),
		"twice": good + "key " + ed.String() + "\n", "cut": strings.TrimSuffix(good, "\n"), "more": good + "x\n", "empty line": good + "\n",
		"other": strings.Replace(good, "required", "wanted", 1),
	} {
		if _, err := ParsePolicy([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParsePolicy([]byte(strings.Replace(good, "key c", "key d", 1))); !errors.Is(err, ErrKey) {
		t.Error(err)
	}
	for _, p := range []Policy{{}, {true, []Verifier{{}}}, {true, []Verifier{ed, ed}}} {
		if _, err := p.Extension(); err == nil {
			t.Errorf("%+v was written", p)
		}
	}
}
