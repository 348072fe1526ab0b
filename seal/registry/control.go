package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

var controlTables = []table{
	{"control", `seal TEXT PRIMARY KEY, limits TEXT NOT NULL`, nil},
	{"count", `what TEXT NOT NULL, day BIGINT NOT NULL, n BIGINT NOT NULL, PRIMARY KEY (what, day)`, nil},
}

var controlRules = []Rule{
	{Kind: "control.set", Roles: []Role{Administrator}, make: func() Op { return new(SetControl) }},
}

// Limits of the use of a seal. What is zero limits nothing.
type Limits struct {
	Kinds    []string // of document (文书种类): "judgment", "ruling", …
	Courts   []string // organisations, and those below them, in whose matters it is used
	Hours    []string // of the day in Zone: "08:30-12:00"; the end is not among them, and may be 24:00
	Weekdays []string // "mon", "tue", …
	PerDay   int      // uses a day
	Approval bool     // each use needs an approved application for its one document
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// maxList is how many items a list of limits may have: the entry names them all.
const maxList = 200

func (l Limits) check(s *state) error {
	if len(l.Kinds)+len(l.Courts)+len(l.Hours)+len(l.Weekdays) > maxList {
		return fmt.Errorf("%w: limits of more than %d items", ErrOp, maxList)
	}
	for _, k := range l.Kinds {
		if err := checkID("kinds", k); err != nil {
			return err
		}
	}
	for _, org := range l.Courts {
		if _, err := s.within(org, ""); err != nil {
			return err
		}
	}
	for _, h := range l.Hours {
		if _, _, err := hours(h); err != nil {
			return err
		}
	}
	for _, d := range l.Weekdays {
		if !slices.Contains(weekdays, d) {
			return fmt.Errorf("%w: weekdays %q: they are %s", ErrOp, d, strings.Join(weekdays, " "))
		}
	}
	if l.PerDay < 0 {
		return fmt.Errorf("%w: per-day is %d", ErrOp, l.PerDay)
	}
	return nil
}

// none reports whether nothing is limited.
func (l Limits) none() bool {
	return len(l.Kinds)+len(l.Courts)+len(l.Hours)+len(l.Weekdays)+l.PerDay == 0 && !l.Approval
}

// hours reads "08:30-12:00" as minutes of the day.
func hours(text string) (from, to int, err error) {
	a, b, ok := strings.Cut(text, "-")
	from, ok1 := minutes(a)
	to, ok2 := minutes(b)
	if !ok || !ok1 || !ok2 || from >= to {
		return 0, 0, fmt.Errorf("%w: hours %q are none such as 08:30-12:00", ErrOp, text)
	}
	return from, to, nil
}

func minutes(text string) (int, bool) {
	if text == "24:00" {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// A wish is a use somebody asks for, as limits see it.
type wish struct {
	kind, org string
	approved  bool // an application for this document is given
	counted   bool // it was counted when it was first asked for
	today     bool // and on this day
}

// allow asks that the limits of what, a seal or grant, let a use through. what is also the name its uses are counted under.
func (s *state) allow(what string, l Limits, w wish) error {
	if len(l.Kinds) > 0 && !slices.Contains(l.Kinds, w.kind) {
		return fmt.Errorf("%w: %s is for documents of kind %s, not %q", ErrLimit, what, strings.Join(l.Kinds, ", "), w.kind)
	}
	if ok, err := s.among(w.org, l.Courts); err != nil || !ok {
		return orLimit(err, "%s is for %s, not for matters of %s", what, strings.Join(l.Courts, ", "), w.org)
	}
	local := s.time.In(Zone)
	if day := weekdays[local.Weekday()]; len(l.Weekdays) > 0 && !slices.Contains(l.Weekdays, day) {
		return fmt.Errorf("%w: %s is for %s, and today is %s", ErrLimit, what, strings.Join(l.Weekdays, " "), day)
	}
	if minute := local.Hour()*60 + local.Minute(); len(l.Hours) > 0 && !slices.ContainsFunc(l.Hours, func(h string) bool {
		from, to, err := hours(h)
		return err == nil && from <= minute && minute < to
	}) {
		return fmt.Errorf("%w: %s is for %s, and it is %s", ErrLimit, what, strings.Join(l.Hours, " "), local.Format("15:04"))
	}
	if l.Approval && !w.approved {
		return fmt.Errorf("%w: %s wants an approved application for each document; apply with purpose %q", ErrLimit, what, ForUse)
	}
	if w.today {
		return nil
	}
	return s.allowToday(what, l.PerDay)
}

// among reports whether an organisation is one of a list or below one. An empty list has all.
func (s *state) among(org string, list []string) (bool, error) {
	for _, top := range list {
		if in, err := s.within(org, top); err != nil || in {
			return in, err
		}
	}
	return len(list) == 0, nil
}

func orLimit(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: "+format, append([]any{ErrLimit}, args...)...)
}

// allowToday asks that what has a use left today.
func (s *state) allowToday(what string, perDay int) error {
	if perDay == 0 {
		return nil
	}
	n, err := s.counted(what, s.date(s.time))
	if err == nil && n >= perDay {
		return fmt.Errorf("%w: %s has had its %d uses of today", ErrLimit, what, perDay)
	}
	return err
}

// counted is how many uses were counted under a name on a day.
func (s *state) counted(what string, day int64) (n int, err error) {
	err = s.each(`SELECT n FROM @count WHERE what = $1 AND day = $2`, []any{what, day}, func(scan func(...any) error) error { return scan(&n) })
	return n, err
}

// count adds uses under names on a day.
func (s *state) count(day int64, n int, names ...string) error {
	rows, args := make([]string, len(names)), []any{day, n}
	for i, what := range names {
		rows[i] = fmt.Sprintf("($%d, $1, $2)", i+3)
		args = append(args, what)
	}
	return s.exec(`INSERT INTO @count VALUES `+strings.Join(rows, ", ")+` ON CONFLICT (what, day) DO UPDATE SET n = @count.n + excluded.n`, args...)
}

// text is how limits stand in tables.
func (l Limits) text() string {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // strings, numbers and a bool
	}
	return string(b)
}

// scan reads limits out of a table.
func (l *Limits) scan(text string) error { return json.Unmarshal([]byte(text), l) }

// SetControl (用印管控) sets the limits of all uses of a seal, its holder's among them, in the place of those it had. They are an
// administrator's to set: nobody loosens their own, or those set from above, until they are taken back there, by setting none.
type SetControl struct {
	Seal string
	Limits
	Reason string
}

func (*SetControl) Kind() string                      { return "control.set" }
func (op *SetControl) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *SetControl) check(s *state) error {
	if err := op.Limits.check(s); err != nil {
		return err
	}
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	return s.mayLift("control " + op.Seal)
}
func (op *SetControl) apply(s *state) error {
	where, err := s.sealOrg(op.Seal)
	if err != nil {
		return err
	}
	if err := s.rule("control "+op.Seal, where); err != nil {
		return err
	}
	if op.Limits.none() {
		if err := s.lift("control " + op.Seal); err != nil {
			return err
		}
	}
	return s.exec(`INSERT INTO @control VALUES ($1, $2) ON CONFLICT (seal) DO UPDATE SET limits = $2`, op.Seal, op.Limits.text())
}

// control is the limits of a seal.
func (s *state) control(seal string) (l Limits, err error) {
	err = s.each(`SELECT limits FROM @control WHERE seal = $1`, []any{seal}, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		return l.scan(text)
	})
	return l, err
}
