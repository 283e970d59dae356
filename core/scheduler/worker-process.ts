import { isFromWorker, type FromWorker, type ToWorker } from "./protocol.ts";

/** How a worker process ended. */
export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * The parent's hold on one worker process: the same program, started with the hidden command
 * `worker`.
 */
export interface WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<WorkerEnd>;
  send(message: ToWorker): void;
  kill(): void;
}

/** Starts a worker. In: the whole command line of the worker and who listens to it. */
export type StartWorker = (worker: number, listen: (message: FromWorker) => void) => WorkerProcess;

/**
 * Makes the function that starts workers as children of this process. Their output goes where the
 * parent's goes; they learn of the parent's death by the end of the channel between them.
 */
export function workerStarter(command: readonly string[]): StartWorker {
  return (worker, listen) => {
    const { promise: ended, resolve } = Promise.withResolvers<WorkerEnd>();
    const child = Bun.spawn({
      cmd: [...command, "--index", String(worker)],
      stdio: ["ignore", "inherit", "inherit"],
      serialization: "json",
      ipc: (message) => {
        if (isFromWorker(message)) listen(message);
      },
      onExit: (_child, exitCode, signal) => {
        resolve({ exitCode, signal: signal === null ? null : String(signal) });
      },
    });
    return {
      pid: child.pid,
      ended,
      send: (message) => {
        // A child that is just dying has closed its channel; its end is reported by `ended`.
        if (child.exitCode === null && child.signalCode === null) child.send(message);
      },
      kill: () => child.kill("SIGKILL"),
    };
  };
}
