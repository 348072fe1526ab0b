package verify

import (
	"strings"
	"time"
)

var timeRule = &rule{
	name:   "time",
	clause: "GM/T 0031-2014 6.2.3 d; ETSI EN 319 102-1 5.2",
	stops:  "a signature made with a key after its certificate or seal ended, and dated back",
	codes: []outcome{
		{"time-claimed", Valid, "签章时间 %[1]s 由签章人声称，未经时间戳证明", "the time of signing, %[1]s, is claimed by the signer and not proven by a time stamp"},
		{"time-absent", Valid, "签章人未声称时间，按验证时间判断", "the signer claims no time; judged for the time of verification"},
		{"time-not-proven", Indeterminate, "签章时间 %[1]s 须由时间戳证明而未证明：%[2]s", "the time of signing, %[1]s, would have to be proven by a time stamp and is not: %[3]s"},
		{"time-future", Indeterminate, "声称的签章时间 %[1]s 晚于验证时间 %[2]s", "the claimed time of signing, %[1]s, is after the time of verification, %[2]s"},
	},
}

var stampRule = &rule{
	name:   "timestamp",
	clause: "GB/T 38540-2020 7.1; GM/T 0031-2025; RFC 3161",
	stops:  "nothing yet: time stamps are told of and not judged, so they prove no time",
	codes: []outcome{
		{"no-timestamp", NotAsked, "无时间戳", "there is no time stamp"},
		{"not-judged", NotAsked, "有时间戳，本版本不验证时间戳，不作为时间证明", "there is a time stamp; this version does not judge time stamps and takes none as proof"},
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

// claimedTime answers, after every other check, whether a claimed time is enough. Each step of the standards has given
// its own result with that time; where they lean on it because something ended since, only a proven time would do.
func (j *judge) claimedTime() {
	switch {
	case len(j.doubts) > 0:
		zh, en := make([]string, len(j.doubts)), make([]string, len(j.doubts))
		for i, d := range j.doubts {
			zh[i], en[i] = d.ZH, d.EN
		}
		j.add(timeRule.check("time-not-proven", clock(j.claimed), strings.Join(zh, "；"), strings.Join(en, "; ")))
	case j.sig.Claimed.IsZero():
		j.add(timeRule.check("time-absent"))
	case j.claimed.After(j.at.Add(clockSlip)):
		j.add(timeRule.check("time-future", clock(j.claimed), clock(j.at)))
	default:
		j.add(timeRule.check("time-claimed", clock(j.claimed)))
	}
}

func (j *judge) timestamp(present bool) {
	if present {
		j.add(stampRule.check("not-judged"))
		return
	}
	j.add(stampRule.check("no-timestamp"))
}
