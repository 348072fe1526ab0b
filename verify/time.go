package verify

import (
	"strings"
	"time"

	"github.com/courtseal/courtseal/seal"
)

var timeRule = &rule{
	name:   "time",
	clause: "ETSI EN 319 102-1 5.5",
	seals:  clauses{seal.V1: "GM/T 0031-2014 6.2.3 d", seal.V4: "GB/T 38540-2020 7.3", seal.V5: "GM/T 0031-2025"},
	stops:  "a signature made with a key after its certificate or seal ended, and dated back",
	codes: []outcome{
		{"time-proven", Valid, "时间戳证明签章不晚于 %[1]s", "a time stamp proves that the signature was made no later than %[1]s"},
		{"time-entered", Valid, "账本在 %[1]s 已有此签名值，证明签章不晚于该时间", "the ledger had the value by %[1]s, which proves that the signature was made no later"},
		{"time-claimed", Valid, "签章时间 %[1]s 由签章人声称，未经时间戳或账本证明", "the time of signing, %[1]s, is claimed by the signer and proven neither by a time stamp nor by the ledger"},
		{"time-absent", Valid, "签章人未声称时间，按验证时间判断", "the signer claims no time; judged for the time of verification"},
		{"time-not-proven", Indeterminate, "签章时间 %[1]s 需要时间戳或账本证明，但未得到证明：%[2]s", "the time of signing, %[1]s, would have to be proven by a time stamp or the ledger and is not: %[3]s"},
		{"time-refuted", Indeterminate, "声称的签章时间 %[1]s 晚于时间戳或账本证明的时间 %[2]s", "the claimed time of signing, %[1]s, is after the time that a time stamp or the ledger proves, %[2]s"},
		{"time-future", Indeterminate, "声称的签章时间 %[1]s 晚于验证时间 %[2]s", "the claimed time of signing, %[1]s, is after the time of verification, %[2]s"},
	},
}

// clockSlip is how far the clocks of signer and verifier may differ.
const clockSlip = 5 * time.Minute

// claim fixes the moment that the checks ask about.
func (j *judge) claim(t time.Time) {
	if t.IsZero() {
		j.claimed = j.at
		return
	}
	j.sig.Claimed = t.UTC()
	j.claimed = t.UTC()
}

// prove takes the moment by which the whole signature is proven to exist. Where nobody claims a time, it is the one to
// ask about.
func (j *judge) prove(s *stamps) {
	if s.by.IsZero() {
		return
	}
	j.sig.Proven, j.byBooks = s.by.UTC(), s.books
	if j.sig.Claimed.IsZero() {
		j.claimed = s.at.UTC()
	}
}

func (j *judge) allDoubts() (zh, en string) {
	zhs, ens := make([]string, len(j.doubts)), make([]string, len(j.doubts))
	for i, d := range j.doubts {
		zhs[i], ens[i] = d.ZH, d.EN
	}
	return strings.Join(zhs, "；"), strings.Join(ens, "; ")
}

// claimedTime answers, after every other check, whether a claimed time is enough. Each step of the standards has given
// its own result with that time; where they lean on it because something ended since, only a proven time will do.
func (j *judge) claimedTime() {
	proven := j.sig.Proven
	switch {
	case len(j.doubts) > 0:
		zh, en := j.allDoubts()
		j.say(timeRule, "time-not-proven", clock(j.claimed), zh, en)
	case !proven.IsZero() && j.sig.Claimed.After(proven.Add(clockSlip)):
		j.say(timeRule, "time-refuted", clock(j.claimed), clock(proven))
	case !proven.IsZero() && j.byBooks:
		j.say(timeRule, "time-entered", clock(proven))
	case !proven.IsZero():
		j.say(timeRule, "time-proven", clock(proven))
	case j.sig.Claimed.IsZero():
		j.say(timeRule, "time-absent")
	case j.claimed.After(j.at.Add(clockSlip)):
		j.say(timeRule, "time-future", clock(j.claimed), clock(j.at))
	default:
		j.say(timeRule, "time-claimed", clock(j.claimed))
	}
}
