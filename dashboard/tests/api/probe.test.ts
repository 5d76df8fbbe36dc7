import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Probe } from "#api/probe.ts";

/** As much of a document as there is to see: whether anybody looks. */
class Tab extends EventTarget {
  hidden = false;

  show(visible: boolean): void {
    this.hidden = !visible;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let tab: Tab;
let isUp: boolean;
let asked: number;
let said: boolean[];
let recoveries: number;
let probe: Probe;

beforeEach(() => {
  vi.useFakeTimers();
  [tab, isUp, asked, said, recoveries] = [new Tab(), true, 0, [], 0];
  probe = start(async () => isUp);
});

afterEach(() => {
  probe.stop();
  vi.useRealTimers();
});

function start(answer: () => Promise<boolean>): Probe {
  return new Probe({
    isUp: () => {
      asked += 1;
      return answer();
    },
    onChange: (down) => said.push(down),
    onRecovery: () => {
      recoveries += 1;
    },
    document: tab,
  });
}

/** Gives the answer that the first probe waits for. */
async function awaited(): Promise<(isUp: boolean) => void> {
  probe.stop();
  const answers: ((isUp: boolean) => void)[] = [];
  probe = start(() => new Promise((resolve) => answers.push(resolve)));
  await wait(120);
  return (isUp) => answers[0]?.(isUp);
}

function wait(seconds: number): Promise<unknown> {
  return vi.advanceTimersByTimeAsync(seconds * 1_000);
}

describe("the probe", () => {
  it("[DSH-12] asks after 120 seconds, then more and more seldom, every 300 in the end", async () => {
    const times: number[] = [];
    for (let second = 1; second <= 1_500; second += 1) {
      const before = asked;
      await wait(1);
      if (asked > before) times.push(second);
    }
    const pauses = times.map((time, n) => time - (times[n - 1] ?? 0));
    expect(pauses[0]).toBe(120);
    expect(pauses).toEqual([...pauses].sort((one, other) => one - other));
    expect(pauses.at(-1)).toBe(300);
    expect(said).toEqual([]);
  });

  it("[DSH-12] asks 10 seconds after a failure, and says that the server is down after two", async () => {
    isUp = false;
    await wait(120);
    expect(said).toEqual([]);
    await wait(9);
    expect(asked).toBe(1);
    await wait(1);
    expect(said).toEqual([true]);
    await wait(30);
    expect(asked).toBe(5);
    expect(said).toEqual([true]);
  });

  it("[DSH-12] says once that it is up again", async () => {
    isUp = false;
    await wait(130);
    isUp = true;
    await wait(10);
    await wait(600);
    expect(said).toEqual([true, false]);
    expect(recoveries).toBe(1);
  });

  it("[DSH-12] asks 10 seconds after a request failed, and says that the server answers again", async () => {
    await wait(60);
    probe.doubt();
    await wait(9);
    probe.doubt();
    expect(asked).toBe(0);
    await wait(1);
    expect([asked, recoveries]).toEqual([1, 1]);
    await wait(119);
    expect(asked).toBe(1);
    await wait(1);
    expect([asked, recoveries]).toEqual([2, 1]);
    expect(said).toEqual([]);
  });

  it("[DSH-12] says within 20 seconds that a server is down which does not answer from the start", async () => {
    isUp = false;
    probe.doubt();
    await wait(20);
    expect(said).toEqual([true]);
    isUp = true;
    await wait(10);
    expect(said).toEqual([true, false]);
    expect(recoveries).toBe(1);
  });

  it("has requests tried again more and more seldom where the server answers probes alone", async () => {
    const pauses: number[] = [];
    for (let n = 0; n < 7; n += 1) {
      const before = recoveries;
      probe.doubt();
      for (pauses.push(0); recoveries === before; pauses[n] = (pauses[n] ?? 0) + 1) await wait(1);
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 300, 300]);
    await wait(120);
    probe.doubt();
    await wait(10);
    expect(recoveries).toBe(8);
  });

  it("takes a doubt that comes while an answer is awaited", async () => {
    const answer = await awaited();
    probe.doubt();
    expect(vi.getTimerCount()).toBe(0);
    answer(true);
    await wait(0);
    expect(recoveries).toBe(1);
  });

  it("[DSH-12] does not ask while nobody looks", async () => {
    tab.show(false);
    await wait(3_600);
    expect(asked).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("[DSH-12] asks at once when somebody looks again, and goes on from there", async () => {
    tab.show(false);
    await wait(60);
    tab.show(true);
    await wait(0);
    expect(asked).toBe(1);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("asks nobody new while an answer is awaited", async () => {
    const answer = await awaited();
    tab.show(false);
    tab.show(true);
    expect(asked).toBe(1);
    answer(true);
    await wait(0);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("takes an answer that comes while nobody looks, and waits for somebody", async () => {
    const answer = await awaited();
    tab.show(false);
    answer(false);
    await wait(0);
    expect(vi.getTimerCount()).toBe(0);
    tab.show(true);
    expect(asked).toBe(2);
  });

  it("says nothing of an answer that comes after it was stopped", async () => {
    const answer = await awaited();
    probe.stop();
    answer(false);
    await wait(0);
    expect(vi.getTimerCount()).toBe(0);
    expect(said).toEqual([]);
  });

  it("says nothing any more once it is stopped", async () => {
    isUp = false;
    await wait(120);
    probe.stop();
    probe.doubt();
    tab.show(false);
    tab.show(true);
    await wait(600);
    expect(asked).toBe(1);
    expect(said).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
