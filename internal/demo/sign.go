package demo

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strings"
)

// What is signed.
const (
	signedThinking  = "thinking"  // Anthropic, bound to the thought's text
	signedCall      = "call"      // Gemini, bound to the function's name
	signedReasoning = "reasoning" // OpenAI, bound to nothing
	signedSummary   = "summary"   // OpenAI, of a compacted conversation
)

// sign seals text so that the vendor knows it again. It keeps nobody out: it
// stands for signatures that only their vendor can verify.
func sign(kind, text string) string {
	return base64.StdEncoding.EncodeToString([]byte("demo/" + kind + "/" + digest(kind+"\x00"+text)))
}

func digest(s string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte("a simulated secret\x00" + s))
	return fmt.Sprintf("%016x", h.Sum64())
}

// signed reports whether seal is what sign made of kind and text.
func signed(seal, kind, text string) bool { return seal == sign(kind, text) }

// signedBy reports whether seal is of the kind, whatever it was made of.
func signedBy(seal, kind string) bool {
	b, err := base64.StdEncoding.DecodeString(seal)
	return err == nil && strings.HasPrefix(string(b), "demo/"+kind+"/")
}
