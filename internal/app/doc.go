// Package app is the composition root: it opens the database, unlocks the
// keys, imports the seed, builds every engine and server, and is the only place
// that names them all. The same value runs in main and in tests: New wires and
// rolls back, Start listens, Addr tells where, Reload applies changed process
// settings, Stop drains.
package app
