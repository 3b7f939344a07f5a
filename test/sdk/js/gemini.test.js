import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";
import { embedder, key, model, url, weather, wrongKey } from "./gateway.js";

// The SDK retries nothing by itself.
const connect = (apiKey, apiVersion) => new GoogleGenAI({ apiKey, apiVersion, httpOptions: { baseUrl: url } });
const client = connect(key);

const tools = [
  { functionDeclarations: [{ name: weather.name, description: weather.description, parametersJsonSchema: weather.schema }] },
];
const forced = { tools, toolConfig: { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } } };

function checkUsage(usage) {
  assert.ok(usage.promptTokenCount > 0 && usage.candidatesTokenCount > 0, JSON.stringify(usage));
  assert.equal(
    usage.totalTokenCount,
    usage.promptTokenCount + usage.candidatesTokenCount + (usage.thoughtsTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
  );
}

test("gemini: lists the demo models and gets one", async () => {
  const names = [];
  for await (const m of await client.models.list()) names.push(m.name);
  assert.ok(names.includes(`models/${model}`), `models/${model} is not in ${names}`);
  assert.equal((await client.models.get({ model })).name, `models/${model}`);
});

for (const version of ["v1beta", "v1"]) {
  test(`gemini: generates content under /${version}`, async () => {
    const answer = await connect(key, version).models.generateContent({ model, contents: "Say hello." });
    assert.ok(answer.text.length > 0);
    assert.equal(answer.candidates[0].finishReason, "STOP");
    checkUsage(answer.usageMetadata);
  });
}

test("gemini: streams content", async () => {
  const stream = await client.models.generateContentStream({ model, contents: "Count to five." });
  let text = "";
  let events = 0;
  let last = null;
  for await (const event of stream) {
    text += event.text ?? "";
    events++;
    last = event;
  }
  assert.ok(text.length > 0);
  assert.ok(events > 1, `the stream came in ${events} events`);
  assert.equal(last.candidates[0].finishReason, "STOP");
  checkUsage(last.usageMetadata);
});

test("gemini: calls a function and takes its result", async () => {
  const contents = [{ role: "user", parts: [{ text: weather.question }] }];
  const first = await client.models.generateContent({ model, contents, config: forced });
  const calls = first.functionCalls;
  assert.ok(calls?.length > 0, JSON.stringify(first.candidates));
  assert.equal(calls[0].name, weather.name);
  assert.equal(typeof calls[0].args.city, "string");
  contents.push(first.candidates[0].content);
  contents.push({
    role: "user",
    parts: calls.map((call) => ({ functionResponse: { id: call.id, name: call.name, response: weather.answer } })),
  });
  const second = await client.models.generateContent({ model, contents, config: { tools } });
  assert.ok(second.text.includes(weather.answer.sky), second.text);
  assert.equal(second.functionCalls, undefined);
  assert.ok(second.usageMetadata.promptTokenCount > first.usageMetadata.promptTokenCount);
});

test("gemini: streams a function call", async () => {
  const stream = await client.models.generateContentStream({ model, contents: weather.question, config: forced });
  const calls = [];
  for await (const event of stream) calls.push(...(event.functionCalls ?? []));
  assert.equal(calls[0]?.name, weather.name);
  assert.equal(typeof calls[0].args.city, "string");
});

test("gemini: counts tokens as the answer does", async () => {
  const contents = "How many tokens is this?";
  const count = await client.models.countTokens({ model, contents });
  const answer = await client.models.generateContent({ model, contents });
  assert.equal(count.totalTokens, answer.usageMetadata.promptTokenCount);
});

test("gemini: embeds several texts", async () => {
  const answer = await client.models.embedContent({ model: embedder, contents: ["a tollgate", "a bridge"] });
  assert.equal(answer.embeddings.length, 2);
  assert.ok(answer.embeddings.every((e) => e.values.length > 0 && e.values.every((x) => Number.isFinite(x))));
  assert.notDeepEqual(answer.embeddings[0].values, answer.embeddings[1].values);
});

test("gemini: errors have the shape that the SDK knows", async () => {
  // The SDK's message is the body of the answer.
  const status = (code, name) => (err) => {
    assert.ok(err instanceof ApiError, String(err));
    assert.equal(err.status, code);
    const { error } = JSON.parse(err.message);
    assert.equal(error.code, code);
    assert.equal(error.status, name);
    return true;
  };
  await assert.rejects(
    connect(wrongKey).models.generateContent({ model, contents: "hello" }),
    status(401, "UNAUTHENTICATED"),
  );
  await assert.rejects(client.models.generateContent({ model: "no-such-model", contents: "hello" }), status(404, "NOT_FOUND"));
});
