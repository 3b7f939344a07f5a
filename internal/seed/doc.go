// Package seed brings the records of a configuration file into the database
// and back: the import of the first start with the bootstrap admin (CONTRACT
// 4), the comparison of file and database, import, export, and the records of
// --demo. Every change goes through the rules of auth.Accounts and
// upstream.Catalog, and so into the audit.
package seed
