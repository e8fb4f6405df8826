import colours from "picocolors";

const { env, stdout } = process;
const forced = env["FORCE_COLOR"] !== undefined && env["FORCE_COLOR"] !== "" && env["FORCE_COLOR"] !== "0";
const refused = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";

/** Colours on a terminal only: reports that go into a file or a pipe, in CI too, are plain text. */
export const pc = colours.createColors(!refused && (forced || stdout.isTTY === true));
