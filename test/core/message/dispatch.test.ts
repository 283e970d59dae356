import { describe, expect, test } from "bun:test";
import { BedsError, type JsonValue } from "../../../core/contract/index.ts";
import { authorize, type Authorized, type Principals } from "../../../core/message/authorize.ts";
import { type Route, route, type Routes } from "../../../core/message/route.ts";
import { compileTemplates, type Validated, validate } from "../../../core/message/validate.ts";
import { arrival, envelopeOf, eventId, templates, thrownBy, users } from "./samples.ts";

function errorOf(call: () => unknown): BedsError {
  const thrown = thrownBy(call);
  if (thrown instanceof BedsError) return thrown;
  throw thrown;
}

function check(op: string, args: { readonly [name: string]: JsonValue }): Validated {
  return validate(envelopeOf(op, args), templates);
}

describe("validate", () => {
  test("values stand in the order of the parameters, null for what was not sent", () => {
    expect(check("fetch_by_email", { limit: 5, email: "a" }).values).toEqual(["a", 5]);
    expect(check("fetch_by_email", { email: "a" }).values).toEqual(["a", null]);
    expect(check("fetch_by_email", { email: "a", limit: null }).values).toEqual(["a", null]);
    expect(check("purge", {}).values).toEqual([]);
  });

  test("the entry has what the pipeline needs", () => {
    const { entry } = check("fetch_by_email", { email: "a" });
    expect(entry.name).toBe("Users.fetch_by_email");
    expect(entry.template).toBe(users);
    expect(entry.options).toEqual({ timeoutMs: 5000, rowCap: 1000 });
  });

  test("names that do not exist are told what was meant", () => {
    const request = { ...envelopeOf("purge", {}), template: "User" };
    const unknown = errorOf(() => validate(request, templates));
    expect(unknown.code).toBe("BEDS-R001");
    expect(unknown.detail).toContain("did you mean 'Users'");
    const operation = errorOf(() => check("fetch_by_mail", {}));
    expect(operation.code).toBe("BEDS-R002");
    expect(operation.detail).toContain("did you mean 'fetch_by_email'");
    for (const template of ["constructor", "toString", "hasOwnProperty"]) {
      expect(errorOf(() => validate({ ...request, template }, templates)).code).toBe("BEDS-R001");
      expect(errorOf(() => check(template, {})).code).toBe("BEDS-R002");
    }
  });

  const faults: readonly (readonly [
    string,
    { readonly [name: string]: JsonValue },
    string,
    RegExp,
  ])[] = [
    ["a missing argument", {}, "BEDS-M020", /email is missing/],
    ["null for a required one", { email: null }, "BEDS-M020", /email is missing/],
    ["an unknown argument", { email: "a", limt: 1 }, "BEDS-M021", /limt .* did you mean 'limit'/],
    ["an unknown null", { email: "a", nothing: null }, "BEDS-M021", /nothing is no argument/],
    ["a wrong type", { email: 1 }, "BEDS-M022", /email must be a string/],
    ["out of its limits", { email: "a", limit: 0 }, "BEDS-M022", /limit is less than 1/],
    ["too long", { email: "a".repeat(41) }, "BEDS-M022", /longer than 40 characters/],
    ["a lone surrogate", { email: "\ud800" }, "BEDS-M022", /not well-formed Unicode/],
    ["an operator for a string", { email: { $ne: null } }, "BEDS-M022", /email must be a string/],
    ["a prototype", JSON.parse('{"email":"a","__proto__":{"limit":1}}'), "BEDS-M021", /__proto__/],
    ["a constructor", { email: "a", constructor: 1 }, "BEDS-M021", /constructor is no argument/],
  ];
  for (const [name, args, code, detail] of faults) {
    test(`${name}: ${code}`, () => {
      const error = errorOf(() => check("fetch_by_email", args));
      expect(`${error.code} ${error.detail}`).toStartWith(code);
      expect(error.detail).toMatch(detail);
    });
  }

  test("a document with an operator in it is refused", () => {
    const args = { email: "a", secret: "s", profile: { a: { $where: "sleep(1)" } } };
    expect(errorOf(() => check("create", args)).detail).toContain(
      "profile has a key that begins with $",
    );
  });

  test("all arguments at fault are listed, and no value of any", () => {
    const args = { secret: "hunter2", balance: "1000000000.00", limt: "hunter3" };
    const error = errorOf(() => check("create", args));
    expect(error.code).toBe("BEDS-M020");
    for (const name of ["email is missing", "secret is longer", "balance has too many", "limt"]) {
      expect(error.detail).toContain(name);
    }
    expect(error.detail).not.toContain("hunter");
    expect(error.detail).not.toContain("1000000000");
  });

  test("SQL in a string is a string", () => {
    const email = "'; DROP TABLE usr_users; --";
    expect(check("fetch_by_email", { email }).values).toEqual([email, null]);
  });

  test("a thousand wrong arguments get a short answer", () => {
    const args = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`x${index}`, 1]));
    const { detail } = errorOf(() => check("fetch_by_email", args));
    expect(detail.length).toBeLessThan(2000);
    expect(detail).toContain("and 981 more");
  });

  test("a name that is no name is not repeated", () => {
    const error = errorOf(() => check("purge", { "<script>": 1 }));
    expect(error.detail).not.toContain("<");
  });
});

const principals: Principals = new Map([
  // Even a configuration that names the empty account lets nobody in without a user-id.
  ["", { roles: ["app"], mayAssert: false }],
  ["app1", { roles: ["app"], mayAssert: false }],
  ["idle", { roles: [], mayAssert: false }],
  ["ann", { roles: ["admin"], mayAssert: false }],
  ["gateway", { roles: ["app"], mayAssert: true }],
]);

describe("authorize", () => {
  const request = validate(envelopeOf("fetch_by_email", { email: "a" }), templates);
  const purge = validate(envelopeOf("purge", {}), templates);
  const asserting = (principal: string): Validated =>
    validate(envelopeOf("fetch_by_email", { email: "a" }, { principal }), templates);
  const sender = (userId: string) => ({ ...arrival, userId });

  test("an account with one of the roles may", () => {
    const authorized = authorize(request, sender("app1"), principals);
    expect(authorized).toMatchObject({ principal: "app1", account: "app1", values: ["a", null] });
    expect(authorized.template).toBe(users);
    expect(authorized.operation).toBe(request.entry.operation);
  });

  test("who may assert acts for another, and both are known", () => {
    const authorized = authorize(asserting("ann"), sender("gateway"), principals);
    expect(authorized).toMatchObject({ principal: "ann", account: "gateway" });
    const own = authorize(request, sender("gateway"), principals);
    expect(own).toMatchObject({ principal: "gateway", account: "gateway" });
  });

  test("an assertion of any other account is ignored", () => {
    expect(authorize(asserting("ann"), sender("app1"), principals).principal).toBe("app1");
  });

  const denials: readonly (readonly [string, Validated, string])[] = [
    ["no user-id", request, ""],
    ["an account that is not configured", request, "nobody"],
    ["an account without roles", request, "idle"],
    ["an operation without roles", purge, "app1"],
    ["an asserted principal without the role", asserting("idle"), "gateway"],
    ["an asserted principal that is not configured", asserting("eve"), "gateway"],
    ["a role that only the asserted one has", asserting("ann"), "idle"],
  ];
  for (const [name, validated, userId] of denials) {
    test(`${name} is denied, and the error does not tell why`, () => {
      const error = errorOf(() => authorize(validated, sender(userId), principals));
      expect(error.code).toBe("BEDS-A001");
      expect(error.detail).toBe("");
      expect(error.hint).toBe(new BedsError("BEDS-A001").hint);
      expect(error.cause).toBeInstanceOf(Error);
    });
  }

  test("nothing else can make an Authorized", () => {
    const { envelope, entry, values } = request;
    const parts = { envelope, entry, values, template: users, operation: entry.operation };
    // @ts-expect-error: its brand has no name outside authorize.ts
    const forged: Authorized = { ...parts, account: "a", principal: "a" };
    expect(forged).toBeObject();
  });
});

describe("route", () => {
  const deadline = 1_790_000_000_000;
  const authorized = authorize(
    validate(envelopeOf("fetch_by_email", { email: "a" }, { deadline }), templates),
    arrival,
    principals,
  );
  const open: Route<string> = {
    queue: "beds.rBroker.rel",
    routingKey: "rel.read",
    execute: "run",
    disabled: null,
  };
  const closed: Route<string> = {
    ...open,
    execute: null,
    disabled: new BedsError("BEDS-T014", { detail: "database app has no usr_x" }),
  };
  const fresh = { redelivered: false, attempt: 0 };
  const taken = { queue: "beds.rBroker.rel", routingKey: "rel.read", ...fresh };
  const routesOf = (found: Route<string>): Routes<string> =>
    new Map([[authorized.operation, found]]);

  test("finds what executes the request", () => {
    const routed = route(authorized, taken, routesOf(open), deadline);
    expect(routed.execute).toBe("run");
    expect(routed.request).toBe(authorized);
  });

  test("another queue: BEDS-R003 with the right key", () => {
    const wrong = { queue: "beds.wBroker.rel", routingKey: "rel.write", ...fresh };
    const error = errorOf(() => route(authorized, wrong, routesOf(open), deadline));
    expect(error.code).toBe("BEDS-R003");
    expect(error.detail).toContain("rel.read");
  });

  test("the right key, but no queue took it: BEDS-Q008", () => {
    const lost = { ...taken, queue: "beds.unroutable" };
    const error = errorOf(() => route(authorized, lost, routesOf(open), deadline));
    expect(error.code).toBe("BEDS-Q008");
  });

  test("switched off: BEDS-R004 says why, the operator's detail stays here", () => {
    const error = errorOf(() => route(authorized, taken, routesOf(closed), deadline));
    expect(error.code).toBe("BEDS-R004");
    expect(error.detail).toContain("BEDS-T014: an operation names an object that does not exist");
    expect(error.detail).not.toContain("usr_x");
    expect(error.cause).toBe(closed.disabled);
  });

  test("no route at all: BEDS-R004", () => {
    expect(errorOf(() => route(authorized, taken, new Map(), deadline)).code).toBe("BEDS-R004");
  });

  test("past its deadline: BEDS-E001, and not a millisecond sooner", () => {
    const error = errorOf(() => route(authorized, taken, routesOf(open), deadline + 1));
    expect(error.code).toBe("BEDS-E001");
    expect(error.detail).toContain("1 ms late");
  });
});

test("operations are found among a thousand templates", () => {
  const many = Array.from({ length: 1000 }, (_, index) => ({ ...users, name: `Users${index}` }));
  const compiled = compileTemplates(many);
  expect(compiled.size).toBe(1000);
  const envelope = { ...envelopeOf("fetch_by_email", { email: "a" }), template: "Users777" };
  expect(validate(envelope, compiled).entry.name).toBe("Users777.fetch_by_email");
  expect(envelope.eventId).toBe(eventId);
});
