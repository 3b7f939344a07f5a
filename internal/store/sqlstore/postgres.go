package sqlstore

import (
	"context"
	"errors"
)

type postgresDatabase struct{ dsn, shown string }

func (d *postgresDatabase) describe() string { return d.shown }
func (d *postgresDatabase) open(ctx context.Context, o Options) (engine, error) {
	return nil, errors.New("postgres next")
}
func (d *postgresDatabase) probe(ctx context.Context) (Found, error) {
	return Found{}, errors.New("postgres next")
}
