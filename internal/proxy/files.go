package proxy

import (
	"context"

	"tollgate/internal/ir"
)

// FileFetcher reads a file from the web for a provider that cannot.
type FileFetcher interface {
	// Fetch returns media type and content of an https URL. Errors are
	// CodeInvalid: the file is not to be had, or not to be sent on.
	Fetch(ctx context.Context, url string) (mime string, data []byte, err error)
}

func (c *call) inline(items []ir.Item) ([]ir.Item, error) { return items, nil }
