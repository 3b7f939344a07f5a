package sqlstore

import (
	"context"
	"crypto/sha256"

	"tollgate"
)

// tables are the specs of a store. They hold no state but the seal of the audit.
type tables struct {
	users           *spec[tollgate.User, tollgate.UserFilter]
	keys            *spec[tollgate.Key, tollgate.KeyFilter]
	teams           *spec[tollgate.Team, tollgate.TeamFilter]
	sessions        *spec[tollgate.Session, tollgate.SessionFilter]
	identities      *spec[tollgate.Identity, tollgate.IdentityFilter]
	signInProviders *spec[tollgate.SignInProvider, tollgate.SignInProviderFilter]
	factors         *spec[tollgate.Factor, tollgate.FactorFilter]
	links           *spec[tollgate.Link, tollgate.LinkFilter]
	teamPermissions *spec[tollgate.TeamPermission, tollgate.TeamPermissionFilter]
	asks            *spec[tollgate.Ask, tollgate.AskFilter]
	permissions     *spec[tollgate.Permission, tollgate.PermissionFilter]
	filePermissions *spec[tollgate.FilePermission, tollgate.PermissionFilter]
	quotas          *spec[tollgate.Quota, tollgate.QuotaFilter]
	rateLimits      *spec[tollgate.RateLimit, tollgate.RateLimitFilter]
	providers       *spec[tollgate.Provider, tollgate.ProviderFilter]
	credentials     *spec[tollgate.Credential, tollgate.CredentialFilter]
	models          *spec[tollgate.Model, tollgate.ModelFilter]
	aliases         *spec[tollgate.ModelAlias, tollgate.AliasFilter]
	prices          *spec[tollgate.Price, tollgate.PriceFilter]
	audit           *spec[tollgate.AuditEntry, tollgate.AuditFilter]
	adjustments     *spec[tollgate.Adjustment, tollgate.AdjustmentFilter]
	reratings       *spec[tollgate.Rerating, struct{}]
	alarms          *spec[tollgate.Alarm, tollgate.AlarmFilter]
	usage           *usageSpec
	turns           *spec[tollgate.Turn, struct{}]
	configVersions  *spec[tollgate.ConfigVersion, tollgate.ConfigVersionFilter]
	configTexts     *spec[tollgate.ConfigText, tollgate.ConfigTextFilter]
	syncTargets     *spec[tollgate.SyncTarget, tollgate.SyncTargetFilter]
	// sealAudit is the MAC over the head of the audit.
	sealAudit func([]byte) [32]byte
}

func newTables() *tables {
	return &tables{
		users: userTable(), keys: keyTable(), teams: teamTable(), sessions: sessionTable(), factors: factorTable(),
		identities: identityTable(), signInProviders: signInProviderTable(), links: linkTable(), asks: askTable(), teamPermissions: teamPermissionTable(),
		permissions: permissionTable(), filePermissions: filePermissionTable(),
		quotas: quotaTable(), rateLimits: rateLimitTable(),
		providers: providerTable(), credentials: credentialTable(), models: modelTable(), aliases: aliasTable(), prices: priceTable(),
		audit: auditTable(), adjustments: adjustmentTable(), reratings: reratingTable(), alarms: alarmTable(),
		usage: newUsageSpec(), turns: turnTable(), sealAudit: sha256.Sum256,
		configVersions: configVersionTable(), configTexts: configTextTable(), syncTargets: syncTargetTable(),
	}
}

// tx returns the view of every table within s.
func (t *tables) tx(s *session) tollgate.Tx {
	return tollgate.Tx{
		Users:           table[tollgate.User, tollgate.UserFilter]{t.users, s},
		Keys:            table[tollgate.Key, tollgate.KeyFilter]{t.keys, s},
		Teams:           table[tollgate.Team, tollgate.TeamFilter]{t.teams, s},
		Sessions:        table[tollgate.Session, tollgate.SessionFilter]{t.sessions, s},
		Identities:      table[tollgate.Identity, tollgate.IdentityFilter]{t.identities, s},
		SignInProviders: table[tollgate.SignInProvider, tollgate.SignInProviderFilter]{t.signInProviders, s},
		Factors:         factors{table[tollgate.Factor, tollgate.FactorFilter]{t.factors, s}},
		Links:           table[tollgate.Link, tollgate.LinkFilter]{t.links, s},
		TeamPermissions: table[tollgate.TeamPermission, tollgate.TeamPermissionFilter]{t.teamPermissions, s},
		Asks:            table[tollgate.Ask, tollgate.AskFilter]{t.asks, s},
		Permissions:     table[tollgate.Permission, tollgate.PermissionFilter]{t.permissions, s},
		FilePermissions: table[tollgate.FilePermission, tollgate.PermissionFilter]{t.filePermissions, s},
		Quotas:          table[tollgate.Quota, tollgate.QuotaFilter]{t.quotas, s},
		RateLimits:      table[tollgate.RateLimit, tollgate.RateLimitFilter]{t.rateLimits, s},
		Providers:       table[tollgate.Provider, tollgate.ProviderFilter]{t.providers, s},
		Credentials:     table[tollgate.Credential, tollgate.CredentialFilter]{t.credentials, s},
		Models:          table[tollgate.Model, tollgate.ModelFilter]{t.models, s},
		Aliases:         table[tollgate.ModelAlias, tollgate.AliasFilter]{t.aliases, s},
		Prices:          table[tollgate.Price, tollgate.PriceFilter]{t.prices, s},
		Counters:        counters{s},
		Settings:        settings{s},
		Meta:            meta{s},
		Audit:           audit{table[tollgate.AuditEntry, tollgate.AuditFilter]{t.audit, s}, t.sealAudit},
		Usage:           usage{t.usage, s},
		Alarms:          table[tollgate.Alarm, tollgate.AlarmFilter]{t.alarms, s},
		Payloads:        payloads{s},
		ConfigVersions:  table[tollgate.ConfigVersion, tollgate.ConfigVersionFilter]{t.configVersions, s},
		ConfigTexts:     table[tollgate.ConfigText, tollgate.ConfigTextFilter]{t.configTexts, s},
		SyncTargets:     table[tollgate.SyncTarget, tollgate.SyncTargetFilter]{t.syncTargets, s},
		Turns:           turns{table[tollgate.Turn, struct{}]{t.turns, s}},
		Ledger: ledger{
			usageSpec:   t.usage,
			adjustments: table[tollgate.Adjustment, tollgate.AdjustmentFilter]{t.adjustments, s},
			quotas:      table[tollgate.Quota, tollgate.QuotaFilter]{t.quotas, s},
			reratings:   table[tollgate.Rerating, struct{}]{t.reratings, s},
			s:           s,
		},
	}
}

// releaseScope deletes the quotas and rate limits of one scope; they refer to
// their owner by scope and id, which no foreign key can follow.
func releaseScope(ctx context.Context, s *session, scope tollgate.Scope, id int64) error {
	for _, name := range []string{"quotas", "rate_limits"} {
		if _, err := s.exec(ctx, "DELETE FROM "+name+" WHERE scope = $1 AND scope_id = $2", string(scope), id); err != nil {
			return err
		}
	}
	return nil
}

// checkScope looks that the owner of a quota or rate limit exists.
func checkScope(ctx context.Context, s *session, scope tollgate.Scope, id int64) error {
	var owner string
	switch scope {
	case tollgate.ScopeUser:
		owner = "users"
	case tollgate.ScopeKey:
		owner = "keys"
	case tollgate.ScopeTeam:
		owner = "teams"
	case tollgate.ScopeInstance, tollgate.ScopeService:
		if id != 0 {
			return tollgate.Invalidf("scope_id", "the %s scope has no id", scope)
		}
		return nil
	default:
		return tollgate.Invalidf("scope", "%q is not a scope", scope)
	}
	n, err := s.number(ctx, "SELECT COUNT(*) FROM "+owner+" WHERE id = $1", id)
	if err != nil {
		return s.fail(ctx, err, "look up the "+string(scope))
	}
	if n == 0 {
		return tollgate.Invalidf("scope_id", "%s %d does not exist", scope, id)
	}
	return nil
}
