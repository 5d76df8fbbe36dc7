import { useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Banner } from "#ui/banner.tsx";
import { Button } from "#ui/button.tsx";

interface QuestionProps {
  name: string;
  platform: string;
  /** How the computer is waiting. */
  where: { label: string; value: string };
  approve: () => Promise<unknown>;
  refuse: () => Promise<unknown>;
  onAnswer: (approved: boolean) => void;
}

/** Who asks for what, and the two answers; until the server says so, it is not sure who gives them. */
export function Question({ name, platform, where, approve, refuse, onAnswer }: QuestionProps) {
  const { user, status } = useSession();
  const [busy, setBusy] = useState(false);
  const waits = busy || status !== "in";
  const [said, setSaid] = useState("");
  const answer = async (approved: boolean) => {
    setBusy(true);
    setSaid("");
    try {
      await (approved ? approve() : refuse());
      onAnswer(approved);
    } catch (error) {
      setSaid(sayOf(error));
      setBusy(false);
    }
  };
  return (
    <>
      {said && <Banner kind="alert">{said}</Banner>}
      <p>{text("linking.asked.lead", { user: user?.email ?? "" })}</p>
      <dl class="asked">
        <dt>{text("linking.asked.computer")}</dt>
        <dd>{name}</dd>
        <dt>{text("linking.asked.platform")}</dt>
        <dd>{platform || text("linking.asked.unknown")}</dd>
        <dt>{where.label}</dt>
        <dd>{where.value}</dd>
        <dt>{text("linking.asked.may")}</dt>
        <dd>{text("linking.asked.scope")}</dd>
      </dl>
      <p class="quiet">{text("linking.asked.warning")}</p>
      <div class="form form-answers">
        <Button look="main" disabled={waits} onClick={() => answer(true)}>
          {text("linking.asked.approve")}
        </Button>
        <Button disabled={waits} onClick={() => answer(false)}>
          {text("linking.asked.cancel")}
        </Button>
      </div>
    </>
  );
}
