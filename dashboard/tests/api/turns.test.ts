// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { turnsBy } from "#api/turns.ts";
import { CookieJar, NO_COOKIES } from "./jar.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function lasting(seconds: number, log: string[], name: string): () => Promise<void> {
  return async () => {
    log.push(`${name} begins`);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
    log.push(`${name} ends`);
  };
}

describe("turns without the browser's locks", () => {
  it("[SRV-17] one tab waits for another, however long that takes", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    const [one, other] = [turnsBy(null, jar), turnsBy(null, jar)];
    const both = Promise.all([one(lasting(30, log, "one")), other(lasting(1, log, "other"))]);
    await vi.advanceTimersByTimeAsync(40_000);
    await both;
    const [first, second] = log[0] === "one begins" ? ["one", "other"] : ["other", "one"];
    expect(log).toEqual([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`]);
    expect(jar.cookie).toBe("");
  });

  it("many tabs that come at once take their turns one by one", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    const names = ["a", "b", "c", "d", "e"];
    const all = Promise.all(names.map((name) => turnsBy(null, jar)(lasting(1, log, name))));
    await vi.advanceTimersByTimeAsync(10_000);
    await all;
    const turns = log.flatMap((line) => (line.endsWith("begins") ? [line.slice(0, 1)] : []));
    expect(log).toEqual(turns.flatMap((name) => [`${name} begins`, `${name} ends`]));
    expect(turns.sort()).toEqual(names);
  });

  it("a tab that is gone in the middle holds nobody up for more than three seconds", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    jar.cookie = "vibescore_turn=gone; Max-Age=3";
    const turn = turnsBy(null, jar)(lasting(0, log, "next"));
    await vi.advanceTimersByTimeAsync(2_900);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(300);
    await turn;
    expect(log).toEqual(["next begins", "next ends"]);
  });

  it("a tab that the browser slows down waits on when its claim has lapsed", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    const turn = turnsBy(null, jar)(lasting(0, log, "slow"));
    vi.setSystemTime(Date.now() + 60_000);
    await vi.advanceTimersByTimeAsync(50);
    expect(log).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    await turn;
    expect(log).toEqual(["slow begins", "slow ends"]);
  });

  it("a page that is left gives its turn up", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    void turnsBy(null, jar)(lasting(60, log, "left"));
    await vi.advanceTimersByTimeAsync(200);
    dispatchEvent(new Event("pagehide"));
    vi.clearAllTimers(); // its scripts run no more
    const turn = turnsBy(null, jar)(lasting(0, log, "next"));
    await vi.advanceTimersByTimeAsync(200);
    await turn;
    expect(log).toEqual(["left begins", "next begins", "next ends"]);
  });

  it("a page that is left takes the turn of nobody else", async () => {
    const [jar, log] = [new CookieJar(), [] as string[]];
    jar.cookie = "vibescore_turn=another; Max-Age=3";
    void turnsBy(null, jar)(lasting(0, log, "waiting"));
    dispatchEvent(new Event("pagehide"));
    expect(jar.cookie).toBe("vibescore_turn=another");
  });

  it("a turn that fails is over", async () => {
    const jar = new CookieJar();
    const failing = turnsBy(null, jar)(() => Promise.reject(new Error("no")));
    const failed = expect(failing).rejects.toThrow("no");
    await vi.advanceTimersByTimeAsync(100);
    await failed;
    expect(jar.cookie).toBe("");
  });

  it("a browser that keeps no cookies waits for nobody", async () => {
    const turn = turnsBy(null, NO_COOKIES)(async () => "done");
    await vi.advanceTimersByTimeAsync(100);
    await expect(turn).resolves.toBe("done");
  });
});
