// Package upstream knows the providers: where they are, which dialects they
// speak, how they want our credential, and what may cross to them and back.
//
// [Fleet] is an immutable snapshot of the enabled providers with their opened
// credentials, swapped when the catalogue changes. An [Endpoint] turns a call
// into an HTTP request (Endpoint.NewRequest), sends it through the guarded
// transport (Endpoint.Do), and says which credentials to use, in turn.
// [Catalog] holds the rules for changing providers, credentials, models,
// aliases and settings, whoever asks: admin API, seed or command line.
//
// # Credentials in turn
//
// Several credentials of a provider are used round robin. One that got a 401
// is left out for 60 seconds; one that got a 429 for as long as retry-after
// says, at most 60 seconds (5 when it says nothing). When every credential is
// being left out, all are used, the one that comes back first in front: a
// refusal by the provider is a better answer than one that we invent.
//
// # What crosses
//
// Request headers cross by an allow-list: the protocols' own and those of the
// well-known clients. Client credentials, cookies, forwarding and hop-by-hop
// headers never do (SECURITY H-03, F-09, N-67). Response headers come back by
// an allow-list too (H-05). Error bodies are scrubbed of keys (L-03).
package upstream
