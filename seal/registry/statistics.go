package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Dimension is what statistics are told apart by.
type Dimension string

const (
	ByCourt  Dimension = "court"
	BySeal   Dimension = "seal"
	ByPerson Dimension = "person"
	ByApp    Dimension = "app"
	ByKind   Dimension = "kind"
	ByDay    Dimension = "day"   // in Zone, on which the use was first entered: 2026-01-31
	ByMonth  Dimension = "month" // 2026-01
	ByYear   Dimension = "year"
)

var dimensions = map[Dimension]string{
	ByCourt: "org", BySeal: "seal", ByPerson: "person", ByApp: "app", ByKind: "kind", ByDay: "date", ByMonth: "date / 100", ByYear: "date / 10000",
}

// A Figure is the number of uses that have the same values in the dimensions asked for.
type Figure struct {
	Values    []string // in the order of the dimensions
	Uses      int      // requests that were entered, however often repeated
	Done      int      // of these: with values
	Failed    int      // without; the rest has begun and come to no end
	Withdrawn int      // of those not failed
}

// Statistics count the uses that a filter chooses by one or more dimensions, in the order of their values; by none, all
// together. The filter's After and Limit mean nothing here.
func (r *Registry) Statistics(ctx context.Context, f Filter, by ...Dimension) (list []Figure, err error) {
	f.After = 0
	where, args := f.where()
	columns := make([]string, len(by))
	for i, d := range by {
		if columns[i] = dimensions[d]; columns[i] == "" || slices.Contains(by[:i], d) {
			return nil, fmt.Errorf("%w: statistics by %q: no such dimension, or twice", ErrOp, d)
		}
	}
	group := ""
	if len(by) > 0 {
		group = " GROUP BY " + strings.Join(columns, ", ") + " ORDER BY " + strings.Join(columns, ", ")
	}
	count := func(condition string) string {
		return "COALESCE(SUM(CASE WHEN " + condition + " THEN 1 ELSE 0 END), 0)"
	}
	query := "SELECT " + strings.Join(append(columns, "COUNT(*)", count("state = 'done'"), count("state = 'failed'"), count("withdrawn >= 0")), ", ") +
		" FROM @use WHERE " + where + group
	err = r.read(ctx, func(s *state) error {
		return s.each(query, args, func(scan func(...any) error) error {
			f := Figure{Values: make([]string, len(by))}
			dest := make([]any, 0, len(by)+4)
			for i := range f.Values {
				dest = append(dest, &f.Values[i])
			}
			err := scan(append(dest, &f.Uses, &f.Done, &f.Failed, &f.Withdrawn)...)
			for i, d := range by {
				f.Values[i] = period(d, f.Values[i])
			}
			list = append(list, f)
			return err
		})
	})
	return list, err
}

// period writes 20260131 as 2026-01-31, and 202601 as 2026-01.
func period(d Dimension, value string) string {
	if (d == ByDay || d == ByMonth) && len(value) >= 6 {
		value = value[:4] + "-" + value[4:6] + strings.TrimSuffix("-"+value[6:], "-")
	}
	return value
}
