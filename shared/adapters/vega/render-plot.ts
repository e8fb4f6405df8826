import type { PlotRenderer } from "../../dataset/quality/plots.ts";

const libraries = () => Promise.all([import("vega"), import("vega-lite")]);

/** Loads what plots need, for a thread that would only wait; a fault shows with the first plot. */
export function loadPlots(): void {
  libraries().catch(() => undefined);
}

/**
 * Renders a specification of Vega-Lite as SVG, with its texts as texts. The libraries take a moment to load and much
 * of a bundle, so they are loaded with the first plot. Widths of texts are estimated, as everywhere without a canvas,
 * so every machine gives the same bytes.
 */
export const renderPlot: PlotRenderer = async (spec) => {
  const [{ Error: level, logger, parse, resetSVGDefIds, View }, { compile }] = await libraries();
  const { spec: compiled } = compile(spec as Parameters<typeof compile>[0], { logger: logger(level) });
  // Ids within a picture would otherwise count on from one picture to the next.
  resetSVGDefIds();
  const view = new View(parse(compiled), { renderer: "none", logger: logger(level) });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
};
