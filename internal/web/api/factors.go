package api

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/web"
)

// Factor is the JSON of a second factor or passkey, without its secret.
type Factor struct {
	ID         int64      `json:"id"`
	UserID     int64      `json:"user_id"`
	Kind       string     `json:"kind" enum:"totp,passkey"`
	Label      string     `json:"label"`
	Confirmed  bool       `json:"confirmed" doc:"False until the first code was shown; until then it is not in force."`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"null = never"`
	WarnedAt   *time.Time `json:"warned_at" doc:"When a copy of this passkey was noticed; null = never. Remove it."`
}

// FactorRecord returns the JSON of a factor.
func FactorRecord(f tollgate.Factor) Factor {
	return Factor{
		ID: f.ID, UserID: f.UserID, Kind: string(f.Kind), Label: f.Label, Confirmed: f.Confirmed, CreatedAt: f.CreatedAt.UTC(),
		LastUsedAt: Stamp(f.LastUsedAt), WarnedAt: Stamp(f.Warned),
	}
}

// FactorRows is the source of factors.
func FactorRows(ctx context.Context, tx tollgate.Tx, f tollgate.FactorFilter, p tollgate.Page) ([]tollgate.Factor, *tollgate.Cursor, error) {
	return tx.Factors.Query(ctx, f, p)
}

// SecondFactors selects the kinds that are listed: not recovery codes.
func SecondFactors() tollgate.Match[tollgate.FactorKind] {
	return tollgate.Is(tollgate.FactorTOTP, tollgate.FactorPasskey)
}

// SessionRecords returns the JSON of sessions, the one that asks marked.
func SessionRecords(ctx context.Context, tx tollgate.Tx, rows []tollgate.Session) ([]Session, error) {
	var current int64
	if p := web.EventFrom(ctx).Principal; p.Session != nil {
		current = p.Session.ID
	}
	return Each(func(row tollgate.Session) Session { return SessionRecord(row, current) })(ctx, tx, rows)
}

// Asked is what a browser is to be asked for a passkey.
type Asked struct {
	Token   string          `json:"token" doc:"Send it back with the browser's answer; good once, for five minutes."`
	Options json.RawMessage `json:"options" doc:"For navigator.credentials, as the JSON of PublicKeyCredential.parse…OptionsFromJSON under publicKey."`
}
