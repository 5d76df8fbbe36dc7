/** All data of the made-up developer, in the lines of the server's export (SRV-19). */

import type { Use } from "#api/mock/life.ts";
import type { BoardSettings, Device, User } from "#data/wire.ts";

interface Exported {
  user: User;
  settings: BoardSettings;
  devices: readonly Device[];
  uses: readonly Use[];
}

/** `uses` are by hours of UTC. */
export function exported({ user, settings, devices, uses }: Exported): Blob {
  const lines = [
    { type: "user", ...user },
    { type: "settings", ...settings },
    ...devices.map((device) => ({ type: "device", ...device })),
    ...uses.map((use) => usageLine(use, devices[0]?.device_id)),
  ];
  const text = lines.map((line) => `${JSON.stringify(line)}\n`);
  return new Blob(text, { type: "application/x-ndjson" });
}

function usageLine(use: Use, device_id: string | undefined): object {
  return {
    type: "usage",
    device_id,
    hour_start: `${use.day}T${String(use.hour).padStart(2, "0")}:00:00Z`,
    source: use.source,
    model: use.model,
    input_tokens: use.input,
    cached_input_tokens: use.cached,
    output_tokens: use.output,
    reasoning_output_tokens: use.reasoning,
    total_tokens: use.total,
  };
}
