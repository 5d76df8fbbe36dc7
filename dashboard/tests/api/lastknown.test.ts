// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from "vitest";
import { LastKnown, rememberedUser, rememberUser } from "#api/lastknown.ts";
import { browserStorage } from "#api/shelf.ts";
import type { Daily } from "#data/wire.ts";
import { golden } from "./golden.ts";
import { ADA, BEN } from "./sessions.ts";

const HERE = "https://vibescore.example";
const AT = new Date("2026-08-10T12:00:00.000Z");
const DAILY = golden("309-daily-utc").response.body as Daily;

let storage: Storage;

beforeEach(() => {
  localStorage.clear();
  storage = localStorage;
});

function known(address = HERE, user = ADA.id): LastKnown {
  return new LastKnown(storage, address, user);
}

function later(minutes: number): Date {
  return new Date(AT.getTime() + minutes * 60_000);
}

/** A browser's storage that has something against being used. */
function unwilling(...methods: (keyof Storage)[]): Storage {
  return new Proxy(localStorage, {
    get(target, name) {
      if (methods.includes(name as keyof Storage)) throw new DOMException("no", "SecurityError");
      const found: unknown = Reflect.get(target, name);
      return typeof found === "function" ? found.bind(target) : found;
    },
  });
}

describe("the last known answer", () => {
  it("[DSH-10] is there after the page was loaded again, with its time", () => {
    known().write("daily", "2026-08", "UTC", DAILY, AT);
    expect(known().read<Daily>("daily", "2026-08", "UTC")).toEqual({ data: DAILY, at: AT });
  });

  it("[DSH-10] is the newest one", () => {
    known().write("daily", "2026-08", "UTC", 1, AT);
    known().write("daily", "2026-08", "UTC", 2, later(1));
    expect(known().read("daily", "2026-08", "UTC")).toEqual({ data: 2, at: later(1) });
  });

  it.each<[string, () => unknown]>([
    ["question", () => known().read("heatmap", "2026-08", "UTC")],
    ["range", () => known().read("daily", "2026-09", "UTC")],
    ["zone", () => known().read("daily", "2026-08", "Europe/Berlin")],
    ["user", () => known(HERE, BEN.id).read("daily", "2026-08", "UTC")],
    ["server", () => known("https://other.example").read("daily", "2026-08", "UTC")],
    ["question that reads alike", () => known().read("daily 2026-08", "UTC", "")],
  ])("[DSH-10] is not that of another %s", (_, read) => {
    known().write("daily", "2026-08", "UTC", DAILY, AT);
    expect(read()).toBeNull();
  });

  it("of forty others is the limit: the oldest goes, whoever's it is", () => {
    known(HERE, BEN.id).write("daily", "first", "UTC", 0, AT);
    for (let n = 1; n <= 40; n += 1) known().write("daily", String(n), "UTC", n, later(n));
    expect(known(HERE, BEN.id).read("daily", "first", "UTC")).toBeNull();
    expect(known().read("daily", "1", "UTC")).toMatchObject({ data: 1 });
    known().write("daily", "41", "UTC", 41, later(41));
    expect(known().read("daily", "1", "UTC")).toBeNull();
    expect(known().read("daily", "41", "UTC")).toMatchObject({ data: 41 });
    expect(storage.length).toBe(40);
  });

  it("written again makes no room for itself", () => {
    for (let n = 1; n <= 40; n += 1) known().write("daily", String(n), "UTC", n, later(n));
    known().write("daily", "40", "UTC", 0, later(41));
    expect(known().read("daily", "1", "UTC")).toMatchObject({ data: 1 });
  });

  it.each(["", "not at all", `${AT.toISOString()}{"from":`, `yesterday, about half past ten{}`])(
    "that cannot be read is dropped: %j",
    (text) => {
      known().write("daily", "2026-08", "UTC", DAILY, AT);
      storage.setItem(storage.key(0) ?? "", text);
      expect(known().read("daily", "2026-08", "UTC")).toBeNull();
      expect(storage.length).toBe(0);
    },
  );

  it("goes with the user who signs out, and with nobody else", () => {
    for (const user of [ADA, BEN]) known(HERE, user.id).write("daily", "2026-08", "UTC", 1, AT);
    known("https://other.example").write("daily", "2026-08", "UTC", 1, AT);
    known().write("heatmap", "2026-08", "UTC", 1, AT);
    storage.setItem("theme", "matrix");
    known().forget();
    expect(known().read("daily", "2026-08", "UTC")).toBeNull();
    expect(known().read("heatmap", "2026-08", "UTC")).toBeNull();
    expect(known(HERE, BEN.id).read("daily", "2026-08", "UTC")).not.toBeNull();
    expect(known("https://other.example").read("daily", "2026-08", "UTC")).not.toBeNull();
    expect(storage.getItem("theme")).toBe("matrix");
  });

  it("that comes after its user signed out is not kept", () => {
    const before = known();
    before.forget();
    before.write("daily", "2026-08", "UTC", DAILY, AT);
    expect(storage.length).toBe(0);
    known().write("daily", "2026-08", "UTC", DAILY, AT);
    expect(storage.length).toBe(1);
  });

  it.each<[string, Storage | null]>([
    ["there is none", null],
    ["may not be used", unwilling("length", "key", "getItem", "setItem", "removeItem")],
    ["is full", unwilling("setItem")],
  ])("is done without where the browser's storage %s", (_, browser) => {
    const known = new LastKnown(browser, HERE, ADA.id);
    known.write("daily", "2026-08", "UTC", DAILY, AT);
    expect(known.read("daily", "2026-08", "UTC")).toBeNull();
    expect(() => known.forget()).not.toThrow();
    rememberUser(browser, HERE, ADA);
    expect(rememberedUser(browser, HERE)).toBeNull();
  });

  it("takes the room of older ones when the storage is full", () => {
    for (let n = 1; n <= 30; n += 1) known().write("daily", String(n), "UTC", n, later(n));
    const full = new Proxy(localStorage, {
      get(target, name) {
        if (name === "setItem" && target.length >= 20)
          throw new DOMException("", "QuotaExceededError");
        const found: unknown = Reflect.get(target, name);
        return typeof found === "function" ? found.bind(target) : found;
      },
    });
    new LastKnown(full, HERE, ADA.id).write("daily", "31", "UTC", 31, later(31));
    expect(known().read("daily", "31", "UTC")).toMatchObject({ data: 31 });
    expect(known().read("daily", "30", "UTC")).toMatchObject({ data: 30 });
    expect(known().read("daily", "1", "UTC")).toBeNull();
  });

  it("is kept where the browser keeps things", () => {
    expect(browserStorage()).toBe(window.localStorage);
  });
});

describe("the remembered user", () => {
  it("[DSH-10] says whose answers to show while the server cannot be reached", () => {
    rememberUser(storage, HERE, ADA);
    expect(rememberedUser(storage, HERE)).toEqual(ADA);
    expect(rememberedUser(storage, "https://other.example")).toBeNull();
  });

  it("is the one who signed in last, and forgotten with signing out", () => {
    rememberUser(storage, HERE, ADA);
    rememberUser(storage, HERE, BEN);
    known(HERE, ADA.id).forget();
    expect(rememberedUser(storage, HERE)).toEqual(BEN);
    known(HERE, BEN.id).forget();
    expect(rememberedUser(storage, HERE)).toBeNull();
  });

  it.each(["", "{", "null", "7", `{"id": 7}`])("that cannot be read is nobody: %j", (text) => {
    rememberUser(storage, HERE, ADA);
    storage.setItem(storage.key(0) ?? "", text);
    expect(rememberedUser(storage, HERE)).toBeNull();
  });
});
