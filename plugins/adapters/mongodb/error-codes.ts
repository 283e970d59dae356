import type { ErrorCode } from "../../../core/contract/index.ts";

/**
 * The code of a server error by its number; undefined for one that nobody foresaw. The numbers:
 * https://www.mongodb.com/docs/manual/reference/error-codes/
 */
export function serverCode(number: number, read: boolean): ErrorCode | undefined {
  if (interrupted.has(number)) return read ? "BEDS-D001" : "BEDS-D004";
  return codes.get(number);
}

/**
 * A write that was interrupted may have been done: 91 shutdown · 189 stepped down · 11600, 11601,
 * 11602 interrupted.
 */
const interrupted: ReadonlySet<number> = new Set([91, 189, 11600, 11601, 11602]);

const numbers: readonly (readonly [ErrorCode, readonly number[]])[] = [
  // 6, 7, 89, 9001 network · 133 no such member · 10058, 10107, 13435, 13436 not the primary.
  ["BEDS-D001", [6, 7, 89, 133, 9001, 10058, 10107, 13435, 13436]],
  // 50 maxTimeMS · 262 exceeded time limit · 290 a transaction open for too long.
  ["BEDS-D002", [50, 262, 290]],
  // 24 lock timeout · 46 lock busy · 112 write conflict · 225, 251 no such transaction · 239, 246
  // no such snapshot · 267 waiting for another transaction.
  ["BEDS-D003", [24, 46, 112, 225, 239, 246, 251, 267]],
  // What only the object's author can have caused: rights, names, operators and stages.
  [
    "BEDS-D005",
    [
      13, 9, 26, 40, 48, 52, 54, 57, 59, 72, 73, 115, 166, 168, 238, 257, 263, 292, 313, 15981,
      16410, 16872, 31249, 31253, 31254, 40324, 40415,
    ],
  ],
  ["BEDS-D006", [11000, 11001, 12582]],
  // 2, 14 type · 28 path · 66 _id · 121 validator · 10334, 17280, 17419, 17420 size · 241
  // conversion.
  ["BEDS-D007", [2, 14, 28, 66, 121, 241, 10334, 17280, 17419, 17420]],
  // 11 no such user · 18 password · 334 mechanism · 391 authenticate again.
  ["BEDS-D008", [11, 18, 334, 391]],
  // 64, 79, 100 write concern.
  ["BEDS-D004", [64, 79, 100]],
];

const codes: ReadonlyMap<number, ErrorCode> = new Map(
  numbers.flatMap(([code, list]) => list.map((number): [number, ErrorCode] => [number, code])),
);
