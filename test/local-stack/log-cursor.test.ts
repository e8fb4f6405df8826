import fc from "fast-check";
import { expect, it } from "vitest";
import { LogCursor, type LogLine } from "../../infra/local/log-cursor.ts";

const line = (timestamp: number, message = "a"): LogLine => ({ timestamp, message, group: "g", stream: "s" });

it("gives what a function prints twice within a millisecond twice, and once only", () => {
  const cursor = new LogCursor(0);

  expect(cursor.take([line(1)])).toHaveLength(1);
  expect(cursor.take([line(1), line(1)])).toHaveLength(1);
  expect(cursor.take([line(1), line(1)])).toHaveLength(0);
});

it("gives each line exactly once, however a growing log is read", () => {
  const lines = fc.array(
    fc.record({
      timestamp: fc.integer({ min: 0, max: 200_000 }),
      message: fc.constantFrom("a", "b"),
      group: fc.constantFrom("g", "h"),
      stream: fc.constant("s"),
    }),
  );
  fc.assert(
    fc.property(lines, fc.array(fc.nat(20)), (log, steps) => {
      // Lines come in the order of their time, and each reading sees some more of them.
      log.sort((a, b) => a.timestamp - b.timestamp);
      const cursor = new LogCursor(0);
      const given: LogLine[] = [];
      let end = 0;
      for (const step of [...steps, log.length]) {
        end = Math.min(log.length, end + step);
        given.push(...cursor.take(log.slice(0, end).filter(({ timestamp }) => timestamp >= cursor.from)));
      }
      expect(given.map((line) => JSON.stringify(line)).sort()).toEqual(
        log.map((line) => JSON.stringify(line)).sort(),
      );
    }),
  );
});

it("takes a line that comes a while after its time", () => {
  const cursor = new LogCursor(0);
  cursor.take([line(100_000)]);

  expect(cursor.take([line(50_000, "late"), line(100_000)])).toEqual([line(50_000, "late")]);
});
