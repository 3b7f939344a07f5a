// Package proxy is the data plane: it authenticates a caller, finds out what
// is asked and of whom, and relays the request to a provider and the answer
// back. One request is one call, and data flows one way through its phases,
// each in a file of its own:
//
//	door → authenticate → body → peek → resolve (and authorise) → attempts
//	(hold → dispatch) → relay (whole or stream) → settle → record
//
// Same dialect on both sides means that bytes pass through: the model name,
// the credentials and stream_options.include_usage are all that changes
// (CONTRACT 9). A target that speaks another dialect is bridged: its request is
// decoded into the hub's form and encoded anew (prepare), its answer goes
// through a translation on the way (translateAnswer, translation). Everything
// else is the same for both, above all the observer of the provider's dialect,
// which tells usage, completeness and failures from the provider's own bytes.
package proxy
