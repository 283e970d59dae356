import {
  BedsError,
  type FieldType,
  type Operation,
  type Parameter,
} from "../../../core/contract/index.ts";
import type { Scalar } from "./connection.ts";

type Encoder = (value: unknown) => Scalar;

/**
 * Turns the checked arguments of a request into what is bound, one function made at boot. Only
 * scalars come out: the driver would expand an object or a list into SQL. Errors: BEDS-B001 for a
 * value that the argument check should have refused.
 */
export function parameterEncoder(
  operation: Operation,
): (values: readonly unknown[]) => readonly Scalar[] {
  const encoders = operation.parameters.map(encoderOf);
  return (values) => {
    if (values.length !== encoders.length) {
      throw new BedsError("BEDS-B001", {
        detail: `${operation.name}: ${values.length} values for ${encoders.length} parameters`,
      });
    }
    return encoders.map((encode, at) => encode(values[at]));
  };
}

function encoderOf(parameter: Parameter): Encoder {
  const encode = encoders[parameter.type];
  return (value) => {
    if (value === null || value === undefined) return null;
    const scalar = encode(value);
    if (scalar !== null) return scalar;
    const detail = `parameter ${parameter.name} is not a ${parameter.type}`;
    throw new BedsError("BEDS-B001", { detail });
  };
}

/** Null means: this is not a value of the type. */
const encoders: { readonly [type in FieldType]: Encoder } = {
  string: text,
  enum: text,
  uuid: text,
  date: text,
  time: text,
  bigint: text,
  decimal: text,
  int: (value) => (Number.isSafeInteger(value) ? Number(value) : null),
  bool: (value) => (typeof value === "boolean" ? Number(value) : null),
  datetime: (value) => (typeof value === "string" ? serverTime(value) : null),
  bytes: (value) => (typeof value === "string" ? Buffer.from(value, "base64") : null),
  json: (value) => JSON.stringify(value),
};

function text(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

const momentPattern =
  /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * RFC 3339 → `YYYY-MM-DD HH:MM:SS.ffffff` in UTC, the session's zone; digits behind the sixth are
 * cut off.
 */
function serverTime(moment: string): string | null {
  const [, day, time, fraction = "", zone] = momentPattern.exec(moment) ?? [];
  if (day === undefined || time === undefined || zone === undefined) return null;
  const digits = fraction === "" ? "" : `.${fraction}`;
  if (zone.toUpperCase() === "Z") return `${day} ${time}${digits}`;
  const instant = new Date(`${day}T${time}${zone}`);
  if (Number.isNaN(instant.getTime())) return null;
  return `${instant.toISOString().slice(0, 19).replace("T", " ")}${digits}`;
}
