package registry

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/courtseal/courtseal/audit/ledger"
	"github.com/courtseal/courtseal/sign"
)

// The values of done uses are kept, so that a request that is repeated has the same answer. They are no part of the books: the
// ledger has their digests, and who loses them loses the comfort alone.
var keptTable = table{"kept", `entry BIGINT NOT NULL, n BIGINT NOT NULL, value BYTES NOT NULL, notes TEXT NOT NULL, PRIMARY KEY (entry, n)`, nil}

func (s *state) createKept() error { return s.create(keptTable) }

func (s *state) keep(entry uint64, values []sign.Value) error {
	for i, v := range values {
		notes, err := json.Marshal(v.Notes)
		if err != nil {
			return err
		}
		if err := s.exec(`INSERT INTO @kept VALUES ($1, $2, $3, $4)`, int64(entry), i, v.Bytes, string(notes)); err != nil {
			return err
		}
	}
	return nil
}

// answer is the values of a use that was done, for an act that repeats it; a *RepeatedError where they are not its own.
func (s *state) answer(u UseInfo, act *sign.Act) (values []sign.Value, err error) {
	var digests []string
	err = s.each(`SELECT value, notes FROM @kept WHERE entry = $1 ORDER BY n`, []any{int64(u.Entry)}, func(scan func(...any) error) error {
		var v sign.Value
		var notes string
		if err := scan(&v.Bytes, &notes); err != nil {
			return err
		}
		values = append(values, v)
		digests = append(digests, hex.EncodeToString(sign.SM3.Sum(v.Bytes)))
		return json.Unmarshal([]byte(notes), &values[len(values)-1].Notes)
	})
	if err != nil {
		return nil, err
	}
	if !u.Withdrawn.IsZero() || u.Content != digestOf(act.Content) || len(values) != len(act.Parts) || !slices.Equal(digests, u.Values) {
		return nil, &RepeatedError{u}
	}
	// The signature of Office programs is over more than Content, the time among it.
	xml := slices.ContainsFunc(act.Parts, func(p sign.Part) bool { return p.Format == sign.XML })
	if xml && !u.Claimed.Equal(act.Time) {
		return nil, &RepeatedError{u}
	}
	return values, nil
}

// Forget deletes the kept values of uses that were first asked for before a time, and says how many values that were. To repeat
// such a request is a *RepeatedError from then on.
func (r *Registry) Forget(ctx context.Context, before time.Time) (n int64, err error) {
	_, err = r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) ([]ledger.Entry, error) {
		s := r.state(ctx, tx, Actor{}, tables)
		res, err := tx.ExecContext(ctx, s.sql(`DELETE FROM @kept WHERE entry IN (SELECT entry FROM @use WHERE at < $1)`), millis(before))
		if err != nil {
			return nil, err
		}
		n, err = res.RowsAffected()
		return nil, err
	})
	return n, err
}
