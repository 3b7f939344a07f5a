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
// (CONTRACT 9). A request that a provider of another dialect would have to
// serve is refused in candidates, the one place where translation plugs in.
package proxy
