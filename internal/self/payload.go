package self

import (
	"context"

	"tollgate/internal/web/api"
)

// mountPayloads is for signed-in sessions alone: who finds a key must not read
// what was said with it before.
func (s *Server) mountPayloads() {
	op := reads("/user/requests/payload", "Show the bodies that are kept of a request of the caller")
	op.Example = api.ByRequest{ID: "req_0123456789abc"}
	api.Handle(s.API, op, func(ctx context.Context, in *api.ByRequest) (api.Payload, error) {
		id, err := in.RequestID()
		if err != nil {
			return api.Payload{}, err
		}
		return s.ReadPayload(ctx, id, own(ctx))
	})
}
