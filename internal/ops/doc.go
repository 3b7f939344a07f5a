// Package ops holds what the operator at the host does to an installation:
// accounts and keys, import and export, backup and restore, the change of the
// master key. One process owns a database, so an operation runs inside the
// server, reached through control.sock in the data folder, or, when no server
// runs, in the command's own process, which then takes the database's lock.
// The operator at the host is above all roles; everything is audited.
package ops
