import { type ComponentChildren, createContext } from "preact";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { LastKnown, onForgotten, rememberedUser, rememberUser } from "#api/lastknown.ts";
import { Probe } from "#api/probe.ts";
import type { Server } from "#api/server.ts";
import { browserStorage } from "#api/shelf.ts";
import type { User } from "#data/wire.ts";
import { browserZone, type Zone } from "#data/zone.ts";
import { here } from "./router.ts";

/** Minutes after which a visible page asks again by itself. */
const REFRESH_MINUTES = 5;

/**
 * `presumed`: was signed in when this page was last loaded, and the server has not been heard yet. `ended`: was signed
 * in, and the server does not accept it any more. What is known is shown in both.
 */
export type Status = "starting" | "presumed" | "out" | "in" | "ended";

/** Whether somebody's figures are shown. */
export function isInside(status: Status): boolean {
  return status !== "starting" && status !== "out";
}

/** What a server tells without being asked. */
export interface ServerEvents {
  /** Nobody ended the session in this tab. */
  onSessionEnd: () => void;
  /** It did not answer a request. */
  onUnreachable: () => void;
}

export interface Session {
  server: Server;
  status: Status;
  user: User | null;
  zone: Zone;
  known: LastKnown | null;
  /** Whether the server does not answer (DSH-12). */
  down: boolean;
  /** Counts requests to read everything again. */
  turn: number;
  refresh: () => void;
  welcome: (user: User) => void;
  leave: () => void;
}

const Context = createContext<Session | null>(null);

/** The session of the page. */
export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error("There is no session around this component");
  return session;
}

interface SessionProps {
  makeServer: (events: ServerEvents) => Server;
  children: ComponentChildren;
}

/** Who is here, and whether the server is. */
export function SessionProvider({ makeServer, children }: SessionProps) {
  const probe = useRef<Probe | null>(null);
  const [end, setEnd] = useState(0);
  const server = useMemo(() => {
    const onSessionEnd = () => setEnd((count) => count + 1);
    return makeServer({ onSessionEnd, onUnreachable: () => probe.current?.doubt() });
  }, [makeServer]);
  const storage = useMemo(() => (server.source === "EDGE" ? browserStorage() : null), [server]);
  const [user, setUser] = useState(() => rememberedUser(storage, server.address));
  const [status, setStatus] = useState<Status>(user ? "presumed" : "starting");
  const [down, setDown] = useState(false);
  const [turn, setTurn] = useState(0);
  const zone = useMemo(browserZone, []);
  const known = useMemo(
    () => user && new LastKnown(storage, server.address, user.id),
    [user?.id, server],
  );

  const welcome = useCallback(
    (who: User) => {
      rememberUser(storage, server.address, who);
      setUser(who);
      setStatus("in");
    },
    [storage, server],
  );
  const leave = useCallback(() => {
    known?.forget();
    setUser(null);
    setStatus("out");
  }, [known]);
  const refresh = useCallback(() => setTurn((count) => count + 1), []);

  useEffect(() => {
    if (status === "in") return;
    server.resume().then(
      (who) => (who ? welcome(who) : setStatus((before) => (isInside(before) ? "ended" : "out"))),
      () => setStatus((before) => (before === "starting" ? "out" : before)),
    );
  }, [server, turn]);
  useEffect(() => {
    if (end > 0) setStatus((before) => (isInside(before) ? "ended" : before));
  }, [end]);
  useEffect(() => onForgotten(server.address, leave), [server, leave]);
  useEffect(() => {
    if (server.source === "MOCK") return;
    const asking = new Probe({
      isUp: () => server.isUp(),
      document,
      onChange: setDown,
      onRecovery: refresh,
    });
    probe.current = asking;
    return () => asking.stop();
  }, [server]);
  useRefreshing(refresh, status);

  const session = { server, status, user, zone, known, down, turn, refresh, welcome, leave };
  return <Context.Provider value={session}>{children}</Context.Provider>;
}

/**
 * Asks again from time to time, and when somebody comes back to the page; not while it is hidden. Whose session has
 * ended may have signed in again in another tab, which looking for costs no request.
 */
function useRefreshing(refresh: () => void, status: Status): void {
  useEffect(() => {
    if (!isInside(status)) return;
    const pause = status === "ended" ? 0 : REFRESH_MINUTES * 60_000;
    let last = Date.now();
    const look = () => {
      if (document.hidden || Date.now() - last < pause) return;
      last = Date.now();
      refresh();
    };
    const timer = setInterval(look, 30_000);
    document.addEventListener("visibilitychange", look);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", look);
    };
  }, [refresh, status]);
}

/** Made-up figures instead of a server (DSH-11). */
export function isMock(): boolean {
  return isMockBuild() || here().query.get("mock") === "1";
}

/** Whether this page was built so that it has nothing else. */
export function isMockBuild(): boolean {
  return import.meta.env.VITE_VIBESCORE_MOCK === "1";
}
