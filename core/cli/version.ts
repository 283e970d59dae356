import { version as programVersion } from "../../package.json" with { type: "json" };
import { contractVersion } from "../contract/version.ts";
import type { Invocation } from "./command.ts";

/** `beds version`: for people one line, for programs everything that a bug report needs. */
export async function version({ output }: Invocation): Promise<number> {
  if (output.json) output.document(facts);
  else output.data(`beds ${facts.version} (Bun ${facts.bun}, ${facts.platform})`);
  return 0;
}

const facts = {
  name: "beds",
  version: programVersion,
  contract: contractVersion,
  bun: Bun.version,
  platform: `${process.platform}-${process.arch}`,
} as const;
