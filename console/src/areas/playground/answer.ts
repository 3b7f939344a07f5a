import type { Dialect } from "./request";

/** Answer is what a person reads of an answer, whatever its protocol. */
export interface Answer {
  text: string;
  calls: { name: string; arguments: string }[];
  /** What the gateway or the provider refused it with. */
  error: string;
}

export const noAnswer: Answer = { text: "", calls: [], error: "" };

/** Json is any JSON, looked into without trust: what is not there is undefined. */
type Json = { [name: string]: Json } & Json[] & string;

function words(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function list(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : [];
}

const said = (answer: Answer, text: Json | undefined): Answer => ({ ...answer, text: answer.text + words(text) });
const called = (answer: Answer, name: Json | undefined, args: string): Answer => ({
  ...answer,
  calls: [...answer.calls, { name: words(name), arguments: args }],
});

/** argued adds a piece to the arguments of the last call. */
function argued(answer: Answer, piece: Json | undefined): Answer {
  const last = answer.calls.at(-1);
  if (!last) return answer;
  return { ...answer, calls: [...answer.calls.slice(0, -1), { ...last, arguments: last.arguments + words(piece) }] };
}

/** take adds to an answer what a whole body or one event of a stream says. */
export function take(dialect: Dialect, answer: Answer, text: string): Answer {
  const json = parsed(text);
  if (!json) return answer;
  const error = words(json.error?.message) || words(json.response?.error?.message) || words(json.detail);
  return error ? { ...answer, error } : takers[dialect](answer, json);
}

function parsed(text: string): Json | null {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null; // "[DONE]", or what a proxy in between says
  }
}

const takers: Record<Dialect, (answer: Answer, json: Json) => Answer> = {
  "openai-chat": (answer, json) => {
    const choice = list(json.choices)[0];
    const message = choice?.delta ?? choice?.message;
    return list(message?.tool_calls).reduce(
      (a, { function: f }) => (f?.name ? called(a, f.name, words(f.arguments)) : argued(a, f?.arguments)),
      said(answer, message?.content),
    );
  },
  "openai-responses": (answer, json) => {
    switch (words(json.type)) {
      case "response.output_text.delta":
        return said(answer, json.delta);
      case "response.output_item.added":
        return words(json.item?.type) === "function_call" ? called(answer, json.item?.name, words(json.item?.arguments)) : answer;
      case "response.function_call_arguments.delta":
        return argued(answer, json.delta);
    }
    return list(json.output).reduce(
      (a, item) =>
        words(item.type) === "function_call"
          ? called(a, item.name, words(item.arguments))
          : list(item.content).reduce((b, part) => said(b, part.text), a),
      answer,
    );
  },
  anthropic: (answer, json) => {
    const block = json.content_block;
    if (block) return words(block.type) === "tool_use" ? called(answer, block.name, "") : said(answer, block.text);
    if (json.delta)
      return words(json.delta.partial_json) ? argued(answer, json.delta.partial_json) : said(answer, json.delta.text);
    return list(json.content).reduce(
      (a, part) => (words(part.type) === "tool_use" ? called(a, part.name, JSON.stringify(part.input)) : said(a, part.text)),
      answer,
    );
  },
  gemini: (answer, json) =>
    list(list(json.candidates)[0]?.content?.parts).reduce(
      (a, { functionCall, text }) =>
        functionCall ? called(a, functionCall.name, JSON.stringify(functionCall.args ?? {})) : said(a, text),
      answer,
    ),
};
