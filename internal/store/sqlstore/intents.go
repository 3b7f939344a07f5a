package sqlstore

import "tollgate"

func intentColumns() []column[tollgate.Intent] {
	type row = tollgate.Intent
	return []column[row]{
		integer("id", func(r *row) *tollgate.RequestID { return &r.ID }),
		integer("held", func(r *row) *tollgate.Money { return &r.Held }),
		integer("user_id", func(r *row) *int64 { return &r.UserID }),
		integer("key_id", func(r *row) *int64 { return &r.KeyID }),
		integer("session_id", func(r *row) *int64 { return &r.SessionID }),
		integer("team_id", func(r *row) *int64 { return &r.TeamID }),
		boolean("service", func(r *row) *bool { return &r.Service }),
		integer("provider_id", func(r *row) *int64 { return &r.ProviderID }),
		integer("credential_id", func(r *row) *int64 { return &r.CredentialID }),
		integer("price_version", func(r *row) *int64 { return &r.PriceVersion }),
		clipped("model", maxRecordText, func(r *row) *string { return &r.Model }),
		clipped("dialect", maxRecordText, func(r *row) *tollgate.Dialect { return &r.Dialect }),
		clipped("operation", maxRecordText, func(r *row) *tollgate.Operation { return &r.Operation }),
	}
}

// moreHeld is the end of an insert of intents: one that is there may grow.
const moreHeld = " ON CONFLICT (id) DO UPDATE SET held = CASE WHEN excluded.held > intents.held THEN excluded.held ELSE intents.held END"

// moveBalance is the statement that adds an amount (second argument) to a
// quota's balance (third) in a window (first). A later window than the stored
// one begins with the amount; an earlier one is over.
const moveBalance = "UPDATE quotas SET" +
	" spent = CASE WHEN window_start = $1 THEN spent + $2 WHEN window_start < $1 THEN $2 ELSE spent END," +
	" window_start = CASE WHEN window_start < $1 THEN $1 ELSE window_start END WHERE id = $3"

// openQuota is the statement that lets a quota (second argument) count from a
// request (first) on, unless it does already.
const openQuota = "UPDATE quotas SET since = $1 WHERE id = $2 AND since = 0"
