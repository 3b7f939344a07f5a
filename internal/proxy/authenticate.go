package proxy

import (
	"tollgate"
	"tollgate/internal/auth"
)

// authenticate finds out who calls, before a byte of the body is read.
func (c *call) authenticate() error {
	gemini := c.route.Dialect == tollgate.DialectGemini
	if c.r.URL.RawQuery != "" {
		c.query = c.r.URL.Query()
	}
	credential, err := auth.Extract(c.r.Header, c.query, gemini)
	if err != nil {
		return err
	}
	principal, err := c.p.Directory.Authenticate(credential, c.event.ClientIP)
	if err != nil {
		return err
	}
	delete(c.query, "key") // it has done its work and must not travel on
	c.principal, c.kept.presented = principal, credential.Reveal()
	c.row.UserID, c.row.KeyID = principal.UserID(), principal.KeyID()
	c.row.Service = principal.Kind == tollgate.PrincipalService
	if principal.User != nil {
		c.row.TeamID = principal.User.TeamID
	}
	if principal.Session != nil {
		c.row.SessionID = principal.Session.ID
	}
	if err := c.p.Directory.OnSurface(principal, tollgate.SurfaceLLM); err != nil {
		return err
	}
	if c.row.KeyID != 0 || c.row.SessionID != 0 {
		c.p.Ledger.Touch(c.row.KeyID, c.row.SessionID, c.start)
	}
	c.outlive()
	if !c.p.live.add(c) {
		return drainError()
	}
	return nil
}

// classified reports what is wrong with path and method, which only an
// authenticated caller learns.
func (c *call) classified() error {
	if c.routeErr != nil {
		return c.routeErr
	}
	if c.route.Operation == tollgate.OpOther || c.codec.Inbound == nil {
		return tollgate.Errorf(tollgate.CodeUnsupported, "this gateway does not serve %s", c.route.Pattern)
	}
	return nil
}
