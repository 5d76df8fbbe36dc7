import { useEffect, useReducer } from "preact/hooks";
import { Refused, SessionEnded } from "#api/errors.ts";
import { zoneLabel } from "#data/zone.ts";
import { useSession } from "./session.tsx";

/**
 * What a panel knows: figures of the server, made-up ones, or what was last known of the same
 * user, question, range and zone when the server cannot be reached (DSH-10, DSH-11).
 */
export interface Panel<T> {
  data: T | null;
  source: "EDGE" | "CACHE" | "MOCK";
  /** When the server said so. */
  at: Date | null;
  busy: boolean;
  /** Why there is nothing newer; `refused` is what the server said. */
  failure: "unreachable" | "ended" | "refused" | null;
  said: string;
}

interface Held<T> extends Panel<T> {
  key: string;
}

type Change<T> = Partial<Held<T>>;

const NOTHING: Held<never> = {
  key: "",
  data: null,
  source: "CACHE",
  at: null,
  busy: true,
  failure: null,
  said: "",
};

/** A question that is not asked now. */
export const IDLE: Panel<never> = { ...NOTHING, busy: false };

/**
 * The answer to a question, asked once per range and refresh; without a question nothing is asked.
 * Until it comes, what was last known is shown.
 */
export function usePanel<T>(
  question: string | null,
  range: string,
  ask: () => Promise<T>,
): Panel<T> {
  const { server, user, known, zone, turn } = useSession();
  const basis = zoneLabel(zone, new Date());
  const key = `${user?.id} ${question} ${range} ${basis}`;
  const [held, change] = useReducer(
    (before: Held<T>, now: Change<T>) => ({ ...before, ...now }),
    NOTHING as Held<T>,
  );

  useEffect(() => {
    if (question === null) return;
    const last = known?.read<T>(question, range, basis) ?? null;
    const kept = held.key === key && held.data !== null;
    change({
      key,
      busy: true,
      ...(kept ? {} : { data: last?.data ?? null, at: last?.at ?? null }),
    });
    if (!kept) change({ source: "CACHE", failure: null });
    let current = true;
    const settle = (now: Change<T>) => current && change({ key, busy: false, ...now });
    ask().then(
      (data) => {
        const at = new Date();
        if (current) known?.write(question, range, basis, data, at);
        settle({ data, at, source: server.source, failure: null });
      },
      (error: unknown) => settle({ source: "CACHE", ...failed(error) }),
    );
    return () => {
      current = false;
    };
  }, [key, server, known, turn]);

  if (question === null) return IDLE;
  return held.key === key
    ? held
    : { ...NOTHING, ...(known?.read<T>(question, range, basis) ?? {}) };
}

function failed(error: unknown): Pick<Panel<never>, "failure" | "said"> {
  if (error instanceof SessionEnded) return { failure: "ended", said: "" };
  if (error instanceof Refused) return { failure: "refused", said: error.message };
  return { failure: "unreachable", said: "" };
}
