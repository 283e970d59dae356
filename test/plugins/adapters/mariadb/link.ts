import { connect, createServer, type Server, type Socket } from "node:net";
import type { DatabaseServer } from "../../../../core/contract/index.ts";

/**
 * A TCP relay to the server that can be closed, silenced, or cut when certain bytes pass to the
 * server.
 */
export class Link {
  silent = false;
  cutAt: string | null = null;
  /** As `cutAt`, but the server gets nothing of these bytes and keeps its side open. */
  loseAt: string | null = null;
  /** The server gets these bytes; from then on the link is silent. */
  silentAt: string | null = null;
  readonly #target: DatabaseServer;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #port = 0;

  constructor(target: DatabaseServer) {
    this.#target = target;
  }

  async open(): Promise<number> {
    const server = createServer((near) => this.#relay(near));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", () => resolve()));
    const address = server.address();
    if (typeof address === "object" && address !== null) this.#port = address.port;
    return this.#port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) =>
      server === null ? resolve() : server.close(() => resolve()),
    );
  }

  #relay(near: Socket): void {
    const far = connect(this.#target.port, this.#target.host);
    let lost = false;
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        this.#sockets.delete(one);
        if (!lost) other.destroy();
      });
    }
    near.on("data", (data) => {
      if (this.silent) return;
      if (this.loseAt !== null && data.includes(this.loseAt)) {
        this.loseAt = null;
        lost = true;
        near.destroy();
        return;
      }
      far.write(data);
      if (this.silentAt !== null && data.includes(this.silentAt)) {
        this.silentAt = null;
        this.silent = true;
      }
      // The bytes reach the server, the answer does not come back.
      if (this.cutAt === null || !data.includes(this.cutAt)) return;
      this.cutAt = null;
      near.destroySoon();
    });
    far.on("data", (data) => {
      if (!this.silent) near.write(data);
    });
  }
}
