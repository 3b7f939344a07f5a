package openai

import "strings"

// chatFamily is what a model's name tells about the server behind it, which
// the codec cannot see. OpenAI refuses members that compatible servers need
// and the other way round; where they differ, its own models are known by name
// and everything else gets the form that most servers take.
type chatFamily uint8

const (
	chatCompatible chatFamily = iota // some other vendor's model
	chatPlain                        // OpenAI's models that do not reason: gpt-4o, gpt-4.1, …
	chatReasoner                     // OpenAI's models that reason: o1, o3, o4-mini, gpt-5, …
)

// chatFamilyOf judges a model's name, also with a path or "ft:" before it.
func chatFamilyOf(model string) chatFamily {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	name = strings.TrimPrefix(name, "ft:")
	if rest, ok := strings.CutPrefix(name, "gpt-"); ok {
		switch {
		case rest == "" || rest[0] < '0' || rest[0] > '9': // gpt-oss is served by others; gpt-audio is not
			if strings.HasPrefix(rest, "oss") {
				return chatCompatible
			}
			return chatPlain
		case rest[0] >= '5':
			return chatReasoner
		default:
			return chatPlain
		}
	}
	switch {
	case strings.HasPrefix(name, "chatgpt-"):
		return chatPlain
	case len(name) > 1 && name[0] == 'o' && name[1] >= '1' && name[1] <= '9':
		return chatReasoner
	default:
		return chatCompatible
	}
}
