import { guardedFetch } from "./gate";
import { Failure } from "./problem";
import type { Body, Path, Problem } from "./types";

/** download saves what an export answers as a file, and answers it. */
export async function download<P extends Path>(path: P, body: Body<P>) {
  const request = new Request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const response = await guardedFetch(request);
  if (!response.ok) throw new Failure({ status: response.status, ...((await response.json()) as Problem) });
  const name = /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "")?.[1] ?? "export.csv";
  const file = await response.blob();
  saveFile(name, file);
  return file;
}

/** saveFile hands a file to the browser's downloads. */
export function saveFile(name: string, content: Blob) {
  const address = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
