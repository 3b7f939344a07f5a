package jsonscan

import "bytes"

// AppendLine appends valid JSON to dst on one line: as it stands, or, where line
// ends stand between its tokens, without the white space there.
func AppendLine(dst, b []byte) []byte {
	if bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return append(dst, b...)
	}
	for i := 0; i < len(b); {
		switch c := b[i]; c {
		case '"':
			end := text(b, i)
			if end < 0 { // not valid: what is left is taken as it is
				return append(dst, b[i:]...)
			}
			dst = append(dst, b[i:end]...)
			i = end
		case ' ', '\n', '\r', '\t':
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
