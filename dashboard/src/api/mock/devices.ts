/** The computers of the made-up developer. */

import { utc } from "#api/mock/calendar.ts";
import type { Device } from "#data/wire.ts";

const DAY = 86_400_000;

/** The oldest first, and one that was revoked; times are in milliseconds. */
export function devicesOf(now: number, synced: number): Device[] {
  const studio = linked(1, "studio", "darwin", now - 400 * DAY);
  const old = linked(2, "old-laptop", "linux", now - 397 * DAY);
  const travel = linked(3, "travel-laptop", "linux", now - 211 * DAY);
  return [
    seen(studio, synced),
    { ...seen(old, now - 213 * DAY), revoked_at: utc(now - 212 * DAY) },
    seen(travel, now - 1.2 * DAY),
  ];
}

function linked(number: number, device_name: string, platform: string, at: number): Device {
  return {
    device_id: `7c1e4f0${number}-52ab-4d0e-8f6b-2a9d3c5e7104`,
    device_name,
    platform,
    created_at: utc(at),
    last_seen_at: null,
    last_sync_at: null,
    revoked_at: null,
  };
}

function seen(device: Device, at: number): Device {
  return { ...device, last_seen_at: utc(at), last_sync_at: utc(at) };
}
