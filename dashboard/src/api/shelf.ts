/** The browser's storage as far as it can be had: it may be switched off, or full. Nothing here throws. */

/** Null where it is switched off. */
export function browserStorage(): Storage | null {
  return attempt(() => window.localStorage) ?? null;
}

export class Shelf {
  readonly #storage: Storage | null;

  constructor(storage: Storage | null) {
    this.#storage = storage;
  }

  get(key: string): string | null {
    return attempt(() => this.#storage?.getItem(key)) ?? null;
  }

  /** Answers whether there was room. */
  put(key: string, text: string): boolean {
    return attempt(() => this.#storage?.setItem(key, text) === undefined) ?? false;
  }

  drop(key: string): void {
    attempt(() => this.#storage?.removeItem(key));
  }

  keys(beginning: string): string[] {
    const all = attempt(() => namesIn(this.#storage)) ?? [];
    return all.filter((key) => key.startsWith(beginning));
  }
}

function namesIn(storage: Storage | null): string[] {
  return Array.from({ length: storage?.length ?? 0 }, (_, index) => storage?.key(index) ?? "");
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
