import { useEffect, useState } from "preact/hooks";
import { text } from "#copy/index.ts";
import { Switch } from "#ui/switch.tsx";
import { usePanel } from "./panel.ts";
import { PanelBox } from "./panel-box.tsx";
import { useSession } from "./session.tsx";

/** Whether one is on the board by name (SRV-16). */
export function Publicity() {
  const { server, refresh } = useSession();
  const panel = usePanel("board-settings", "", () => server.boardSettings());
  const [chosen, setChosen] = useState<boolean | null>(null);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => setChosen(null), [panel.data]);
  const choose = async (isPublic: boolean) => {
    setBusy(true);
    setFailed(false);
    setChosen(isPublic);
    try {
      await server.showOnBoard(isPublic);
      refresh();
    } catch {
      setChosen(null);
      setFailed(true);
    }
    setBusy(false);
  };
  return (
    <PanelBox title={text("publicity.box.title")} panel={panel} brief>
      {(settings) => (
        <>
          <Switch
            label={text("publicity.switch.label")}
            on={chosen ?? settings.leaderboard_public}
            disabled={busy}
            onChange={choose}
          />
          <p class="quiet" role="status">
            {failed ? text("publicity.switch.failed") : text("publicity.switch.hint")}
          </p>
        </>
      )}
    </PanelBox>
  );
}
