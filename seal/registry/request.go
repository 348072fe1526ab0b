package registry

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

var requestTables = []table{
	{"request", `actor TEXT NOT NULL, id TEXT NOT NULL, entry BIGINT NOT NULL, PRIMARY KEY (actor, id)`, nil},
}

// requested is the field of a leaf that names the request an operation was done for.
const requested = "request-id"

// DoOnce is Do for a request that may come again, because its answer was lost: under an ID that the actor chose, the same
// operation is done once, and each time the receipt is of its entry. Another operation under the ID is ErrRequest. An
// operation that was refused has left nothing, so that it may come again, too.
func (r *Registry) DoOnce(ctx context.Context, by Actor, request string, op Op) (audit.Receipt, error) {
	if err := checkID("request", request); err != nil {
		return audit.Receipt{}, err
	}
	return r.do(ctx, by, request, op)
}

func (r *Registry) do(ctx context.Context, by Actor, request string, op Op) (audit.Receipt, error) {
	rule, err := ruleOf(op)
	if err != nil {
		return audit.Receipt{}, err
	}
	op = clone(op)
	var earlier *uint64
	receipts, err := r.log.Do(ctx, func(ctx context.Context, tx *ledger.Tx) (entries []ledger.Entry, err error) {
		s := r.state(ctx, tx, by, tables)
		s.request = request
		if earlier, err = s.done(op); err != nil || earlier != nil {
			return nil, err
		}
		if err := s.authorise(rule, op); err != nil {
			return nil, err
		}
		if err := op.check(s); err != nil {
			return nil, fmt.Errorf("%s: %w", op.Kind(), err)
		}
		return s.enter(op)
	})
	switch {
	case err != nil:
		return audit.Receipt{}, err
	case earlier != nil:
		return r.log.Receipt(ctx, *earlier)
	}
	return receipts[0], nil
}

// done is the entry that the request made before; nil: none.
func (s *state) done(op Op) (*uint64, error) {
	if s.request == "" {
		return nil, nil
	}
	var at int64
	err := s.get("request "+s.request, []any{&at}, `SELECT entry FROM @request WHERE actor = $1 AND id = $2`, s.actor.String(), s.request)
	if errors.Is(err, ErrUnknown) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	index := uint64(at)
	e, err := s.tx.Entry(s.ctx, index)
	if err != nil {
		return nil, err
	}
	leaf, err := audit.ParseLeaf(e.Leaf)
	if err != nil {
		return nil, err
	}
	private, err := audit.ParsePrivate(e.Private)
	if err != nil {
		return nil, err
	}
	old, err := decode(leaf, private)
	if err != nil {
		return nil, err
	}
	if !sameOp(op, old, leaf) {
		return nil, fmt.Errorf("%w: %s was %s, in entry %d", ErrRequest, s.request, leaf.Kind, index)
	}
	return &index, nil
}

// sameOp reports whether an operation is the one that was entered. What is filled in was not the caller's to say, and what was
// redacted nobody can compare any more.
func sameOp(op, old Op, leaf audit.Leaf) bool {
	was := map[string]string{}
	err := eachField(old, func(name string, v reflect.Value) (err error) {
		was[name], err = toText(v)
		return err
	})
	same, open := op.Kind() == old.Kind(), filled(op)
	return same && errors.Join(err, eachField(op, func(name string, v reflect.Value) error {
		text, err := toText(v)
		redacted := was[name] == "" && leaf.Fields[name] != ""
		same = same && (text == was[name] || redacted || text == "" && open[name])
		return err
	})) == nil && same
}

// filled are the fields of an operation that the books fill in where the caller leaves them open.
func filled(op Op) map[string]bool {
	names := map[string]bool{}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(op).Elem()) {
		if f.Tag.Get("books") == "filled" {
			names[hyphened(f.Name)] = true
		}
	}
	return names
}

// A Field is one of an operation, as [Parse] takes it.
type Field struct {
	Name string `json:"name"`
	Type string `json:"type"` // text, number, yes-no, time (RFC 3339), list (a space between its items), octets (base64)
}

// Fields are those of the rule's operation that are the caller's to say.
func (r Rule) Fields() []Field {
	list := []Field{}
	op := r.make()
	open := filled(op)
	_ = eachField(op, func(name string, v reflect.Value) error {
		if !open[name] {
			list = append(list, Field{name, typeOf(v)})
		}
		return nil
	})
	return list
}

func typeOf(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return "yes-no"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "number"
	case reflect.Struct:
		return "time"
	case reflect.Slice:
		if isOctets(v) {
			return "octets"
		}
		return "list"
	}
	return "text"
}

// enterRequest remembers which entry a request made.
func (s *state) enterRequest(request string) error {
	if request == "" {
		return nil
	}
	return s.exec(`INSERT INTO @request VALUES ($1, $2, $3)`, s.actor.String(), request, int64(s.index))
}

// Holds reports whether a person has one of some roles at an organisation, or above it where the role reaches down. No
// organisation named is the root.
func (r *Registry) Holds(ctx context.Context, person, org string, roles ...Role) (held bool, err error) {
	err = r.read(ctx, func(s *state) error {
		if org == "" {
			if org, err = s.root(); err != nil {
				return err
			}
		}
		held, err = s.holds(person, org, roles)
		return err
	})
	return held, err
}
