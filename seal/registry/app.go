package registry

import (
	"context"
	"fmt"
	"slices"
)

var appTables = []table{
	{"app", `id TEXT PRIMARY KEY, name TEXT NOT NULL, org TEXT NOT NULL, state TEXT NOT NULL, per_day BIGINT NOT NULL`, nil},
	{"app_seal", `app TEXT NOT NULL, seal TEXT NOT NULL, PRIMARY KEY (app, seal)`, nil},
}

var appRules = []Rule{
	{Kind: "app.add", Roles: []Role{Administrator}, make: func() Op { return new(AddApp) }},
	{Kind: "app.set", Roles: []Role{Administrator}, make: func() Op { return new(SetApp) }},
	{Kind: "app.switch", Roles: []Role{Administrator}, make: func() Op { return new(SwitchApp) }},
}

// maxAppSeals is how many seals an application may have: its entry names them all.
const maxAppSeals = 500

// An AppInfo is what the books hold of an application (业务系统).
type AppInfo struct {
	ID, Name, Org string
	On            bool
	PerDay        int      // uses of all its seals together; 0: no limit of the application's own
	Seals         []string // esID of those it may use
}

func (s *state) app(id string) (a AppInfo, err error) {
	var on string
	a.ID = id
	if err := s.get("application system "+id, []any{&a.Name, &a.Org, &on, &a.PerDay},
		`SELECT name, org, state, per_day FROM @app WHERE id = $1`, id); err != nil {
		return a, err
	}
	a.On = on == "on"
	a.Seals, err = s.strings(`SELECT seal FROM @app_seal WHERE app = $1 ORDER BY seal`, id)
	return a, err
}

func (s *state) appOrg(id string) (string, error) {
	a, err := s.app(id)
	return a.Org, err
}

// appOn asks that an application is registered and switched on.
func (s *state) appOn(id string) error {
	on, err := s.exists(`SELECT 1 FROM @app WHERE id = $1 AND state = 'on'`, id)
	if err == nil && !on {
		return fmt.Errorf("%w: application system %s is not registered, or switched off", ErrRights, id)
	}
	return err
}

// appHas asks that an application, switched on, may use a seal, and says how many uses it has a day (0: no limit).
func (s *state) appHas(id, seal string) (perDay int, err error) {
	var state string
	var has int
	if err := s.get("application system "+id, []any{&state, &perDay, &has},
		`SELECT state, per_day, (SELECT COUNT(*) FROM @app_seal WHERE app = $1 AND seal = $2) FROM @app WHERE id = $1`, id, seal); err != nil {
		return 0, err
	}
	switch {
	case state != "on":
		return 0, fmt.Errorf("%w: application system %s is switched off", ErrRights, id)
	case has == 0:
		return 0, fmt.Errorf("%w: application system %s does not have seal %s; an administrator gives it with app.set", ErrRights, id, seal)
	}
	return perDay, nil
}

// AddApp enters an application (业务系统), switched on. It acts with a credential: see NewCredential.
type AddApp struct {
	ID, Name string
	Org      string   // it may have the seals of this organisation and those below
	Seals    []string // esID of those it may use
	PerDay   int      // uses of all its seals together; 0: no limit of its own
}

func (*AddApp) Kind() string                    { return "app.add" }
func (op *AddApp) place(*state) (string, error) { return op.Org, need("org", op.Org) }
func (op *AddApp) check(s *state) error {
	if err := checkID("id", op.ID); err != nil {
		return err
	}
	if err := need("name", op.Name); err != nil {
		return err
	}
	if err := s.checkApp(op.Org, op.Seals, op.PerDay); err != nil {
		return err
	}
	return s.absent("application system "+op.ID, `SELECT 1 FROM @app WHERE id = $1`, op.ID)
}
func (op *AddApp) apply(s *state) error {
	if err := s.exec(`INSERT INTO @app VALUES ($1, $2, $3, 'on', $4)`, op.ID, op.Name, op.Org, op.PerDay); err != nil {
		return err
	}
	return s.giveSeals(op.ID, op.Seals)
}

// checkApp asks that seals are those of an organisation or of those below it.
func (s *state) checkApp(org string, seals []string, perDay int) error {
	if perDay < 0 {
		return fmt.Errorf("%w: per-day is %d", ErrOp, perDay)
	}
	if len(seals) > maxAppSeals {
		return fmt.Errorf("%w: %d seals; %d are the most", ErrOp, len(seals), maxAppSeals)
	}
	for i, id := range seals {
		if slices.Contains(seals[:i], id) {
			return fmt.Errorf("%w: seal %s is named twice", ErrOp, id)
		}
		r, err := s.seal(id)
		if err != nil {
			return err
		}
		below, err := s.within(r.Org, org)
		if err != nil {
			return err
		}
		if !below {
			return fmt.Errorf("%w: seal %s is of %s, which is not below %s", ErrRights, id, r.Org, org)
		}
	}
	return nil
}

// within reports whether an organisation is another or below it.
func (s *state) within(org, top string) (bool, error) {
	for org != "" && org != top {
		if err := s.get("organisation "+org, []any{&org}, `SELECT parent FROM @org WHERE id = $1`, org); err != nil {
			return false, err
		}
	}
	return org == top, nil
}

func (s *state) giveSeals(app string, seals []string) error {
	for _, id := range seals {
		if err := s.exec(`INSERT INTO @app_seal VALUES ($1, $2)`, app, id); err != nil {
			return err
		}
	}
	return nil
}

// SetApp says anew which seals an application may use, and how often a day.
type SetApp struct {
	App    string
	Seals  []string // all of them; none named: none
	PerDay int
}

func (*SetApp) Kind() string                      { return "app.set" }
func (op *SetApp) place(s *state) (string, error) { return s.appOrg(op.App) }
func (op *SetApp) check(s *state) error {
	a, err := s.app(op.App)
	if err != nil {
		return err
	}
	return s.checkApp(a.Org, op.Seals, op.PerDay)
}
func (op *SetApp) apply(s *state) error {
	if err := s.change("application system "+op.App, `UPDATE @app SET per_day = $2 WHERE id = $1`, op.App, op.PerDay); err != nil {
		return err
	}
	if err := s.exec(`DELETE FROM @app_seal WHERE app = $1`, op.App); err != nil {
		return err
	}
	return s.giveSeals(op.App, op.Seals)
}

// SwitchApp switches an application off, or on again. One that is off does nothing at all. Who administers below those who
// switched it off does not switch it on.
type SwitchApp struct {
	App    string
	On     bool
	Reason string
}

func (*SwitchApp) Kind() string                      { return "app.switch" }
func (op *SwitchApp) place(s *state) (string, error) { return s.appOrg(op.App) }
func (op *SwitchApp) check(s *state) error {
	if err := need("reason", op.Reason); err != nil {
		return err
	}
	a, err := s.app(op.App)
	if err == nil && a.On == op.On {
		return fmt.Errorf("%w: application system %s is switched so already", ErrState, op.App)
	}
	if err != nil || !op.On {
		return err
	}
	return s.mayLift("app " + op.App)
}
func (op *SwitchApp) apply(s *state) error {
	if op.On {
		if err := s.lift("app " + op.App); err != nil {
			return err
		}
		return s.change("application system "+op.App, `UPDATE @app SET state = 'on' WHERE id = $1`, op.App)
	}
	where, err := s.appOrg(op.App)
	if err != nil {
		return err
	}
	if err := s.rule("app "+op.App, where); err != nil {
		return err
	}
	return s.change("application system "+op.App, `UPDATE @app SET state = 'off' WHERE id = $1`, op.App)
}

// App is an application by its ID.
func (r *Registry) App(ctx context.Context, id string) (a AppInfo, err error) {
	err = r.read(ctx, func(s *state) error {
		a, err = s.app(id)
		return err
	})
	return a, err
}
