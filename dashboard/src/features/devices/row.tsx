import { useRef, useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import type { Device } from "#data/wire.ts";
import { localTime } from "#data/zone.ts";
import { Banner } from "#ui/banner.tsx";
import { Button } from "#ui/button.tsx";
import { Dialog } from "#ui/dialog.tsx";

/** A computer: its name can be changed in place, and it can be told to send nothing more. */
export function DeviceRow({ device }: { device: Device }) {
  const [asked, setAsked] = useState<"rename" | "revoke" | null>(null);
  const back = useRef(false);
  const done = () => {
    back.current = asked === "rename";
    setAsked(null);
  };
  const rename = (button: HTMLButtonElement | null) => {
    if (back.current) button?.focus();
    back.current &&= button === null;
  };
  if (asked === "rename") {
    return (
      <tr>
        <td colSpan={4}>
          <Rename device={device} onDone={done} />
        </td>
      </tr>
    );
  }
  return (
    <tr class={device.revoked_at === null ? undefined : "revoked"}>
      <th scope="row" class="words">
        {device.device_name}
      </th>
      <td class="wide">{device.platform}</td>
      <td>
        <Synced device={device} />
      </td>
      <td>
        {device.revoked_at === null && (
          <div class="device-acts">
            <Button
              size="small"
              aria-label={text("devices.row.rename_named", { name: device.device_name })}
              onClick={() => setAsked("rename")}
              ref={rename}
            >
              {text("devices.row.rename")}
            </Button>
            <Button
              size="small"
              look="alert"
              aria-label={text("devices.row.revoke_named", { name: device.device_name })}
              onClick={() => setAsked("revoke")}
            >
              {text("devices.row.revoke")}
            </Button>
          </div>
        )}
        {asked === "revoke" && <Revoke device={device} onDone={done} />}
      </td>
    </tr>
  );
}

function Synced({ device: { revoked_at, last_sync_at } }: { device: Device }) {
  const { zone } = useSession();
  const when = (at: string) => localTime(zone, new Date(at));
  if (revoked_at) return <>{text("devices.row.revoked", { at: when(revoked_at) })}</>;
  return <>{last_sync_at ? when(last_sync_at) : text("devices.row.never")}</>;
}

interface AskedProps {
  device: Device;
  onDone: () => void;
}

function Rename({ device, onDone }: AskedProps) {
  const { server, refresh } = useSession();
  const [name, setName] = useState(device.device_name);
  const { act, said } = useAct(async () => {
    if (name.trim() !== device.device_name)
      await server.renameDevice(device.device_id, name.trim());
    onDone();
    refresh();
  });
  const send = (event: Event) => {
    event.preventDefault();
    act();
  };
  return (
    <form
      class="device-name"
      onSubmit={send}
      onKeyDown={(event) => event.key === "Escape" && onDone()}
    >
      <input
        aria-label={text("devices.rename.label")}
        value={name}
        required
        maxLength={128}
        ref={(input) => input?.focus()}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <Button size="small" type="submit">
        {text("devices.rename.save")}
      </Button>
      <Button size="small" onClick={onDone}>
        {text("devices.rename.cancel")}
      </Button>
      {said && <span role="alert">{said}</span>}
    </form>
  );
}

function Revoke({ device, onDone }: AskedProps) {
  const { server, refresh } = useSession();
  const { act, said } = useAct(async () => {
    await server.revokeDevice(device.device_id);
    onDone();
    refresh();
  });
  return (
    <Dialog
      title={text("devices.revoke.title")}
      close={text("devices.revoke.cancel")}
      onClose={onDone}
      action={
        <Button look="alert" onClick={act}>
          {text("devices.revoke.confirm")}
        </Button>
      }
    >
      <div class="link-ways">
        <p>{text("devices.revoke.question", { name: device.device_name })}</p>
        {said && <Banner kind="alert">{said}</Banner>}
      </div>
    </Dialog>
  );
}

/** Does something on the server; what went wrong is said. */
function useAct(work: () => Promise<void>): { act: () => void; said: string } {
  const [said, setSaid] = useState("");
  const act = () => {
    setSaid("");
    work().catch((error: unknown) => setSaid(sayOf(error)));
  };
  return { act, said };
}
