/** Colours of the plots; each has its counterpart for dark pages. Parts of a whole are told apart by lightness too. */
export const COLOURS = {
  paper: "#ffffff",
  ink: "#1f2328",
  dim: "#59636e",
  line: "#d1d9e0",
  first: "#0969da",
  second: "#bf8700",
  third: "#8250df",
  rest: "#818b98",
} as const;

const DARK: Readonly<Record<keyof typeof COLOURS, string>> = {
  paper: "#0d1117",
  ink: "#f0f6fc",
  dim: "#9198a1",
  line: "#3d444d",
  first: "#4493f8",
  second: "#d29922",
  third: "#ab7df8",
  rest: "#656c76",
};

/** What all plots share. The paper is part of the picture: a page that is dark by a switch of its own shows it as well. */
export const CONFIG = {
  background: COLOURS.paper,
  font: "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif",
  padding: 12,
  view: { stroke: null },
  axis: {
    labelColor: COLOURS.dim,
    titleColor: COLOURS.dim,
    titleFontWeight: "normal",
    labelFontSize: 11,
    titleFontSize: 11,
    gridColor: COLOURS.line,
    domainColor: COLOURS.line,
    tickColor: COLOURS.line,
  },
  legend: {
    labelColor: COLOURS.ink,
    titleColor: COLOURS.dim,
    labelFontSize: 11,
    orient: "top",
    title: null,
    symbolType: "square",
  },
  title: { color: COLOURS.ink, fontSize: 12, fontWeight: 600, anchor: "start", offset: 8 },
  text: { color: COLOURS.ink, fontSize: 11 },
} as const;

/** Gives an SVG its colours for dark pages: presentation attributes give way to a style sheet. */
export function withDarkColours(svg: string): string {
  const rules = Object.entries(COLOURS).map(([name, light]) => {
    const dark = DARK[name as keyof typeof COLOURS];
    return `[fill="${light}"]{fill:${dark}}[stroke="${light}"]{stroke:${dark}}`;
  });
  const style = `<style>@media (prefers-color-scheme:dark){${rules.join("")}}</style>`;
  return `${svg.replace(/^(<svg[^>]*>)/, `$1${style}`)}\n`;
}
