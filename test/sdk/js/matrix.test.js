// Every SDK on providers that speak one dialect alone, its own and the others.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GoogleGenAI } from "@google/genai";
import OpenAI from "openai";
import { embedder, key, model, url, weather } from "./gateway.js";
import { speakers } from "./speakers.js";

const providers = ["demo-chat", "demo-responses", "demo-anthropic", "demo-gemini"];

// cases are what is tried, each with a stream and without.
const cases = {
  "completes": async (s, q) => {
    const r = await s.say({ ...q, text: "Say hello." });
    assert.ok(r.text.includes('You wrote: "Say hello."'), r.text);
    assert.ok(r.done && r.input > 0 && r.output > 0, JSON.stringify(r));
  },
  "calls two tools at once and takes their results": async (s, q) => {
    const first = await s.say({ ...q, tools: true, text: `${weather.question} [[demo:parallel=2]]` });
    assert.equal(first.calls.length, 2, JSON.stringify(first));
    assert.ok(first.done);
    for (const call of first.calls) {
      assert.equal(call.name, weather.name);
      assert.equal(typeof call.args.city, "string");
    }
    const second = await first.next([{ sky: "clear-0" }, { sky: "clear-1" }]);
    assert.match(second.text, /clear-0[^]*clear-1/);
    assert.ok(second.done && second.calls.length === 0, JSON.stringify(second));
    assert.ok(second.input > first.input);
  },
  "keeps to a schema": async (s, q) => {
    const r = await s.say({ ...q, schema: true, text: "Tell me of a place." });
    const got = JSON.parse(r.text);
    assert.equal(typeof got.place, "string");
    assert.equal(typeof got.good, "boolean");
  },
  "is shown an image": async (s, q) => {
    const r = await s.say({ ...q, image: true, text: "What is this?" });
    assert.match(r.text, /sent along 1 file\(s\)/);
  },
  "refuses with the SDK's own errors": async (s, q) => {
    const status = (kind, code) => (err) => {
      assert.ok(err instanceof kind, `${err.constructor.name}: ${err}`);
      assert.equal(err.status, code);
      return true;
    };
    await assert.rejects(s.say({ ...q, text: "[[demo:status=400]]" }), status(s.refused, 400));
    await assert.rejects(s.say({ ...q, text: "[[demo:status=429]]" }), status(s.limited, 429));
  },
  "never takes a cut answer for a whole one": async (s, q) => {
    for (const how of ["cut=9", "eof=9", "half", "error=9"]) {
      await assert.rejects(s.say({ ...q, text: `[[demo:tokens=30]] [[demo:${how}]]` }), Error, how);
    }
  },
};

// The demo vendor takes its time between tokens, so that all of it runs at once.
describe("matrix", { concurrency: 16 }, () => {
  for (const s of speakers) {
    for (const provider of providers) {
      const q = { model: `${provider}/${model}` };
      for (const [name, run] of Object.entries(cases)) {
        for (const stream of [false, true]) {
          test(`${s.name} on ${provider} ${name}${stream ? ", as a stream" : ""}`, () => run(s, { ...q, stream }));
        }
      }
      if (!s.count) continue;
      test(`${s.name} on ${provider} counts tokens`, async () => {
        const text = "one two three four ";
        const few = await s.count({ ...q, text });
        const many = await s.count({ ...q, text: text.repeat(20) });
        assert.ok(few > 0 && many >= 8 * few, `${few} and ${many}`);
      });
    }
  }
});

// near fails unless two vectors are the same, up to rounding.
function near(a, b) {
  assert.equal(a.length, b.length);
  assert.ok(a.length > 0 && a.every((x, i) => Math.abs(x - b[i]) < 1e-6));
}

test("embeddings are the same by way of either dialect", async () => {
  const input = ["a tollgate", "a bridge"];
  const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1` });
  const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } });
  const vectors = [];
  for (const provider of ["demo-chat", "demo-gemini"]) {
    const name = `${provider}/${embedder}`;
    vectors.push((await openai.embeddings.create({ model: name, input })).data[1].embedding);
    vectors.push((await genai.models.embedContent({ model: name, contents: input })).embeddings[1].values);
  }
  for (const v of vectors.slice(1)) near(vectors[0], v);
});
