/** What the pages ask: answered by a server over the wire (`live`), or by itself (`mock`). */

import type { Day } from "#data/days.ts";
import type {
  Board,
  BoardSettings,
  BrowserRequest,
  CodeRequest,
  Daily,
  Device,
  Devices,
  Heatmap,
  Hourly,
  LinkCode,
  ModelBreakdown,
  Monthly,
  Period,
  Summary,
  User,
} from "#data/wire.ts";
import type { Zone } from "#data/zone.ts";

/** Local days, both included. */
export interface Days {
  from: Day;
  to: Day;
}

export interface Credentials {
  email: string;
  password: string;
}

/** A computer that shows a code. */
export type CodeAnswer = Pick<CodeRequest, "device_name" | "platform">;

/** Every question may fail with one of the errors of `errors.ts`; `isUp` never does. */
export interface Server {
  readonly source: "EDGE" | "MOCK";
  /** Its origin. */
  readonly address: string;

  /** Who is signed in already, without a request where nobody can be; null: nobody. */
  resume(): Promise<User | null>;
  signUp(entry: Credentials & { name?: string }): Promise<User>;
  signIn(entry: Credentials): Promise<User>;
  signOut(): Promise<void>;

  daily(days: Days, zone: Zone): Promise<Daily>;
  hourly(day: Day, zone: Zone): Promise<Hourly>;
  /** 24 months, the last of them that of the day. */
  monthly(to: Day, zone: Zone): Promise<Monthly>;
  summary(days: Days, zone: Zone): Promise<Summary>;
  /** 52 weeks from Monday on, the last of them that of the day. */
  heatmap(to: Day, zone: Zone): Promise<Heatmap>;
  models(days: Days, zone: Zone): Promise<ModelBreakdown>;

  board(period: Period, page: { limit: number; offset: number }): Promise<Board>;
  boardSettings(): Promise<BoardSettings>;
  showOnBoard(isPublic: boolean): Promise<BoardSettings>;

  devices(): Promise<Devices>;
  renameDevice(id: string, name: string): Promise<Device>;
  revokeDevice(id: string): Promise<Device>;

  linkCode(): Promise<LinkCode>;
  /** Answers the address where the computer waits that opened the browser. */
  approveBrowser(request: BrowserRequest): Promise<string>;
  codeRequest(userCode: string): Promise<CodeRequest>;
  approveCode(userCode: string): Promise<CodeAnswer>;
  denyCode(userCode: string): Promise<CodeAnswer>;

  /** All own data, a JSON object a line. */
  exportData(): Promise<Blob>;
  deleteAccount(password: string): Promise<void>;

  isUp(): Promise<boolean>;
}
