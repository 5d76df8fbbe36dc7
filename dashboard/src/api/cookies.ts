/** Cookies that scripts may read. */

/** Where they are: `document`. */
export type Jar = Pick<Document, "cookie">;

export function cookieOf(jar: Jar, name: string): string | undefined {
  const pair = jar.cookie.split("; ").find((each) => each.startsWith(`${name}=`));
  return pair?.slice(name.length + 1) || undefined;
}

/** For so many seconds; 0 deletes it. */
export function setCookie(jar: Jar, name: string, value: string, seconds: number): void {
  jar.cookie = `${name}=${value}; Max-Age=${seconds}; Path=/; SameSite=Lax`;
}
