package alarm

import (
	"context"
	"time"
)

// Write is one turn of Run's first half, and Round of its second.
func (k *Keeper) Write(ctx context.Context) error                  { return k.write(ctx) }
func (k *Keeper) Round(ctx context.Context) (time.Duration, error) { return k.round(ctx) }

// Retries are the pauses between attempts.
func Retries() []time.Duration { return retries() }
