// Where the gateway under test is, and what the suites share.

// required returns an environment variable that the suite cannot do without.
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/test-sdk.sh`);
  return value;
}

export const url = required("TOLLGATE_URL");
export const key = required("TOLLGATE_KEY");

export const model = "demo-small";
export const embedder = "demo-embed";

// wrongKey has the form of a key, and nobody has it.
export const wrongKey = `${key.slice(0, -1)}${key.endsWith("A") ? "B" : "A"}`;

// weather is the one tool of the suites, described as JSON schema.
export const weather = {
  name: "get_weather",
  description: "Tells the weather in a city.",
  schema: {
    type: "object",
    properties: { city: { type: "string", description: "Name of the city" } },
    required: ["city"],
  },
  question: "What is the weather in Paris?",
  answer: { city: "Paris", sky: "clear", celsius: 21 },
};
