// Package tollgate is the domain of the gateway: users, keys, permissions,
// providers, models, quotas, usage and audit, the contract of the store that
// keeps them, and the one error vocabulary. It imports the standard library
// alone, knows neither HTTP nor SQL, and its types carry no JSON tags: what
// may leave the process is decided at the edges.
package tollgate
