// The SDKs behind one face: say(question) gives a reply, and next(results)
// sends what the tools answered.

import Anthropic from "@anthropic-ai/sdk";
import { ApiError, GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { key, url, weather } from "./gateway.js";

const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const anthropic = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });

// picture is a PNG of one pixel.
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

export const answerSchema = {
  type: "object",
  properties: { place: { type: "string" }, good: { type: "boolean" } },
  required: ["place", "good"],
  additionalProperties: false,
};

const { name, description, schema } = weather;

async function sayChat(body) {
  const answer = body.stream
    ? await openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } }).finalChatCompletion()
    : await openai.chat.completions.create(body);
  const { message, finish_reason } = answer.choices[0];
  const calls = (message.tool_calls ?? []).map((c) => ({ id: c.id, name: c.function.name, args: JSON.parse(c.function.arguments) }));
  return {
    text: message.content ?? "",
    calls,
    done: finish_reason === (calls.length > 0 ? "tool_calls" : "stop"),
    input: answer.usage.prompt_tokens,
    output: answer.usage.completion_tokens,
    next: (results) =>
      sayChat({
        ...body,
        messages: [
          ...body.messages,
          message,
          ...calls.map((c, i) => ({ role: "tool", tool_call_id: c.id, content: JSON.stringify(results[i]) })),
        ],
      }),
  };
}

async function sayResponse(body) {
  const answer = body.stream
    ? await openai.responses.stream(body).finalResponse()
    : await openai.responses.create(body);
  const calls = answer.output
    .filter((item) => item.type === "function_call")
    .map((c) => ({ id: c.call_id, name: c.name, args: JSON.parse(c.arguments) }));
  return {
    text: answer.output.flatMap((item) => (item.type === "message" ? item.content : [])).map((part) => part.text ?? "").join(""),
    calls,
    done: answer.status === "completed",
    input: answer.usage.input_tokens,
    output: answer.usage.output_tokens,
    next: (results) =>
      sayResponse({
        ...body,
        // The helper for streams adds parsed_arguments, which the API does not know.
        input: [
          ...body.input,
          ...answer.output.map(({ parsed_arguments, ...item }) => item),
          ...calls.map((c, i) => ({ type: "function_call_output", call_id: c.id, output: JSON.stringify(results[i]) })),
        ],
      }),
  };
}

async function sayMessage({ stream, ...body }) {
  const answer = stream ? await anthropic.messages.stream(body).finalMessage() : await anthropic.messages.create(body);
  const calls = answer.content.filter((b) => b.type === "tool_use").map((c) => ({ id: c.id, name: c.name, args: c.input }));
  return {
    text: answer.content.map((b) => b.text ?? "").join(""),
    calls,
    done: answer.stop_reason === (calls.length > 0 ? "tool_use" : "end_turn"),
    input: answer.usage.input_tokens,
    output: answer.usage.output_tokens,
    next: (results) => {
      const content = calls.map((c, i) => ({ type: "tool_result", tool_use_id: c.id, content: JSON.stringify(results[i]) }));
      const messages = [...body.messages, { role: "assistant", content: answer.content }, { role: "user", content }];
      return sayMessage({ ...body, stream, messages });
    },
  };
}

async function sayContent({ stream, ...body }) {
  const answers = [];
  if (stream) for await (const event of await genai.models.generateContentStream(body)) answers.push(event);
  else answers.push(await genai.models.generateContent(body));
  const calls = answers.flatMap((a) => a.functionCalls ?? []);
  const parts = answers.flatMap((a) => a.candidates?.[0]?.content?.parts ?? []).filter((p) => p.text !== "");
  const last = answers.at(-1);
  return {
    text: parts.filter((p) => !p.thought).map((p) => p.text ?? "").join(""),
    calls,
    done: last.candidates[0].finishReason === "STOP",
    input: last.usageMetadata.promptTokenCount,
    output: last.usageMetadata.candidatesTokenCount,
    next: (results) => {
      const back = calls.map((c, i) => ({ functionResponse: { id: c.id, name: c.name, response: results[i] } }));
      const contents = [...body.contents, { role: "model", parts }, { role: "user", parts: back }];
      return sayContent({ ...body, stream, contents });
    },
  };
}

// speakers take {model, text, stream, image, tools, schema}; refused is the
// SDK's class of errors with a status, count the call that counts tokens.
export const speakers = [
  {
    name: "openai chat",
    refused: OpenAI.APIError,
    limited: OpenAI.RateLimitError,
    say: (q) =>
      sayChat({
        model: q.model,
        stream: q.stream,
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: q.text },
              ...(q.image ? [{ type: "image_url", image_url: { url: `data:image/png;base64,${picture}` } }] : []),
            ],
          },
        ],
        ...(q.tools && { tools: [{ type: "function", function: { name, description, parameters: schema } }] }),
        ...(q.schema && { response_format: { type: "json_schema", json_schema: { name: "place", strict: true, schema: answerSchema } } }),
      }),
  },
  {
    name: "openai responses",
    refused: OpenAI.APIError,
    limited: OpenAI.RateLimitError,
    say: (q) =>
      sayResponse({
        model: q.model,
        stream: q.stream,
        store: false,
        input: [
          {
            role: "user",
            content: [
              { type: "input_text", text: q.text },
              ...(q.image ? [{ type: "input_image", detail: "auto", image_url: `data:image/png;base64,${picture}` }] : []),
            ],
          },
        ],
        ...(q.tools && { tools: [{ type: "function", name, description, parameters: schema, strict: false }] }),
        ...(q.schema && { text: { format: { type: "json_schema", name: "place", strict: true, schema: answerSchema } } }),
      }),
  },
  {
    name: "anthropic",
    refused: Anthropic.APIError,
    limited: Anthropic.RateLimitError,
    count: async (q) => (await anthropic.messages.countTokens({ model: q.model, messages: [{ role: "user", content: q.text }] })).input_tokens,
    say: (q) =>
      sayMessage({
        model: q.model,
        stream: q.stream,
        max_tokens: 256,
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: q.text },
              ...(q.image ? [{ type: "image", source: { type: "base64", media_type: "image/png", data: picture } }] : []),
            ],
          },
        ],
        ...(q.tools && { tools: [{ name, description, input_schema: schema }] }),
        ...(q.schema && { output_config: { format: { type: "json_schema", schema: answerSchema } } }),
      }),
  },
  {
    name: "genai",
    refused: ApiError,
    limited: ApiError,
    count: async (q) => (await genai.models.countTokens({ model: q.model, contents: q.text })).totalTokens,
    say: (q) =>
      sayContent({
        model: q.model,
        stream: q.stream,
        contents: [
          { role: "user", parts: [{ text: q.text }, ...(q.image ? [{ inlineData: { mimeType: "image/png", data: picture } }] : [])] },
        ],
        config: {
          ...(q.tools && { tools: [{ functionDeclarations: [{ name, description, parametersJsonSchema: schema }] }] }),
          ...(q.schema && { responseMimeType: "application/json", responseJsonSchema: answerSchema }),
        },
      }),
  },
];
