import classes from "./code.module.css";
import { Copy } from "./copy";

/** CodeBlock shows text to be copied as it stands. */
export function CodeBlock({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <section className={classes.text} tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </section>
      <div className={classes.copy}>
        <Copy value={text} />
      </div>
    </div>
  );
}
