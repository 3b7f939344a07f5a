// Package auth knows who a caller is and what a caller may do: passwords,
// keys, sessions and roles.
//
// [Directory] answers on the hot path: who sent this credential, may they use
// this model, and is that still so while the answer streams. It works from an
// immutable snapshot of the store, kept current by the store's change feed.
// [Sessions] signs users in. [Accounts] holds the rules for changing
// identities; the admin API, self service, the seed and the command line all
// change them through it and through nothing else.
package auth
