import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Refused, SessionEnded, Unreachable } from "#api/errors.ts";
import { API_VERSION, secondsOf } from "#api/http.ts";
import { type LiveOptions, liveServer } from "#api/live.ts";
import type { Server } from "#api/server.ts";
import type { BrowserRequest } from "#data/wire.ts";
import type { Zone } from "#data/zone.ts";
import { type Answer, Backend } from "./backend.ts";
import { golden, goldenApiVersion } from "./golden.ts";
import { CookieJar, NO_COOKIES } from "./jar.ts";
import {
  ADA,
  BEN,
  LOGOUT,
  PROOF,
  REFRESH,
  Sessions,
  SIGN_IN,
  UNAUTHORIZED,
  WRONG_PROOF,
} from "./sessions.ts";

const UTC: Zone = { name: null, offsetMinutes: null };
const LOS_ANGELES: Zone = { name: "America/Los_Angeles", offsetMinutes: null };
const MINUTES: Zone = { name: null, offsetMinutes: 345 };
const DAILY = "GET /functions/vibescore-usage-daily";
const DEVICES = "GET /functions/vibescore-devices";
const BOARD = "GET /functions/vibescore-leaderboard";
const WEEK = { from: "2025-12-17", to: "2025-12-22" };
const ENTRY = { email: "ada@example.org", password: "ada-keeps-a-long-secret" };
const HTML = {
  status: 200,
  headers: { "content-type": "text/html" },
  body: "<html>Welcome</html>",
};

let backend: Backend;
let jar: CookieJar;
let sessions: Sessions;
let ends: number;

beforeEach(async () => {
  backend = await Backend.start();
  jar = new CookieJar();
  sessions = new Sessions(backend, jar);
  ends = 0;
  backend.on(DAILY, sessions.only(golden("309-daily-utc").response));
  backend.on(DEVICES, sessions.only(golden("500-devices").response));
  backend.on(BOARD, sessions.only(golden("437-leaderboard-total").response));
});

afterEach(() => backend.stop());

/** A tab of the browser. */
function tab(options: Partial<LiveOptions> = {}): Server {
  const onSessionEnd = () => {
    ends += 1;
  };
  return liveServer({ origin: backend.origin, onSessionEnd, jar, ...options });
}

async function signedIn(options: Partial<LiveOptions> = {}): Promise<Server> {
  const server = tab(options);
  await server.signIn(ENTRY);
  backend.asked.length = 0;
  return server;
}

/** What waits until it is opened. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

function times(question: string): number {
  return backend.questions.filter((each) => each === question).length;
}

async function failure(asking: Promise<unknown>): Promise<unknown> {
  return asking.then(
    () => expect.unreachable("it was answered"),
    (error: unknown) => error,
  );
}

describe("what is asked", () => {
  const waiting = golden("131-approve").request.body as BrowserRequest;
  const tower = "1102f151-d9a8-4f5c-bd4e-9403e1064529";
  const desktop = "2cec1f6a-f5a0-4c02-8a71-6b383c539970";

  it.each<[string, (server: Server) => Promise<unknown>, field?: string]>([
    ["310-daily-los-angeles", (server) => server.daily(WEEK, LOS_ANGELES)],
    ["312-daily-offset", (server) => server.daily(WEEK, MINUTES)],
    ["320-hourly-missing", (server) => server.hourly("2025-12-22", LOS_ANGELES)],
    ["332-monthly-default", (server) => server.monthly("2025-12-22", UTC)],
    ["301-summary-utc", (server) => server.summary(WEEK, UTC)],
    ["332-monthly-default", (server) => server.monthly("2025-12-22", UTC)],
    ["337-model-breakdown-utc", (server) => server.models(WEEK, UTC)],
    ["436-leaderboard-month", (server) => server.board("month", { limit: 20, offset: 0 })],
    ["430-settings-read", (server) => server.boardSettings()],
    ["429-settings-public", (server) => server.showOnBoard(true)],
    ["500-devices", (server) => server.devices()],
    ["502-device-update", (server) => server.renameDevice(tower, "tower of Ada"), "device"],
    ["506-device-revoke", (server) => server.revokeDevice(desktop), "device"],
    ["110-link-code", (server) => server.linkCode()],
    ["131-approve", (server) => server.approveBrowser(waiting), "redirect_to"],
    ["152-authorize-approve", (server) => server.approveCode("WDJB-MJHT")],
  ])(
    "[QUE-09] %s: the request and its answer are those of the wire file",
    async (name, ask, field) => {
      const server = await signedIn();
      const { request, response } = golden(name);
      const what = `${request.method} ${request.path}`;
      backend.on(what, sessions.only(response));
      const body = response.body as Record<string, unknown>;
      await expect(ask(server)).resolves.toEqual(field ? body[field] : body);
      expect(backend.asked).toMatchObject([
        { what, query: request.query ?? {}, body: request.body ?? "" },
      ]);
    },
  );

  it.each<[string, (server: Server) => Promise<unknown>, Record<string, string>]>([
    ["usage-daily", (server) => server.daily(WEEK, UTC), WEEK],
    ["usage-hourly", (server) => server.hourly("2025-12-22", UTC), { day: "2025-12-22" }],
    [
      "usage-monthly",
      (server) => server.monthly("2025-12-22", UTC),
      { months: "24", to: "2025-12-22" },
    ],
    [
      "usage-heatmap",
      (server) => server.heatmap("2025-12-22", MINUTES),
      { weeks: "52", to: "2025-12-22", week_starts_on: "mon", tz_offset_minutes: "345" },
    ],
    [
      "leaderboard",
      (server) => server.board("day", { limit: 5, offset: 10 }),
      { period: "day", limit: "5", offset: "10" },
    ],
    [
      "device-authorize-request",
      (server) => server.codeRequest("WDJB-MJHT"),
      { user_code: "WDJB-MJHT" },
    ],
  ])("[DSH-05] %s is asked for the days and the zone that are shown", async (slug, ask, query) => {
    const server = await signedIn();
    await ask(server).catch(() => null);
    expect(backend.asked).toMatchObject([{ what: `GET /functions/vibescore-${slug}` }]);
    expect(backend.asked[0]?.query).toEqual(query);
  });

  it("a range with more than its days sends the days alone", async () => {
    const server = await signedIn();
    const range = { period: "week", ...WEEK };
    await server.daily(range, UTC);
    expect(backend.asked[0]?.query).toEqual(WEEK);
  });

  it("refuses a computer that shows a code", async () => {
    const server = await signedIn();
    const answer = golden("152-authorize-approve").response;
    backend.on("POST /functions/vibescore-device-authorize-deny", sessions.only(answer));
    await expect(server.denyCode("WDJB-MJHT")).resolves.toMatchObject({ device_name: "build-box" });
  });

  it("[QUE-09] every request says the version of the API, which is that of the wire files", async () => {
    const server = await signedIn();
    backend.on("GET /healthz", golden("001-healthz").response);
    await Promise.all([server.daily(WEEK, UTC), server.isUp()]);
    await server.signOut();
    const said = backend.asked.map(({ headers }) => headers["x-vibescore-api"]);
    expect(said).toEqual(["1", "1", "1"]);
    expect(String(API_VERSION)).toBe(goldenApiVersion());
  });

  it("[DSH-09] what is asked for twice at the same time is one request", async () => {
    const server = await signedIn();
    const [one, other] = await Promise.all([server.daily(WEEK, UTC), server.daily(WEEK, UTC)]);
    expect(other).toBe(one);
    expect(times(DAILY)).toBe(1);
    await server.daily(WEEK, UTC);
    expect(times(DAILY)).toBe(2);
  });

  it("the same days of two zones are two requests", async () => {
    const server = await signedIn();
    await Promise.all([server.daily(WEEK, UTC), server.daily(WEEK, LOS_ANGELES)]);
    expect(times(DAILY)).toBe(2);
  });

  it("after a failure the same can be asked again", async () => {
    const server = await signedIn();
    backend.on(DAILY, null, sessions.only(golden("309-daily-utc").response));
    await expect(server.daily(WEEK, UTC)).rejects.toThrow(Unreachable);
    await expect(server.daily(WEEK, UTC)).resolves.toMatchObject({ from: WEEK.from });
  });

  it("[SRV-19] one's own data comes as a file of JSON lines", async () => {
    const server = await signedIn();
    const { response } = golden("806-export");
    const lines = (response.body as object[]).map((line) => `${JSON.stringify(line)}\n`).join("");
    backend.on("GET /functions/vibescore-export", sessions.only({ ...response, body: lines }));
    const file = await server.exportData();
    expect(file.type).toBe("application/x-ndjson");
    await expect(file.text()).resolves.toBe(lines);
  });

  it.each<[string, Answer | null, boolean]>([
    ["the server", golden("001-healthz").response, true],
    ["nobody", null, false],
    ["a proxy without the server", { status: 502, body: "Bad Gateway" }, false],
    ["another page", HTML, false],
  ])("[DSH-12] whether it is up, when %s answers", async (_, answer, isUp) => {
    backend.on("GET /healthz", answer);
    await expect(tab().isUp()).resolves.toBe(isUp);
  });
});

describe("signing in and out", () => {
  it("[SRV-17] the access token is sent, and is kept nowhere", async () => {
    const server = await signedIn();
    await server.daily(WEEK, UTC);
    const { authorization } = backend.asked[0]?.headers ?? {};
    expect(sessions.userOf(authorization)).toEqual(ADA);
    expect(jar.cookie).toBe(`${PROOF}=session-1`);
  });

  it("signing up sends what was entered, and begins a session", async () => {
    const { request, response } = golden("023-sign-up-ada");
    backend.on("POST /api/auth/users", () => ({ ...response, body: sessions.open(ADA).body }));
    await expect(tab().signUp({ ...ENTRY, name: "Ada" })).resolves.toEqual(ADA);
    expect(backend.asked[0]?.body).toEqual(request.body);
  });

  it.each([
    ["028-wrong-password", 401, "INVALID_CREDENTIALS", undefined],
    ["900-sign-in-limited", 429, "RATE_LIMITED", 60],
  ])("%s: the refusal says what the server says", async (name, status, code, retryAfter) => {
    const { response } = golden(name);
    backend.on(SIGN_IN, response);
    const error = await failure(tab().signIn(ENTRY));
    const { message } = response.body as { message: string };
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status, code, message, retryAfter });
    expect(ends).toBe(0);
  });

  it("a browser that keeps no cookies is told so", async () => {
    const error = await failure(tab({ jar: NO_COOKIES }).signIn(ENTRY));
    expect(error).toMatchObject({ code: "NO_COOKIES" });
  });

  it("a visitor who is signed out makes no request", async () => {
    await expect(tab().resume()).resolves.toBeNull();
    await expect(failure(tab().daily(WEEK, UTC))).resolves.toBeInstanceOf(SessionEnded);
    expect(backend.questions).toEqual([]);
    expect(ends).toBe(0);
  });

  it("a session goes on after the page was loaded again", async () => {
    await signedIn();
    const reloaded = tab();
    await expect(reloaded.resume()).resolves.toEqual(ADA);
    await reloaded.daily(WEEK, UTC);
    expect(backend.questions).toEqual([REFRESH, DAILY]);
  });

  it("a session that has ended is found out once, and not asked about again", async () => {
    await signedIn();
    sessions.end();
    await expect(tab().resume()).resolves.toBeNull();
    await expect(tab().resume()).resolves.toBeNull();
    expect(backend.questions).toEqual([REFRESH]);
  });

  it("[DSH-10] a session that cannot be looked up now may still be there", async () => {
    await signedIn();
    backend.on(REFRESH, golden("903-summary-no-database").response);
    await expect(failure(tab().resume())).resolves.toBeInstanceOf(Unreachable);
    expect(ends).toBe(0);
    new Sessions(backend, jar).open(ADA);
    await expect(tab().resume()).resolves.toEqual(ADA);
  });

  it("signing out shows the proof of the session, and ends it", async () => {
    const server = await signedIn();
    await server.signOut();
    expect(backend.asked).toMatchObject([
      { what: LOGOUT, headers: { "x-csrf-token": "session-1" } },
    ]);
    await expect(server.resume()).resolves.toBeNull();
    expect(ends).toBe(0);
  });

  it("who could not sign out is still signed in", async () => {
    const server = await signedIn();
    backend.on(LOGOUT, null);
    await expect(failure(server.signOut())).resolves.toBeInstanceOf(Unreachable);
    await expect(server.daily(WEEK, UTC)).resolves.toMatchObject({ to: WEEK.to });
  });

  it("signing out in one tab ends the others before they ask anything", async () => {
    const [one, other] = [await signedIn(), tab()];
    await other.resume();
    await one.signOut();
    backend.asked.length = 0;
    await expect(failure(other.daily(WEEK, UTC))).resolves.toBeInstanceOf(SessionEnded);
    expect(backend.questions).toEqual([]);
    expect(ends).toBe(1);
  });

  it("[SRV-19] an account goes with its password, and the session with it", async () => {
    const server = await signedIn();
    const what = "POST /functions/vibescore-delete-account";
    const [wrong, done] = [
      golden("808-delete-account-wrong-password"),
      golden("809-delete-account"),
    ];
    backend.on(what, sessions.only(wrong.response), sessions.only(done.response));
    const error = await failure(server.deleteAccount("not-the-long-secret"));
    expect(error).toMatchObject({ status: 403, code: "INVALID_CREDENTIALS" });
    await expect(server.resume()).resolves.toEqual(ADA);
    await server.deleteAccount(ENTRY.password);
    await expect(tab().resume()).resolves.toBeNull();
    expect(backend.questions).toEqual([what, what]);
    expect(ends).toBe(0);
  });
});

describe("a token that has expired", () => {
  it("[SRV-17] is renewed once for all who are refused, and each asks once more", async () => {
    const server = await signedIn();
    sessions.expire();
    const board = server.board("total", { limit: 20, offset: 0 });
    await Promise.all([server.daily(WEEK, UTC), server.devices(), board]);
    expect(times(REFRESH)).toBe(1);
    expect([DAILY, DEVICES, BOARD].map(times)).toEqual([2, 2, 2]);
    expect(ends).toBe(0);
  });

  it("is renewed shortly before, so that nobody is refused", async () => {
    let now = 0;
    const server = await signedIn({ now: () => now });
    now = 869_000;
    await server.daily(WEEK, UTC);
    now = 871_000;
    await Promise.all([server.daily(WEEK, UTC), server.devices()]);
    expect(backend.questions.slice(0, 2)).toEqual([DAILY, REFRESH]);
    expect([DAILY, REFRESH, DEVICES].map(times)).toEqual([2, 1, 1]);
  });

  it("is told by its own times, whatever the clock of the computer says", async () => {
    const server = await signedIn({ now: () => Date.UTC(2099, 0) });
    await server.daily(WEEK, UTC);
    expect(backend.questions).toEqual([DAILY]);
  });

  it("may be of a kind that does not tell: then the server does", async () => {
    backend.on(SIGN_IN, () => {
      const { body } = sessions.open(ADA);
      return { status: 200, body: { ...(body as object), accessToken: "opaque" } };
    });
    const server = await signedIn();
    await expect(server.daily(WEEK, UTC)).resolves.toMatchObject({ to: WEEK.to });
    expect(backend.questions).toEqual([DAILY, REFRESH, DAILY]);
  });

  it.each([
    ["401", UNAUTHORIZED],
    ["403", WRONG_PROOF],
  ])("cannot be renewed when that is refused with %s: the session ends", async (_, refusal) => {
    const server = await signedIn();
    sessions.end();
    backend.on(REFRESH, refusal);
    const errors = await Promise.all([failure(server.daily(WEEK, UTC)), failure(server.devices())]);
    for (const error of errors) expect(error).toBeInstanceOf(SessionEnded);
    expect(times(REFRESH)).toBe(1);
    expect(ends).toBe(1);
    await expect(failure(server.devices())).resolves.toBeInstanceOf(SessionEnded);
    expect(ends).toBe(1);
  });

  it.each<[string, Answer | null]>([
    ["is cut off", null],
    ["meets a server without its database", golden("903-summary-no-database").response],
    ["meets somebody else's page", HTML],
    ["meets somebody else's refusal", { ...HTML, status: 403 }],
  ])("[DSH-10] the session stays when the renewal %s", async (_, answer) => {
    const server = await signedIn();
    sessions.expire();
    backend.on(REFRESH, answer);
    await expect(failure(server.daily(WEEK, UTC))).resolves.toBeInstanceOf(Unreachable);
    expect(ends).toBe(0);
    sessions = new Sessions(backend, jar);
    sessions.open(ADA);
    backend.on(DAILY, sessions.only(golden("309-daily-utc").response));
    await expect(server.daily(WEEK, UTC)).resolves.toMatchObject({ to: WEEK.to });
  });

  it("ends the session when its successor is not taken either", async () => {
    const server = await signedIn();
    backend.on(DAILY, UNAUTHORIZED);
    await expect(failure(server.daily(WEEK, UTC))).resolves.toBeInstanceOf(SessionEnded);
    expect(backend.questions).toEqual([DAILY, REFRESH, DAILY]);
    expect(ends).toBe(1);
  });

  it("is not renewed again by an answer that comes late", async () => {
    const server = await signedIn();
    const { response } = golden("309-daily-utc");
    const late = gate();
    backend.on(DAILY, () => late.opened.then(() => UNAUTHORIZED), sessions.only(response));
    const asking = server.daily(WEEK, UTC);
    await expect.poll(() => times(DAILY)).toBe(1);
    sessions.expire();
    await server.devices();
    late.open();
    await expect(asking).resolves.toEqual(response.body);
    expect(times(REFRESH)).toBe(1);
  });
});

it("is tested with locks, which node has from 24.5 on", () => {
  expect(navigator.locks).toBeDefined();
});

describe.each([
  ["with the browser's locks", navigator.locks],
  ["without locks, as over plain http", null],
])("several tabs %s", (_, locks) => {
  it("[SRV-17] that are restored at once never show the same refresh token", async () => {
    await signedIn({ locks });
    const tabs = [tab({ locks }), tab({ locks }), tab({ locks })];
    await expect(Promise.all(tabs.map((each) => each.resume()))).resolves.toEqual([ADA, ADA, ADA]);
    await Promise.all(tabs.map((each) => each.daily(WEEK, UTC)));
    expect(times(REFRESH)).toBe(3);
    expect(ends).toBe(0);
  });

  it("one of which signs out while another renews, are signed out", async () => {
    const [one, other] = [await signedIn({ locks }), tab({ locks })];
    await other.resume();
    sessions.expire();
    const asking = one.daily(WEEK, UTC).catch(() => null);
    await other.signOut();
    await asking;
    await expect(tab({ locks }).resume()).resolves.toBeNull();
  });
});

describe("another page of the browser", () => {
  it("that took no turn changes the cookies: the proof is read and shown again", async () => {
    const server = await signedIn();
    sessions.expire();
    backend.on(
      REFRESH,
      () => {
        sessions.open(ADA);
        return WRONG_PROOF;
      },
      golden("033-refresh").response,
    );
    backend.on(DAILY, UNAUTHORIZED, golden("309-daily-utc").response);
    await expect(server.daily(WEEK, UTC)).resolves.toMatchObject({ to: WEEK.to });
    const proofs = backend.asked.flatMap(({ headers }) => headers["x-csrf-token"] ?? []);
    expect(proofs).toEqual(["session-1", "session-2"]);
    expect(ends).toBe(0);
  });

  it("signs somebody else in, whose data this tab never shows", async () => {
    const server = await signedIn();
    sessions.expire();
    sessions.open(BEN);
    await expect(failure(server.daily(WEEK, UTC))).resolves.toBeInstanceOf(SessionEnded);
    expect(times(DAILY)).toBe(1);
    expect(ends).toBe(1);
    await expect(server.resume()).resolves.toEqual(BEN);
  });

  it("nor does somebody who signs in here get what was asked before", async () => {
    const server = await signedIn();
    const late = gate();
    const { response } = golden("309-daily-utc");
    backend.on(DAILY, () => late.opened.then(() => UNAUTHORIZED), sessions.only(response));
    const asking = failure(server.daily(WEEK, UTC));
    await expect.poll(() => times(DAILY)).toBe(1);
    await server.signOut();
    backend.on(SIGN_IN, () => sessions.open(BEN));
    await server.signIn(ENTRY);
    const asked = server.daily(WEEK, UTC);
    late.open();
    await expect(asking).resolves.toBeInstanceOf(SessionEnded);
    await expect(asked).resolves.toEqual(response.body);
    await expect(server.resume()).resolves.toEqual(BEN);
    expect(ends).toBe(0);
  });
});

describe("what goes wrong", () => {
  it.each<[string, Answer | null, number | undefined]>([
    ["a connection that is cut", null, undefined],
    [
      "an error of the server",
      { status: 500, body: { error: "INTERNAL", message: "" } },
      undefined,
    ],
    ["a server without its database", golden("903-summary-no-database").response, 60],
    ["a proxy without the server", { status: 502, body: "Bad Gateway" }, undefined],
    ["a proxy's page", HTML, undefined],
    ["a proxy's page for what is not there", { ...HTML, status: 404 }, undefined],
    ["a proxy that wants a password itself", { ...HTML, status: 401 }, undefined],
    ["a refusal of somebody else", { status: 404, body: { detail: "no" } }, undefined],
    ["a redirect", { status: 302, headers: { location: "/healthz" } }, undefined],
    ["nothing", { status: 200, body: "" }, undefined],
    ["JSON of somebody else", { status: 200, body: { ok: true } }, undefined],
    ["JSON that is no object", { status: 200, body: ["data"] }, undefined],
  ])("[DSH-10] %s is a server that cannot be reached", async (_, answer, retryAfter) => {
    const server = await signedIn();
    backend.on("GET /healthz", golden("001-healthz").response);
    backend.on(DAILY, answer);
    const error = await failure(server.daily(WEEK, UTC));
    expect(error).toBeInstanceOf(Unreachable);
    expect(error).toMatchObject({ retryAfter });
    expect(backend.questions).toEqual([DAILY]);
    expect(ends).toBe(0);
  });

  it("a page of somebody else is no export", async () => {
    const server = await signedIn();
    backend.on("GET /functions/vibescore-export", HTML);
    await expect(failure(server.exportData())).resolves.toBeInstanceOf(Unreachable);
  });

  it("a server that is gone cannot be reached", async () => {
    const server = await signedIn();
    backend.stop();
    await expect(failure(server.daily(WEEK, UTC))).resolves.toBeInstanceOf(Unreachable);
  });

  it("a server that takes too long cannot be reached, nor is it up", async () => {
    const server = await signedIn({ timeout: 200, probeTimeout: 200 });
    for (const what of [DAILY, "GET /healthz"]) backend.on(what, () => new Promise(() => {}));
    await expect(failure(server.daily(WEEK, UTC))).resolves.toBeInstanceOf(Unreachable);
    await expect(server.isUp()).resolves.toBe(false);
  });

  it("[DSH-12] every request that finds no server is told of, but those that look for it", async () => {
    let told = 0;
    const onUnreachable = () => {
      told += 1;
    };
    const server = await signedIn({ onUnreachable });
    backend.on(DAILY, golden("903-summary-no-database").response);
    backend.on(DEVICES, golden("505-device-revoke-foreign").response);
    await failure(server.daily(WEEK, UTC));
    await failure(server.devices());
    expect(told).toBe(1);
    backend.stop();
    await failure(server.exportData());
    expect(told).toBe(2);
    await expect(server.isUp()).resolves.toBe(false);
    expect(told).toBe(2);
  });

  it.each([
    ["342-summary-801-days", 400, "BAD_REQUEST"],
    ["392-daily-other-api", 400, "API_VERSION"],
    ["505-device-revoke-foreign", 404, "NOT_FOUND"],
  ])("%s is refused in the words of the server", async (name, status, code) => {
    const server = await signedIn();
    const { response } = golden(name);
    backend.on(DAILY, response);
    const error = await failure(server.daily(WEEK, UTC));
    const { message } = response.body as { message: string };
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status, code, message });
  });
});

describe("Retry-After", () => {
  const now = Date.UTC(2026, 7, 10, 12);

  it.each([
    ["60", 60],
    ["0", 0],
    ["Mon, 10 Aug 2026 12:02:00 GMT", 120],
    ["Mon, 10 Aug 2026 11:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
    [null, undefined],
  ])("%j means %j seconds", (text, seconds) => {
    expect(secondsOf(text, now)).toBe(seconds);
  });
});
