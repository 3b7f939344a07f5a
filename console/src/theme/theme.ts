import { Badge, type CSSVariablesResolver, createTheme, type MantineColorsTuple, Tooltip } from "@mantine/core";

// The whole look of the console is decided here and in theme.css: a calm pine
// green for what can be done, amber for the barrier of the mark and for
// warnings, and greys with a breath of green.

const pine: MantineColorsTuple = [
  "#eaf6f4",
  "#d3ebe7",
  "#a6d8d0",
  "#76c3b8",
  "#4aada0",
  "#26978a",
  "#138377",
  "#0c6b62",
  "#08564f",
  "#05413c",
];

const dusk: MantineColorsTuple = [
  "#e8eeec",
  "#c3cdca",
  "#a3b0ac",
  "#82918d",
  "#4b5956",
  "#2d3936",
  "#222c2a",
  "#18211f",
  "#101716",
  "#0a100f",
];

const slate: MantineColorsTuple = [
  "#f7f9f8",
  "#eff3f2",
  "#e3e9e7",
  "#d3dcd9",
  "#b7c4c0",
  "#94a39f",
  "#697975",
  "#4c5b57",
  "#33403d",
  "#1a2422",
];

export const theme = createTheme({
  primaryColor: "pine",
  primaryShade: { light: 7, dark: 6 },
  autoContrast: true,
  colors: { pine, dark: dusk, gray: slate },
  black: "#14201d",
  fontFamily:
    '"Inter", system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, monospace',
  defaultRadius: "md",
  cursorType: "pointer",
  respectReducedMotion: true,
  headings: {
    fontWeight: "620",
    sizes: { h1: { fontSize: "1.5rem", lineHeight: "1.25" }, h2: { fontSize: "1.0625rem" }, h3: { fontSize: "0.9375rem" } },
  },
  components: {
    Badge: Badge.extend({ defaultProps: { variant: "light", radius: "sm", tt: "none", fw: 550 } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 300, withArrow: true } }),
  },
});

/** The colours of light badges, dark enough on their tint for 4.5 : 1. */
const ink = {
  pine: "#075048",
  green: "#17602c",
  red: "#a61b1b",
  orange: "#8a3c00",
  yellow: "#6b4a00",
  blue: "#134f91",
  gray: "#3d4a47",
};

const inkDark = {
  pine: "#7fd4c8",
  green: "#86d99a",
  red: "#ffa8a8",
  orange: "#ffb98a",
  yellow: "#ffd666",
  blue: "#93c5fd",
  gray: "#c3cdca",
};

function lightBadges(inks: Record<string, string>) {
  return Object.fromEntries(Object.entries(inks).map(([name, colour]) => [`--mantine-color-${name}-light-color`, colour]));
}

// Told apart by people of every kind of colour vision (after Okabe and Ito),
// each at least 3 : 1 against the page.
const series = ["#0c7d71", "#c25a00", "#2667b5", "#a3467f", "#8a7000", "#4f6f8f"];
const seriesDark = ["#3cc2b1", "#f0964a", "#6fb1f5", "#e08fc0", "#e0c341", "#9fb6cc"];

function chartColours(colours: string[]) {
  return Object.fromEntries(colours.map((colour, i) => [`--chart-${i + 1}`, colour]));
}

export const chartSeries = series.map((_, i) => `var(--chart-${i + 1})`);

/** The red of buttons, dark enough under white words for 4.5 : 1. */
const danger = { "--mantine-color-red-filled": "#c92a2a", "--mantine-color-red-filled-hover": "#b02525" };

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-body": "#fbfcfb",
    "--mantine-color-dimmed": "#566561",
    "--mantine-color-placeholder": "#697773",
    "--mantine-color-error": "#b42318",
    "--mantine-color-anchor": "#0c6b62",
    "--surface": "#ffffff",
    "--surface-sunken": "#f3f6f5",
    "--line": "#e1e8e5",
    "--shadow-card": "0 1px 2px rgb(20 32 29 / 5%)",
    ...danger,
    ...lightBadges(ink),
    ...chartColours(series),
  },
  dark: {
    "--mantine-color-body": "#0d1413",
    "--mantine-color-text": "#dfe7e4",
    "--mantine-color-dimmed": "#9aa8a4",
    "--mantine-color-placeholder": "#8a9894",
    "--mantine-color-error": "#ff8a80",
    "--mantine-color-anchor": "#5cc4b6",
    "--surface": "#131b1a",
    "--surface-sunken": "#0f1716",
    "--line": "#25302d",
    "--shadow-card": "none",
    ...danger,
    ...lightBadges(inkDark),
    ...chartColours(seriesDark),
  },
});
