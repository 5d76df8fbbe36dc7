import { render } from "preact";
import { liveServer } from "#api/live.ts";
import type { Server } from "#api/server.ts";
import { isMock, type ServerEvents, SessionProvider } from "#app/session.tsx";
import { App } from "./app.tsx";
import "./ui/theme/fonts.css";
import "./ui/theme/matrix.css";
import "./ui/base.css";

/** Made-up figures are loaded when they are wanted. */
async function chooseServer(): Promise<(events: ServerEvents) => Server> {
  if (!isMock()) return (events) => liveServer({ origin: location.origin, ...events });
  const { mockServer } = await import("#api/mock.ts");
  return () => mockServer(new Date());
}

const root = document.getElementById("app");
const makeServer = await chooseServer();
if (root) {
  render(
    <SessionProvider makeServer={makeServer}>
      <App />
    </SessionProvider>,
    root,
  );
}
