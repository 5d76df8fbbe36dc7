import { describe, expect, it } from "vitest";
import { afterProbe, afterRequest, isDown, isInDoubt, STARTING } from "#data/probe.ts";

/** `+` is a probe that succeeded, `-` one that did not, `!` a request that failed. */
function states(outcomes: string) {
  let state = STARTING;
  return [...outcomes].map((outcome) => {
    state = outcome === "!" ? afterRequest(state) : afterProbe(state, outcome === "+");
    return state;
  });
}

describe("afterProbe", () => {
  it.each([
    ["++++++", [180, 240, 300, 300, 300, 300]],
    ["----", [10, 10, 10, 10]],
    ["+++-++", [180, 240, 300, 10, 120, 180]],
    ["--+-+", [10, 10, 120, 10, 120]],
    ["++!+", [180, 240, 10, 120]],
    ["!!!-!-+", [10, 10, 10, 10, 10, 10, 120]],
    ["!+!+!+", [10, 120, 20, 120, 40, 120]],
    ["!+!+!+!+!+!+!+", [10, 120, 20, 120, 40, 120, 80, 120, 160, 120, 300, 120, 300, 120]],
    ["!+!++!", [10, 120, 20, 120, 180, 10]],
    ["!+!-+!", [10, 120, 20, 10, 120, 10]],
  ])("[DSH-12] after %s waits for %j seconds", (outcomes, delays) => {
    expect(STARTING.delay).toBe(120);
    expect(states(outcomes).map(({ delay }) => delay)).toEqual(delays);
  });

  it.each([
    ["+", "."],
    ["-", "."],
    ["--", ".D"],
    ["-+-+", "...."],
    ["+---+-", "..DD.."],
    ["!!!", "..."],
    ["!-!-!+", "...DD."],
  ])("[DSH-12] after %s the server counts as down (D) like this: %s", (outcomes, down) => {
    expect(isDown(STARTING)).toBe(false);
    expect(
      states(outcomes)
        .map((state) => (isDown(state) ? "D" : "."))
        .join(""),
    ).toBe(down);
  });

  it.each([
    ["+", "."],
    ["-+", "?."],
    ["!+!-+", "?.??."],
  ])("[DSH-12] after %s the server is in doubt (?) like this: %s", (outcomes, doubts) => {
    expect(isInDoubt(STARTING)).toBe(false);
    expect(
      states(outcomes)
        .map((state) => (isInDoubt(state) ? "?" : "."))
        .join(""),
    ).toBe(doubts);
  });
});
