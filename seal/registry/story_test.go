package registry_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/internal/testpki"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/seal/registry"
	"github.com/courtseal/courtseal/sign"
)

// A book is a registry on a database of its own, with a clock that stands still, and the keys of its people.
type book struct {
	*registry.Registry
	log  *ledger.Log
	now  time.Time
	keys map[string]sign.Key // by the name of a key
	mark map[string]uint64   // entries that a story gave a name
	dir  string              // of devices without a network
	mu   sync.Mutex
}

var logSigner = sync.OnceValue(func() *audit.KeySigner {
	s, err := audit.NewSigner("court.example/seals/sm3", sign.NewKey(testpki.NewKey(testpki.SM2)))
	if err != nil {
		panic(err)
	}
	return s
})

// newDB makes an empty database. internal/interop replaces it, to have these tests run on PostgreSQL.
var newDB = func(t testing.TB) (*sql.DB, ledger.Dialect) {
	db, err := sql.Open("sqlite", filepath.Join(t.TempDir(), "book.db"))
	if err != nil {
		t.Fatal(err)
	}
	return db, ledger.SQLite
}

func openLog(t testing.TB, now func() time.Time) *ledger.Log {
	t.Helper()
	db, dialect := newDB(t)
	t.Cleanup(func() { db.Close() })
	log, err := ledger.Create(t.Context(), db, ledger.Options{
		Dialect: dialect, Witness: ledger.Unwitnessed, Origin: "court.example/seals/sm3", Signers: []audit.Signer{logSigner()}, Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	return log
}

// newBook founds a province: its root is "gy", its administrator "admin".
func newBook(t testing.TB) *book {
	t.Helper()
	b := &book{now: time.Date(2026, 3, 2, 9, 0, 0, 0, registry.Zone), keys: map[string]sign.Key{}, mark: map[string]uint64{}}
	b.log = openLog(t, func() time.Time { b.mu.Lock(); defer b.mu.Unlock(); return b.now })
	var err error
	b.Registry, err = registry.Create(t.Context(), b.log, registry.Options{Signers: []audit.Signer{logSigner()}}, registry.Found{Org: "gy", OrgName: "示例省高级人民法院", Person: "admin", PersonName: "管理员"})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *book) key(name string) sign.Key {
	if b.keys[name] == nil {
		b.keys[name] = testpki.Shared(testpki.SM2).Issue(testpki.SM2, name, nil)
	}
	return b.keys[name]
}

// picture is a PNG of one ring.
var picture = sync.OnceValue(func() []byte {
	m := image.NewPaletted(image.Rect(0, 0, 64, 64), color.Palette{color.Transparent, color.NRGBA{200, 0, 0, 255}})
	for y := range 64 {
		for x := range 64 {
			if d := (x-32)*(x-32) + (y-32)*(y-32); d > 28*28 && d < 31*31 {
				m.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
})

var maker = sync.OnceValue(func() sign.Key { return testpki.Shared(testpki.SM2).Issue(testpki.SM2, "maker", nil) })

func makeSeal(id, name string, keys ...sign.Key) (*seal.Seal, error) {
	t := &seal.Seal{
		ID: id, Name: name, NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
		Picture: sign.Picture{Data: picture(), Width: 45, Height: 45},
	}
	for _, k := range keys {
		t.Certs = append(t.Certs, k.Chain()[0])
	}
	return seal.Make(context.Background(), t, maker())
}

// sm3 is the digest of a text, as documents of the stories are.
func sm3(text string) []byte { return sign.SM3.Sum([]byte(text)) }

var sentinels = map[string]error{
	"rights": registry.ErrRights, "state": registry.ErrState, "limit": registry.ErrLimit,
	"unknown": registry.ErrUnknown, "exists": registry.ErrExists, "op": registry.ErrOp, "repeated": registry.ErrRepeated,
}

// size is the number of entries.
func (b *book) size() (n uint64) {
	err := b.log.Read(context.Background(), func(_ context.Context, tx *ledger.Tx) error { n = tx.Index(); return nil })
	if err != nil {
		panic(err)
	}
	return n
}

// words splits a line at spaces; double quotes keep them.
func words(line string) (list []string) {
	var w strings.Builder
	quoted, any := false, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted, any = !quoted, true
		case c == ' ' && !quoted:
			if any {
				list = append(list, w.String())
			}
			w.Reset()
			any = false
		default:
			w.WriteRune(c)
			any = true
		}
	}
	if any {
		list = append(list, w.String())
	}
	return list
}

// fields reads k=v words; sm3:TEXT is the digest of a text.
func fields(list []string) map[string]string {
	m := map[string]string{}
	for _, w := range list {
		k, v, _ := strings.Cut(w, "=")
		if text, ok := strings.CutPrefix(v, "sm3:"); ok {
			v = hex.EncodeToString(sm3(text))
		}
		m[k] = v
	}
	return m
}

func who(name string) registry.Actor {
	if person, app, both := strings.Cut(name, "+app:"); both {
		return registry.Actor{Person: person, App: app}
	}
	if app, ok := strings.CutPrefix(name, "app:"); ok {
		return registry.App(app)
	}
	return registry.Person(name)
}

func moment(text string) (time.Time, error) {
	return time.ParseInLocation("2006-01-02T15:04", text, registry.Zone)
}

// commands of the stories. Each answers what it saw, which a line beginning with -> expects.
var commands = map[string]func(t testing.TB, b *book, args []string) (string, error){}

func init() {
	maps.Copy(commands, map[string]func(t testing.TB, b *book, args []string) (string, error){
		// at TIME: the clock
		"at": func(t testing.TB, b *book, args []string) (string, error) {
			now, err := moment(args[0])
			b.mu.Lock()
			b.now = now
			b.mu.Unlock()
			return "", err
		},
		// do WHO KIND field=value …: an operation
		"do": func(t testing.TB, b *book, args []string) (string, error) {
			op, err := registry.Parse(args[1], fields(args[2:]))
			if err != nil {
				return "", err
			}
			_, err = b.Do(t.Context(), who(args[0]), op)
			return "", err
		},
		// key WHO PERSON NAME [DEVICE]: a new key and certificate, entered as the person's
		"key": func(t testing.TB, b *book, args []string) (string, error) {
			op := &registry.AddKey{Person: args[1], Cert: b.key(args[2]).Chain()[0]}
			if len(args) > 3 {
				op.Device = args[3]
			}
			_, err := b.Do(t.Context(), who(args[0]), op)
			return "", err
		},
		// decide WHO APPLICATION KEY approve|refuse
		"decide": func(t testing.TB, b *book, args []string) (string, error) {
			a, err := b.Application(t.Context(), args[1])
			if err != nil {
				return "", err
			}
			refuse := args[3] == "refuse"
			key := b.key(args[2])
			scheme, err := sign.SchemeFor(key.Public())
			if err != nil {
				return "", err
			}
			sig, err := scheme.Sign(t.Context(), key, registry.DecisionText(args[1], a.Digest, refuse))
			if err != nil {
				return "", err
			}
			op := &registry.Decide{Application: args[1], Refuse: refuse, Digest: a.Digest, Cert: registry.CertDigest(key.Chain()[0]), Signature: sig}
			if refuse {
				op.Reason = "no"
			}
			_, err = b.Do(t.Context(), who(args[0]), op)
			return "", err
		},
		// make WHO APPLICATION KEY…: the seal of an application, with the certificates of keys
		"make": func(t testing.TB, b *book, args []string) (string, error) {
			a, err := b.Application(t.Context(), args[1])
			if err != nil {
				return "", err
			}
			var keys []sign.Key
			for _, k := range args[2:] {
				keys = append(keys, b.key(k))
			}
			s, err := makeSeal(a.Seal, a.Name, keys...)
			if err != nil {
				return "", err
			}
			_, err = b.Do(t.Context(), who(args[0]), &registry.MakeSeal{Application: args[1], DER: s.Raw})
			return "", err
		},
		// use WHO REQUEST SEAL KEY DOCUMENT [field=value …]: one sealing, the values made up
		"use": func(t testing.TB, b *book, args []string) (string, error) {
			return b.use(t.Context(), who(args[0]), args[1], args[2], b.key(args[3]), args[4], fields(args[5:]))
		},
		// used GRANT: how often
		"used": func(t testing.TB, b *book, args []string) (string, error) {
			g, err := b.Grant(t.Context(), args[0])
			return strconv.Itoa(g.Used), err
		},
		// request ID: how far the use has come
		"request": func(t testing.TB, b *book, args []string) (string, error) {
			u, err := b.Use(t.Context(), args[0])
			if !u.Withdrawn.IsZero() {
				u.State += " withdrawn"
			}
			return string(u.State), err
		},
		// spent DELEGATION: uses and changes
		"spent": func(t testing.TB, b *book, args []string) (string, error) {
			d, err := b.Delegation(t.Context(), args[0])
			return fmt.Sprintf("%d %d", d.UsesSpent, d.ChangesSpent), err
		},
		// state SEAL [TIME]
		"state": func(t testing.TB, b *book, args []string) (string, error) {
			var at time.Time
			var err error
			if len(args) > 1 {
				if at, err = moment(args[1]); err != nil {
					return "", err
				}
			}
			s, err := b.State(t.Context(), args[0], at)
			return string(s), err
		},
		// row SEAL: the state in the books, its holder and device
		"row": func(t testing.TB, b *book, args []string) (string, error) {
			s, _, err := b.Seal(t.Context(), args[0])
			return strings.TrimSpace(fmt.Sprintf("%s %s %s", s.State, s.Holder, s.Device)), err
		},
		// holder SEAL [TIME]: who had it, and on which device
		"holder": func(t testing.TB, b *book, args []string) (string, error) {
			var at time.Time
			var err error
			if len(args) > 1 {
				if at, err = moment(args[1]); err != nil {
					return "", err
				}
			}
			h, err := b.Holder(t.Context(), args[0], at)
			return strings.TrimSpace(h.Person + " " + h.Device), err
		},
		// history SEAL: its states; those that never were have a minus sign
		"history": func(t testing.TB, b *book, args []string) (string, error) {
			list, err := b.History(t.Context(), args[0])
			var states []string
			for _, c := range list {
				s := string(c.State)
				if c.Annulled > 0 {
					s = "-" + s
				}
				states = append(states, s)
			}
			return strings.Join(states, " "), err
		},
		// device ID: its state, and who has it
		"device": func(t testing.TB, b *book, args []string) (string, error) {
			d, err := b.Device(t.Context(), args[0])
			return strings.TrimSpace(fmt.Sprintf("%s %s", d.State, d.Holder)), err
		},
		// mark NAME: gives the last entry a name
		"mark": func(t testing.TB, b *book, args []string) (string, error) {
			b.mark[args[0]] = b.size() - 1
			return "", nil
		},
		// correct WHO NAME: a correction of a marked entry
		"correct": func(t testing.TB, b *book, args []string) (string, error) {
			entry, ok := b.mark[args[1]]
			if !ok {
				return "", fmt.Errorf("no entry is marked %q", args[1])
			}
			_, err := b.Do(t.Context(), who(args[0]), &registry.Correct{Entry: entry, Reason: "by mistake"})
			return "", err
		},
		// import WHO SEAL NAME KEY field=value …: a seal that was there before the books
		"import": func(t testing.TB, b *book, args []string) (string, error) {
			s, err := makeSeal(args[1], args[2], b.key(args[3]))
			if err != nil {
				return "", err
			}
			f := fields(args[4:])
			f["der"] = base64.StdEncoding.EncodeToString(s.Raw)
			op, err := registry.Parse("seal.import", f)
			if err != nil {
				return "", err
			}
			_, err = b.Do(t.Context(), who(args[0]), op)
			return "", err
		},
		// app ID: its switch, quota and seals
		"app": func(t testing.TB, b *book, args []string) (string, error) {
			a, err := b.App(t.Context(), args[0])
			return strings.TrimSpace(fmt.Sprintf("%t %d %s", a.On, a.PerDay, strings.Join(a.Seals, " "))), err
		},
		// entries: how many there are
		"entries": func(t testing.TB, b *book, args []string) (string, error) {
			return strconv.FormatUint(b.size(), 10), nil
		},
		// application ID: its state
		"application": func(t testing.TB, b *book, args []string) (string, error) {
			a, err := b.Application(t.Context(), args[0])
			return a.State, err
		},
	})
}

// actWith is what a container and a seal's signer bring.
func (b *book) actWith(request, sealID string, key sign.Key, document string) (*sign.Act, sign.Profile) {
	act, p := b.act(request, document)
	p.Seal, p.Specs = sealID, map[sign.Format]sign.Spec{sign.SES: {Chain: key.Chain()}}
	return act, p
}

// use is one sealing as a signer would do it; the answer is "again" where the act had been done. With fail it has no
// values, with crash no end, with layout another content of the same document.
func (b *book) use(ctx context.Context, by registry.Actor, request, sealID string, key sign.Key, document string, f map[string]string) (string, error) {
	act, profile := b.actWith(request, sealID, key, document)
	act.Content = sign.Sums{sign.SM3: sm3("content of " + document + f["layout"])}
	r := b.Recorder(by, registry.Use{Kind: f["kind"], Court: f["court"], Grant: f["grant"], Application: f["application"]})
	permit, err := r.Begin(ctx, act, profile)
	if err != nil {
		return "", err
	}
	if permit.Values != nil {
		return "again", nil
	}
	act.Evidence = permit.Evidence
	if f["crash"] != "" {
		return "crashed", nil
	}
	if f["fail"] != "" {
		return "failed", r.End(ctx, act, nil, errors.New(f["fail"]))
	}
	return "sealed", r.End(ctx, act, []sign.Value{{Bytes: []byte("value of " + document)}}, nil)
}

// run runs a script: a line is a command; one that begins with "refused X " must fail with that error; "-> text" after
// a command is its answer; "include FILE" runs another first.
func run(t testing.TB, b *book, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(string(data), "\n") {
		line, _, _ = strings.Cut(line, "# ")
		line, want, asked := strings.Cut(line, "->")
		w := words(strings.TrimSpace(line))
		if len(w) == 0 || strings.HasPrefix(w[0], "#") {
			continue
		}
		where := fmt.Sprintf("%s:%d: %s", filepath.Base(file), i+1, strings.TrimSpace(line))
		if w[0] == "include" {
			run(t, b, filepath.Join(filepath.Dir(file), w[1]))
			continue
		}
		var refused error
		if w[0] == "refused" {
			if refused = sentinels[w[1]]; refused == nil {
				t.Fatalf("%s: no error %q", where, w[1])
			}
			w = w[2:]
		}
		f := commands[w[0]]
		if f == nil {
			t.Fatalf("%s: no command", where)
		}
		before := b.size()
		got, err := f(t, b, w[1:])
		if !errors.Is(err, refused) || refused == nil && err != nil {
			t.Fatalf("%s: error %v, want %v", where, err, refused)
		}
		if refused != nil && b.size() != before {
			t.Fatalf("%s: was refused and left an entry", where)
		}
		if want = strings.TrimSpace(want); asked && got != want {
			t.Fatalf("%s: %q, want %q", where, got, want)
		}
	}
}

func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/story/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(err, "no stories")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			b := newBook(t)
			run(t, b, file)
			b.mustCompare(t)
		})
	}
}

// mustCompare asks that the tables are what the ledger says.
func (b *book) mustCompare(t testing.TB) {
	t.Helper()
	d, err := b.Compare(t.Context(), nil)
	if err != nil || len(d) > 0 {
		t.Fatalf("books and ledger differ: %v, %v", d, err)
	}
}
