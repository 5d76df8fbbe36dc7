import { usePanel } from "#app/panel.ts";
import { PanelBox } from "#app/panel-box.tsx";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Table } from "#ui/table.tsx";
import { DeviceRow } from "./row.tsx";
import "./devices.css";
import { NewDevice } from "./new.tsx";

/** The computers of an account: names, last sync, revoking, and linking another (DSH-14). */
export function DevicesPage() {
  const { server } = useSession();
  const panel = usePanel("devices", "", () => server.devices());
  return (
    <div class="reading">
      <h1 class="unseen">{text("devices.page.title")}</h1>
      <PanelBox title={text("devices.box.title")} panel={panel} brief>
        {({ devices }) =>
          devices.length === 0 ? (
            <p class="panel-empty">{text("devices.box.empty")}</p>
          ) : (
            <Table
              caption={text("devices.box.title")}
              columns={[
                { id: "name", label: text("devices.column.name") },
                { id: "platform", label: text("devices.column.platform"), wide: true },
                { id: "sync", label: text("devices.column.sync") },
                { id: "acts", label: text("devices.column.acts"), number: true },
              ]}
            >
              {devices.map((device) => (
                <DeviceRow key={device.device_id} device={device} />
              ))}
            </Table>
          )
        }
      </PanelBox>
      <NewDevice />
    </div>
  );
}
