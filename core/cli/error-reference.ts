import { catalogue } from "../contract/catalogue/index.ts";
import type { CatalogueEntry } from "../contract/errors.ts";

/**
 * The text of `wiki/Errors.md`, from the catalogue. Pure; `beds docs md` writes it, a test compares
 * the two.
 */
export function errorReference(): string {
  const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(catalogue);
  const letters = Map.groupBy(entries, ([code]) => code.charAt(5));
  const sections = [...letters].map(([letter, members]) => {
    const rows = members.toSorted(([one], [other]) => (one < other ? -1 : 1)).map(rowOf);
    return [`## ${letter}: ${subjects[letter] ?? letter}`, [...heading, ...rows].join("\n")].join(
      "\n\n",
    );
  });
  return `${[preface, ...sections].join("\n\n")}\n`;
}

const preface = `# Errors

<!-- Generated from core/contract/catalogue/ by \`beds docs md\`. Do not edit. -->

Every error that BEDS reports has a code, which is never used again for something else, and a class, which decides how
a delivery is settled. Branch on the code or the class, never on the text. On the command line an error looks like
this, and the class decides the exit code ([Commands](Commands.md)):

\`\`\`
error[BEDS-T014]: an operation names an object that does not exist: Posts.create: database app has no procedure pst_create
  --> templates/posts.toml:31:11
  hint: run \`beds db apply\`
\`\`\`

*Retry* says whether the same request may succeed later without being changed.`;

const heading = ["| code | class | retry | message | what to do |", "|---|---|---|---|---|"];

/** What the letter of a code stands for. */
const subjects: Readonly<Record<string, string>> = {
  A: "authorization",
  B: "broken invariant",
  C: "configuration",
  D: "database (D4xx: what an object itself refuses, by SQLSTATE 45xxx)",
  E: "expiry",
  M: "message",
  N: "node",
  P: "plugin",
  K: "idempotency key",
  Q: "RabbitMQ",
  R: "routing",
  T: "template and drift",
  U: "command line",
  W: "the DBA's workbench",
};

function rowOf([code, entry]: readonly [string, CatalogueEntry]): string {
  const { class: errorClass, retryable, message, hint } = entry;
  const cells = [`\`${code}\``, errorClass, retryable ? "yes" : "no", message, hint];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}
