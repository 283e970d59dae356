/** A map that nobody changes any more: `Object.freeze` does not reach the entries of a map. */
export class FrozenMap<Key, Value> extends Map<Key, Value> {
  constructor(entries: Iterable<readonly [Key, Value]>) {
    super();
    for (const [key, value] of entries) super.set(key, value);
    Object.freeze(this);
  }

  override set(): never {
    throw new TypeError("the map is frozen");
  }

  override delete(): never {
    throw new TypeError("the map is frozen");
  }

  override clear(): never {
    throw new TypeError("the map is frozen");
  }
}

/** Freezes an object, what is in it, and so on. Maps in it must be frozen already. */
export function deepFreeze<Value extends object>(value: Value): Value {
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null) deepFreeze(inner);
  }
  return value;
}
