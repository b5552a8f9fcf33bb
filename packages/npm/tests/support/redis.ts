/** A Redis of our own, as a process. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export interface RedisServer {
  readonly url: string;
  readonly process: ChildProcess;
}

/** Starts one; nothing where there is no program for it, which continuous integration does not accept. */
export async function redisServer(): Promise<RedisServer | undefined> {
  const probe = createServer();
  await once(probe.listen(0, "127.0.0.1"), "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  const folder = mkdtempSync(join(tmpdir(), "cardseal-redis-"));
  const server = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]);
  const failed = once(server, "error").then(() => "missing");
  if ((await Promise.race([failed, once(server.stdout, "data")])) === "missing") {
    assert.ok(!process.env.CI, "redis-server is missing: install it");
    return undefined;
  }
  after(() => server.kill());
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isThere = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    if (isThere) {
      socket.destroy();
      return { url: `redis://127.0.0.1:${port}`, process: server };
    }
    await new Promise((resume) => setTimeout(resume, 20));
  }
}
