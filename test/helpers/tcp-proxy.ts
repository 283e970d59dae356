import { connect, createServer, type Server, type Socket } from "node:net";

/**
 * A TCP proxy in front of a real server, for the faults that a network has. Everything passes
 * until a test says otherwise.
 */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection with a reset. New ones pass. */
  cut(): void;
  /** From now on bytes vanish both ways; connections stay open, and new ones are accepted. */
  blackhole(): void;
  /** Refuses new connections and ends those there are, until `open`. */
  shut(): Promise<void>;
  open(): Promise<void>;
  /** Splits what the server sends into chunks of this many bytes. */
  chop(bytes: number): void;
  /** Slips bytes into the stream from the server to every client. */
  inject(bytes: Uint8Array): void;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [client: Socket, server: Socket]>();
  let silent = false;
  let chunkBytes = 0;
  const forward = (from: Socket, to: Socket, chop: boolean): void => {
    from.on("data", (chunk: Buffer) => {
      if (silent) return;
      if (!chop || chunkBytes === 0) to.write(chunk);
      else {
        for (let at = 0; at < chunk.length; at += chunkBytes) {
          to.write(chunk.subarray(at, at + chunkBytes));
        }
      }
    });
  };
  const listener: Server = createServer((client) => {
    const server = connect({ host: "127.0.0.1", port: targetPort });
    const pair = [client, server] as const;
    pairs.add(pair);
    client.setNoDelay(true);
    forward(client, server, false);
    forward(server, client, true);
    for (const [one, other] of [pair, [server, client] as const]) {
      one.on("error", () => undefined);
      one.on("close", () => {
        pairs.delete(pair);
        other.destroy();
      });
    }
  });
  const cut = (): void => {
    for (const [client, server] of pairs) {
      client.resetAndDestroy();
      server.destroy();
    }
  };
  const port = await listen(listener, 0);
  return {
    port,
    cut,
    blackhole: () => {
      silent = true;
    },
    shut: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      cut();
      await closed;
    },
    open: async () => {
      silent = false;
      await listen(listener, port);
    },
    chop: (bytes) => {
      chunkBytes = bytes;
    },
    inject: (bytes) => {
      for (const [client] of pairs) client.write(bytes);
    },
    get connections() {
      return pairs.size;
    },
    close: async () => {
      const closed = new Promise((resolve) => listener.close(resolve));
      cut();
      await closed;
    },
  };
}

async function listen(listener: Server, port: number): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(port, "127.0.0.1", () => resolve());
  });
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return address.port;
}
