/** eventReader takes the text of server-sent events as it comes and hands on each event that is whole. */
export function eventReader(take: (event: string, data: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const events = (rest + text).replaceAll("\r\n", "\n").split("\n\n");
    rest = events.pop() ?? "";
    for (const lines of events.map((event) => event.split("\n"))) {
      const field = (name: string) =>
        lines.filter((l) => l.startsWith(`${name}:`)).map((l) => l.slice(name.length + 1).trimStart());
      take(field("event")[0] ?? "", field("data").join("\n"));
    }
  };
}

/** textsOf reads a body piece by piece, as it comes. */
export async function* textsOf(response: Response): AsyncGenerator<string> {
  const reader = response.body?.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return;
    yield decoder.decode(part.value, { stream: true });
  }
}
