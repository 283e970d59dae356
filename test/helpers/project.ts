import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binary, build } from "../../config/stack/build.ts";
import { Node } from "../../config/stack/node.ts";

const root = join(import.meta.dir, "..", "..");

/** What a command of the compiled program printed and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * A folder of its own with a working configuration for the local stack, in which the compiled
 * program runs.
 */
export interface Project extends AsyncDisposable {
  readonly folder: string;
  /** Runs a command to its end. */
  beds(...words: readonly string[]): Promise<Ran>;
  /** Writes a file, below the folder. */
  write(path: string, text: string): Promise<void>;
  /** Starts a node and waits until it is ready; `log` collects its lines. */
  start(log?: string[], ...words: readonly string[]): Promise<Node>;
}

/**
 * Makes a project: configuration, templates and object sources of this checkout, copied. `settings`
 * is TOML that is put behind the environment file of the local stack. Builds the program when it is
 * not there.
 */
export async function makeProject(settings = ""): Promise<Project> {
  await ensureBinary();
  const folder = await mkdtemp(join(tmpdir(), "beds-test-"));
  await cp(join(root, "templates"), join(folder, "templates"), { recursive: true });
  const base = await readFile(join(root, "config", "beds.toml"), "utf8");
  await writeFile(join(folder, "beds.toml"), base.replaceAll('"../templates"', '"templates"'));
  const local = await readFile(join(root, "config", "env_dev.toml"), "utf8");
  const secrets = join(root, ".stack", "secrets");
  await writeFile(
    join(folder, "env_dev.toml"),
    `${local.replaceAll("../.stack/secrets", secrets)}\n${settings}\n`,
  );
  return {
    folder,
    beds: (...words) => runIn(folder, words),
    write: async (path, text) => {
      await Bun.write(join(folder, path), text);
    },
    start: (log = [], ...words) => {
      const signal = AbortSignal.timeout(60_000);
      return Node.start(binary, folder, signal, (line) => log.push(line), words);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Runs the compiled program in a folder with an environment of nothing but a path. */
export async function runIn(folder: string, words: readonly string[]): Promise<Ran> {
  await ensureBinary();
  const ran = Bun.spawn([binary, ...words], {
    cwd: folder,
    env: { PATH: "/usr/bin:/bin", HOME: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, code] = await Promise.all([
    new Response(ran.stdout).text(),
    new Response(ran.stderr).text(),
    ran.exited,
  ]);
  return { code, out, err };
}

/**
 * `npm test` has built it already; `bun test` alone builds it when it is missing or older than the
 * sources.
 */
async function ensureBinary(): Promise<void> {
  const built = Bun.file(binary);
  if (await built.exists()) {
    const sources = new Bun.Glob("{core,plugins,templates,config}/**/*.{ts,toml,sql,json}");
    const times = [...sources.scanSync(root)].map(
      (path) => Bun.file(join(root, path)).lastModified,
    );
    if (built.lastModified >= Math.max(...times.filter((time) => time < Date.now()))) return;
  }
  await build(() => undefined);
}
