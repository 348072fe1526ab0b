package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/courtseal/courtseal/seal"
)

var holderTables = []table{
	{"holding", `entry BIGINT NOT NULL, seal TEXT NOT NULL, at BIGINT NOT NULL, person TEXT NOT NULL, device TEXT NOT NULL,
		annulled BIGINT NOT NULL, PRIMARY KEY (entry, seal)`, []string{"seal, entry"}},
}

var holderRules = []Rule{
	{Kind: "seal.holder", Roles: []Role{Approver}, Central: true, make: func() Op { return new(ChangeHolder) }},
	{Kind: "seal.move", Roles: []Role{Maker}, make: func() Op { return new(MoveSeal) }},
}

// hold enters who has a seal from now on and on which device, and says so in the seal's row.
func (s *state) hold(id, person, device string) error {
	if err := s.exec(`INSERT INTO @holding VALUES ($1, $2, $3, $4, $5, -1)`, int64(s.index), id, millis(s.time), person, device); err != nil {
		return err
	}
	return s.change("seal "+id, `UPDATE @seal SET holder = $2, device = $3 WHERE id = $1`, id, person, device)
}

// ChangeHolder (变更印章持有人) gives a seal to another keeper of its organisation, with the device it is on and the keys
// that go with it: what they sign is the new keeper's deed from then on. The fingers that open the device are the
// device's own affair. Also names the other seals on the device that have not ended: they go the same way.
type ChangeHolder struct {
	Seal   string
	To     string   // a keeper
	Also   []string // esID
	Reason string
	From   string   `books:"filled"` // filled in
	Device string   `books:"filled"` // filled in
	Certs  []string `books:"filled"` // CertDigest of the keys that change their owner; filled in
}

func (*ChangeHolder) Kind() string                      { return "seal.holder" }
func (op *ChangeHolder) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *ChangeHolder) check(s *state) error {
	if err := need("to", op.To, "reason", op.Reason); err != nil {
		return err
	}
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if err := s.mayKeep(op.To, r.Org); err != nil {
		return err
	}
	if op.To == s.actor.Person {
		return fmt.Errorf("%w: %s takes no seal into their own hands", ErrRights, s.actor)
	}
	if r.Holder == op.To {
		return fmt.Errorf("%w: seal %s is kept by %s", ErrExists, r.ID, r.Holder)
	}
	op.From, op.Device, op.Certs = r.Holder, r.Device, nil
	if err := op.checkSeals(s, r); err != nil {
		return err
	}
	if op.From == "" {
		return nil // imported without a holder: it has no key here
	}
	return op.findCerts(s, r)
}

// checkSeals asks that all seals that go are active or suspended, and that none stays behind on the device.
func (op *ChangeHolder) checkSeals(s *state, r SealInfo) error {
	if err := r.is(active, suspended); err != nil {
		return err
	}
	if r.Device == "" {
		if len(op.Also) > 0 {
			return fmt.Errorf("%w: seal %s is on no device, so that no other goes with it", ErrOp, r.ID)
		}
		return nil
	}
	if err := s.deviceOf(r.Device, r.Holder); err != nil {
		return err
	}
	on, err := s.sealsOn(r.Device)
	if err != nil {
		return err
	}
	var others []string
	for _, o := range on {
		if err := o.is(active, suspended); err != nil {
			return err
		}
		if o.ID == r.ID {
			continue
		}
		if err := op.checkOther(s, o, r); err != nil {
			return err
		}
		others = append(others, o.ID)
	}
	named := slices.Sorted(slices.Values(op.Also))
	if !slices.Equal(named, others) {
		return fmt.Errorf("%w: with seal %s its device %s goes, and on that are also: %s; also names %s",
			ErrState, r.ID, r.Device, orNone(others), orNone(named))
	}
	return nil
}

// checkOther asks of a seal that goes along with r what was asked of r: that its organisation is one that the actor acts for, and
// that its new holder keeps seals there.
func (op *ChangeHolder) checkOther(s *state, o, r SealInfo) error {
	if err := s.mayKeep(op.To, o.Org); err != nil {
		return err
	}
	root, err := s.root()
	if err != nil {
		return err
	}
	if below, err := s.within(o.Org, r.Org); err != nil || below {
		return err
	}
	if held, err := s.holds(s.actor.Person, root, []Role{Approver}); err != nil || held {
		return err
	}
	return fmt.Errorf("%w: seal %s is on the same device and %s's; for that it takes an approver of %s", ErrRights, o.ID, o.Org, root)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// findCerts finds the holder's keys in force on the device and, of a seal that is on none, those that the seal lists.
func (op *ChangeHolder) findCerts(s *state, r SealInfo) error {
	digests, err := s.strings(`SELECT digest FROM @cert WHERE person = $1 AND device = $2 AND ended = 0 ORDER BY digest`, r.Holder, r.Device)
	if err != nil || r.Device != "" {
		op.Certs = digests
		return err
	}
	der, err := s.sealDER(r.ID)
	if err != nil {
		return err
	}
	made, err := seal.Parse(der)
	if err != nil {
		return err
	}
	for _, d := range digests {
		cert, err := s.certOf(r.Holder, d)
		if err != nil {
			return err
		}
		if made.Holds(cert) {
			op.Certs = append(op.Certs, d)
		}
	}
	return nil
}

func (op *ChangeHolder) apply(s *state) error {
	for _, id := range append([]string{op.Seal}, op.Also...) {
		if err := s.hold(id, op.To, op.Device); err != nil {
			return err
		}
	}
	for _, d := range op.Certs {
		if err := s.change("certificate "+d, `UPDATE @cert SET person = $2 WHERE digest = $1`, d, op.To); err != nil {
			return err
		}
	}
	if op.Device == "" {
		return nil
	}
	return s.change("device "+op.Device, `UPDATE @device SET holder = $2 WHERE id = $1`, op.Device, op.To)
}

// MoveSeal enters that a seal was written to another device of its holder, where its certList names a key on that: the
// spare of a device that broke. Otherwise the seal is to be re-made (重新制作), and so is one whose device was lost: whoever
// has that, has a key that the seal lists.
type MoveSeal struct{ Seal, Device, Reason string }

func (*MoveSeal) Kind() string                      { return "seal.move" }
func (op *MoveSeal) place(s *state) (string, error) { return s.sealOrg(op.Seal) }
func (op *MoveSeal) check(s *state) error {
	if err := s.stands(op.Seal, op.Reason, active, suspended); err != nil {
		return err
	}
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	if r.Device == op.Device {
		return fmt.Errorf("%w: seal %s is on device %s", ErrExists, r.ID, r.Device)
	}
	if r.Device != "" {
		d, err := s.device(r.Device)
		if err != nil {
			return err
		}
		if err := d.is(DeviceInUse, DeviceBroken); err != nil {
			return err
		}
	}
	der, err := s.sealDER(r.ID)
	if err != nil {
		return err
	}
	return s.carries(op.Device, r.Holder, der)
}
func (op *MoveSeal) apply(s *state) error {
	r, err := s.seal(op.Seal)
	if err != nil {
		return err
	}
	return s.hold(op.Seal, r.Holder, op.Device)
}

// A Holding is who had a seal from a time on, and on which device; empty where it had none.
type Holding struct {
	Person, Device string
	From           time.Time
	Entry          uint64
}

// Holders are all who had a seal, the first first.
func (r *Registry) Holders(ctx context.Context, esID string) (list []Holding, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.holdings(`ORDER BY entry`, esID)
		return err
	})
	return list, err
}

// Holder is who had a seal at a moment; the zero time is now. Where the books know of nobody it is ErrUnknown.
func (r *Registry) Holder(ctx context.Context, esID string, t time.Time) (h Holding, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err := s.holdings(`AND at <= $2 ORDER BY entry DESC LIMIT 1`, esID, moment(t))
		if err == nil && len(list) == 0 {
			return fmt.Errorf("%w: holder of seal %s", ErrUnknown, esID)
		}
		if err == nil {
			h = list[0]
		}
		return err
	})
	return h, err
}

func (s *state) holdings(rest string, args ...any) (list []Holding, err error) {
	err = s.each(`SELECT person, device, at, entry FROM @holding WHERE seal = $1 AND annulled < 0 `+rest, args, func(scan func(...any) error) error {
		var h Holding
		var at int64
		err := scan(&h.Person, &h.Device, &at, &h.Entry)
		h.From = fromMillis(at)
		list = append(list, h)
		return err
	})
	return list, err
}
