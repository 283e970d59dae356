import { bootErrors } from "./boot.ts";
import { commandErrors } from "./command.ts";
import { databaseErrors } from "./database.ts";
import { requestErrors } from "./request.ts";
import { templateErrors } from "./template.ts";
import { transportErrors } from "./transport.ts";

/**
 * Every error that BEDS reports, once. `wiki/Errors.md` is generated from this table (`npm run
 * docs`) and a test holds the two together. Codes are never used again for something else.
 */
export const catalogue = {
  ...requestErrors,
  ...databaseErrors,
  ...transportErrors,
  ...bootErrors,
  ...templateErrors,
  ...commandErrors,
} as const;

export type ErrorCode = keyof typeof catalogue;
export type { CatalogueEntry, ErrorClass } from "./entry.ts";
