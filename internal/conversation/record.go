package conversation

import (
	"encoding/binary"
	"encoding/json"
	"errors"
)

// A record is: version (1 byte), then fields with their length in front:
// previous id, response, and each input item.
const recordVersion = 1

var errRecord = errors.New("the record of a turn is damaged")

// appendRecord writes what of a turn is sealed.
func appendRecord(dst []byte, t *Turn) []byte {
	dst = append(dst, recordVersion)
	dst = appendField(dst, []byte(t.Previous))
	dst = appendField(dst, t.Response)
	for _, it := range t.Input {
		dst = appendField(dst, it)
	}
	return dst
}

func appendField(dst, field []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(field))), field...)
}

// readRecord undoes appendRecord. The turn keeps referring to b.
func readRecord(b []byte, t *Turn) error {
	if len(b) == 0 || b[0] != recordVersion {
		return errRecord
	}
	var fields [][]byte
	for b = b[1:]; len(b) > 0; {
		n, used := binary.Uvarint(b)
		if used <= 0 || n > uint64(len(b)-used) { //nolint:gosec // used is at most len(b)
			return errRecord
		}
		b = b[used:]
		fields = append(fields, b[:n:n])
		b = b[n:]
	}
	if len(fields) < 2 {
		return errRecord
	}
	t.Previous, t.Response = string(fields[0]), fields[1]
	t.Input = make([]json.RawMessage, len(fields)-2)
	for i, f := range fields[2:] {
		t.Input[i] = f
	}
	return nil
}
