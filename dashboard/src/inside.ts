/** The pages of who is signed in, loaded together: they share nearly everything. */

export { DevicesPage } from "#features/devices/page.tsx";
export { Leaderboard } from "#features/leaderboard/page.tsx";
export { Linking } from "#features/linking/page.tsx";
export { Overview } from "#features/overview/page.tsx";
export { Settings } from "#features/settings/page.tsx";
