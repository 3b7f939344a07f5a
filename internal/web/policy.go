// Package web is the HTTP plumbing shared by the data plane, the admin API,
// self-service and the console: declared policies, the request event, client
// address, limits and middleware. It knows no endpoint.
package web

import (
	"tollgate"
)

// Access is who may call a route. The zero value is undeclared and refuses to mount.
type Access uint8

// The access classes of CONTRACT 5 and 7.
const (
	AccessUndeclared Access = iota
	AccessPublic            // anyone: health, login, static files
	AccessLLM               // API key, session token or access key; never a cookie
	AccessSelf              // a signed-in user, by session
	AccessSelfRead          // as AccessSelf, or the user's API key with surface "user"
	AccessAdmin             // admin or super admin, by session or API key with surface "admin"
	AccessSuperAdmin        // super admin, likewise
	AccessAny               // any authenticated principal: /docs, /openapi.json
)

// Policy is what a route declares about itself (SECURITY Z-01). The process
// refuses to start when a route's policy is not Valid.
type Policy struct {
	Access Access
	// MaxBody bounds the request body, in bytes; 0 = no body is read.
	MaxBody int64
	// RecentSignIn demands a sign-in at most ten minutes old (step-up).
	RecentSignIn bool
	// Mutates marks a change of state: such routes are POST, audited, and
	// under cross-origin protection when a cookie authenticates.
	Mutates bool
}

// Valid reports whether the policy may be mounted; the error names what is missing.
func (p Policy) Valid() error {
	if p.Access == AccessUndeclared || p.Access > AccessAny {
		return tollgate.Errorf(tollgate.CodeInternal, "route declares no access class")
	}
	if p.RecentSignIn && p.Access == AccessPublic {
		return tollgate.Errorf(tollgate.CodeInternal, "a public route cannot demand a recent sign-in")
	}
	return nil
}
