import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Banner } from "#ui/banner.tsx";
import { Box } from "#ui/box.tsx";
import { ButtonLink } from "#ui/button.tsx";
import "./landing.css";

const FACTS = [
  { title: text("landing.exact.title"), said: text("landing.exact.text") },
  { title: text("landing.private.title"), said: text("landing.private.text") },
  { title: text("landing.everywhere.title"), said: text("landing.everywhere.text") },
];

const STEPS = [
  { command: text("landing.start.install"), said: text("landing.start.installed") },
  { command: text("landing.start.init"), said: text("landing.start.linked") },
  { command: text("landing.start.look"), said: text("landing.start.looked") },
];

/** What this is, for whoever is not signed in (DSH-16). */
export function Landing() {
  const { down } = useSession();
  return (
    <div class="landing">
      {down && <Banner kind="alert">{text("landing.state.down")}</Banner>}
      <div class="landing-top">
        <div class="landing-hero">
          <h1>{text("landing.hero.title")}</h1>
          <p class="landing-lead">{text("landing.hero.lead")}</p>
          <div class="landing-ways">
            <ButtonLink look="main" href="/sign-in">
              {text("landing.hero.sign_in")}
            </ButtonLink>
            <ButtonLink href="/sign-up">{text("landing.hero.sign_up")}</ButtonLink>
            <ButtonLink href="/?mock=1" loads>
              {text("landing.hero.mock")}
            </ButtonLink>
          </div>
        </div>
        <Start />
      </div>
      <div class="landing-facts">
        {FACTS.map(({ title, said }) => (
          <Box key={title} title={title}>
            <p>{said}</p>
          </Box>
        ))}
      </div>
    </div>
  );
}

/** The way from nothing to figures. */
function Start() {
  return (
    <Box title={text("landing.start.title")}>
      <ol class="landing-steps">
        {STEPS.map(({ command, said }) => (
          <li key={command}>
            <pre>
              <code>{command}</code>
            </pre>
            <p class="quiet">{said}</p>
          </li>
        ))}
      </ol>
    </Box>
  );
}
