/** A server in memory with a made-up year: the same for the same time, and never a request (DSH-11). */

import { Refused } from "#api/errors.ts";
import { daysOf, MY_RANK, placesOf } from "#api/mock/board.ts";
import { utc } from "#api/mock/calendar.ts";
import { devicesOf } from "#api/mock/devices.ts";
import { exported } from "#api/mock/export.ts";
import { DAYS_OF_USE, Life } from "#api/mock/life.ts";
import { usageOf } from "#api/mock/usage.ts";
import type { Server } from "#api/server.ts";
import type { BoardSettings, CodeRequest, Device, User } from "#data/wire.ts";
import { today, UTC } from "#data/zone.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** Of the made-up developer. What is changed stays so until the page is loaded again. */
interface Account {
  now: Date;
  life: Life;
  user: User;
  isSignedIn: boolean;
  settings: BoardSettings;
  devices: Device[];
}

export function mockServer(now: Date): Server {
  const account = accountAt(now);
  return {
    source: "MOCK",
    address: "mock",
    ...session(account),
    ...usageOf(account.life),
    ...leaderboard(account),
    ...computers(account),
    ...linking(now),
    exportData: async () =>
      exported({ ...account, uses: account.life.used("", today(UTC, now), UTC) }),
    isUp: async () => true,
  };
}

function accountAt(now: Date): Account {
  const life = new Life(now);
  const user = {
    id: "0d9f6a1e-3b57-4c0a-9a52-6f1f5b7c2e10",
    email: "robin@example.org",
    name: "Robin Vale",
    createdAt: utc(now.getTime() - DAYS_OF_USE * DAY),
    role: "user",
  };
  return {
    now,
    life,
    user,
    isSignedIn: true,
    settings: { leaderboard_public: false, updated_at: null },
    devices: devicesOf(now.getTime(), life.synced(UTC)),
  };
}

type Session = Pick<Server, "resume" | "signUp" | "signIn" | "signOut" | "deleteAccount">;

/** Whoever comes in is the same developer. */
function session(account: Account): Session {
  const enter = async () => {
    account.isSignedIn = true;
    return account.user;
  };
  const leave = async () => {
    account.isSignedIn = false;
  };
  const resume = async () => (account.isSignedIn ? account.user : null);
  return { resume, signUp: enter, signIn: enter, signOut: leave, deleteAccount: leave };
}

type Leaderboard = Pick<Server, "board" | "boardSettings" | "showOnBoard">;

function leaderboard(account: Account): Leaderboard {
  const { now, life, user } = account;
  return {
    board: async (period, { limit, offset }) => {
      const { from, to } = daysOf(period, today(UTC, now));
      const tokens = life.used(from, to, UTC).reduce((all, { total }) => all + total, 0);
      const name = account.settings.leaderboard_public ? user.name : null;
      const places = placesOf(period, { name, tokens });
      return {
        period,
        from,
        to,
        generated_at: utc(now.getTime() - 4 * MINUTE),
        entries: places.slice(offset, offset + limit),
        me: { rank: MY_RANK, total_tokens: String(tokens) },
      };
    },
    boardSettings: async () => account.settings,
    showOnBoard: async (leaderboard_public) => {
      account.settings = { leaderboard_public, updated_at: utc(now.getTime()) };
      return account.settings;
    },
  };
}

type Computers = Pick<Server, "devices" | "renameDevice" | "revokeDevice">;

function computers(account: Account): Computers {
  function changed(id: string, changes: Partial<Device>): Device {
    const device = account.devices.find(({ device_id }) => device_id === id);
    if (!device) throw new Refused(404, "NOT_FOUND", "You have no such device.");
    const after = { ...device, ...changes };
    account.devices = account.devices.map((each) => (each === device ? after : each));
    return after;
  }
  return {
    devices: async () => ({ devices: account.devices }),
    renameDevice: async (id, device_name) => changed(id, { device_name }),
    revokeDevice: async (id) => changed(id, { revoked_at: utc(account.now.getTime()) }),
  };
}

type Linking = Pick<
  Server,
  "linkCode" | "approveBrowser" | "codeRequest" | "approveCode" | "denyCode"
>;

/** No computer waits: whoever approves one comes back to the dashboard. */
function linking(now: Date): Linking {
  const expires_at = utc(now.getTime() + 10 * MINUTE);
  const asked: CodeRequest = { device_name: "build-box", platform: "linux", expires_at };
  return {
    linkCode: async () => ({ link_code: "K7QM-2WXD-9TRC", expires_at }),
    approveBrowser: async () => "/?mock=1",
    codeRequest: async () => asked,
    approveCode: async () => asked,
    denyCode: async () => asked,
  };
}
