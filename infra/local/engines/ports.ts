import { createServer } from "node:net";

/** A TCP port of the loopback interface that nothing listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((settle, fail) => {
    server.once("error", fail);
    server.listen({ port: 0, host: "127.0.0.1" }, settle);
  });
  const address = server.address();
  await new Promise((settle) => server.close(settle));
  if (address === null || typeof address === "string") throw new Error("the system gave no port");
  return address.port;
}

/** Can a program listen on this port of the loopback interface? */
export function portIsFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((settle) => {
    server.once("error", () => settle(false));
    server.listen({ port, host: "127.0.0.1" }, () => server.close(() => settle(true)));
  });
}
