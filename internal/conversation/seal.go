package conversation

import (
	"encoding/base64"
	"fmt"
	"strings"

	"tollgate"
)

// sealMark stands before texts that a client carries for the gateway. No
// vendor's sealed text begins so.
const sealMark = "tgc1."

// SealMark returns the mark with which every sealed text begins.
func SealMark() string { return sealMark }

// SealText turns a text into one that only its owner can have opened again,
// for a client to carry.
func SealText(s tollgate.Sealer, owner int64, text string) (string, error) {
	sealed, err := s.Seal(carriedBy(owner), []byte(text))
	if err != nil {
		return "", fmt.Errorf("seal a text to carry: %w", err)
	}
	return sealMark + base64.RawURLEncoding.EncodeToString(sealed), nil
}

// OpenText undoes SealText; ours is false for a text that was not sealed here.
// A text that was altered, or sealed for another owner, is CodeInvalid.
func OpenText(s tollgate.Sealer, owner int64, sealed string) (text string, ours bool, err error) {
	rest, ours := strings.CutPrefix(sealed, sealMark)
	if !ours {
		return "", false, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(rest)
	if err == nil {
		raw, err = s.Open(carriedBy(owner), raw)
	}
	if err != nil {
		return "", true, &tollgate.Error{
			Code: tollgate.CodeInvalid, Reason: "invalid_encrypted_content", Err: err,
			Message: "The encrypted content of a compaction could not be verified: it was altered, or made for another caller.",
		}
	}
	return string(raw), true, nil
}

func carriedBy(owner int64) tollgate.Label {
	return tollgate.Label{Table: "responses", Column: "compaction", Row: owner}
}
