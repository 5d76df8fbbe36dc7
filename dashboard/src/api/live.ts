/** A server over the wire (its endpoints are documented at /docs on the server). */

import { Client } from "#api/client.ts";
import type { Jar } from "#api/cookies.ts";
import { Http } from "#api/http.ts";
import type { Server } from "#api/server.ts";
import { TabSession } from "#api/session.ts";
import { turnsBy } from "#api/turns.ts";
import type { CodeRequest, Device } from "#data/wire.ts";
import { zoneParams } from "#data/zone.ts";

const JSON_LINES = "application/x-ndjson";

/** What a page has is used where nothing is said; times are in milliseconds. */
export interface LiveOptions {
  origin: string;
  /** Called when the session ends without anybody having ended it in this tab. */
  onSessionEnd: () => void;
  /** Called for each request that fails as Unreachable; asking whether the server is up is none. */
  onUnreachable?: () => void;
  jar?: Jar;
  /** Null: the browser has none. */
  locks?: LockManager | null;
  timeout?: number;
  /** For the server to say that it is up. */
  probeTimeout?: number;
  now?: () => number;
}

export function liveServer(options: LiveOptions): Server {
  const { origin, onSessionEnd, jar = document, locks = navigator.locks } = options;
  const { timeout = 15_000, probeTimeout = 5_000, now = Date.now } = options;
  const http = new Http(origin, timeout, options.onUnreachable);
  const turn = turnsBy(locks, jar);
  const session = new TabSession({ http, jar, turn, now, onEnd: onSessionEnd });
  return served(origin, new Http(origin, probeTimeout), session, new Client(http, session));
}

function served(address: string, probe: Http, session: TabSession, client: Client): Server {
  return {
    source: "EDGE",
    address,

    resume: () => session.resume(),
    signUp: (entry) => session.begin("/api/auth/users", entry),
    signIn: (entry) => session.begin("/api/auth/sessions", entry),
    signOut: () => session.end(),

    daily: ({ from, to }, zone) =>
      client.get("usage-daily", "data", { from, to, ...zoneParams(zone) }),
    hourly: (day, zone) => client.get("usage-hourly", "data", { day, ...zoneParams(zone) }),
    monthly: (to, zone) =>
      client.get("usage-monthly", "data", { months: "24", to, ...zoneParams(zone) }),
    summary: ({ from, to }, zone) =>
      client.get("usage-summary", "totals", { from, to, ...zoneParams(zone) }),
    heatmap: (to, zone) =>
      client.get("usage-heatmap", "weeks", { ...YEAR, to, ...zoneParams(zone) }),
    models: ({ from, to }, zone) =>
      client.get("usage-model-breakdown", "sources", { from, to, ...zoneParams(zone) }),

    board: (period, { limit, offset }) =>
      client.get("leaderboard", "entries", { period, limit: `${limit}`, offset: `${offset}` }),
    boardSettings: () => client.get("leaderboard-settings", "leaderboard_public"),
    showOnBoard: (leaderboard_public) =>
      client.post("leaderboard-settings", "leaderboard_public", { leaderboard_public }),

    devices: () => client.get("devices", "devices"),
    renameDevice: (device_id, device_name) =>
      client.post<OneDevice>("device-update", "device", { device_id, device_name }).then(deviceOf),
    revokeDevice: (device_id) =>
      client.post<OneDevice>("device-revoke", "device", { device_id }).then(deviceOf),

    linkCode: () => client.post("link-code-init", "link_code"),
    approveBrowser: async (request) => {
      const answer = client.post<Approved>("device-link-approve", "redirect_to", request);
      return (await answer).redirect_to;
    },
    codeRequest: (user_code) =>
      client.get("device-authorize-request", "device_name", { user_code }),
    approveCode: (user_code) =>
      client.post<CodeRequest>("device-authorize-approve", "device_name", { user_code }),
    denyCode: (user_code) =>
      client.post<CodeRequest>("device-authorize-deny", "device_name", { user_code }),

    exportData: () => client.file("export", JSON_LINES),
    deleteAccount: async (password) => {
      await client.post<Done>("delete-account", "success", { password });
      session.forget();
    },

    isUp: () =>
      probe.json<Health>("/healthz", "status").then(
        () => true,
        () => false,
      ),
  };
}

const YEAR = { weeks: "52", week_starts_on: "mon" };

interface OneDevice {
  device: Device;
}

interface Approved {
  redirect_to: string;
}

interface Done {
  success: boolean;
}

interface Health {
  status: string;
}

function deviceOf({ device }: OneDevice): Device {
  return device;
}
