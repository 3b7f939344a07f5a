import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/i18n/format";
import classes from "./config.module.css";
import { compare, type Hunk, hunksOf, type Line } from "./lines";

/** Difference shows two texts as one, line by line; what is the same is folded away. */
export function Difference({ before, after, label }: { before: string; after: string; label: string }) {
  const hunks = useMemo(() => hunksOf(compare(before, after)), [before, after]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <section className={classes.difference} tabIndex={0} aria-label={label}>
      {hunks.map((hunk) => {
        const first = hunk.lines[0] as Line;
        return <Part key={`${first.sign}${first.at}`} hunk={hunk} />;
      })}
    </section>
  );
}

function Part({ hunk }: { hunk: Hunk }) {
  const { t } = useTranslation("config");
  const format = useFormat();
  const [opened, setOpened] = useState(!hunk.folded);
  if (!opened)
    return (
      <button type="button" className={classes.fold} onClick={() => setOpened(true)}>
        {t("folded", { count: hunk.lines.length, number: format.number(hunk.lines.length) })}
      </button>
    );
  return hunk.lines.map((line) => <Row key={`${line.sign}${line.at}`} line={line} />);
}

function Row({ line: { sign, text, at } }: { line: Line }) {
  const Tag = sign === "+" ? "ins" : sign === "-" ? "del" : "span";
  return (
    <Tag className={classes.line} data-sign={sign}>
      <span className={classes.at} aria-hidden>
        {at}
      </span>
      <span aria-hidden>{sign}</span>
      <code>{text}</code>
    </Tag>
  );
}
