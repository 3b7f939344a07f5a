package auth

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
)

// The settings of sign-ins. All are seconds but the last, which is true or false.
const (
	settingIdle          = "session_idle_secs"
	settingLife          = "session_life_secs"
	settingLifeAdmin     = "session_life_admin_secs"
	settingRequireFactor = "require_second_factor"
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
		var on *bool
		if json.Unmarshal(s.Value, &on) != nil || on == nil {
			return tollgate.Invalidf("value", "%s is true or false", s.Name)
		}
		p.requireFactor = *on
	}
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
