// Package ir is the hub of translation: one model call in a form that is none
// of the four dialects and as rich as the richest of them. A codec decodes a
// client's request into a Request and encodes it for a provider; the answer
// comes back as a Response, or as Events while it is being made.
//
// # Items
//
// A conversation is a flat, ordered list of items, as in OpenAI's Responses: a
// message, a call of a tool, a result of a tool, a piece of reasoning, or
// something that only one vendor knows. Dialects that nest calls and reasoning
// in messages flatten them on the way in and group them on the way out; the
// order is never changed.
//
// # What has no place here
//
// What a codec reads and the hub has no field for becomes an Extra, which its
// own dialect writes back and every other dialect reports as a Loss. What a
// vendor sealed (thinking signatures, encrypted reasoning, thought signatures)
// rides on the item as a Private: verbatim to that vendor, a Loss elsewhere.
//
// # Losses
//
// An encoder returns a Loss for every value that its target cannot carry.
// Losses name places by the path of this package's own fields in snake case
// with indices, such as "temperature", "items[2].parts[0].citations" or
// "tools[1].strict" (see Loss). A loss covers everything below its path.
//
// Values are plain data: a decoder never keeps a reference into the body it
// read, an encoder never changes what it is given.
package ir
