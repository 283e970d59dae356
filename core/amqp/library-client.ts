import { AMQPClient, type AMQPTlsOptions } from "@cloudamqp/amqp-client";
import { AMQPView } from "@cloudamqp/amqp-client/amqp-view";
import { BedsError } from "../contract/errors.ts";
import { type ChannelReceiver, FrameReader, type FrameTarget } from "./frame-reader.ts";
import { defaultOutputLimits, OutputBuffer } from "./output-buffer.ts";
import { safeCause } from "./server-refusal.ts";

/** What RabbitMQ is offered; it may lower it. */
export const FRAME_MAX = 131_072;

/**
 * The library's client with its input and output taken over: it still does the handshake and the
 * calls that wait for an answer, while all bytes go out through our buffer and come in through our
 * reader.
 *
 * One object is one attempt to connect: a client that is used again keeps `blocked` and the socket
 * of an attempt that was given up.
 */
export class LibraryClient extends AMQPClient implements FrameTarget {
  readonly output: OutputBuffer;
  /** Called once, when the connection ends for whatever reason; `connect` may still be waiting. */
  onEnd: (reason: BedsError) => void = () => undefined;
  /** Moves with each read; the watchdog looks whether it does. */
  reads = 0;
  readonly #receivers: (ChannelReceiver | undefined)[] = [];
  readonly #reader = new FrameReader(FRAME_MAX, this);
  #ended = false;
  #socketError = "";

  constructor(url: string, tls: AMQPTlsOptions | undefined, maxOutputBytes: number) {
    super(url, tls);
    const limits = { ...defaultOutputLimits, maxBytes: maxOutputBytes };
    this.output = new OutputBuffer((bytes) => this.#write(bytes), limits);
    // The library has told its channels already; the text is RabbitMQ's reason when it closes the
    // connection.
    this.onerror = (error) => {
      this.#socketError ||= error.message;
    };
  }

  override connect(): ReturnType<AMQPClient["connect"]> {
    const connected = super.connect();
    const socket = this.socket;
    if (socket === undefined) throw new BedsError("BEDS-B001", { detail: "no socket to read" });
    // The library speaks of channel 0 as well when the connection ends, and hides the reason behind
    // it.
    const control = this.channels[0];
    if (control !== undefined) control.onerror = () => undefined;
    socket.removeAllListeners("data");
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.output.resume());
    socket.on("error", (error: Error) => {
      this.#socketError ||= error.message;
    });
    socket.on("close", () => this.end(this.#lost()));
    socket.setNoDelay(true);
    return connected;
  }

  /**
   * Called by the library with each frame of its own. It must not reject while the connection is
   * alive.
   */
  override send(bytes: Uint8Array): Promise<void> {
    if (this.#ended) return Promise.reject(new BedsError("BEDS-Q006"));
    this.output.append(bytes);
    return SENT;
  }

  receiver(channel: number): ChannelReceiver | undefined {
    return this.#ended ? undefined : this.#receivers[channel];
  }

  /**
   * From now on this receiver, or with undefined the library, takes what arrives on the channel.
   */
  setReceiver(channel: number, receiver: ChannelReceiver | undefined): void {
    this.#receivers[channel] = receiver;
  }

  passOn(frame: Buffer): void {
    // The rest of a chunk is of no interest once the connection has ended in its midst.
    if (this.#ended) return;
    this.parseFrames(new AMQPView(frame.buffer, frame.byteOffset, frame.length));
  }

  /** Ends the connection at once. Safe to call again. */
  end(reason: BedsError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.output.close();
    this.onEnd(reason);
    // Destroying is what makes the library settle the calls that still wait for an answer.
    this.socket?.destroy();
  }

  /**
   * The library's own idle timer is reset by our writes and cannot see a dead peer: the watchdog
   * replaces it.
   */
  stopIdleTimer(): void {
    this.socket?.setTimeout(0);
  }

  #write(bytes: Buffer): boolean {
    return this.socket?.write(bytes) ?? false;
  }

  #receive(chunk: Buffer): void {
    if (this.#ended) return;
    this.reads++;
    try {
      this.#reader.push(chunk);
    } catch (thrown) {
      this.end(protocolError(thrown));
    }
  }

  #lost(): BedsError {
    const detail = this.#socketError || "the other side closed it";
    return new BedsError("BEDS-Q006", { detail });
  }
}

const SENT = Promise.resolve();

/**
 * Reading beyond the end of a frame throws a RangeError, and the library throws errors of its own.
 */
function protocolError(thrown: unknown): BedsError {
  if (thrown instanceof BedsError) return thrown;
  const cause = safeCause(thrown);
  return new BedsError("BEDS-Q011", { detail: cause.message, cause });
}
