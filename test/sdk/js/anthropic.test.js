import assert from "node:assert/strict";
import { test } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { key, model, url, weather, wrongKey } from "./gateway.js";

const client = new Anthropic({ apiKey: key, baseURL: url, maxRetries: 0 });
const tool = { name: weather.name, description: weather.description, input_schema: weather.schema };
const max_tokens = 256;

function textOf(message) {
  return message.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

test("anthropic: lists the demo models and gets one", async () => {
  const ids = [];
  for await (const m of client.models.list()) {
    assert.equal(m.type, "model");
    ids.push(m.id);
  }
  assert.ok(ids.includes(model), `${model} is not in ${ids}`);
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("anthropic: completes a message", async () => {
  const message = await client.messages.create({ model, max_tokens, messages: [{ role: "user", content: "Say hello." }] });
  assert.equal(message.type, "message");
  assert.equal(message.role, "assistant");
  assert.equal(message.model, model);
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(textOf(message).length > 0);
  assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
});

test("anthropic: accepts the key as x-api-key with the older version", async () => {
  const headers = { authorization: null, "x-api-key": key, "anthropic-version": "2023-06-01" };
  const message = await client.messages.create(
    { model, max_tokens, messages: [{ role: "user", content: "Say hello." }] },
    { headers },
  );
  assert.equal(message.stop_reason, "end_turn");
});

test("anthropic: streams a message whose parts add up to the whole", async () => {
  const stream = client.messages.stream({ model, max_tokens, messages: [{ role: "user", content: "Count to five." }] });
  let text = "";
  let deltas = 0;
  stream.on("text", (delta) => {
    text += delta;
    deltas++;
  });
  const message = await stream.finalMessage();
  assert.equal(textOf(message), text);
  assert.ok(deltas > 1, `the stream came in ${deltas} pieces`);
  assert.equal(message.stop_reason, "end_turn");
  assert.ok(message.usage.input_tokens > 0 && message.usage.output_tokens > 0);
});

test("anthropic: calls a tool and takes its result", async () => {
  const messages = [{ role: "user", content: weather.question }];
  const first = await client.messages.create({ model, max_tokens, messages, tools: [tool], tool_choice: { type: "any" } });
  assert.equal(first.stop_reason, "tool_use");
  const calls = first.content.filter((block) => block.type === "tool_use");
  assert.equal(calls[0].name, weather.name);
  assert.equal(typeof calls[0].input.city, "string");
  messages.push({ role: "assistant", content: first.content });
  messages.push({
    role: "user",
    content: calls.map((call) => ({ type: "tool_result", tool_use_id: call.id, content: JSON.stringify(weather.answer) })),
  });
  const second = await client.messages.create({ model, max_tokens, messages, tools: [tool] });
  assert.equal(second.stop_reason, "end_turn");
  assert.ok(textOf(second).includes(weather.answer.sky), textOf(second));
  assert.ok(second.usage.input_tokens > first.usage.input_tokens);
});

test("anthropic: streams a tool call", async () => {
  const stream = client.messages.stream({
    model,
    max_tokens,
    messages: [{ role: "user", content: weather.question }],
    tools: [tool],
    tool_choice: { type: "any" },
  });
  const message = await stream.finalMessage();
  assert.equal(message.stop_reason, "tool_use");
  const call = message.content.find((block) => block.type === "tool_use");
  assert.equal(call.name, weather.name);
  assert.equal(typeof call.input.city, "string");
});

test("anthropic: counts tokens as the answer does", async () => {
  const messages = [{ role: "user", content: "How many tokens is this?" }];
  const count = await client.messages.countTokens({ model, messages });
  const message = await client.messages.create({ model, max_tokens, messages });
  assert.equal(count.input_tokens, message.usage.input_tokens);
});

test("anthropic: errors have the shape that the SDK knows", async () => {
  const body = { model, max_tokens, messages: [{ role: "user", content: "hello" }] };
  const stranger = new Anthropic({ apiKey: wrongKey, baseURL: url, maxRetries: 0 });
  await assert.rejects(stranger.messages.create(body), (err) => {
    assert.ok(err instanceof Anthropic.AuthenticationError, String(err));
    assert.equal(err.error.type, "error");
    assert.equal(err.error.error.type, "authentication_error");
    return true;
  });
  await assert.rejects(client.messages.create({ ...body, model: "no-such-model" }), (err) => {
    assert.ok(err instanceof Anthropic.NotFoundError, String(err));
    assert.equal(err.error.error.type, "not_found_error");
    return true;
  });
  await assert.rejects(client.messages.create({ ...body, model: 7 }), (err) => {
    assert.ok(err instanceof Anthropic.BadRequestError, String(err));
    assert.equal(err.error.error.type, "invalid_request_error");
    return true;
  });
});
