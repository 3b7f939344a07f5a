/** The protocols that a call can be made in, by the names that the gateway gives them. */
export const dialects = ["openai-chat", "openai-responses", "anthropic", "gemini"] as const;
export type Dialect = (typeof dialects)[number];

/** Tool is a function that the model may call, as a person writes it down. */
export interface Tool {
  name: string;
  description?: string;
  parameters?: object;
}

/** Ask is what a person wants to send, in no protocol yet. */
export interface Ask {
  dialect: Dialect;
  model: string;
  system: string;
  prompt: string;
  maxTokens: number;
  stream: boolean;
  tool: Tool | null;
  image: { type: string; base64: string } | null;
}

/** Wire is it in its protocol: path and headers of the data plane, and the body. */
export interface Wire {
  path: string;
  headers: Record<string, string>;
  body: object;
}

/** wireOf says an ask in its protocol. */
export function wireOf(ask: Ask): Wire {
  return protocols[ask.dialect](ask);
}

const protocols: Record<Dialect, (ask: Ask) => Wire> = {
  "openai-chat": ({ model, system, prompt, maxTokens, stream, tool, image }) => ({
    path: "/v1/chat/completions",
    headers: {},
    body: {
      model,
      max_tokens: maxTokens,
      messages: [
        ...(system ? [{ role: "system", content: system }] : []),
        {
          role: "user",
          content: image
            ? [
                { type: "text", text: prompt },
                { type: "image_url", image_url: { url: dataURL(image) } },
              ]
            : prompt,
        },
      ],
      ...(tool && { tools: [{ type: "function", function: tool }] }),
      ...(stream && { stream, stream_options: { include_usage: true } }),
    },
  }),
  "openai-responses": ({ model, system, prompt, maxTokens, stream, tool, image }) => ({
    path: "/v1/responses",
    headers: {},
    body: {
      model,
      max_output_tokens: maxTokens,
      ...(system && { instructions: system }),
      input: image
        ? [
            {
              role: "user",
              content: [
                { type: "input_text", text: prompt },
                { type: "input_image", image_url: dataURL(image) },
              ],
            },
          ]
        : prompt,
      ...(tool && { tools: [{ type: "function", ...tool }] }),
      store: false,
      ...(stream && { stream }),
    },
  }),
  anthropic: ({ model, system, prompt, maxTokens, stream, tool, image }) => ({
    path: "/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: {
      model,
      max_tokens: maxTokens,
      ...(system && { system }),
      messages: [
        {
          role: "user",
          content: image
            ? [
                { type: "image", source: { type: "base64", media_type: image.type, data: image.base64 } },
                { type: "text", text: prompt },
              ]
            : prompt,
        },
      ],
      ...(tool && {
        tools: [{ name: tool.name, description: tool.description, input_schema: tool.parameters ?? { type: "object" } }],
      }),
      ...(stream && { stream }),
    },
  }),
  gemini: ({ model, system, prompt, maxTokens, stream, tool, image }) => ({
    path: `/v1beta/models/${inPath(model)}:${stream ? "streamGenerateContent?alt=sse" : "generateContent"}`,
    headers: {},
    body: {
      ...(system && { systemInstruction: { parts: [{ text: system }] } }),
      contents: [
        {
          role: "user",
          parts: [{ text: prompt }, ...(image ? [{ inlineData: { mimeType: image.type, data: image.base64 } }] : [])],
        },
      ],
      generationConfig: { maxOutputTokens: maxTokens },
      ...(tool && { tools: [{ functionDeclarations: [tool] }] }),
    },
  }),
};

function dataURL({ type, base64 }: { type: string; base64: string }): string {
  return `data:${type};base64,${base64}`;
}

/** inPath leaves the slash after a provider's name as it is. */
function inPath(model: string): string {
  return encodeURI(model).replace(/[?#]/g, encodeURIComponent);
}

/** credentialOf is the header that a client of the protocol sends its key in. */
function credentialOf(dialect: Dialect): string {
  if (dialect === "anthropic") return "x-api-key: $TOLLGATE_API_KEY";
  if (dialect === "gemini") return "x-goog-api-key: $TOLLGATE_API_KEY";
  return "Authorization: Bearer $TOLLGATE_API_KEY";
}

/** curlOf is the same call for a terminal, at the data plane itself. */
export function curlOf(origin: string, { dialect }: Ask, { path, headers, body }: Wire): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `curl ${quoted(origin + path)}`,
    `-H "${credentialOf(dialect)}"`,
    ...Object.entries({ "Content-Type": "application/json", ...headers }).map(
      ([name, value]) => `-H ${quoted(`${name}: ${value}`)}`,
    ),
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}

/** shown is a body as JSON to read, with what nobody reads (an image's data) cut. */
export function shown(body: unknown): string {
  const cut = (_: string, value: unknown) =>
    typeof value === "string" && value.length > 4000 ? `${value.slice(0, 80)}… (${value.length})` : value;
  return JSON.stringify(body, cut, 2);
}
