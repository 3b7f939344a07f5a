/** Line is one line of a comparison: in both texts, in the first alone (-), in the second alone (+). */
export interface Line {
  sign: " " | "-" | "+";
  text: string;
  /** Where it stands: in the second text, and in the first for what is gone. */
  at: number;
}

/** The largest table that is filled to find the shortest difference; above it, what lies between is told as replaced. */
const most = 4_000_000;

/** compare tells how the lines of two texts differ. */
export function compare(before: string, after: string): Line[] {
  const a = linesOf(before);
  const b = linesOf(after);
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const same = (text: string, at: number): Line => ({ sign: " ", text, at });
  return [
    ...b.slice(0, head).map((text, i) => same(text, i + 1)),
    ...between(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head),
    ...b.slice(b.length - tail).map((text, i) => same(text, b.length - tail + i + 1)),
  ];
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function between(a: string[], b: string[], start: number): Line[] {
  const width = b.length + 1;
  const whole = a.length * width <= most;
  // length[i][j] is that of the longest common part of a from i on and b from j on.
  const length = new Uint32Array(whole ? (a.length + 1) * width : 0);
  for (let i = whole ? a.length - 1 : -1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i * width + j] =
        a[i] === b[j]
          ? get(length, (i + 1) * width + j + 1) + 1
          : Math.max(get(length, (i + 1) * width + j), get(length, i * width + j + 1));
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (whole && i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ sign: " ", text: b[j] as string, at: start + ++j });
      i++;
    } else if (i < a.length && (j >= b.length || get(length, (i + 1) * width + j) >= get(length, i * width + j + 1))) {
      lines.push({ sign: "-", text: a[i] as string, at: start + ++i });
    } else {
      lines.push({ sign: "+", text: b[j] as string, at: start + ++j });
    }
  }
  return lines;
}

function get(table: Uint32Array, i: number): number {
  return table[i] ?? 0;
}

/** Hunk is a run of lines near a difference, or of those far from one that are folded away. */
export interface Hunk {
  folded: boolean;
  lines: Line[];
}

/** hunksOf folds away what is more than three lines from a difference. */
export function hunksOf(lines: Line[], near = 3): Hunk[] {
  const shown = new Uint8Array(lines.length);
  lines.forEach(({ sign }, i) => {
    if (sign !== " ") shown.fill(1, Math.max(0, i - near), i + near + 1);
  });
  const hunks: Hunk[] = [];
  lines.forEach((line, i) => {
    const folded = shown[i] === 0;
    const last = hunks.at(-1);
    if (last?.folded === folded) last.lines.push(line);
    else hunks.push({ folded, lines: [line] });
  });
  return hunks;
}
