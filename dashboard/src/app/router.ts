import { useEffect, useState } from "preact/hooks";

export interface Place {
  path: string;
  query: URLSearchParams;
}

/** What stays in the address from page to page. */
const KEPT = "mock";

const MOVED = "vibescore:moved";

export function here(): Place {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

/** The form for signing in, which leads back to a place. */
export function signInFor({ path, query }: Place): string {
  const next = query.size ? `${path}?${query}` : path;
  return `/sign-in?${new URLSearchParams({ next })}`;
}

/** The page that is shown, also after going back. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    addEventListener("popstate", follow);
    addEventListener(MOVED, follow);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener(MOVED, follow);
    };
  }, []);
  return place;
}

/** Another page of this application, without loading it. */
export function go(href: string, how: "push" | "replace" = "push"): void {
  history[`${how}State`](null, "", whole(href));
  dispatchEvent(new Event(MOVED));
}

/** An address of this application, with what stays. */
function whole(href: string): string {
  const to = new URL(href, location.href);
  const kept = here().query.get(KEPT);
  if (kept !== null) to.searchParams.set(KEPT, kept);
  return to.href;
}

/** A page of this server, whatever was asked for: to a browser `//` begins another host. */
export function local(path: string | null): string {
  return path && /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(path) ? path : "/";
}

/** Links within the application do not load it again, but in a new tab; returns what ends that. */
export function followLinks(): () => void {
  const follow = (event: MouseEvent) => {
    const link = (event.target as Element).closest("a");
    if (!link || !isOurs(link)) return;
    if (!isPlain(event)) {
      link.href = whole(link.href);
      return;
    }
    event.preventDefault();
    go(link.href);
    scrollTo(0, 0);
  };
  document.addEventListener("click", follow);
  document.addEventListener("auxclick", follow);
  return () => {
    document.removeEventListener("click", follow);
    document.removeEventListener("auxclick", follow);
  };
}

function isOurs(link: HTMLAnchorElement): boolean {
  const elsewhere = link.origin !== location.origin || link.target || link.download;
  return !elsewhere && !link.getAttribute("href")?.startsWith("#") && !link.dataset.loads;
}

function isPlain(event: MouseEvent): boolean {
  const changed = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
  return event.button === 0 && !changed && !event.defaultPrevented;
}
