// Package guard dials only where the gateway may go. Every connection whose
// destination is influenced by anyone but the operator's own files is made
// here: providers, and later webhooks and OpenID discovery.
//
// The address is judged after the name is resolved and then dialled by that
// very address, so that a name whose answer changes between check and use
// gains nothing (SECURITY F-02). Denied are all special-purpose ranges of
// IANA's IPv4 and IPv6 registries, IPv4 addresses embedded in IPv6 ones, cloud
// metadata services and the gateway's own listeners. The operator may open
// private ranges with `[upstream] allow_private`; metadata services and own
// listeners stay closed even then. Plain HTTP is spoken to opened ranges only.
//
// With an outbound proxy (TOLLGATE_PROXY) the proxy resolves names, so that
// only literal addresses can be judged here; addresses on the allow-list are
// dialled directly, and plain HTTP never passes the proxy.
package guard
