/** Snippet is what to paste where, for one kind of client. */
export interface Snippet {
  name: string;
  text: (origin: string, key: string, model: string) => string;
}

export const snippets: Snippet[] = [
  {
    name: "curl",
    text: (origin, key, model) => `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer ${key}" \\
  -H "Content-Type: application/json" \\
  -d '{"model":"${model}","messages":[{"role":"user","content":"Hello!"}]}'`,
  },
  {
    name: "OpenAI SDK",
    text: (origin, key, model) => `from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key="${key}")
answer = client.chat.completions.create(
    model="${model}",
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.choices[0].message.content)`,
  },
  {
    name: "Anthropic SDK",
    text: (origin, key, model) => `from anthropic import Anthropic

client = Anthropic(base_url="${origin}", api_key="${key}")
answer = client.messages.create(
    model="${model}",
    max_tokens=1024,
    messages=[{"role": "user", "content": "Hello!"}],
)
print(answer.content[0].text)`,
  },
  {
    name: "Gemini SDK",
    text: (origin, key, model) => `from google import genai
from google.genai import types

client = genai.Client(
    api_key="${key}",
    http_options=types.HttpOptions(base_url="${origin}"),
)
answer = client.models.generate_content(model="${model}", contents="Hello!")
print(answer.text)`,
  },
  {
    name: "Claude Code",
    text: (origin, key, model) => `export ANTHROPIC_BASE_URL=${origin}
export ANTHROPIC_API_KEY=${key}
export ANTHROPIC_MODEL=${model}
claude`,
  },
  {
    name: "Codex",
    text: (origin, key, model) => `# ~/.codex/config.toml
model = "${model}"
model_provider = "tollgate"

[model_providers.tollgate]
name = "Tollgate"
base_url = "${origin}/v1"
env_key = "TOLLGATE_API_KEY"
wire_api = "responses"

# in the terminal
# export TOLLGATE_API_KEY=${key}
# codex`,
  },
  {
    name: "Gemini CLI",
    text: (origin, key, model) => `export GOOGLE_GEMINI_BASE_URL=${origin}
export GEMINI_API_KEY=${key}
gemini --model ${model}`,
  },
];
