package registry

import "fmt"

// deviceOf asks that a device is in use and held by a person.
func (s *state) deviceOf(id, person string) error {
	var holder, state string
	if err := s.get("device "+id, []any{&holder, &state}, `SELECT holder, state FROM @device WHERE id = $1`, id); err != nil {
		return err
	}
	if holder != person || state != "in-use" {
		return fmt.Errorf("%w: device %s is %s, held by %s, not in use by %s", ErrState, id, state, holder, person)
	}
	return nil
}

func (s *state) appOn(id string) error { return fmt.Errorf("%w: application %s", ErrUnknown, id) }

func (s *state) delegated(kind, where string, op Op) error {
	return fmt.Errorf("%w: %s is not delegated to %s", ErrRights, kind, where)
}
