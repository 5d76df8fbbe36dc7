import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { local, usePlace } from "#app/router.ts";
import { useSession } from "#app/session.tsx";
import type { User } from "#data/wire.ts";
import { Banner } from "#ui/banner.tsx";
import { Box } from "#ui/box.tsx";
import { Button } from "#ui/button.tsx";
import "./entry.css";

interface EntryFormProps {
  title: string;
  submit: string;
  send: () => Promise<User>;
  other: ComponentChildren;
  children: ComponentChildren;
}

/** A form that lets somebody in. */
export function EntryForm({ title, submit, send, other, children }: EntryFormProps) {
  const { welcome } = useSession();
  const [said, setSaid] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setSaid("");
    try {
      welcome(await send());
    } catch (error) {
      setSaid(sayOf(error));
      setBusy(false);
    }
  };
  return (
    <div class="entry">
      <Box title={title} level={1}>
        <form class="form" onSubmit={enter}>
          {said && <Banner kind="alert">{said}</Banner>}
          {children}
          <Button look="main" type="submit" disabled={busy}>
            {submit}
          </Button>
        </form>
        <p class="entry-other">{other}</p>
      </Box>
    </div>
  );
}

/** The other form, which leads to the same place. */
export function useOther(path: string): string {
  const next = usePlace().query.get("next");
  return next ? `${path}?${new URLSearchParams({ next: local(next) })}` : path;
}
