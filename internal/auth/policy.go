package auth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"tollgate"
)

// The settings of sign-ins: times in seconds, the last two true or false.
const (
	settingIdle          = "session_idle_secs"
	settingLife          = "session_life_secs"
	settingLifeAdmin     = "session_life_admin_secs"
	settingRequireFactor = "require_second_factor"
	settingSSOOnly       = "sso_only"
)

// How long a session lives at most, by role, whether used or not, and how long
// without being used, where no setting says otherwise.
const (
	SessionLife      = 7 * 24 * time.Hour
	SessionLifeAdmin = 24 * time.Hour
	SessionIdle      = 12 * time.Hour
)

// The bounds of those settings.
const (
	minSessionTime = time.Minute
	maxSessionTime = 90 * 24 * time.Hour
)

// policy is what the settings say about sign-ins.
type policy struct {
	idle, life, lifeAdmin time.Duration
	// requireFactor: an admin without a second factor may only enrol one.
	requireFactor bool
	// ssoOnly: everybody but the super admin signs in through a provider.
	ssoOnly bool
}

func defaultPolicy() policy {
	return policy{idle: SessionIdle, life: SessionLife, lifeAdmin: SessionLifeAdmin}
}

func (p *policy) lifeOf(role tollgate.Role) time.Duration {
	if role.IsAdmin() {
		return p.lifeAdmin
	}
	return p.life
}

// CheckSetting checks a setting that is one of sign-ins and lets others pass.
// Errors are CodeInvalid.
func CheckSetting(s tollgate.Setting) error {
	p := defaultPolicy()
	return p.take(s)
}

// take puts one setting into p.
func (p *policy) take(s tollgate.Setting) error {
	switch s.Name {
	case settingIdle:
		return takeTime(&p.idle, s)
	case settingLife:
		return takeTime(&p.life, s)
	case settingLifeAdmin:
		return takeTime(&p.lifeAdmin, s)
	case settingRequireFactor:
		return takeBool(&p.requireFactor, s)
	case settingSSOOnly:
		return takeBool(&p.ssoOnly, s)
	}
	return nil
}

func takeBool(to *bool, s tollgate.Setting) error {
	var on *bool
	if json.Unmarshal(s.Value, &on) != nil || on == nil {
		return tollgate.Invalidf("value", "%s is true or false", s.Name)
	}
	*to = *on
	return nil
}

func takeTime(to *time.Duration, s tollgate.Setting) error {
	var secs int64
	err := json.Unmarshal(s.Value, &secs)
	if err != nil || secs < int64(minSessionTime/time.Second) || secs > int64(maxSessionTime/time.Second) {
		return tollgate.Invalidf("value", "%s is a whole number of seconds from %d to %d", s.Name, minSessionTime/time.Second, maxSessionTime/time.Second)
	}
	*to = time.Duration(secs) * time.Second
	return nil
}

// readPolicy reads the settings. One that came past CheckSetting and makes no
// sense is left at its default.
func readPolicy(ctx context.Context, tx tollgate.Tx) (policy, error) {
	p := defaultPolicy()
	rows, err := tx.Settings.All(ctx)
	for _, row := range rows {
		if bad := p.take(row); bad != nil {
			continue
		}
	}
	return p, err
}

// SettleSetting carries out what a setting changes at once, in the transaction
// that saved it: sso_only ends the sessions that it would not let begin.
func (a *Accounts) SettleSetting(ctx context.Context, tx tollgate.Tx, s tollgate.Setting) error {
	p := defaultPolicy()
	if err := p.take(s); err != nil || !p.ssoOnly {
		return err
	}
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{}, all())
	if err != nil {
		return err
	}
	supers, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)}, all())
	if err != nil {
		return err
	}
	for _, row := range rows {
		spared := slices.ContainsFunc(supers, func(u tollgate.User) bool { return u.ID == row.UserID })
		if spared || strings.HasPrefix(row.Method, methodSSO) {
			continue
		}
		if err := tx.Sessions.Delete(ctx, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// SSOOnly reports whether the setting sso_only is on.
func (s *Sessions) SSOOnly(ctx context.Context) (bool, error) {
	var p policy
	err := s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		p, err = readPolicy(ctx, tx)
		return err
	})
	if err != nil {
		return false, unavailable(err)
	}
	return p.ssoOnly, nil
}

// open checks that a way of signing in is open to u: with sso_only, those of
// our own are the super admin's alone, who keeps them, as a provider that fails
// must not be the end (SECURITY B-04).
func open(ctx context.Context, tx tollgate.Tx, u tollgate.User, method string) error {
	p, err := readPolicy(ctx, tx)
	if err != nil || !p.ssoOnly || u.Role == tollgate.RoleSuperAdmin || strings.HasPrefix(method, methodSSO) {
		return err
	}
	return &tollgate.Error{
		Code: tollgate.CodeForbidden, Reason: settingSSOOnly,
		Message: "here people sign in through the sign-in provider; use its button on the sign-in page",
	}
}
