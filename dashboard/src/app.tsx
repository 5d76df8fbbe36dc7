import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useKeys } from "#app/keys.ts";
import { followLinks, go, local, type Place, signInFor, usePlace } from "#app/router.ts";
import { isInside, isMock, isMockBuild, type Status, useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { SignIn } from "#features/entry/sign-in.tsx";
import { SignUp } from "#features/entry/sign-up.tsx";
import { Landing } from "#features/landing/page.tsx";
import { Banner } from "#ui/banner.tsx";
import { Boot } from "#ui/boot.tsx";
import { Button, ButtonLink } from "#ui/button.tsx";
import { Dialog } from "#ui/dialog.tsx";
import { Keys } from "#ui/keys.tsx";
import { Rain } from "#ui/rain.tsx";
import { Shell, State } from "#ui/shell.tsx";
import { Tabs } from "#ui/tabs.tsx";

interface Page {
  /** In the navigation, and in the title of the window. */
  title: () => string;
  /** Whom it has something for: visitors have no session. */
  audience: "visitors" | "users" | "all";
  load: () => Promise<ComponentType>;
}

const ready = (component: ComponentType) => () => Promise.resolve(component);

const inside = () => import("./inside.ts");

/** Pages of one's own come when they are wanted: who is not signed in does not wait for them. */
const PAGES: Record<string, Page> = {
  "/sign-in": { title: () => text("nav.page.sign_in"), audience: "visitors", load: ready(SignIn) },
  "/sign-up": { title: () => text("nav.page.sign_up"), audience: "visitors", load: ready(SignUp) },
  "/link": {
    title: () => text("nav.page.link"),
    audience: "all",
    load: () => inside().then((page) => page.Linking),
  },
  "/leaderboard": {
    title: () => text("nav.page.leaderboard"),
    audience: "users",
    load: () => inside().then((page) => page.Leaderboard),
  },
  "/devices": {
    title: () => text("nav.page.devices"),
    audience: "users",
    load: () => inside().then((page) => page.DevicesPage),
  },
  "/settings": {
    title: () => text("nav.page.settings"),
    audience: "users",
    load: () => inside().then((page) => page.Settings),
  },
};

const LANDING: Page = {
  title: () => text("nav.page.landing"),
  audience: "all",
  load: ready(Landing),
};

const OVERVIEW: Page = {
  title: () => text("nav.page.overview"),
  audience: "users",
  load: () => inside().then((page) => page.Overview),
};

const NAVIGATION: [string, Page][] = [
  ["/", OVERVIEW],
  ...Object.entries(PAGES).filter(([, { audience }]) => audience === "users"),
];

/** Where an address leads that has nothing for who comes; null: it is right here. */
function elsewhere({ audience }: Page, status: Status, place: Place): string | null {
  if (audience === "users" && status === "out") return signInFor(place);
  if (audience === "visitors" && status === "in") return local(place.query.get("next"));
  return null;
}

/** The page of an address, and what surrounds it. */
export function App() {
  const { status, down, refresh } = useSession();
  const place = usePlace();
  const inside = isInside(status);
  const page = PAGES[place.path] ?? (inside ? OVERVIEW : LANDING);
  const away = elsewhere(page, status, place);
  const [help, setHelp] = useState(false);
  const [boots] = useState(inside && page === OVERVIEW);
  useEffect(followLinks, []);
  useEffect(() => {
    document.title = text("nav.window.title", { page: page.title() });
  }, [page]);
  useEffect(() => {
    if (away !== null) go(away, "replace");
  }, [away]);
  useKeys({ r: refresh, "?": () => setHelp(true) });

  const tabs = NAVIGATION.map(([href, each]) => ({
    text: each.title(),
    href,
    current: each === page,
  }));
  return (
    <>
      <Rain />
      <Shell
        brand={text("nav.brand.name")}
        skip={text("nav.skip.label")}
        nav={inside && <Tabs label={text("nav.pages.label")} tabs={tabs} />}
        end={inside ? <Inside down={down} /> : page === LANDING && <Outside />}
        foot={<Foot onHelp={() => setHelp(true)} />}
      >
        {status === "ended" && page.audience === "users" && <Ended />}
        {status !== "starting" && away === null && <Shown page={page} />}
      </Shell>
      {help && <Help onClose={() => setHelp(false)} />}
      {boots && (
        <Boot
          lines={[text("boot.screen.first"), text("boot.screen.second"), text("boot.screen.third")]}
        />
      )}
    </>
  );
}

/** A page, as soon as it is there. */
function Shown({ page }: { page: Page }) {
  const [loaded, setLoaded] = useState<{ page: Page; Content: ComponentType } | null>(null);
  useEffect(() => {
    let wanted = true;
    const show = (Content: ComponentType) => wanted && setLoaded({ page, Content });
    page.load().then(show, () => show(Unloaded));
    return () => {
      wanted = false;
    };
  }, [page]);
  return loaded?.page === page ? <loaded.Content /> : null;
}

/** The server was gone, or has become another version meanwhile. */
function Unloaded() {
  const again = (
    <Button size="small" onClick={() => location.reload()}>
      {text("nav.load.again")}
    </Button>
  );
  return (
    <Banner kind="alert" action={again}>
      {text("nav.load.failed")}
    </Banner>
  );
}

function Inside({ down }: { down: boolean }) {
  const { user } = useSession();
  return (
    <>
      {isMock() ? (
        <MadeUp />
      ) : (
        <State down={down}>{down ? text("nav.state.down") : text("nav.state.up")}</State>
      )}
      <a href="/settings">{user?.name ?? user?.email}</a>
    </>
  );
}

/** Where only the address asks for made-up figures, the one without leads out. */
function MadeUp() {
  if (isMockBuild()) return <span>{text("nav.state.made_up")}</span>;
  return (
    <a href="/" data-loads>
      {text("nav.state.mock")}
    </a>
  );
}

function Outside() {
  return (
    <>
      <a href="/sign-in">{text("nav.page.sign_in")}</a>
      <a href="/sign-up">{text("nav.page.sign_up")}</a>
    </>
  );
}

/** What is on the page stays there; signing in again leads back to it. */
function Ended() {
  const place = usePlace();
  return (
    <Banner
      kind="alert"
      action={
        <ButtonLink size="small" href={signInFor(place)}>
          {text("nav.page.sign_in")}
        </ButtonLink>
      }
    >
      {text("nav.session.ended")}
    </Banner>
  );
}

function Foot({ onHelp }: { onHelp: () => void }) {
  return (
    <>
      <span>{text("nav.foot.promise")}</span>
      <span>
        <a href="/docs" data-loads>
          {text("nav.foot.api")}
        </a>
        {" · "}
        <button type="button" class="bare" onClick={onHelp}>
          {text("nav.foot.keys")}
        </button>
      </span>
    </>
  );
}

function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title={text("help.box.title")} close={text("help.box.close")} onClose={onClose}>
      <Keys
        keys={[
          { key: "d w m t", does: text("help.keys.periods") },
          { key: "r", does: text("help.keys.refresh") },
          { key: "← → ↑ ↓", does: text("help.keys.arrows") },
          { key: "?", does: text("help.keys.help") },
        ]}
      />
    </Dialog>
  );
}
