package ir

// Embedding is a request for vectors.
type Embedding struct {
	Model string
	// Inputs are the texts, in order.
	Inputs []string
	// Dimensions of the vectors; 0 = the model's own.
	Dimensions int64
	// Base64 asks for vectors as base64 of little-endian float32 (OpenAI).
	Base64 bool
	// Task and Title tell what the vectors are for (Gemini).
	Task, Title string
	User        string
	// Single marks Gemini's embedContent, whose answer is one vector.
	Single bool
	Extras []Extra
}

// Embeddings is the answer: one vector per input, in order.
type Embeddings struct {
	Model   string
	Vectors [][]float32
	Usage   Usage
}
