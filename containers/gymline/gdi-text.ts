import type { GdiScore } from "../../shared/curation/gdi.ts";
import { figure } from "./terminal.ts";

/** A GDI with its parts, on one line. */
export function gdiText({ total, intrinsic, utility, feedback, freshness }: GdiScore): string {
  const parts = { reward: intrinsic, use: utility, feedback, freshness };
  const told = Object.entries(parts).map(([name, value]) => `${name} ${figure(value)}`);
  return `${figure(total)} (${told.join(", ")})`;
}
