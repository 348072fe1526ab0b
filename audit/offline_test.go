package audit

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/courtseal/courtseal/sign"
)

const offlineOrigin = "province.example.cn/ledger/sm3"

var offlineDay = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

func digestOf(s string) []byte { return sign.SM3.Sum([]byte(s)) }

func grant() *OfflineGrant {
	return &OfflineGrant{
		ID: "offline-7", Log: offlineOrigin, Lists: offlineOrigin, Org: "示例市中级人民法院", Seal: "11000000000001",
		SealDigest: digestOf("seal"), Devices: [][]byte{digestOf("device"), digestOf("outer")}, Kinds: []string{"判决书", "裁定书"},
		From: offlineDay, To: offlineDay.AddDate(0, 0, 7), Uses: 20, Oldest: 41,
	}
}

func stateList() *StateList {
	return &StateList{
		Log: offlineOrigin, Number: 42, Issued: offlineDay, Expires: offlineDay.AddDate(0, 0, 3),
		Entries: []Listed{
			{ListedCertificate, hex.EncodeToString(digestOf("old device")), "revoked", offlineDay},
			{ListedGrant, "offline 3", "withdrawn", offlineDay},
			{ListedSeal, "11000000000007", "lost", offlineDay.Add(-time.Hour)},
			{ListedSeal, "11000000000008", "suspended", offlineDay},
		},
	}
}

// uses makes a chain of n uses. tag tells one chain from another, as far as they share no use.
func uses(g *OfflineGrant, n int, tag string, before ...OfflineUse) []OfflineUse {
	prev := must(g.Start())
	chain := slices.Clone(before)
	if len(before) > 0 {
		prev = g.Profile().LeafHash(must(before[len(before)-1].Marshal()))
	}
	for range n {
		k := len(chain) + 1
		u := OfflineUse{Number: uint64(k), Prev: prev, List: 42, Use: Use{
			Request: fmt.Sprintf("%s-%d", tag, k), Seal: g.Seal, SealDigest: g.SealDigest, Kind: g.Kinds[0], Org: g.Org, Grant: g.ID,
			Format: sign.CMS, Content: sign.Sums{sign.SM3: digestOf(tag + fmt.Sprint(k))}, Certs: g.Devices[:1],
			Time: g.From.Add(time.Duration(k) * time.Minute),
		}}
		prev = g.Profile().LeafHash(must(u.Marshal()))
		chain = append(chain, u)
	}
	return chain
}

func TestOfflineGrant(t *testing.T) {
	ed, sm, other := edSigner(t, offlineOrigin), smSigner(t, offlineOrigin), edSigner(t, origin)
	g := grant()
	text := must(g.Marshal())
	if !bytes.HasPrefix(text, []byte("courtseal.offline-grant/v1\ndevices ")) {
		t.Errorf("%s", text)
	}
	back, err := ParseOfflineGrant(text)
	if err != nil || !reflect.DeepEqual(back, g) || !bytes.Equal(must(back.Marshal()), text) {
		t.Fatalf("%+v: %v", back, err)
	}
	note := must(g.Sign(ed, sm, other))
	if back, err := OpenOfflineGrant(note, sm.Verifier()); err != nil || back.ID != g.ID {
		t.Error(back, err)
	}
	if _, err := OpenOfflineGrant(note, other.Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error("the key of another log speaks for this one:", err)
	}
	if _, err := OpenOfflineGrant(bytes.Replace(note, []byte("uses 20"), []byte("uses 21"), 1), ed.Verifier()); !errors.Is(err, ErrSignature) {
		t.Error("one more use:", err)
	}
	if _, err := g.Sign(other); !errors.Is(err, ErrKey) {
		t.Error("signed by another log alone:", err)
	}
	for _, tc := range []struct {
		at   time.Time
		want error
	}{
		{g.From, nil}, {g.To, nil}, {g.To.Add(999 * time.Millisecond), nil},
		{g.From.Add(-time.Millisecond), ErrGrantNotYet}, {g.To.Add(time.Second), ErrGrantExpired},
	} {
		if err := g.CheckTime(tc.at); !errors.Is(err, tc.want) || tc.want != nil && !errors.Is(err, ErrGrantPeriod) {
			t.Errorf("%s: %v", tc.at, err)
		}
	}
	if g.Allows("调解书") || !g.Allows("裁定书") || !(&OfflineGrant{Kinds: []string{"*"}}).Allows("调解书") {
		t.Error("kinds are misread")
	}
}

func TestOfflineGrantRefuses(t *testing.T) {
	for name, change := range map[string]func(*OfflineGrant){
		"no ID":               func(g *OfflineGrant) { g.ID = "" },
		"ID of two lines":     func(g *OfflineGrant) { g.ID = "a\nb" },
		"origin":              func(g *OfflineGrant) { g.Log = "a b" },
		"lists":               func(g *OfflineGrant) { g.Lists = "" },
		"no court":            func(g *OfflineGrant) { g.Org = "" },
		"no seal":             func(g *OfflineGrant) { g.Seal = "" },
		"no seal digest":      func(g *OfflineGrant) { g.SealDigest = nil },
		"no device":           func(g *OfflineGrant) { g.Devices = nil },
		"short device":        func(g *OfflineGrant) { g.Devices = [][]byte{{1}} },
		"one device twice":    func(g *OfflineGrant) { g.Devices = [][]byte{g.Devices[0], g.Devices[0]} },
		"many devices":        func(g *OfflineGrant) { g.Devices = make([][]byte, maxDevices+1) },
		"no kind":             func(g *OfflineGrant) { g.Kinds = nil },
		"empty kind":          func(g *OfflineGrant) { g.Kinds = []string{""} },
		"one kind twice":      func(g *OfflineGrant) { g.Kinds = []string{"a", "a"} },
		"any kind and one":    func(g *OfflineGrant) { g.Kinds = []string{"*", "a"} },
		"no use":              func(g *OfflineGrant) { g.Uses = 0 },
		"many uses":           func(g *OfflineGrant) { g.Uses = MaxOfflineUses + 1 },
		"no period":           func(g *OfflineGrant) { g.From = time.Time{} },
		"backwards":           func(g *OfflineGrant) { g.From, g.To = g.To, g.From },
		"parts of a second":   func(g *OfflineGrant) { g.To = g.To.Add(500 * time.Millisecond) },
		"a year of 5 figures": func(g *OfflineGrant) { g.To = g.To.AddDate(90000, 0, 0) },
	} {
		g := grant()
		change(g)
		if _, err := g.Marshal(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestStateList(t *testing.T) {
	ed, other := edSigner(t, offlineOrigin), edSigner(t, origin)
	l := stateList()
	text := must(l.Marshal())
	back, err := ParseStateList(text)
	if err != nil || !reflect.DeepEqual(back, l) {
		t.Fatalf("%+v: %v", back, err)
	}
	note := must(l.Sign(ed, other))
	if _, err := OpenStateList(note, ed.Verifier()); err != nil {
		t.Error(err)
	}
	if _, err := OpenStateList(note, other.Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error("the key of another log speaks for this one:", err)
	}
	if e, ok := l.Find(ListedSeal, "11000000000007"); !ok || e.Status != "lost" {
		t.Error(e, ok)
	}
	if e, ok := l.Find(ListedSeal, "11000000000001"); ok {
		t.Error(e)
	}
	l.Entries = nil
	if back, err := ParseStateList(must(l.Marshal())); err != nil || !reflect.DeepEqual(back, l) {
		t.Errorf("without entries: %+v: %v", back, err)
	}
	for name, change := range map[string]func(*StateList){
		"origin":        func(l *StateList) { l.Log = "" },
		"expires early": func(l *StateList) { l.Expires = l.Issued.Add(-time.Second) },
		"what":          func(l *StateList) { l.Entries[0].What = "person" },
		"digest":        func(l *StateList) { l.Entries[0].ID = "device" },
		"status":        func(l *StateList) { l.Entries[1].Status = "was lost" },
		"no ID":         func(l *StateList) { l.Entries[1].ID = "" },
		"since":         func(l *StateList) { l.Entries[1].Since = time.Time{}.Add(1) },
		"order":         func(l *StateList) { l.Entries[2], l.Entries[3] = l.Entries[3], l.Entries[2] },
		"twice":         func(l *StateList) { l.Entries[3].ID = l.Entries[2].ID },
	} {
		l := stateList()
		change(l)
		if _, err := l.Marshal(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	l.Entries = make([]Listed, MaxListed+1)
	if _, err := l.Marshal(); !errors.Is(err, ErrTooLarge) {
		t.Error("many entries:", err)
	}
	l = stateList()
	l.Entries = nil
	for i := range MaxListed { // of the IDs that are seen, as many as are allowed go into one note
		l.Entries = append(l.Entries, Listed{ListedSeal, fmt.Sprintf("%032d", i), "suspended", offlineDay})
	}
	if _, err := OpenStateList(must(l.Sign(ed)), ed.Verifier()); err != nil {
		t.Error(err)
	}
}

func TestCheckList(t *testing.T) {
	entry := func(what, id string) func(*StateList) {
		return func(l *StateList) {
			l.Entries = append(l.Entries, Listed{what, id, "suspended", offlineDay})
			slices.SortFunc(l.Entries, Listed.compare)
		}
	}
	for name, tc := range map[string]struct {
		change func(*StateList)
		at     time.Duration
		want   error
	}{
		"good":           {func(*StateList) {}, time.Hour, nil},
		"last second":    {func(*StateList) {}, 72*time.Hour + 999*time.Millisecond, nil},
		"expired":        {func(*StateList) {}, 72*time.Hour + time.Second, ErrListExpired},
		"oldest":         {func(l *StateList) { l.Number = 41 }, 0, nil},
		"too old":        {func(l *StateList) { l.Number = 40 }, 0, ErrListOld},
		"of another log": {func(l *StateList) { l.Log = origin }, 0, ErrListOther},
		"seal":           {entry(ListedSeal, grant().Seal), 0, ErrListed},
		"certificate":    {entry(ListedCertificate, hex.EncodeToString(digestOf("outer"))), 0, ErrListed},
		"grant":          {entry(ListedGrant, "offline-7"), 0, ErrListed},
		"other things":   {entry(ListedGrant, grant().Seal), 0, nil},
	} {
		l := stateList()
		tc.change(l)
		err := grant().CheckList(l, offlineDay.Add(tc.at))
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: %v", name, err)
		}
		var listed *ListedError
		if errors.As(err, &listed) != (tc.want == ErrListed) || listed != nil && (listed.Number != 42 || listed.Status != "suspended") {
			t.Errorf("%s: %+v", name, listed)
		}
	}
}

func TestCheckUse(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*OfflineUse)
		want   []error
	}{
		"good":               {func(*OfflineUse) {}, nil},
		"other grant":        {func(u *OfflineUse) { u.Use.Grant = "offline-8" }, []error{ErrGrantOther}},
		"one too many":       {func(u *OfflineUse) { u.Number = 21 }, []error{ErrGrantUsedUp}},
		"other seal":         {func(u *OfflineUse) { u.Use.Seal = "11000000000002" }, []error{ErrGrantSeal}},
		"seal re-made":       {func(u *OfflineUse) { u.Use.SealDigest = digestOf("new seal") }, []error{ErrGrantSeal}},
		"other device":       {func(u *OfflineUse) { u.Use.Certs = [][]byte{digestOf("stolen")} }, []error{ErrGrantDevice}},
		"one of them other":  {func(u *OfflineUse) { u.Use.Certs = [][]byte{digestOf("device"), digestOf("stolen")} }, []error{ErrGrantDevice}},
		"no device":          {func(u *OfflineUse) { u.Use.Certs = nil }, []error{ErrGrantDevice}},
		"other court":        {func(u *OfflineUse) { u.Use.Org = "elsewhere" }, []error{ErrGrantOrg}},
		"other kind":         {func(u *OfflineUse) { u.Use.Kind = "调解书" }, []error{ErrGrantKind}},
		"no kind":            {func(u *OfflineUse) { u.Use.Kind = "" }, []error{ErrGrantKind}},
		"before":             {func(u *OfflineUse) { u.Use.Time = offlineDay.Add(-1) }, []error{ErrGrantNotYet}},
		"after":              {func(u *OfflineUse) { u.Use.Time = offlineDay.AddDate(0, 1, 0) }, []error{ErrGrantExpired}},
		"old list":           {func(u *OfflineUse) { u.List = 40 }, []error{ErrListOld}},
		"two things at once": {func(u *OfflineUse) { u.List, u.Use.Org = 40, "elsewhere" }, []error{ErrListOld, ErrGrantOrg}},
	} {
		g := grant()
		u := uses(g, 1, "a")[0]
		tc.change(&u)
		err := g.CheckUse(&u)
		if (err == nil) != (len(tc.want) == 0) {
			t.Errorf("%s: %v", name, err)
		}
		for _, want := range tc.want {
			if !errors.Is(err, want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func TestOfflineUse(t *testing.T) {
	g := grant()
	u := uses(g, 2, "a")[1]
	again := uint64(1)
	u.Use.Again = &again
	leaf := must(u.Marshal())
	back, err := ParseOfflineUse(leaf)
	if err != nil || !reflect.DeepEqual(*back, u) {
		t.Fatalf("%+v: %v", back, err)
	}
	if l := must(ParseLeaf(leaf)); l.Kind != KindOfflineUse || l.Fields["offline.number"] != "2" || l.Fields["request"] != "a-2" {
		t.Errorf("%+v", l)
	}
	for name, change := range map[string]func(*OfflineUse){
		"number 0":          func(u *OfflineUse) { u.Number = 0 },
		"number too high":   func(u *OfflineUse) { u.Number = MaxOfflineUses + 1 },
		"no grant":          func(u *OfflineUse) { u.Use.Grant = "" },
		"no request":        func(u *OfflineUse) { u.Use.Request = "" },
		"repeats itself":    func(u *OfflineUse) { u.Use.Again = &u.Number },
		"fields given away": func(u *OfflineUse) { u.Use.Extra = map[string]string{"offline.list": "50"} },
	} {
		u := u
		change(&u)
		if _, err := u.Marshal(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	online := must(must(u.Use.Leaf()).Marshal())
	if _, err := ParseOfflineUse(online); !errors.Is(err, ErrFormat) {
		t.Error("a use of the ledger passed as offline:", err)
	}
}

func TestOfflineEvidence(t *testing.T) {
	ed, sm, other := edSigner(t, offlineOrigin), smSigner(t, offlineOrigin), edSigner(t, origin)
	g := grant()
	chain := uses(g, 21, "a")
	e := &OfflineEvidence{GrantNote: must(g.Sign(ed, sm)), Leaf: must(chain[0].Marshal())}
	b := e.Marshal()
	back, err := ParseOfflineEvidence(b)
	if err != nil || !bytes.Equal(back.Marshal(), b) || !reflect.DeepEqual(back.Grant, g) || !reflect.DeepEqual(*back.Use, chain[0]) {
		t.Fatalf("%+v: %v", back, err)
	}
	if err := back.Check(sm.Verifier()); err != nil {
		t.Error(err)
	}
	if err := back.Check(other.Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error(err)
	}
	if !IsOfflineEvidence(b) || IsOfflineEvidence(Receipt{}.Evidence()) || len(b) > MaxEvidence {
		t.Errorf("%d bytes", len(b))
	}
	if _, err := ParseEvidence(b); !errors.Is(err, ErrFormat) {
		t.Error("read as that of a log:", err)
	}
	e.Leaf = must(chain[20].Marshal())
	if err := must(ParseOfflineEvidence(e.Marshal())).Check(ed.Verifier()); !errors.Is(err, ErrGrantUsedUp) {
		t.Error(err)
	}
	if _, err := ParseOfflineEvidence(append(b, make([]byte, MaxProof)...)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
}

// faults is how many faults wrap each error, as "number:error".
func faults(r *ChainReport) string {
	names := map[error]string{ErrUseMissing: "missing", ErrUseTwice: "twice", ErrUseBroken: "broken", ErrGrantUsedUp: "used up",
		ErrGrantKind: "kind", ErrGrantOther: "other grant", ErrGrantExpired: "expired"}
	var list []string
	for _, f := range r.Faults {
		for err, name := range names {
			if errors.Is(f, err) {
				list = append(list, fmt.Sprintf("%d:%s", f.Number, name))
			}
		}
	}
	return strings.Join(list, " ")
}

func TestCheckChain(t *testing.T) {
	g := grant()
	whole := uses(g, 6, "a")
	second := func(u OfflineUse, change func(*OfflineUse)) OfflineUse { change(&u); return u }
	without := func(i int) []OfflineUse { return slices.Delete(slices.Clone(whole), i, i+1) }
	with := func(i int, u OfflineUse) []OfflineUse { c := slices.Clone(whole); c[i] = u; return c }
	backwards := slices.Clone(whole)
	slices.Reverse(backwards)
	next := uses(g, 1, "a", whole...)[6]
	larger := *g
	larger.Uses++
	for name, tc := range map[string]struct {
		uses              []OfflineUse
		used, last, whole uint64
		faults            string
	}{
		"none":             {nil, 0, 0, 0, ""},
		"whole":            {whole, 6, 6, 6, ""},
		"in any order":     {backwards, 6, 6, 6, ""},
		"from two sides":   {slices.Concat(whole[2:], whole, whole[:3]), 6, 6, 6, ""},
		"first is missing": {without(0), 5, 6, 0, "1:missing"},
		"one is missing":   {without(2), 5, 6, 2, "3:missing"},
		"two are missing":  {append(slices.Clone(whole[:2]), whole[4:]...), 4, 6, 2, "3:missing 4:missing"},
		"last is missing":  {whole[:5], 5, 5, 5, ""}, // nobody can know
		"a stolen copy":    {slices.Concat(whole, uses(g, 2, "b", whole[:3]...)), 6, 6, 3, "4:twice 5:twice"},
		"one replaced":     {with(2, uses(g, 1, "b", whole[:2]...)[2]), 6, 6, 3, "4:broken"},
		"edited":           {with(2, second(whole[2], func(u *OfflineUse) { u.Use.App = "x" })), 6, 6, 3, "4:broken"},
		"other first":      {uses(&larger, 2, "a"), 2, 2, 0, "1:broken"},
		"too many":         {uses(g, 22, "a"), 22, 22, 20, "21:used up 22:used up"},
		"of another grant": {append(slices.Clone(whole), second(whole[3], func(u *OfflineUse) { u.Use.Grant = "x" })), 6, 6, 6, "4:other grant"},
		"clock set back": {append(slices.Clone(whole), second(next, func(u *OfflineUse) {
			u.Use.Time = whole[0].Use.Time
		})), 7, 7, 6, "7:broken"},
		"list of a lower number": {append(slices.Clone(whole), second(next, func(u *OfflineUse) { u.List-- })), 7, 7, 6, "7:broken"},
		"two faults": {append(slices.Clone(whole), second(next, func(u *OfflineUse) {
			u.Use.Kind, u.Prev = "x", Hash{}
		})), 7, 7, 6, "7:kind 7:broken"},
	} {
		r, err := CheckChain(g, tc.uses)
		if err != nil {
			t.Fatal(name, err)
		}
		if r.Uses != tc.used || r.Last != tc.last || r.Whole != tc.whole || faults(r) != tc.faults {
			t.Errorf("%s: %d used, last %d, whole to %d, faults %s", name, r.Uses, r.Last, r.Whole, faults(r))
		}
		head := must(g.Start())
		for _, u := range tc.uses {
			if u.Number == r.Whole && u.Use.Grant == g.ID {
				head = g.Profile().LeafHash(must(u.Marshal()))
			}
		}
		if r.Head != head {
			t.Errorf("%s: head %s, not %s", name, r.Head, head)
		}
	}
	r := must(CheckChain(g, slices.Concat(whole, uses(g, 1, "b", whole[:3]...))))
	if len(r.Faults) != 1 || len(r.Faults[0].Uses) != 2 || r.Faults[0].Uses[0].Use.Request == r.Faults[0].Uses[1].Use.Request {
		t.Errorf("double use: %+v", r.Faults)
	}
}

func TestOfflineChain(t *testing.T) {
	ed := edSigner(t, offlineOrigin)
	g := grant()
	c := &OfflineChain{GrantNote: must(g.Sign(ed))}
	for _, u := range uses(g, 5, "a") {
		c.Uses = append(c.Uses, OfflineEntry{OfflineUse: u})
	}
	salt := NewSalt()
	c.Uses[4].Use.Document = Conceal(SM3, salt, "（2026）示例民初1号")
	c.Uses[4].Private = Private{"document": {salt, "（2026）示例民初1号"}}
	c.Uses[4].Outcome = &Outcome{Begin: 5, Request: "a-5", Values: [][]byte{digestOf("value")}, Time: offlineDay}
	c.Uses[1].Outcome = &Outcome{Begin: 2, Request: "a-2", Failure: "no key", Time: offlineDay}
	b := must(c.Marshal())
	back, err := ParseOfflineChain(b)
	if err != nil || !bytes.Equal(must(back.Marshal()), b) ||
		back.Uses[4].Private["document"].Value != "（2026）示例民初1号" || back.Uses[1].Outcome.Failure != "no key" {
		t.Fatalf("%+v: %v", back, err)
	}
	r, err := back.Check(nil, ed.Verifier())
	if err != nil || r.Whole != 5 || len(r.Faults) > 0 {
		t.Errorf("%+v: %v", r, err)
	}
	if _, err := back.Check(nil, edSigner(t, origin).Verifier()); !errors.Is(err, ErrUnknownLog) {
		t.Error(err)
	}
	rest := &OfflineChain{GrantNote: c.GrantNote, Uses: c.Uses[3:]}
	have := []OfflineUse{c.Uses[0].OfflineUse, c.Uses[1].OfflineUse, c.Uses[2].OfflineUse}
	if r, err := must(ParseOfflineChain(must(rest.Marshal()))).Check(have, ed.Verifier()); err != nil || r.Whole != 5 {
		t.Errorf("what is left: %+v: %v", r, err)
	}
	for name, change := range map[string]func(*OfflineChain){
		"other grant":   func(c *OfflineChain) { c.Uses[0].Use.Grant = "x" },
		"order":         func(c *OfflineChain) { c.Uses[0], c.Uses[1] = c.Uses[1], c.Uses[0] },
		"other outcome": func(c *OfflineChain) { c.Uses[0].Outcome = c.Uses[1].Outcome },
		"other name":    func(c *OfflineChain) { c.Uses[4].Private = Private{"document": {salt, "（2026）示例民初2号"}} },
		"bare name":     func(c *OfflineChain) { c.Uses[3].Private = Private{"org": {salt, "x"}} },
		"no grant":      func(c *OfflineChain) { c.GrantNote = nil },
		"bad grant":     func(c *OfflineChain) { c.GrantNote = []byte("x\n\n— x AAAAAAAA\n") },
	} {
		other := &OfflineChain{GrantNote: c.GrantNote, Uses: slices.Clone(c.Uses)}
		change(other)
		_, err := ParseOfflineChain(must(other.Marshal()))
		if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrPrivate) && !errors.Is(err, ErrGrantOther) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
