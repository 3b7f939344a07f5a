// Package seal keeps secrets at rest (CONTRACT 3, SECURITY C).
//
// The operator's master key never touches a record. Argon2id turns it, with
// the database's own salt, into a key that wraps one random root key; HKDF
// derives from the root a sub-key for every purpose; records are sealed with
// XChaCha20-Poly1305 under the sub-key of their table and column, bound to
// their row and, for provider credentials, to their origin. Changing the
// master key therefore re-wraps 32 bytes and touches no record.
//
// Nothing here writes before it has decided: [ResolveMaster] and [Unlock] only
// read, so that a wrong or missing master key leaves files and database as
// they were.
package seal
