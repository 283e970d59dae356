import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { inspect } from "node:util";
import { BedsError, type SourceLocation } from "../contract/errors.ts";

/** Where a secret is kept. `none` is the empty secret, for accounts without a password. */
export type SecretReference =
  | { readonly kind: "none" }
  | { readonly kind: "file" | "env" | "credential"; readonly name: string };

/**
 * What a secret needs to be read: the process' environment and the folder of the configuration
 * file.
 */
export interface SecretSource {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly directory: string;
}

/** Passwords are short; a reference to anything larger is a mistake. */
const maxSecretBytes = 65_536;

/**
 * A password that cannot be printed: every way to turn it into text gives `***`. It is read on
 * first use, so that a node needs only the secrets of the role that it plays, and then kept for the
 * life of the process.
 */
export class Secret {
  /** The empty secret. */
  static readonly none = new Secret({ kind: "none" }, { environment: {}, directory: "" }, "");

  readonly reference: SecretReference;
  /** The key path in the configuration, and the place of the reference, for errors. */
  readonly path: string;
  readonly where: SourceLocation | undefined;
  readonly #source: SecretSource;
  #value: string | undefined;

  constructor(
    reference: SecretReference,
    source: SecretSource,
    path: string,
    where?: SourceLocation | undefined,
  ) {
    this.reference = Object.freeze(reference);
    this.path = path;
    this.where = Object.freeze(where);
    this.#source = source;
    Object.freeze(this);
  }

  /**
   * The secret itself; only for the driver that sends it. Errors: BEDS-C006 when it cannot be read.
   */
  reveal(): string {
    this.#value ??= this.#read();
    return this.#value;
  }

  /** `file:../secrets/x`, which says where the secret is and not what it is. */
  describe(): string {
    return this.reference.kind === "none" ? "" : `${this.reference.kind}:${this.reference.name}`;
  }

  toString(): string {
    return masked;
  }

  toJSON(): string {
    return masked;
  }

  [inspect.custom](): string {
    return masked;
  }

  #read(): string {
    const { reference } = this;
    if (reference.kind === "none") return "";
    if (reference.kind === "env") {
      const value = this.#source.environment[reference.name];
      if (value !== undefined) return value;
      throw this.#unreadable(`the environment has no ${reference.name}`);
    }
    return this.#readFile(this.#fileOf(reference.kind, reference.name));
  }

  #fileOf(kind: "file" | "credential", name: string): string {
    if (kind === "file") return resolve(this.#source.directory, name);
    const folder = this.#source.environment["CREDENTIALS_DIRECTORY"];
    if (folder !== undefined && folder !== "") return join(folder, name);
    throw this.#unreadable(
      "CREDENTIALS_DIRECTORY is not set",
      `run the node under systemd with LoadCredential=${name}:PATH`,
    );
  }

  /** One trailing line break belongs to the editor that wrote the file, not to the secret. */
  #readFile(file: string): string {
    let size: number;
    try {
      size = statSync(file).size;
      if (size <= maxSecretBytes) return readFileSync(file, "utf8").replace(/\r?\n$/, "");
    } catch (thrown) {
      const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unreadable";
      throw this.#unreadable(code === "ENOENT" ? "there is no such file" : code);
    }
    throw this.#unreadable(`the file has ${size} bytes, more than a secret has`);
  }

  #unreadable(reason: string, hint?: string): BedsError {
    const detail = `${this.path} = ${JSON.stringify(this.describe())}: ${reason}`;
    return new BedsError("BEDS-C006", {
      detail,
      ...(hint === undefined ? {} : { hint }),
      ...(this.where === undefined ? {} : { where: this.where }),
    });
  }
}

const masked = "***";

/**
 * Reads the text of a reference; undefined when it is none, so that a literal password is refused
 * and never shown. The empty text is the empty secret.
 */
export function parseSecretReference(value: string): SecretReference | undefined {
  if (value === "") return { kind: "none" };
  const file = /^file:(.+)$/.exec(value)?.[1];
  if (file !== undefined) return { kind: "file", name: file };
  const variable = /^env:([A-Za-z_]\w*)$/.exec(value)?.[1];
  if (variable !== undefined) return { kind: "env", name: variable };
  const credential = /^credential:([\w.@-]+)$/.exec(value)?.[1];
  // `..` would leave the directory of the credentials.
  if (credential === undefined || /^\.+$/.test(credential)) return undefined;
  return { kind: "credential", name: credential };
}
