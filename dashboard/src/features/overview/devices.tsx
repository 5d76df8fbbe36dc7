import type { Panel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import type { Devices } from "#data/wire.ts";
import { localTime } from "#data/zone.ts";
import { mapped } from "./questions.ts";

/** The computers that send, and when each last did. */
export function DevicesPanel({ panel }: { panel: Panel<Devices> }) {
  const { zone } = useSession();
  const linked = mapped(panel, ({ devices }) => devices.filter((each) => !each.revoked_at));
  const when = (at: string | null) =>
    at ? localTime(zone, new Date(at)) : text("devices.row.never");
  return (
    <PanelBox
      title={text("overview.devices.title")}
      aside={<a href="/devices">{text("overview.devices.link")}</a>}
      panel={linked}
      class="devices-box"
      brief
    >
      {(devices) =>
        devices.length === 0 ? (
          <p class="panel-empty">
            {text("overview.devices.empty")}
            <code>vibescore init</code>
          </p>
        ) : (
          devices.map(({ device_id, device_name, last_sync_at }) => (
            <p key={device_id} class="device-line">
              <strong>{device_name}</strong>
              <span class="quiet">{when(last_sync_at)}</span>
            </p>
          ))
        )
      }
    </PanelBox>
  );
}
