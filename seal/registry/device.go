package registry

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/courtseal/courtseal/internal/gm"
	"github.com/courtseal/courtseal/seal"
	"github.com/courtseal/courtseal/sign"
)

var deviceTables = []table{
	{"device", `id TEXT PRIMARY KEY, kind TEXT NOT NULL, serial TEXT NOT NULL, org TEXT NOT NULL, holder TEXT NOT NULL,
		state TEXT NOT NULL, entry BIGINT NOT NULL`, []string{"org", "holder"}},
	{"cert", `digest TEXT PRIMARY KEY, person TEXT NOT NULL, device TEXT NOT NULL, der BYTES NOT NULL, ended BIGINT NOT NULL,
		ended_by BIGINT NOT NULL`, []string{"person", "device"}},
}

var deviceRules = []Rule{
	{Kind: "device.add", Roles: []Role{Administrator}, make: func() Op { return new(AddDevice) }},
	{Kind: "device.hand", Roles: []Role{Administrator}, make: func() Op { return new(HandDevice) }},
	{Kind: "device.break", Roles: []Role{Administrator, Maker, Keeper, Clerk, Approver}, make: func() Op { return new(BreakDevice) }},
	{Kind: "device.restore", Roles: []Role{Administrator}, make: func() Op { return new(RestoreDevice) }},
	{Kind: "device.retire", Roles: []Role{Administrator}, make: func() Op { return new(RetireDevice) }},
	{Kind: "person.key", Roles: []Role{Administrator}, make: func() Op { return new(AddKey) }},
	{Kind: "person.key-end", Roles: []Role{Administrator}, make: func() Op { return new(EndKey) }},
}

// A DeviceKind is what keeps a private key.
type DeviceKind string

const (
	FingerprintKey DeviceKind = "fingerprint-key" // 指纹Key
	CipherCard     DeviceKind = "cipher-card"     // 密码卡
	Token          DeviceKind = "pkcs11-token"    // PKCS#11
	SoftwareKey    DeviceKind = "software-key"    // a file: whoever copies it has the key
)

// A DeviceState is where a device is in its life.
type DeviceState string

const (
	DeviceInUse   DeviceState = "in-use"
	DeviceBroken  DeviceState = "broken"
	DeviceLost    DeviceState = "lost"
	DeviceRetired DeviceState = "retired" // for good
)

// A DeviceInfo is what the books hold of a device.
type DeviceInfo struct {
	ID     string
	Kind   DeviceKind
	Serial string
	Org    string
	Holder string // nobody: it lies at the organisation
	State  DeviceState
	Entry  uint64 // that made the state
}

func (s *state) devices(where string, args ...any) (list []DeviceInfo, err error) {
	err = s.each(`SELECT id, kind, serial, org, holder, state, entry FROM @device WHERE `+where+` ORDER BY id`, args,
		func(scan func(...any) error) error {
			var d DeviceInfo
			err := scan(&d.ID, &d.Kind, &d.Serial, &d.Org, &d.Holder, &d.State, &d.Entry)
			list = append(list, d)
			return err
		})
	return list, err
}

func (s *state) device(id string) (d DeviceInfo, err error) {
	list, err := s.devices(`id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("%w: device %s", ErrUnknown, id)
	}
	if err != nil {
		return d, err
	}
	return list[0], nil
}

// is asks that a device is in one of the states.
func (d DeviceInfo) is(states ...DeviceState) error {
	for _, s := range states {
		if d.State == s {
			return nil
		}
	}
	return fmt.Errorf("%w: device %s is %s, not %s", ErrState, d.ID, d.State, states[0])
}

func (s *state) deviceOrg(id string) (string, error) {
	d, err := s.device(id)
	return d.Org, err
}

// deviceOf asks that a device is in use and held by a person.
func (s *state) deviceOf(id, person string) error {
	d, err := s.device(id)
	if err != nil {
		return err
	}
	if d.Holder != person {
		return fmt.Errorf("%w: device %s is held by %q, not by %s", ErrState, id, d.Holder, person)
	}
	return d.is(DeviceInUse)
}

// carries asks that a device in use is the person's and has on it a key in force whose certificate a seal lists: so that
// the seal can be used with it.
func (s *state) carries(device, person string, der []byte) error {
	if err := s.deviceOf(device, person); err != nil {
		return err
	}
	made, err := seal.Parse(der)
	if err != nil {
		return err
	}
	digests, err := s.strings(`SELECT digest FROM @cert WHERE device = $1 AND person = $2 AND ended = 0 ORDER BY digest`, device, person)
	if err != nil {
		return err
	}
	for _, d := range digests {
		cert, err := s.certOf(person, d)
		if err != nil {
			return err
		}
		if made.Holds(cert) {
			return nil
		}
	}
	return fmt.Errorf("%w: the certList of seal %s names no certificate in force on device %s", ErrState, made.ID, device)
}

// sealDER is a seal's octets.
func (s *state) sealDER(id string) (der []byte, err error) {
	err = s.get("seal "+id, []any{&der}, `SELECT der FROM @seal WHERE id = $1`, id)
	return der, err
}

// AddDevice enters a device of an organisation, in the hands of a person or, with none named, not yet handed out.
type AddDevice struct {
	ID     string
	Type   DeviceKind
	Serial string // the maker's number, where there is one
	Org    string
	Holder string
}

func (*AddDevice) Kind() string                    { return "device.add" }
func (op *AddDevice) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *AddDevice) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	switch op.Type {
	case FingerprintKey, CipherCard, Token, SoftwareKey:
	default:
		return fmt.Errorf("%w: type %q is none of %s", ErrOp, op.Type,
			[]DeviceKind{FingerprintKey, CipherCard, Token, SoftwareKey})
	}
	if op.Holder != "" {
		if err := s.belongs(op.Holder, op.Org); err != nil {
			return err
		}
	}
	return s.absent("device "+op.ID, `SELECT 1 FROM @device WHERE id = $1`, op.ID)
}
func (op *AddDevice) apply(s *state) error {
	return s.exec(`INSERT INTO @device VALUES ($1, $2, $3, $4, $5, 'in-use', $6)`,
		op.ID, string(op.Type), op.Serial, op.Org, op.Holder, int64(s.index))
}

// belongs asks that a person is of an organisation or has a role there.
func (s *state) belongs(person, org string) error {
	home, err := s.orgOf(person)
	if err != nil || home == org {
		return err
	}
	there, err := s.exists(`SELECT 1 FROM @role WHERE person = $1 AND org = $2`, person, org)
	if err == nil && !there {
		return fmt.Errorf("%w: %s is of %s and has no role at %s", ErrState, person, home, org)
	}
	return err
}

// HandDevice hands a device to another person, or takes it back (To empty). A device that has a seal or a key in force on
// it goes with those: see ChangeHolder, MoveSeal, EndKey.
type HandDevice struct{ Device, To, Reason string }

func (*HandDevice) Kind() string                      { return "device.hand" }
func (op *HandDevice) place(s *state) (string, error) { return s.deviceOrg(op.Device) }
func (op *HandDevice) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	if err := d.is(DeviceInUse); err != nil {
		return err
	}
	if d.Holder == op.To {
		return fmt.Errorf("%w: device %s is held by %q", ErrExists, d.ID, op.To)
	}
	if op.To != "" {
		if err := s.belongs(op.To, d.Org); err != nil {
			return err
		}
	}
	if err := s.bare(d.ID); err != nil {
		return err
	}
	key, err := s.exists(`SELECT 1 FROM @cert WHERE device = $1 AND ended = 0`, d.ID)
	if err == nil && key {
		return fmt.Errorf("%w: device %s has a key of %s in force; end it first", ErrState, d.ID, d.Holder)
	}
	return err
}
func (op *HandDevice) apply(s *state) error {
	return s.change("device "+op.Device, `UPDATE @device SET holder = $2 WHERE id = $1`, op.Device, op.To)
}

// sealsOn are the seals on a device that have not ended.
func (s *state) sealsOn(device string) ([]SealInfo, error) {
	return s.seals(`device = $1 AND state IN ('delivered', 'active', 'lost', 'suspended')`, device)
}

// bare asks that no seal is on a device that has not ended.
func (s *state) bare(device string) error {
	on, err := s.sealsOn(device)
	if err != nil || len(on) == 0 {
		return err
	}
	return fmt.Errorf("%w: seal %s, %s, is on device %s; move, re-make or revoke it first", ErrState, on[0].ID, on[0].State, device)
}

// BreakDevice enters that a device is broken or, with Lost, lost. Its keys are ended, and the seals on it stop in the
// same breath: suspended, or reported lost. Whoever holds it may say so; an administrator or maker, of any.
type BreakDevice struct {
	Device string
	Lost   bool
	Reason string
}

func (*BreakDevice) Kind() string                      { return "device.break" }
func (op *BreakDevice) place(s *state) (string, error) { return s.deviceOrg(op.Device) }
func (op *BreakDevice) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	if above, err := s.holds(s.actor.Person, d.Org, []Role{Administrator, Maker}); err != nil {
		return err
	} else if !above && d.Holder != s.actor.Person {
		return fmt.Errorf("%w: device %s is held by %q", ErrRights, d.ID, d.Holder)
	}
	if op.Lost {
		return d.is(DeviceInUse, DeviceBroken)
	}
	return d.is(DeviceInUse)
}
func (op *BreakDevice) apply(s *state) error {
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	now, to, states := DeviceBroken, suspended, []SealState{delivered, active}
	if op.Lost {
		now, to, states = DeviceLost, lost, []SealState{delivered, active, suspended}
	}
	if err := s.endKeys(d); err != nil {
		return err
	}
	if err := s.setDevice(d.ID, now); err != nil {
		return err
	}
	on, err := s.sealsOn(d.ID)
	if err != nil {
		return err
	}
	for _, r := range on {
		if r.is(states...) != nil {
			continue
		}
		if err := s.move(r.ID, to, fmt.Sprintf("device %s %s: %s", d.ID, now, op.Reason)); err != nil {
			return err
		}
	}
	return nil
}

func (s *state) setDevice(id string, to DeviceState) error {
	return s.change("device "+id, `UPDATE @device SET state = $2, entry = $3 WHERE id = $1`, id, string(to), int64(s.index))
}

// endKeys ends the keys on a device by this entry; those that the entry before it ended count as ended by this one.
func (s *state) endKeys(d DeviceInfo) error {
	if err := s.exec(`UPDATE @cert SET ended_by = $3 WHERE device = $1 AND ended <> 0 AND ended_by = $2`,
		d.ID, int64(d.Entry), int64(s.index)); err != nil {
		return err
	}
	return s.exec(`UPDATE @cert SET ended = $2, ended_by = $3 WHERE device = $1 AND ended = 0`, d.ID, millis(s.time), int64(s.index))
}

// RestoreDevice takes a device back into use that was found or repaired, its keys unharmed: those that BreakDevice ended
// are in force again. Its seals stay as they are until ResumeSeal.
type RestoreDevice struct{ Device, Reason string }

func (*RestoreDevice) Kind() string                      { return "device.restore" }
func (op *RestoreDevice) place(s *state) (string, error) { return s.deviceOrg(op.Device) }
func (op *RestoreDevice) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	return d.is(DeviceBroken, DeviceLost)
}
func (op *RestoreDevice) apply(s *state) error { return s.restoreDevice(op.Device) }

func (s *state) restoreDevice(id string) error {
	d, err := s.device(id)
	if err != nil {
		return err
	}
	if err := s.exec(`UPDATE @cert SET ended = 0, ended_by = -1 WHERE device = $1 AND ended_by = $2`, id, int64(d.Entry)); err != nil {
		return err
	}
	return s.setDevice(id, DeviceInUse)
}

// RetireDevice ends a device for good, with the keys on it. No seal may be on it that has not ended.
type RetireDevice struct{ Device, Reason string }

func (*RetireDevice) Kind() string                      { return "device.retire" }
func (op *RetireDevice) place(s *state) (string, error) { return s.deviceOrg(op.Device) }
func (op *RetireDevice) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	if err := d.is(DeviceInUse, DeviceBroken, DeviceLost); err != nil {
		return err
	}
	return s.bare(d.ID)
}
func (op *RetireDevice) apply(s *state) error {
	d, err := s.device(op.Device)
	if err != nil {
		return err
	}
	if err := s.endKeys(d); err != nil {
		return err
	}
	return s.setDevice(d.ID, DeviceRetired)
}

// AddKey enters a signing certificate of a person, on a device that is theirs or, with none named, on none that is
// registered: an approver's own key. What the certificate's key signs is the person's deed from then on. It takes who may give
// the person their roles.
type AddKey struct {
	Person string
	Device string
	Cert   []byte // DER
	Digest string `books:"filled"` // SM3 of Cert, hex; filled in
}

func (*AddKey) Kind() string                      { return "person.key" }
func (op *AddKey) place(s *state) (string, error) { return s.orgOf(op.Person) }
func (op *AddKey) check(s *state) error {
	if err := s.answersFor(op.Person); err != nil {
		return err
	}
	cert, err := gm.ParseCertificate(op.Cert)
	if err != nil {
		return fmt.Errorf("%w: cert: %w", ErrOp, err)
	}
	if _, err := sign.SchemeFor(cert.PublicKey); err != nil {
		return fmt.Errorf("%w: cert: %w", ErrOp, err)
	}
	if op.Device != "" {
		if err := s.deviceOf(op.Device, op.Person); err != nil {
			return err
		}
	}
	op.Digest = CertDigest(op.Cert)
	return s.absent("certificate "+op.Digest, `SELECT 1 FROM @cert WHERE digest = $1`, op.Digest)
}
func (op *AddKey) apply(s *state) error {
	return s.exec(`INSERT INTO @cert VALUES ($1, $2, $3, $4, 0, -1)`, op.Digest, op.Person, op.Device, op.Cert)
}

// CertDigest names a certificate in the books: SM3 of its DER, in hex.
func CertDigest(der []byte) string { return hex.EncodeToString(sign.SM3.Sum(der)) }

// EndKey ends a certificate for all new uses, for good. A seal that lists no other of its holder's can be used no more.
type EndKey struct {
	Digest string // CertDigest
	Reason string
}

func (*EndKey) Kind() string { return "person.key-end" }
func (op *EndKey) place(s *state) (string, error) {
	var person string
	if err := s.get("certificate "+op.Digest, []any{&person}, `SELECT person FROM @cert WHERE digest = $1`, op.Digest); err != nil {
		return "", err
	}
	return s.orgOf(person)
}
func (op *EndKey) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	var person string
	if err := s.get("certificate "+op.Digest, []any{&person}, `SELECT person FROM @cert WHERE digest = $1`, op.Digest); err != nil {
		return err
	}
	if err := s.answersFor(person); err != nil {
		return err
	}
	ended, err := s.exists(`SELECT 1 FROM @cert WHERE digest = $1 AND ended <> 0`, op.Digest)
	if err == nil && ended {
		return fmt.Errorf("%w: certificate %s has ended", ErrState, op.Digest)
	}
	return err
}
func (op *EndKey) apply(s *state) error {
	return s.change("certificate "+op.Digest, `UPDATE @cert SET ended = $2, ended_by = $3 WHERE digest = $1`,
		op.Digest, millis(s.time), int64(s.index))
}

// Device is a device by its ID.
func (r *Registry) Device(ctx context.Context, id string) (d DeviceInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		d, err = s.device(id)
		return err
	})
	return d, err
}

// Devices are those of an organisation, of a holder; an empty word stands for any.
func (r *Registry) Devices(ctx context.Context, org, holder string) (list []DeviceInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		list, err = s.devices(`(org = $1 OR $1 = '') AND (holder = $2 OR $2 = '')`, org, holder)
		return err
	})
	return list, err
}
