import { normalCdf } from "./distributions.ts";
import { bisect } from "./root.ts";

/** The most steps taken; with noncentralities of thousands they are too few, and the probability is right to 1e-4. */
const MOST_STEPS = 200_000;
/** Beyond where the density falls to e^−45 of its peak it adds nothing. */
const NEGLIGIBLE = 45;

/**
 * P(T ≤ t) of the noncentral t distribution: T = (Z + noncentrality) / S with S² = χ²/df. The mean of
 * Φ(t·S − noncentrality) over the density of ln S, by the trapezoid rule, which is next to exact for a smooth function
 * that falls off at both ends, once its steps are finer than what it does there.
 */
export function noncentralTCdf(
  t: number,
  { df, noncentrality }: { readonly df: number; readonly noncentrality: number },
): number {
  // Density of u = ln S, up to a constant; it peaks at 0.
  const logDensity = (u: number): number => df * u - (df / 2) * Math.expm1(2 * u);
  const falls = (u: number): number => logDensity(u) + NEGLIGIBLE;
  const from = bisect(falls, { low: -(NEGLIGIBLE + 1 + df) / df, high: 0 });
  const to = bisect(falls, { low: 0, high: Math.sqrt((2 * NEGLIGIBLE) / df) + 3 });
  const fine = Math.min(0.1, 0.5 / Math.sqrt(2 * df), 0.6 / Math.abs(noncentrality));
  const steps = Math.min(MOST_STEPS, Math.ceil((to - from) / fine));
  const step = (to - from) / steps;
  let [sum, weights] = [0, 0];
  for (let index = 0; index <= steps; index += 1) {
    const u = from + index * step;
    const weight = Math.exp(logDensity(u));
    sum += weight * normalCdf(t * Math.exp(u) - noncentrality);
    weights += weight;
  }
  return sum / weights;
}
