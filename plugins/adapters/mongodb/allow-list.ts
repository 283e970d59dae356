/**
 * What a command may be made of. Everything that is not here is refused, when an object is applied
 * and again at boot: JavaScript (`$where`, `$function`, `$accumulator`), other collections
 * (`$lookup`, `$unionWith`, `$out`, `$merge`), and what nobody has needed yet.
 */

/** Their operand is never read as an operator, and uses indexes (tried on 6.0). */
export const comparisons: ReadonlySet<string> = new Set([
  "$eq",
  "$ne",
  "$gt",
  "$gte",
  "$lt",
  "$lte",
]);

export const memberships: ReadonlySet<string> = new Set(["$in", "$nin"]);

export const junctions: ReadonlySet<string> = new Set(["$and", "$or", "$nor"]);

/** Conditions of a filter that take nothing but what the DBA wrote. */
export const fixedConditions: ReadonlySet<string> = new Set([
  "$exists",
  "$size",
  "$type",
  "$mod",
  "$all",
  "$regex",
  "$options",
]);

/** Update operators whose values are stored as they are. */
export const storingOperators: ReadonlySet<string> = new Set([
  "$set",
  "$setOnInsert",
  "$min",
  "$max",
]);

/** Update operators whose values are added or multiplied. */
export const countingOperators: ReadonlySet<string> = new Set(["$inc", "$mul"]);

/** Update operators whose values are elements of a list. */
export const listOperators: ReadonlySet<string> = new Set(["$push", "$addToSet"]);

/** Update operators that take nothing but what the DBA wrote. */
export const fixedOperators: ReadonlySet<string> = new Set([
  "$unset",
  "$rename",
  "$currentDate",
  "$pop",
]);

/** Operators of expressions, accumulators among them; a slot may stand inside `$literal` alone. */
export const expressionOperators: ReadonlySet<string> = new Set([
  ...["$abs", "$add", "$ceil", "$divide", "$floor", "$mod", "$multiply", "$round", "$subtract"],
  ...["$trunc", "$cmp", "$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$and", "$or", "$not"],
  ...["$cond", "$ifNull", "$switch", "$concat", "$toLower", "$toUpper", "$trim", "$strLenCP"],
  ...["$substrCP", "$split", "$strcasecmp", "$dateToString", "$dateTrunc", "$dateAdd"],
  ...["$dateSubtract", "$dateDiff", "$year", "$month", "$dayOfMonth", "$dayOfWeek", "$hour"],
  ...["$minute", "$second", "$toString", "$toInt", "$toLong", "$toDecimal", "$toDouble"],
  ...["$toDate", "$toBool", "$type", "$size", "$arrayElemAt", "$slice", "$concatArrays", "$in"],
  ...["$filter", "$map", "$isArray", "$mergeObjects", "$sum", "$avg", "$min", "$max", "$first"],
  ...["$last", "$push", "$addToSet", "$count"],
]);

/** Whoever needs them needs a view instead, which the DBA defines. */
export const javascript: ReadonlySet<string> = new Set(["$where", "$function", "$accumulator"]);
