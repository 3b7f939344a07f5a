import assert from "node:assert/strict";
import { test } from "node:test";
import OpenAI from "openai";
import { embedder, key, model, url, weather, wrongKey } from "./gateway.js";

const client = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });

const chatTool = {
  type: "function",
  function: { name: weather.name, description: weather.description, parameters: weather.schema },
};
const responsesTool = {
  type: "function",
  name: weather.name,
  description: weather.description,
  parameters: weather.schema,
  strict: false,
};

function checkUsage(usage, input, output) {
  assert.ok(usage, "the answer carries no usage");
  assert.ok(usage[input] > 0 && usage[output] > 0, JSON.stringify(usage));
  assert.equal(usage.total_tokens, usage[input] + usage[output]);
}

test("openai: lists the demo models and gets one", async () => {
  const ids = [];
  for await (const m of client.models.list()) {
    assert.equal(m.object, "model");
    ids.push(m.id);
  }
  for (const want of [model, "demo-large", embedder]) assert.ok(ids.includes(want), `${want} is not in ${ids}`);
  assert.equal((await client.models.retrieve(model)).id, model);
});

test("openai: completes a chat", async () => {
  const { data, response } = await client.chat.completions
    .create({ model, messages: [{ role: "user", content: "Say hello." }] })
    .withResponse();
  assert.equal(data.object, "chat.completion");
  assert.equal(data.model, model);
  assert.equal(data.choices.length, 1);
  assert.equal(data.choices[0].message.role, "assistant");
  assert.ok(data.choices[0].message.content.length > 0);
  assert.equal(data.choices[0].finish_reason, "stop");
  checkUsage(data.usage, "prompt_tokens", "completion_tokens");
  assert.ok(response.headers.get("x-tollgate-request-id"));
});

test("openai: streams a chat, with usage only when asked", async () => {
  for (const include of [true, false]) {
    const stream = await client.chat.completions.create({
      model,
      stream: true,
      ...(include ? { stream_options: { include_usage: true } } : {}),
      messages: [{ role: "user", content: "Count to five." }],
    });
    let text = "";
    let finish = null;
    let usage = null;
    let chunks = 0;
    for await (const chunk of stream) {
      chunks++;
      assert.equal(chunk.object, "chat.completion.chunk");
      text += chunk.choices[0]?.delta?.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
      if (chunk.usage) usage = chunk.usage;
      if (!include) assert.equal(chunk.choices.length, 1, "a chunk without choices reached a client that asked for none");
    }
    assert.ok(text.length > 0);
    assert.ok(chunks > 2, `the stream came in ${chunks} chunks`);
    assert.equal(finish, "stop");
    if (include) checkUsage(usage, "prompt_tokens", "completion_tokens");
    else assert.equal(usage, null);
  }
});

test("openai: calls a tool in a chat and takes its result", async () => {
  const messages = [{ role: "user", content: weather.question }];
  const first = await client.chat.completions.create({ model, messages, tools: [chatTool], tool_choice: "required" });
  assert.equal(first.choices[0].finish_reason, "tool_calls");
  const calls = first.choices[0].message.tool_calls;
  assert.equal(calls[0].function.name, weather.name);
  assert.equal(typeof JSON.parse(calls[0].function.arguments).city, "string");
  messages.push(first.choices[0].message);
  for (const call of calls) {
    messages.push({ role: "tool", tool_call_id: call.id, content: JSON.stringify(weather.answer) });
  }
  const second = await client.chat.completions.create({ model, messages, tools: [chatTool] });
  assert.equal(second.choices[0].finish_reason, "stop");
  assert.ok(second.choices[0].message.content.includes(weather.answer.sky), second.choices[0].message.content);
  assert.ok(second.usage.prompt_tokens > first.usage.prompt_tokens);
});

test("openai: streams a tool call in a chat", async () => {
  const stream = client.chat.completions.stream({
    model,
    messages: [{ role: "user", content: weather.question }],
    tools: [chatTool],
    tool_choice: "required",
  });
  const call = (await stream.finalChatCompletion()).choices[0].message.tool_calls[0];
  assert.equal(call.function.name, weather.name);
  assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
});

test("openai: creates a response", async () => {
  const answer = await client.responses.create({ model, input: "Say hello." });
  assert.equal(answer.object, "response");
  assert.equal(answer.status, "completed");
  assert.ok(answer.output_text.length > 0);
  checkUsage(answer.usage, "input_tokens", "output_tokens");
});

test("openai: streams a response whose parts add up to the whole", async () => {
  const stream = await client.responses.create({ model, input: "Count to five.", stream: true });
  let text = "";
  let sequence = -1;
  let done = null;
  for await (const event of stream) {
    assert.ok(event.sequence_number > sequence, `${event.type} is out of order`);
    sequence = event.sequence_number;
    if (event.type === "response.output_text.delta") text += event.delta;
    if (event.type === "response.completed") done = event.response;
  }
  assert.ok(done, "response.completed never came");
  const whole = done.output.flatMap((item) => (item.type === "message" ? item.content : [])).map((part) => part.text ?? "");
  assert.equal(text, whole.join(""));
  checkUsage(done.usage, "input_tokens", "output_tokens");
});

test("openai: calls a tool in responses and takes its result", async () => {
  const input = [{ role: "user", content: weather.question }];
  const first = await client.responses.create({ model, input, tools: [responsesTool], tool_choice: "required", store: false });
  const calls = first.output.filter((item) => item.type === "function_call");
  assert.ok(calls.length > 0, JSON.stringify(first.output));
  assert.equal(calls[0].name, weather.name);
  assert.equal(typeof JSON.parse(calls[0].arguments).city, "string");
  input.push(...first.output);
  for (const call of calls) {
    input.push({ type: "function_call_output", call_id: call.call_id, output: JSON.stringify(weather.answer) });
  }
  const second = await client.responses.create({ model, input, tools: [responsesTool], store: false });
  assert.ok(second.output_text.includes(weather.answer.sky), second.output_text);
  assert.ok(second.usage.input_tokens > first.usage.input_tokens);
});

test("openai: embeds one text and several", async () => {
  const one = await client.embeddings.create({ model: embedder, input: "a tollgate" });
  const several = await client.embeddings.create({ model: embedder, input: ["a tollgate", "a bridge"] });
  assert.equal(several.data.length, 2);
  assert.ok(one.data[0].embedding.length > 0);
  assert.ok(one.data[0].embedding.every((x) => Number.isFinite(x)));
  assert.deepEqual(several.data[0].embedding, one.data[0].embedding);
  assert.notDeepEqual(several.data[1].embedding, one.data[0].embedding);
  assert.ok(one.usage.prompt_tokens > 0);
});

test("openai: errors have the shape that the SDK knows", async () => {
  const messages = [{ role: "user", content: "hello" }];
  const stranger = new OpenAI({ apiKey: wrongKey, baseURL: `${url}/v1`, maxRetries: 0 });
  await assert.rejects(stranger.chat.completions.create({ model, messages }), (err) => {
    assert.ok(err instanceof OpenAI.AuthenticationError, String(err));
    assert.equal(err.status, 401);
    assert.equal(typeof err.error.message, "string");
    assert.ok(!JSON.stringify(err.error).includes(wrongKey));
    return true;
  });
  await assert.rejects(client.chat.completions.create({ model: "no-such-model", messages }), (err) => {
    assert.ok(err instanceof OpenAI.NotFoundError, String(err));
    assert.equal(typeof err.error.type, "string");
    return true;
  });
  await assert.rejects(client.chat.completions.create({ model: 7, messages }), OpenAI.BadRequestError);
});
