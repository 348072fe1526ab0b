package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/courtseal/courtseal/audit"
	"github.com/courtseal/courtseal/audit/ledger"
)

var correctTables = []table{
	{"correction", `entry BIGINT PRIMARY KEY, root BIGINT NOT NULL, annuls BIGINT NOT NULL`, []string{"root, entry"}},
}

var correctRules = []Rule{
	{Kind: "correct", Roles: []Role{Approver}, make: func() Op { return new(Correct) }},
}

// Correct annuls an entry that was a mistake, as if it had not been: the seal it changed is in the state, with the holder
// and on the device, that the other entries come to, at every moment. History shows both. A seal that was made or imported by
// mistake is void.
//
// It annuls making, delivery, reception, import, suspension, resumption and revocation of a seal, the report that it was
// lost, that its device broke or was lost, and a correction, which then is as if it had not been in its turn. What other
// operations did is undone with others: the error names which. Where later entries make sense only with the mistaken one,
// those are to be corrected first. Nobody corrects what they did themselves, or what was done about a seal that they keep.
type Correct struct {
	Entry  uint64
	Reason string
	Undoes string `books:"filled"` // the kind of the entry; filled in
}

func (*Correct) Kind() string { return "correct" }

// undoneBy names the operations that undo what is not for Correct. No name: nothing does, or there is nothing to undo.
var undoneBy = map[string]string{
	"role.give": "role.take", "role.take": "role.give", "person.add": "person.disable",
	"person.disable": "person.enable", "person.enable": "person.disable", "person.key": "person.key-end", "person.key-end": "person.key",
	"device.add": "device.retire", "device.hand": "device.hand", "device.restore": "device.break", "device.retire": "device.add",
	"app.add": "app.switch", "app.set": "app.set", "app.switch": "app.switch",
	"credential.set": "credential.withdraw", "credential.withdraw": "credential.set",
	"approvals.set": "approvals.set", "application.file": "application.withdraw",
	"seal.holder": "seal.holder", "seal.move": "seal.move",
	"control.set": "control.set", "grant.give": "grant.withdraw", "grant.withdraw": "grant.give",
	"delegation.give": "delegation.withdraw", "delegation.withdraw": "delegation.give",
	"sealing.withdraw": "sealing.restore", "sealing.restore": "sealing.withdraw",
	"offline.issue": "offline.withdraw", "offline.withdraw": "offline.issue", "list.publish": "list.publish",
}

// A mistake is an entry that is to be annulled, or restored by annulling its correction.
type mistake struct {
	actor  Actor  // of the entry named
	root   uint64 // the entry itself or, of a correction, the one that all corrections in its line are about
	op     Op     // of root
	annul  bool   // or else restore
	latest int64  // the last correction of root, -1: none
}

// entryLeaf is the leaf of an entry that was there before.
func (s *state) entryLeaf(index uint64) (audit.Leaf, error) {
	e, err := s.tx.Entry(s.ctx, index)
	if errors.Is(err, ledger.ErrNoEntry) {
		return audit.Leaf{}, fmt.Errorf("%w: entry %d", ErrUnknown, index)
	}
	if err != nil {
		return audit.Leaf{}, err
	}
	return audit.ParseLeaf(e.Leaf)
}

// entryOp is the operation of an entry, without what stands beside its leaf.
func (s *state) entryOp(index uint64) (Op, Actor, error) {
	leaf, err := s.entryLeaf(index)
	if err != nil {
		return nil, Actor{}, err
	}
	by, err := parseActor(leaf.Fields["actor"])
	if err != nil {
		return nil, by, err
	}
	if _, use := uses[leaf.Kind]; use {
		return nil, by, fmt.Errorf("%w: entry %d is of the use of a seal, %s; a sealing is withdrawn", ErrState, index, leaf.Kind)
	}
	op, err := decode(leaf, nil)
	return op, by, err
}

func (s *state) mistake(index uint64) (m mistake, err error) {
	if index >= s.index {
		return m, fmt.Errorf("%w: entry %d", ErrUnknown, index)
	}
	op, by, err := s.entryOp(index)
	if err != nil {
		return m, err
	}
	m = mistake{actor: by, root: index, op: op, annul: true, latest: -1}
	if _, is := op.(*Correct); is {
		var root, annuls int64
		if err := s.get(fmt.Sprintf("correction %d", index), []any{&root, &annuls},
			`SELECT root, annuls FROM @correction WHERE entry = $1`, int64(index)); err != nil {
			return m, err
		}
		m.root, m.annul = uint64(root), annuls == 0
		if m.op, _, err = s.entryOp(m.root); err != nil {
			return m, err
		}
	}
	err = s.each(`SELECT entry FROM @correction WHERE root = $1 ORDER BY entry DESC LIMIT 1`, []any{int64(m.root)},
		func(scan func(...any) error) error { return scan(&m.latest) })
	return m, err
}

// subject is the seal that the operation of a mistake is about; of the break of a device, the device.
func (m mistake) subject() (seal, device string, err error) {
	switch op := m.op.(type) {
	case *MakeSeal:
		return op.Seal, "", nil
	case *ImportSeal:
		return op.Seal, "", nil
	case *DeliverSeal:
		return op.Seal, "", nil
	case *ReceiveSeal:
		return op.Seal, "", nil
	case *ReportLoss:
		return op.Seal, "", nil
	case *SuspendSeal:
		return op.Seal, "", nil
	case *ResumeSeal:
		return op.Seal, "", nil
	case *RevokeSeal:
		return op.Seal, "", nil
	case *BreakDevice:
		return "", op.Device, nil
	}
	kind := m.op.Kind()
	if by := undoneBy[kind]; by != "" {
		return "", "", fmt.Errorf("%w: entry %d is %s, which %s undoes", ErrState, m.root, kind, by)
	}
	return "", "", fmt.Errorf("%w: entry %d is %s, which nothing undoes", ErrState, m.root, kind)
}

func (op *Correct) place(s *state) (string, error) {
	m, err := s.mistake(op.Entry)
	if err != nil {
		return "", err
	}
	seal, device, err := m.subject()
	if err != nil {
		return "", err
	}
	if device != "" {
		return s.deviceOrg(device)
	}
	return s.sealOrg(seal)
}

func (op *Correct) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	m, err := s.mistake(op.Entry)
	if err != nil {
		return err
	}
	if m.actor.Person == s.actor.Person {
		return fmt.Errorf("%w: entry %d is of %s, and nobody corrects themselves", ErrRights, op.Entry, m.actor)
	}
	if m.latest >= 0 && uint64(m.latest) != op.Entry {
		return fmt.Errorf("%w: entry %d was corrected by entry %d; correct that", ErrState, op.Entry, m.latest)
	}
	op.Undoes = m.op.Kind()
	if err := m.checkEffects(s); err != nil {
		return err
	}
	seals, err := s.sealsOfEntry(m.root)
	if err != nil {
		return err
	}
	for _, id := range seals {
		r, err := s.seal(id)
		if err != nil {
			return err
		}
		if err := errors.Join(s.isNotHolder(r), m.checkLife(s, id)); err != nil {
			return err
		}
	}
	return nil
}

// sealsOfEntry are the seals whose state an entry changed.
func (s *state) sealsOfEntry(index uint64) ([]string, error) {
	return s.strings(`SELECT DISTINCT seal FROM @change WHERE entry = $1 ORDER BY seal`, int64(index))
}

// checkEffects asks that what else the operation did can be undone or done again.
func (m mistake) checkEffects(s *state) error {
	switch op := m.op.(type) {
	case *BreakDevice:
		d, err := s.device(op.Device)
		if err != nil {
			return err
		}
		if !m.annul {
			return fmt.Errorf("%w: that device %s broke was corrected; enter it anew with device.break", ErrState, d.ID)
		}
		if d.Entry != m.root {
			return fmt.Errorf("%w: device %s is %s by the later entry %d", ErrState, d.ID, d.State, d.Entry)
		}
	case *MakeSeal:
		if m.annul {
			return nil
		}
		a, err := s.application(op.Application)
		if err != nil {
			return err
		}
		return a.is("withdrawn")
	case *RevokeSeal:
		if m.annul {
			return nil
		}
		a, err := s.application(op.Application)
		if err != nil {
			return err
		}
		return a.is("approved")
	}
	return nil
}

// checkLife asks that the life of a seal has no step that is not allowed, and that it can be used if it is active in the end.
func (m mistake) checkLife(s *state, id string) error {
	all, err := s.history(id)
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b Change) int { return a.At.Compare(b.At) })
	var last Change
	for _, c := range all {
		switch {
		case c.Entry == m.root && m.annul && m.makes(id) && last.State == "":
			c.State = void
		case c.Entry == m.root && m.annul, c.Entry != m.root && c.Annulled > 0, !m.annul && int64(c.Entry) == m.latest:
			continue
		}
		if !last.State.before(c.State) {
			return fmt.Errorf("%w: without entry %d seal %s would be %q when entry %d made it %s; correct that first",
				ErrState, m.root, id, last.State, c.Entry, c.State)
		}
		last = c
	}
	return m.checkUsable(s, id, last.State)
}

func (m mistake) checkUsable(s *state, id string, state SealState) error {
	r, err := s.seal(id)
	if err != nil || r.State == state {
		return err
	}
	if op, is := m.op.(*DeliverSeal); is && !m.annul {
		return s.deviceOf(op.Device, r.Holder)
	}
	if _, is := m.op.(*BreakDevice); is || state != active || r.Device == "" {
		return nil
	}
	return s.deviceOf(r.Device, r.Holder)
}

// makes reports whether the operation brought a seal into the books.
func (m mistake) makes(id string) bool {
	switch op := m.op.(type) {
	case *MakeSeal:
		return op.Seal == id
	case *ImportSeal:
		return op.Seal == id
	}
	return false
}

// steps are the changes of state there are. An imported seal begins in any.
var steps = map[SealState][]SealState{
	made:      {delivered, lost, replaced, revoked},
	delivered: {active, lost, suspended, replaced, revoked},
	active:    {active, lost, suspended, replaced, revoked},
	lost:      {lost, active, replaced, revoked},
	suspended: {suspended, active, lost, replaced, revoked},
}

// before reports whether a seal in this state may become that; what stands in between may have been annulled.
func (s SealState) before(to SealState) bool { return s == "" || slices.Contains(steps[s], to) }

func (op *Correct) apply(s *state) error {
	m, err := s.mistake(op.Entry)
	if err != nil {
		return err
	}
	annuls := 0
	if m.annul {
		annuls = 1
	}
	if err := s.exec(`INSERT INTO @correction VALUES ($1, $2, $3)`, int64(s.index), int64(m.root), annuls); err != nil {
		return err
	}
	seals, err := s.sealsOfEntry(m.root)
	if err != nil {
		return err
	}
	if err := m.flip(s); err != nil {
		return err
	}
	for _, id := range seals {
		if m.annul && m.makes(id) {
			if err := s.voidSeal(id, m.root, op.Reason); err != nil {
				return err
			}
		}
		if err := s.settle(id); err != nil {
			return err
		}
	}
	return m.effects(s)
}

// flip annuls the rows of the mistaken entry, or restores them and annuls those of its correction.
func (m mistake) flip(s *state) error {
	for _, t := range []string{"change", "holding"} {
		if !m.annul {
			if err := s.exec(`UPDATE @`+t+` SET annulled = $2 WHERE entry = $1`, m.latest, int64(s.index)); err != nil {
				return err
			}
		}
		by := int64(s.index)
		if !m.annul {
			by = -1
		}
		if err := s.exec(`UPDATE @`+t+` SET annulled = $2 WHERE entry = $1`, int64(m.root), by); err != nil {
			return err
		}
	}
	return nil
}

// voidSeal makes a seal void from when the mistaken entry brought it into the books.
func (s *state) voidSeal(id string, root uint64, reason string) error {
	var at int64
	if err := s.get("seal "+id, []any{&at}, `SELECT MIN(at) FROM @change WHERE seal = $1 AND entry = $2`, id, int64(root)); err != nil {
		return err
	}
	return s.addChange(id, void, reason, fromMillis(at))
}

// settle gives a seal's row what the changes that stand come to.
func (s *state) settle(id string) error {
	r, err := s.seal(id)
	if err != nil {
		return err
	}
	r.Holder, r.Device = "", ""
	if err := s.each(`SELECT state FROM @change WHERE seal = $1 AND annulled < 0 ORDER BY at DESC, entry DESC LIMIT 1`, []any{id},
		func(scan func(...any) error) error { return scan(&r.State) }); err != nil {
		return err
	}
	if err := s.each(`SELECT person, device FROM @holding WHERE seal = $1 AND annulled < 0 ORDER BY entry DESC LIMIT 1`, []any{id},
		func(scan func(...any) error) error { return scan(&r.Holder, &r.Device) }); err != nil {
		return err
	}
	return s.change("seal "+id, `UPDATE @seal SET state = $2, holder = $3, device = $4 WHERE id = $1`, id, string(r.State), r.Holder, r.Device)
}

// effects undoes, or does again, what else the operation did.
func (m mistake) effects(s *state) error {
	application := func(id, annulled string) error {
		to := "done"
		if m.annul {
			to = annulled
		}
		return s.change("application "+id, `UPDATE @application SET state = $2 WHERE id = $1`, id, to)
	}
	switch op := m.op.(type) {
	case *BreakDevice:
		return s.restoreDevice(op.Device)
	case *RevokeSeal:
		return application(op.Application, "approved")
	case *MakeSeal:
		a, err := s.application(op.Application)
		if err != nil {
			return err
		}
		if a.Replaces != "" {
			by := op.Seal
			if m.annul {
				by = ""
			}
			if err := s.change("seal "+a.Replaces, `UPDATE @seal SET replaced_by = $2 WHERE id = $1`, a.Replaces, by); err != nil {
				return err
			}
		}
		return application(a.ID, "withdrawn")
	}
	return nil
}

// A Change is one step in the life of a seal.
type Change struct {
	Entry    uint64
	At       time.Time
	State    SealState
	Reason   string
	By       Actor
	Annulled uint64 // the correcting entry by which it never was; 0: it stands
}

// History is the life of a seal in the order of its entries, with what was annulled.
func (r *Registry) History(ctx context.Context, esID string) (list []Change, err error) {
	err = r.read(ctx, func(s *state) error {
		if _, err := s.seal(esID); err != nil {
			return err
		}
		list, err = s.history(esID)
		return err
	})
	return list, err
}

func (s *state) history(id string) (list []Change, err error) {
	err = s.each(`SELECT entry, at, state, reason, actor, annulled FROM @change WHERE seal = $1 ORDER BY entry, at`, []any{id},
		func(scan func(...any) error) error {
			var c Change
			var at, annulled int64
			var by string
			if err := scan(&c.Entry, &at, &c.State, &c.Reason, &by, &annulled); err != nil {
				return err
			}
			c.At, c.Annulled = fromMillis(at), uint64(max(annulled, 0))
			list = append(list, c)
			list[len(list)-1].By, err = parseActor(by)
			return err
		})
	return list, err
}
