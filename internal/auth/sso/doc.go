// Package sso signs people in through somebody else: GitHub, Google and any
// OpenID provider.
//
// [Engine.Begin] says where a browser goes and which cookie it takes along,
// [Engine.Finish] reads what it comes back with and says who the provider says
// it is. An [Identity] is a claim of one provider about one of its own accounts
// and nothing more: its key is (provider, subject), never the e-mail address
// (SECURITY O-04, O-05). Who that is here, and whether they may come in, is
// decided by the caller; [Settings.Admit] only says what the provider's own
// settings allow.
//
// The package speaks to providers through the client that it is given, which
// must be guarded and must not follow redirects (SECURITY O-10). Access tokens
// live as long as one call of Finish (O-11).
package sso
