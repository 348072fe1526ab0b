package audit

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

const (
	// KindOfflineUse is the kind of the leaf of an OfflineUse.
	KindOfflineUse = "use.offline"

	evidenceHeader = "courtseal.offline-evidence/v1\n"

	offlineNumber = "offline.number"
	offlinePrev   = "offline.prev"
	offlineList   = "offline.list"
)

// An OfflineUse is use number Number of an offline grant. It is written before anything is signed, and it names the one before it:
// uses of a grant are a chain. As a leaf (kind "use.offline") it has the fields of a Use and three more, so that the ledger can enter
// it as it is when it arrives: the entry then proves the very bytes that the sealed document binds.
type OfflineUse struct {
	Number uint64 // 1 to the grant's Uses
	Prev   Hash   // leaf hash of use Number-1; of the first, the grant's Start
	List   uint64 // number of the state list that was looked at
	Use    Use    // Grant is the grant's ID; Again, if there, the Number of an earlier use for the same request
}

// Marshal writes the leaf.
func (u *OfflineUse) Marshal() ([]byte, error) {
	l, err := u.leaf()
	if err != nil {
		return nil, err
	}
	return l.Marshal()
}

func (u *OfflineUse) leaf() (l Leaf, err error) {
	if u.Number == 0 || u.Number > MaxOfflineUses {
		return l, fmt.Errorf("%w: offline use number %d; 1 to %d are there", ErrFormat, u.Number, MaxOfflineUses)
	}
	if u.Use.Again != nil && *u.Use.Again >= u.Number {
		return l, fmt.Errorf("%w: offline use %d is said to repeat use %d", ErrFormat, u.Number, *u.Use.Again)
	}
	if u.Use.Grant == "" {
		return l, fmt.Errorf("%w: offline use %d names no grant", ErrFormat, u.Number)
	}
	if l, err = u.Use.Leaf(); err != nil {
		return l, err
	}
	l.Kind = KindOfflineUse
	for name, value := range map[string]string{
		offlineNumber: strconv.FormatUint(u.Number, 10),
		offlinePrev:   u.Prev.String(),
		offlineList:   strconv.FormatUint(u.List, 10),
	} {
		if _, ok := l.Fields[name]; ok {
			return l, fmt.Errorf("%w: field %q is in Extra and has a place of its own", ErrFormat, name)
		}
		l.Fields[name] = value
	}
	return l, nil
}

// ParseOfflineUse reads the leaf. What it reads, Marshal writes byte for byte.
func ParseOfflineUse(leaf []byte) (*OfflineUse, error) {
	l, err := ParseLeaf(leaf)
	if err != nil {
		return nil, err
	}
	if l.Kind != KindOfflineUse {
		return nil, fmt.Errorf("%w: a leaf of kind %q, not %q", ErrFormat, l.Kind, KindOfflineUse)
	}
	r := reader{fields: maps.Clone(l.Fields)}
	u := &OfflineUse{Number: r.count(offlineNumber), List: r.count(offlineList)}
	if u.Prev, err = ParseHash(r.need(offlinePrev)); err != nil {
		r.fail(offlinePrev, "is no hash in base64")
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w (offline use)", r.err)
	}
	if u.Use, err = ParseUse(Leaf{Kind: KindUse, Fields: r.fields}); err != nil {
		return nil, err
	}
	again, err := u.Marshal()
	if err == nil && !bytes.Equal(again, leaf) {
		err = fmt.Errorf("%w: offline use %d is not written in the one way", ErrFormat, u.Number)
	}
	return u, err
}

// CheckUse says whether a use is one that the grant gives, whatever came before it: the errors of all that is wrong are joined
// (ErrGrantOther, ErrGrantUsedUp, ErrGrantSeal, ErrGrantDevice, ErrGrantOrg, ErrGrantKind, ErrGrantPeriod, ErrListOld).
func (g *OfflineGrant) CheckUse(u *OfflineUse) error {
	var errs []error
	wrong := func(err error, has, want any) {
		errs = append(errs, fmt.Errorf("%w: use %d has %.120q, the grant %.200q", err, u.Number, fmt.Sprint(has), fmt.Sprint(want)))
	}
	if u.Use.Grant != g.ID {
		wrong(ErrGrantOther, u.Use.Grant, g.ID)
	}
	if u.Number > g.Uses {
		errs = append(errs, fmt.Errorf("%w: use %d of %d", ErrGrantUsedUp, u.Number, g.Uses))
	}
	if u.Use.Seal != g.Seal {
		wrong(ErrGrantSeal, u.Use.Seal, g.Seal)
	} else if !bytes.Equal(u.Use.SealDigest, g.SealDigest) {
		wrong(ErrGrantSeal, hex.EncodeToString(u.Use.SealDigest), hex.EncodeToString(g.SealDigest))
	}
	if u.Use.Org != g.Org {
		wrong(ErrGrantOrg, u.Use.Org, g.Org)
	}
	if !g.Allows(u.Use.Kind) {
		wrong(ErrGrantKind, u.Use.Kind, g.Kinds)
	}
	if len(u.Use.Certs) == 0 {
		errs = append(errs, fmt.Errorf("%w: use %d names no certificate", ErrGrantDevice, u.Number))
	}
	for _, c := range u.Use.Certs {
		if !slices.ContainsFunc(g.Devices, func(d []byte) bool { return bytes.Equal(c, d) }) {
			errs = append(errs, fmt.Errorf("%w: use %d is with certificate %x", ErrGrantDevice, u.Number, c))
		}
	}
	if err := g.CheckTime(u.Use.Time); err != nil {
		errs = append(errs, err)
	}
	if u.List < g.Oldest {
		errs = append(errs, fmt.Errorf("%w: use %d looked at list %d, the grant wants %d or higher", ErrListOld, u.Number, u.List, g.Oldest))
	}
	return errors.Join(errs...)
}

// OfflineEvidence is what a value of a document binds that was sealed offline: the grant, and which use of it this is. It proves that
// the issuer let this device seal, and that the device counted; whether it counted right, only the ledger can tell that gets the chain.
type OfflineEvidence struct {
	GrantNote []byte // the signed note
	Leaf      []byte // of Use

	Grant *OfflineGrant // what GrantNote says
	Use   *OfflineUse
}

// IsOfflineEvidence reports whether evidence begins as OfflineEvidence does.
func IsOfflineEvidence(b []byte) bool { return bytes.HasPrefix(b, []byte(evidenceHeader)) }

// Marshal writes GrantNote and Leaf.
func (e *OfflineEvidence) Marshal() []byte {
	b := fmt.Appendf(nil, "%suse %s\n", evidenceHeader, base64.StdEncoding.EncodeToString(e.Leaf))
	return append(b, e.GrantNote...)
}

// ParseOfflineEvidence reads what Marshal writes. It checks no signature: see Check.
func ParseOfflineEvidence(b []byte) (*OfflineEvidence, error) {
	if len(b) > MaxProof {
		return nil, fmt.Errorf("%w: evidence of %d bytes; %d are the most", ErrTooLarge, len(b), MaxProof)
	}
	body, ok := bytes.CutPrefix(b, []byte(evidenceHeader))
	line, note, ok2 := bytes.Cut(body, []byte("\n"))
	b64, ok3 := bytes.CutPrefix(line, []byte("use "))
	if !ok || !ok2 || !ok3 {
		return nil, fmt.Errorf("%w: offline evidence does not begin with the line %q and one of \"use\"",
			ErrFormat, evidenceHeader[:len(evidenceHeader)-1])
	}
	e := &OfflineEvidence{GrantNote: bytes.Clone(note)}
	var err error
	if e.Leaf, err = decode64(string(b64)); err != nil {
		return nil, fmt.Errorf("%w: the use of offline evidence is not base64", ErrFormat)
	}
	if e.Use, err = ParseOfflineUse(e.Leaf); err != nil {
		return nil, err
	}
	text, _, err := parseNote(e.GrantNote)
	if err != nil {
		return nil, fmt.Errorf("%w (grant of offline evidence)", err)
	}
	e.Grant, err = ParseOfflineGrant(text)
	return e, err
}

// Check checks all that offline evidence proves by itself: that a known key of the issuer's ledger signed the grant (the errors are
// those of OpenOfflineGrant), and that the use is one the grant gives (those of CheckUse). What the use says of document, seal and
// certificate is for the caller to compare: evidence of another document is evidence.
func (e *OfflineEvidence) Check(known ...Verifier) error {
	g, err := OpenOfflineGrant(e.GrantNote, known...)
	if err != nil {
		return err
	}
	return g.CheckUse(e.Use)
}
