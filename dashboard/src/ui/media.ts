import { useEffect, useState } from "preact/hooks";

/** Whoever sets this wants nothing on the page to move by itself. */
export const STILL = "(prefers-reduced-motion: reduce)";

/** Whether the screen and its user are like that, also when they change. */
export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const media = matchMedia(query);
    const follow = () => setMatches(media.matches);
    follow();
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, [query]);
  return matches;
}
