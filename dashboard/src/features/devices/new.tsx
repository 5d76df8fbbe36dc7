import { useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import type { LinkCode } from "#data/wire.ts";
import { localTime } from "#data/zone.ts";
import { Box } from "#ui/box.tsx";
import { Button, ButtonLink } from "#ui/button.tsx";

/** How another computer is linked: by itself, by a code it shows, or by a code from here. */
export function NewDevice() {
  const { server, zone } = useSession();
  const [code, setCode] = useState<LinkCode | null>(null);
  const [said, setSaid] = useState("");
  const make = () => {
    setSaid("");
    server.linkCode().then(setCode, (error: unknown) => setSaid(sayOf(error)));
  };
  return (
    <Box title={text("new_device.box.title")}>
      <div class="link-ways">
        <p>{text("new_device.init.text")}</p>
        <pre>
          <code>vibescore init --server {location.origin}</code>
        </pre>
        <p>{text("new_device.code.text")}</p>
        <div class="form-answers">
          <ButtonLink href="/link">{text("new_device.code.enter")}</ButtonLink>
          <Button onClick={make}>{text("new_device.code.make")}</Button>
        </div>
        {said && <p role="alert">{said}</p>}
        {code && (
          <div role="status" class="link-ways">
            <p class="link-code">{code.link_code}</p>
            <p class="quiet">
              {text("new_device.code.until", { at: localTime(zone, new Date(code.expires_at)) })}
            </p>
            <pre>
              <code>
                vibescore init --server {location.origin} --link-code {code.link_code}
              </code>
            </pre>
          </div>
        )}
      </div>
    </Box>
  );
}
