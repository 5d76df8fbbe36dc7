/**
 * What the server said last, kept by the browser over reloads (DSH-10). A browser that keeps nothing is none the worse
 * for it.
 */

import { Shelf } from "#api/shelf.ts";
import type { User } from "#data/wire.ts";

/** What was known at a time. */
export interface Known<T> {
  data: T;
  at: Date;
}

const ANSWER = "vibescore.answer";
const USER = "vibescore.user";
const MOST_ANSWERS = 40;
const LENGTH_OF_TIME = new Date(0).toISOString().length;

/** Who was signed in last: whose answers to show when a page is loaded that cannot reach the server. */
export function rememberedUser(storage: Storage | null, address: string): User | null {
  const user = parsed(new Shelf(storage).get(keyOf(USER, address)) ?? "");
  return isUser(user) ? user : null;
}

export function rememberUser(storage: Storage | null, address: string, user: User): void {
  new Shelf(storage).put(keyOf(USER, address), JSON.stringify(user));
}

/** Calls back when another tab signs the remembered user out; answers what ends that. */
export function onForgotten(address: string, forgotten: () => void): () => void {
  const key = keyOf(USER, address);
  const look = (event: StorageEvent) => {
    if (event.key === key && event.newValue === null) forgotten();
  };
  addEventListener("storage", look);
  return () => removeEventListener("storage", look);
}

/** The last answers of one server to one user, each by the range and the zone that it was asked for. */
export class LastKnown {
  readonly #storage: Storage | null;
  readonly #shelf: Shelf;
  readonly #address: string;
  readonly #userId: string;
  #isForgotten = false;

  constructor(storage: Storage | null, address: string, userId: string) {
    this.#storage = storage;
    this.#shelf = new Shelf(storage);
    this.#address = address;
    this.#userId = userId;
  }

  read<T>(question: string, range: string, zone: string): Known<T> | null {
    const key = this.#key(question, range, zone);
    const text = this.#shelf.get(key);
    if (text === null) return null;
    const at = new Date(text.slice(0, LENGTH_OF_TIME));
    const data = parsed(text.slice(LENGTH_OF_TIME));
    if (data !== undefined && !Number.isNaN(at.getTime())) return { data: data as T, at };
    this.#shelf.drop(key);
    return null;
  }

  /** The oldest answers make room for it, whoever they were for. */
  write<T>(question: string, range: string, zone: string, data: T, at: Date): void {
    if (this.#isForgotten) return;
    const key = this.#key(question, range, zone);
    const text = at.toISOString() + JSON.stringify(data);
    const others = this.#newestFirst().filter((each) => each !== key);
    for (const most of [MOST_ANSWERS, MOST_ANSWERS / 2]) {
      for (const old of others.splice(most - 1)) this.#shelf.drop(old);
      if (this.#shelf.put(key, text)) return;
    }
  }

  /** For a user who signs out: nothing of theirs stays, nor is an answer kept that comes late. */
  forget(): void {
    this.#isForgotten = true;
    for (const key of this.#shelf.keys(this.#key())) this.#shelf.drop(key);
    const user = rememberedUser(this.#storage, this.#address);
    if (user?.id === this.#userId) this.#shelf.drop(keyOf(USER, this.#address));
  }

  #key(...question: string[]): string {
    return keyOf(ANSWER, this.#address, this.#userId, ...question);
  }

  /** Of all servers and users. */
  #newestFirst(): string[] {
    const time = (key: string) => this.#shelf.get(key)?.slice(0, LENGTH_OF_TIME) ?? "";
    const timed = this.#shelf.keys(keyOf(ANSWER)).map((key) => ({ key, at: time(key) }));
    return timed.sort((one, other) => (one.at < other.at ? 1 : -1)).map(({ key }) => key);
  }
}

/** A blank after each part, which has none itself: whoever shares the first parts shares the beginning. */
function keyOf(...parts: string[]): string {
  return parts.map((part) => `${encodeURIComponent(part)} `).join("");
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

function isUser(user: unknown): user is User {
  return typeof user === "object" && user !== null && "id" in user && "email" in user;
}
