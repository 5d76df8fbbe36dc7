/** Cookies as a browser keeps them for all its tabs; node has none. */
export class CookieJar {
  readonly #kept = new Map<string, { value: string; until: number }>();

  get cookie(): string {
    const now = Date.now();
    const held = [...this.#kept].filter(([, { until }]) => until > now);
    return held.map(([name, { value }]) => `${name}=${value}`).join("; ");
  }

  set cookie(text: string) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
    const age = Number(/Max-Age=(\d+)/.exec(text)?.[1] ?? Number.POSITIVE_INFINITY);
    this.#kept.set(name, { value, until: Date.now() + 1_000 * age });
  }
}

/** One that keeps nothing, as browsers can be told. */
export const NO_COOKIES = {
  get cookie() {
    return "";
  },
  set cookie(_: string) {},
};
