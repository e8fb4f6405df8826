import { type JudgeConfig, type JudgeConfigInput, parseJudgeConfig } from "../../shared/judge/config.ts";
import { loadSettings, type Settings } from "./settings.ts";
import { UsageError } from "./usage-error.ts";

/** Options that say how the judge judges; they go before the settings file. */
export interface JudgeSettingsOptions {
  readonly config?: string;
  readonly domain?: string;
  readonly provider?: string;
  readonly model?: string;
  readonly baseUrl?: string;
  readonly samples?: string;
  readonly perStep?: boolean;
  readonly maxUsd?: string;
  readonly band?: string;
  readonly share?: string;
}

/** The settings with what the command line says over them. @throws UsageError, JudgeConfigError */
export function judgeSettings(options: JudgeSettingsOptions): Settings & { readonly judge: JudgeConfig } {
  const settings = loadSettings({
    ...(options.config === undefined ? {} : { config: options.config }),
    ...(options.domain === undefined ? {} : { domain: options.domain }),
  });
  const base: JudgeConfigInput = settings.config.judge ?? {};
  const { provider, model, baseUrl, band, share } = options;
  if (provider !== undefined && provider !== "anthropic" && provider !== "openai-compatible") {
    throw new UsageError(`--provider takes anthropic or openai-compatible, not "${provider}"`);
  }
  if (provider !== undefined && provider !== (base.provider ?? "anthropic") && model === undefined) {
    throw new UsageError(`--provider ${provider} needs the name of a model there: --model <name>`);
  }
  const samples = numeric("--samples", options.samples);
  const usdPerRun = numeric("--max-usd", options.maxUsd);
  const judge = parseJudgeConfig(
    {
      ...base,
      ...(provider === undefined ? {} : { provider }),
      ...(model === undefined ? {} : { model }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(samples === undefined ? {} : { samples }),
      ...(options.perStep === true ? { mode: "steps" } : {}),
      ...(usdPerRun === undefined ? {} : { budgets: { ...base.budgets, usdPerRun } }),
      ...(band === undefined && share === undefined ? {} : { gate: gateOf(base.gate, { band, share }) }),
    },
    options.config ?? "(command line)",
  );
  return { ...settings, judge };
}

function gateOf(
  base: JudgeConfigInput["gate"],
  { band, share }: { readonly band: string | undefined; readonly share: string | undefined },
): JudgeConfigInput["gate"] {
  if (band === "all") return { kind: "all" };
  const given = base?.kind === "band" ? base : { kind: "band" as const };
  const match = band === undefined ? null : /^([\d.]+)\.\.([\d.]+)$/.exec(band.trim());
  if (band !== undefined && match === null) {
    throw new UsageError(`--band takes two rewards such as 0.3..0.7, or all, not "${band}"`);
  }
  const picked = numeric("--share", share);
  return {
    ...given,
    ...(match === null ? {} : { low: Number(match[1]), high: Number(match[2]) }),
    ...(picked === undefined ? {} : { share: picked }),
  };
}

export function numeric(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new UsageError(`${option} takes a number from 0 on, not "${text}"`);
  }
  return value;
}

export function whole(option: string, text: string | undefined): number | undefined {
  const value = numeric(option, text);
  if (value !== undefined && (!Number.isInteger(value) || value < 1)) {
    throw new UsageError(`${option} takes a whole number from 1 on, not "${text}"`);
  }
  return value;
}
