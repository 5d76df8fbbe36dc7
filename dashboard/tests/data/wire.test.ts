import { describe, expect, it } from "vitest";
import type { Device, User } from "#data/wire.ts";
import { answersOf, EXCHANGES } from "./golden.ts";
import * as read from "./readers.ts";

const READERS: Record<string, read.Reader<unknown>> = {
  "usage-summary": read.summary,
  "usage-daily": read.daily,
  "usage-hourly": read.hourly,
  "usage-monthly": read.monthly,
  "usage-heatmap": read.heatmap,
  "usage-model-breakdown": read.breakdown,
  leaderboard: read.board,
  "leaderboard-settings": read.boardSettings,
  devices: read.devices,
  "device-update": read.record<{ device: Device }>({ device: read.device }),
  "device-revoke": read.record<{ device: Device }>({ device: read.device }),
  "link-code-init": read.linkCode,
  "/api/auth/users": read.session,
  "/api/auth/sessions": read.session,
  "/api/auth/refresh": read.session,
  "/api/auth/sessions/current": read.record<{ user: User }>({ user: read.user }),
};

const ANSWERS = Object.entries(READERS).flatMap(([endpoint, reader]) =>
  answersOf(endpoint)
    .filter(({ status }) => status !== 204)
    .map(({ name, body }) => ({ name, body, reader })),
);
const REFUSALS = EXCHANGES.filter(({ status }) => status >= 400);

describe("the shapes of the wire", () => {
  it.each(ANSWERS)("are those of the golden answer $name", ({ name, body, reader }) => {
    expect(reader(body, name)).toEqual(body);
  });

  it.each(REFUSALS)("are those of the golden refusal $name", ({ name, body, status }) => {
    expect(read.refusal(body, name).statusCode).toBe(status);
  });

  it.each(Object.keys(READERS))("are shown by a golden answer of %s", (endpoint) => {
    expect(answersOf(endpoint)).not.toEqual([]);
  });
});
