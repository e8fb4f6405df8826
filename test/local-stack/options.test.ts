import { expect, it } from "vitest";
import { OptionsError, readCommand } from "../../infra/local/options.ts";

it.each([
  [[], { kind: "up", choice: { engine: "ministack", port: undefined } }],
  [["--engine", "localstack", "--port", "4566"], { choice: { engine: "localstack", port: 4566 } }],
  [
    ["--engine", "aws-endpoint", "http://127.0.0.1:4566"],
    { choice: { engine: "aws-endpoint", url: "http://127.0.0.1:4566" } },
  ],
  [["--stop"], { kind: "stop" }],
  [["--status", "--folder", "elsewhere"], { kind: "status", folder: "elsewhere" }],
  [["--drop", "logs", "--project", "team"], { kind: "drop", path: "logs", project: "team" }],
  [["-h"], { kind: "help" }],
])("understands %j", (argv, command) => {
  expect(readCommand(argv)).toMatchObject(command);
});

it.each([
  [["--engine", "moto"], "ministack, localstack, aws-endpoint"],
  [["--engine", "aws-endpoint"], "takes one URL"],
  [["--engine", "aws-endpoint", "http://127.0.0.1:1", "--port", "1"], "no --port"],
  [["http://127.0.0.1:1"], "Only --engine aws-endpoint takes a URL"],
  [["--port", "many"], "--port is a number"],
  [["--prot", "1"], "--prot"],
])("says what is wrong with %j", (argv, reason) => {
  expect(() => readCommand(argv)).toThrow(OptionsError);
  expect(() => readCommand(argv)).toThrow(reason);
});
