package verify

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

// An Algorithm says until when a hash, or keys of a size, protect: what was made with them later may be forged.
type Algorithm struct {
	Name  string    // a hash: MD5, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512, SM3; or a kind of key: RSA, ECDSA, SM2
	Bits  int       // of RSA and ECDSA: keys of so many bits or more, up to those of the next entry; 0 of all others
	Until time.Time // the last moment
}

// ErrAlgorithm: Options.Algorithms names no algorithm that is known here, gives no date, or names one twice.
var ErrAlgorithm = errors.New("verify: unusable date of an algorithm")

// A datedAlgorithm is an entry of the table, with the source of its date. Where the sources name no end, there is none.
type datedAlgorithm struct {
	Algorithm
	source string
}

// endOf is the last moment of a day.
func endOf(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 23, 59, 59, 0, time.UTC)
}

// algorithms is the table of docs/verification.md, weakest first. Options.Algorithms takes the place of single entries.
var algorithms = []datedAlgorithm{
	{Algorithm{"MD5", 0, endOf(2004, 8, 16)}, "RFC 6151: collisions were published the day after"},
	{Algorithm{"SHA-1", 0, endOf(2013, 12, 31)}, "NIST SP 800-131A, 9"},
	{Algorithm{"SHA-224", 0, endOf(2030, 12, 31)}, "NIST SP 800-57 Part 1, 5.6.3 (112 bits)"},
	{Algorithm{"SHA-256", 0, time.Time{}}, "NIST SP 800-57 Part 1, 5.6.3; ETSI TS 119 312"},
	{Algorithm{"SHA-384", 0, time.Time{}}, "NIST SP 800-57 Part 1, 5.6.3; ETSI TS 119 312"},
	{Algorithm{"SHA-512", 0, time.Time{}}, "NIST SP 800-57 Part 1, 5.6.3; ETSI TS 119 312"},
	{Algorithm{"SM3", 0, time.Time{}}, "GB/T 33560-2017"},
	{Algorithm{"RSA", 0, endOf(1999, 8, 21)}, "the day before RSA-155, of 512 bits, was factored"},
	{Algorithm{"RSA", 1024, endOf(2013, 12, 31)}, "NIST SP 800-131A, 3"},
	{Algorithm{"RSA", 2048, endOf(2030, 12, 31)}, "NIST SP 800-57 Part 1, 5.6.3 (112 bits)"},
	{Algorithm{"RSA", 3072, time.Time{}}, "NIST SP 800-57 Part 1, 5.6.3"},
	{Algorithm{"ECDSA", 0, endOf(2013, 12, 31)}, "NIST SP 800-131A, 3"},
	{Algorithm{"ECDSA", 224, endOf(2030, 12, 31)}, "NIST SP 800-57 Part 1, 5.6.3 (112 bits)"},
	{Algorithm{"ECDSA", 256, time.Time{}}, "NIST SP 800-57 Part 1, 5.6.3; ETSI TS 119 312"},
	{Algorithm{"SM2", 0, time.Time{}}, "GB/T 33560-2017"},
}

// datesOf is the table with the dates of the options in it.
func datesOf(given []Algorithm) ([]Algorithm, error) {
	var list []Algorithm
	for _, d := range algorithms {
		list = append(list, d.Algorithm)
	}
	known := len(list)
	for i, a := range given {
		same := func(b Algorithm) bool { return a.Name == b.Name && a.Bits == b.Bits }
		named := slices.IndexFunc(list[:known], func(b Algorithm) bool { return a.Name == b.Name })
		switch {
		case named < 0:
			return nil, fmt.Errorf("%w: %q is none of %s", ErrAlgorithm, a.Name, algorithmNames())
		case a.Until.IsZero():
			return nil, fmt.Errorf("%w: %s has no date; 9999-12-31 says that no end is known", ErrAlgorithm, a)
		case a.Bits < 0 || a.Bits > 0 && a.Name != "RSA" && a.Name != "ECDSA":
			return nil, fmt.Errorf("%w: %s has %d bits; only RSA and ECDSA are told by size", ErrAlgorithm, a.Name, a.Bits)
		case slices.ContainsFunc(given[:i], same):
			return nil, fmt.Errorf("%w: %s stands twice", ErrAlgorithm, a)
		}
		if at := slices.IndexFunc(list, same); at >= 0 {
			list[at].Until = a.Until
		} else {
			list = append(list, a)
		}
	}
	return list, nil
}

func algorithmNames() string {
	var names []string
	for _, d := range algorithms {
		if !slices.Contains(names, d.Name) {
			names = append(names, d.Name)
		}
	}
	return strings.Join(names, ", ")
}

func (a Algorithm) String() string {
	if a.Bits > 0 {
		return fmt.Sprintf("%s %d", a.Name, a.Bits)
	}
	return a.Name
}

// tellDates notes that the dates are not those of the table.
func (j *job) tellDates() {
	if len(j.opts.Algorithms) == 0 {
		return
	}
	var list []string
	for _, a := range j.opts.Algorithms {
		list = append(list, fmt.Sprintf("%s - %s", a, clock(a.Until)))
	}
	all := strings.Join(list, ", ")
	j.notes = append(j.notes, Note{"algorithm-dates", Text{"算法的有效期限由验证方指定：" + all, "whoever asked set these dates of algorithms: " + all}})
}

// A reliance is a hash or a key that something hangs on.
type reliance struct {
	name string // of an Algorithm; one that is not in the table is judged elsewhere
	bits int
	key  bool
}

func (r reliance) String() string { return Algorithm{Name: r.name, Bits: r.bits}.String() }

func hashReliance(h sign.Hash) reliance { return reliance{name: string(h)} }

func keyReliance(pub any) reliance {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return reliance{"RSA", k.N.BitLen(), true}
	case *ecdsa.PublicKey:
		if gm.IsSM2(k) {
			return reliance{"SM2", 0, true}
		}
		return reliance{"ECDSA", k.Curve.Params().BitSize, true}
	}
	return reliance{key: true}
}

// until is when a reliance ceased or will cease to protect; zero: no end is known.
func (j *job) until(r reliance) time.Time {
	best := Algorithm{Bits: -1}
	for _, a := range j.dates {
		if a.Name == r.name && a.Bits <= r.bits && a.Bits > best.Bits {
			best = a
		}
	}
	return best.Until
}

// A standing is what a reliance is worth at the time of verification.
type standing int

const (
	sound    standing = iota
	thenGood          // it protects no more, and what hangs on it is proven to be older than that
	weak
)

// A lapse is the reliance that has the worst standing among several.
type lapse struct {
	reliance
	standing
	until, proven time.Time
}

// lapseOf judges hashes and keys of which all must protect what is proven to have existed by a moment; zero: it is not proven. A claimed time is no
// proof: who can forge can date back.
func (j *job) lapseOf(proven time.Time, uses ...reliance) lapse {
	worst := lapse{}
	for _, u := range uses {
		l := lapse{reliance: u, until: j.until(u), proven: proven}
		switch {
		case l.until.IsZero() || !j.at.After(l.until):
		case !proven.IsZero() && !proven.After(l.until):
			l.standing = thenGood
		default:
			l.standing = weak
		}
		if l.standing > worst.standing {
			worst = l
		}
	}
	return worst
}

func (l *lapse) why() string { return fmt.Sprintf("%s protected until %s", l.reliance, clock(l.until)) }

var strengthRule = &rule{
	name:   "algorithm",
	clause: "GB/T 33560; NIST SP 800-131A; NIST SP 800-57 Part 1, 5.6.3",
	seals:  clauses{seal.V1: "GM/T 0031-2014 6.2", seal.V4: "GB/T 38540-2020 7.1.1", seal.V5: "GM/T 0031-2025"},
	makers: clauses{seal.V1: "GM/T 0031-2014 6.1", seal.V4: "GB/T 38540-2020 6.1", seal.V5: "GM/T 0031-2025"},
	stops:  "hashes and keys that can be forged: SHA-1, MD5, RSA below 2048 bits; a hash that does not go with SM2",
	codes: []outcome{
		{codeOK, Valid, "%[1]s，杂凑 %[2]s", "%[1]s with %[2]s"},
		{"weak-then-good", Valid, "%[1]s，杂凑 %[2]s：%[3]s 的安全期到 %[4]s 为止，签名经证明在 %[5]s 已存在", "%[1]s with %[2]s: %[3]s protected until %[4]s, and the signature is proven to have existed by %[5]s"},
		{"weak-hash", Invalid, "杂凑算法 %[3]s 自 %[4]s 之后不再安全，且不能证明签名早于该时间", "the hash %[3]s protected until %[4]s, and nothing proves that the signature is older"},
		{"weak-key", Invalid, "密钥 %[3]s 过短，自 %[4]s 之后不再安全，且不能证明签名早于该时间", "the key %[3]s is too short: it protected until %[4]s, and nothing proves that the signature is older"},
		{"hash-mismatch", Invalid, "%[1]s 须与 SM3 同用，不得用 %[2]s", "%[1]s goes with SM3, not with %[2]s"},
		{"unknown-key", Indeterminate, "不支持的密钥类型 %[1]s", "a key of type %[1]s is not supported"},
	},
}

// strength judges the key of a signature and the hashes that it hangs on, that of its value first, by when it is proven to exist.
func (j *judge) strength(r role, c *gm.Certificate, proven time.Time, hashes ...sign.Hash) {
	var uses []reliance
	var names []string
	for _, h := range hashes {
		if h != "" && !slices.Contains(names, string(h)) {
			names, uses = append(names, string(h)), append(uses, hashReliance(h))
		}
	}
	key := keyReliance(c.PublicKey)
	l := j.lapseOf(proven, append(uses, key)...)
	code := codeOK
	switch {
	case key.name == "":
		code = "unknown-key"
	case l.standing == weak && l.key:
		code = "weak-key"
	case l.standing == weak:
		code = "weak-hash"
	case key.name == "SM2" && slices.ContainsFunc(names, func(n string) bool { return n != string(sign.SM3) }):
		code = "hash-mismatch"
	case l.standing == thenGood:
		code = "weak-then-good"
	}
	j.say(strengthRule.of(r), code, keyName(c.PublicKey), strings.Join(names, ", "), l.reliance.String(), clock(l.until), clock(l.proven))
}
