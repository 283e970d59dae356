import type { ErrorCode } from "../../../core/contract/index.ts";

/**
 * The code of a business error: an object signals SQLSTATE `45xxx`, and the last three digits
 * follow HTTP. Digits that BEDS does not know are BEDS-D400; the object's text says the rest.
 */
export function businessCode(digits: string): ErrorCode {
  return business.get(digits) ?? "BEDS-D400";
}

/** The code of a server error by its number; undefined for one that nobody foresaw. */
export function serverCode(errno: number, read: boolean): ErrorCode | undefined {
  if (readOnlyServer.has(errno)) return read ? "BEDS-D005" : "BEDS-D001";
  return codes.get(errno);
}

const business: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["400", "BEDS-D400"],
  ["401", "BEDS-D401"],
  ["403", "BEDS-D403"],
  ["404", "BEDS-D404"],
  ["409", "BEDS-D409"],
  ["410", "BEDS-D410"],
  ["422", "BEDS-D422"],
  ["429", "BEDS-D429"],
]);

/** 1290 --read-only · 1836 read-only mode. A fetch that meets them tried to write. */
const readOnlyServer = new Set([1290, 1836]);

const numbers: readonly (readonly [ErrorCode, readonly number[]])[] = [
  // 1021 disk full · 1040, 1203, 1226 too many connections · 1114 table full · 1129 host blocked ·
  // 1461 too many prepared statements.
  ["BEDS-D001", [1021, 1040, 1114, 1129, 1203, 1226, 1461]],
  // 1317 interrupted · 1969 max_statement_time · 3024 max_execution_time.
  ["BEDS-D002", [1317, 1969, 3024]],
  // 1020 changed since read · 1205 lock wait · 1213 deadlock · 1613, 1614 XA · 3058, 3572 no wait.
  ["BEDS-D003", [1020, 1205, 1213, 1613, 1614, 3058, 3572]],
  // What only the object's author can have caused: names, rights, shapes, transactions, signals
  // nobody handles.
  [
    "BEDS-D005",
    [
      1046, 1049, 1054, 1064, 1109, 1136, 1142, 1143, 1146, 1172, 1222, 1227, 1241, 1242, 1305,
      1318, 1326, 1329, 1335, 1336, 1339, 1356, 1364, 1370, 1397, 1399, 1400, 1401, 1402, 1414,
      1415, 1419, 1422, 1424, 1442, 1449, 1456, 1568, 1642, 1643, 1644, 1685, 1792,
    ],
  ],
  ["BEDS-D006", [1022, 1062, 1169, 1586, 1761, 1762]],
  // 1048 null · 1153 packet · 1264 range · 1265 truncated · 1292, 1366, 1367, 1411 format · 1365
  // division by zero · 1406 length · 1452, 1216 no such parent · 1690 arithmetic range · 3140 JSON
  // · 3819, 4025 check.
  [
    "BEDS-D007",
    [
      1048, 1153, 1216, 1264, 1265, 1292, 1365, 1366, 1367, 1406, 1411, 1452, 1690, 3140, 3141,
      3819, 4025,
    ],
  ],
  ["BEDS-D008", [1044, 1045]],
  // A parent that still has children.
  ["BEDS-D409", [1217, 1451]],
];

const codes: ReadonlyMap<number, ErrorCode> = new Map(
  numbers.flatMap(([code, list]) => list.map((errno): [number, ErrorCode] => [errno, code])),
);
