/** The reference server as a process, and a wire to it that records what passes and breaks where it is told to. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { after } from "node:test";

export interface Project {
  readonly apiKey: string;
  readonly secret: string;
}

/** A fault of the control plane, for the next `count` requests to a path. */
export interface Fault {
  readonly kind: "drop" | "flipped_tag" | "html" | "plain" | "slug" | "status";
  readonly path: string;
  readonly count: number;
  readonly [name: string]: string | number;
}

/** The reference server; it ends with the tests of the file that started it. */
export class Sandbox implements Project {
  static async start(project?: Project): Promise<Sandbox> {
    const program = process.env.CARDSEAL_CLI ?? assert.fail("CARDSEAL_CLI has to name the command line tool");
    const process_ = spawn(program, ["sandbox", "--json", "--control", "--quiet", "--step-ms", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: project ? { CARDSEAL_API_KEY: project.apiKey, CARDSEAL_SECRET: project.secret } : {},
    });
    after(() => process_.kill());
    const [line] = await once(createInterface({ input: process_.stdout }), "line");
    return new Sandbox(JSON.parse(line));
  }

  readonly url: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly #control: { readonly url: string; readonly token: string };

  private constructor(started: {
    url: string;
    api_key: string;
    secret: string;
    control: { url: string; token: string };
  }) {
    this.url = started.url;
    this.apiKey = started.api_key;
    this.secret = started.secret;
    this.#control = started.control;
  }

  async fail(...faults: readonly Fault[]): Promise<void> {
    await this.#ask("POST", "faults", faults);
  }

  /** The charges of a wallet so far. */
  async charges(): Promise<number> {
    const { ledger } = (await this.#ask("GET", "ledger")) as { ledger: readonly { kind: string }[] };
    return ledger.filter(({ kind }) => kind === "charge").length;
  }

  async #ask(method: string, what: string, body?: object): Promise<unknown> {
    const headers = { authorization: `Bearer ${this.#control.token}`, "content-type": "application/json" };
    const response = await fetch(`${this.#control.url}/control/${what}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    assert.ok(response.ok, text);
    return JSON.parse(text);
  }
}

/** What arrived at a {@link Wire}. */
export interface Arrived {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly socket: object;
}

/** Deals with a request that arrived; what it does not answer stays open. */
export type Act = (arrived: Arrived, response: ServerResponse) => unknown;

/** A server that records what arrives, does what it was told for each request in turn, and passes on the others. */
export class Wire {
  static async open(to?: string): Promise<Wire> {
    const wire = new Wire(to);
    await once(wire.#server.listen(0, "127.0.0.1"), "listening");
    after(() => wire.stop());
    return wire;
  }

  readonly arrived: Arrived[] = [];
  readonly next: Act[] = [];
  /** What it does when it was told nothing: pass on. */
  always: Act = (arrived, response) => this.pass(arrived, response);
  readonly #server = createServer((request, response) => this.#receive(request, response));
  readonly #to: string | undefined;

  private constructor(to: string | undefined) {
    this.#to = to;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const { url: path = "", headers, socket } = request;
    const arrived = { path, headers, body: Buffer.concat(chunks).toString(), socket };
    this.arrived.push(arrived);
    await (this.next.shift() ?? this.always)(arrived, response);
  }

  /** Answers nobody any more. */
  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** Passes a request on as it arrived, and the answer back. */
  async pass({ path, headers, body }: Arrived, response: ServerResponse): Promise<void> {
    const sent = Object.entries(headers).filter(([name]) =>
      ["api-key", "content-type", "idempotency-key"].includes(name),
    );
    const answer = await fetch(`${this.#to}${path}`, {
      method: "POST",
      headers: Object.fromEntries(sent) as Record<string, string>,
      body,
    }).catch(() => undefined);
    if (!answer) {
      response.destroy(); // the server hung up: so does the wire
      return;
    }
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }
}

/** Answers with a status, headers and a body. */
export function answering(status: number, headers: Record<string, string> = {}, body = ""): Act {
  return (_, response) => response.writeHead(status, headers).end(body);
}

/** Closes the connection without an answer. */
export const hangUp: Act = (_, response) => response.destroy();

/** Never answers. */
export const silence: Act = () => undefined;

/** A port of loopback where nobody listens. */
export async function deadPort(): Promise<string> {
  const server = createServer();
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return `http://127.0.0.1:${port}`;
}
