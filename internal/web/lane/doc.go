// Package lane serves plain HTTP/1.1 requests itself, in front of net/http.
//
// Nearly every request of an LLM client looks the same: POST or GET, a path, a
// handful of ordinary headers, a body whose length is known. For these, the
// lane reads the head, calls the handler and sends the answer with one write,
// all in the connection's goroutine. A connection whose next request is
// anything else goes to net/http for good, with the bytes read so far: what to
// make of odd requests stays net/http's matter, and this parser can be small.
//
// For the handler there is no difference: the request is equal to the one that
// net/http would have made, and the writer follows the same rules, except that
// it cannot be hijacked, sends no informational answers and no trailers.
package lane
