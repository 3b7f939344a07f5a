package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"tollgate"
)

// settings keeps instance settings by name.
type settings struct{ s *session }

// All returns every setting, ordered by name.
func (t settings) All(ctx context.Context) ([]tollgate.Setting, error) {
	rows, err := t.s.tx.QueryContext(ctx, "SELECT name, value FROM settings ORDER BY name")
	if err != nil {
		return nil, t.s.fail(ctx, err, "read settings")
	}
	defer func() { _ = rows.Close() }()
	var out []tollgate.Setting
	for rows.Next() {
		var s tollgate.Setting
		if err := rows.Scan(&s.Name, rawText{&s.Value}); err != nil {
			return nil, t.s.fail(ctx, err, "read settings")
		}
		out = append(out, s)
	}
	return out, t.s.fail(ctx, rows.Err(), "read settings")
}

// Put inserts or replaces a setting.
func (t settings) Put(ctx context.Context, s tollgate.Setting) error {
	if s.Name == "" || !storable(s.Name) {
		return tollgate.Invalidf("name", "a setting needs a name")
	}
	if !json.Valid(s.Value) || !storable(string(s.Value)) {
		return tollgate.Invalidf("value", "the value of setting %q is not valid JSON", s.Name)
	}
	const query = "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	if _, err := t.s.exec(ctx, query, s.Name, string(s.Value)); err != nil {
		return t.s.fail(ctx, err, "write setting")
	}
	t.s.touch(tollgate.AreaSettings)
	return nil
}

// Delete removes a setting; CodeNotFound.
func (t settings) Delete(ctx context.Context, name string) error {
	n, err := t.s.exec(ctx, "DELETE FROM settings WHERE name = $1", name)
	if err != nil {
		return t.s.fail(ctx, err, "delete setting")
	}
	if n == 0 {
		return tollgate.Errorf(tollgate.CodeNotFound, "setting %q does not exist", name)
	}
	t.s.touch(tollgate.AreaSettings)
	return nil
}

// meta keeps the installation's own values.
type meta struct{ s *session }

// Get returns the value, or CodeNotFound.
func (t meta) Get(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := t.s.tx.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, tollgate.Errorf(tollgate.CodeNotFound, "meta value %q does not exist", name)
	}
	return value, t.s.fail(ctx, err, "read meta value")
}

// Put inserts or replaces a value.
func (t meta) Put(ctx context.Context, name string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	const query = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	if _, err := t.s.exec(ctx, query, name, value); err != nil {
		return t.s.fail(ctx, err, "write meta value")
	}
	t.s.touch(0)
	return nil
}

// Delete removes a value; absent is no error.
func (t meta) Delete(ctx context.Context, name string) error {
	if _, err := t.s.exec(ctx, "DELETE FROM meta WHERE name = $1", name); err != nil {
		return t.s.fail(ctx, err, "delete meta value")
	}
	t.s.touch(0)
	return nil
}
