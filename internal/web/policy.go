// Package web is the HTTP plumbing shared by the data plane, the admin API,
// self-service and the console: declared policies, the request event, client
// address, limits and middleware. It knows no endpoint.
package web

import (
	"strings"
	"time"

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
	AccessTeamAdmin         // a signed-in admin of a team, by session
	AccessAdmin             // admin or super admin, by session or API key with surface "admin"
	AccessSuperAdmin        // super admin, likewise
	AccessAny               // any authenticated principal: /docs, /openapi.json
)

// String returns the name of a, as tables and documents print it.
func (a Access) String() string {
	switch a {
	case AccessPublic:
		return "public"
	case AccessLLM:
		return "llm"
	case AccessSelf:
		return "self"
	case AccessSelfRead:
		return "self-read"
	case AccessTeamAdmin:
		return "team-admin"
	case AccessAdmin:
		return "admin"
	case AccessSuperAdmin:
		return "super-admin"
	case AccessAny:
		return "any"
	case AccessUndeclared:
	}
	return "undeclared"
}

// Policy is what a route declares about itself (SECURITY Z-01). The process
// refuses to start when a route's policy is not Valid.
type Policy struct {
	Access Access
	// MaxBody bounds the request body, in bytes; 0 = no body is read.
	MaxBody int64
	// RecentSignIn demands a sign-in at most ten minutes old (step-up).
	RecentSignIn bool
	// Enrols opens the route to a session that may only enrol a second factor.
	Enrols bool
	// Mutates marks a change of state: such routes are POST, audited, and
	// under cross-origin protection when a cookie authenticates.
	Mutates bool
	// AnyHost lifts the check of the Host header: health probes address the
	// gateway by whatever name they find it under.
	AnyHost bool
	// SignIn is where a browser that has not signed in is sent to instead of
	// being refused, a path of our own; for pages that people open. Everyone
	// else gets the refusal.
	SignIn string
}

// Valid reports whether the policy may be mounted; the error names what is missing.
func (p Policy) Valid() error {
	switch {
	case p.Access == AccessUndeclared || p.Access > AccessAny:
		return tollgate.Errorf(tollgate.CodeInternal, "route declares no access class")
	case p.RecentSignIn && p.Access == AccessPublic:
		return tollgate.Errorf(tollgate.CodeInternal, "a public route cannot demand a recent sign-in")
	case p.SignIn != "" && (p.Access == AccessPublic || !strings.HasPrefix(p.SignIn, "/") || strings.HasPrefix(p.SignIn, "//")):
		return tollgate.Errorf(tollgate.CodeInternal, "a route that sends to a sign-in page needs a sign-in and a path of our own")
	case p.MaxBody < 0:
		return tollgate.Errorf(tollgate.CodeInternal, "a body limit cannot be negative")
	case p.AnyHost && p.Access != AccessPublic && p.Access != AccessLLM:
		return tollgate.Errorf(tollgate.CodeInternal, "only a public route may answer under any host name")
	}
	return nil
}

// RecentSignInAge is how old a sign-in may be for routes that demand a recent one.
const RecentSignInAge = 10 * time.Minute

// Permits decides whether c may use a route of this policy at now: nil,
// CodeUnauthenticated for nobody, else CodeForbidden. A caller that lacks
// anything a rule asks for is refused (SECURITY A-14).
func (p Policy) Permits(c tollgate.Principal, now time.Time) error {
	if p.Access == AccessPublic {
		return nil
	}
	if c.Kind == tollgate.PrincipalService {
		return tollgate.Errorf(tollgate.CodeForbidden, "the access key works on LLM routes only")
	}
	role := c.Role()
	byKey := c.Kind == tollgate.PrincipalKey && c.Key != nil
	bySession := c.Kind == tollgate.PrincipalSession && c.Session != nil
	if role == tollgate.RoleNone || (!byKey && !bySession) {
		return tollgate.Errorf(tollgate.CodeUnauthenticated, "a valid credential is required")
	}
	if err := p.permitsRole(c, role, byKey); err != nil {
		return err
	}
	if bySession && c.Session.EnrolOnly && !p.Enrols {
		return &tollgate.Error{
			Code: tollgate.CodeForbidden, Message: "an administrator needs a second factor here; add one and go on", Reason: "second_factor_enrolment",
		}
	}
	if p.RecentSignIn && (!bySession || now.Sub(c.Session.SignedInAt) > RecentSignInAge) {
		return &tollgate.Error{Code: tollgate.CodeForbidden, Message: "this needs a recent sign-in", Reason: "recent_sign_in"}
	}
	return nil
}

func (p Policy) permitsRole(c tollgate.Principal, role tollgate.Role, byKey bool) error {
	needs := func(s tollgate.Surface) error {
		if byKey && !c.Key.Reaches(s) {
			return tollgate.Errorf(tollgate.CodeForbidden, "this API key may not be used on the %s surface", s)
		}
		return nil
	}
	switch p.Access {
	case AccessAny:
		return nil
	case AccessSelf, AccessTeamAdmin:
		if byKey {
			return tollgate.Errorf(tollgate.CodeForbidden, "this needs a signed-in session; an API key is not enough")
		}
		if p.Access == AccessTeamAdmin && c.User.Administers() == 0 {
			return tollgate.Errorf(tollgate.CodeForbidden, "this needs an admin of a team")
		}
		return nil
	case AccessSelfRead:
		return needs(tollgate.SurfaceUser)
	case AccessAdmin:
		if !role.IsAdmin() {
			return tollgate.Errorf(tollgate.CodeForbidden, "this needs an admin")
		}
		return needs(tollgate.SurfaceAdmin)
	case AccessSuperAdmin:
		if role != tollgate.RoleSuperAdmin {
			return tollgate.Errorf(tollgate.CodeForbidden, "this needs the super admin")
		}
		return needs(tollgate.SurfaceAdmin)
	case AccessUndeclared, AccessPublic, AccessLLM:
	}
	return tollgate.Errorf(tollgate.CodeForbidden, "not allowed")
}
