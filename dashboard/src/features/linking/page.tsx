import { useEffect, useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { go, signInFor, usePlace } from "#app/router.ts";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import type { BrowserRequest } from "#data/wire.ts";
import { Banner } from "#ui/banner.tsx";
import { Box } from "#ui/box.tsx";
import { Button } from "#ui/button.tsx";
import { Field } from "#ui/field.tsx";
import "./linking.css";
import { Question } from "./question.tsx";

type Stage =
  | { step: "code"; said: string }
  | { step: "code-question"; code: string; name: string; platform: string }
  | { step: "browser-question"; request: BrowserRequest }
  | { step: "done"; approved: boolean; name: string };

/**
 * Where a user says yes or no to a computer: one that opened this page and waits on a loopback
 * address, or one that shows a code (SRV-05).
 */
export function Linking() {
  const { server, status } = useSession();
  const place = usePlace();
  const { query } = place;
  const [stage, setStage] = useState<Stage>(() => firstStage(query));
  const signedOut = status === "out" || status === "ended";
  useEffect(() => {
    if (signedOut) go(signInFor(place), "replace");
  }, [signedOut]);

  const look = async (code: string) => {
    setStage({ step: "code", said: "" });
    try {
      const asked = await server.codeRequest(code);
      setStage({ step: "code-question", code, name: asked.device_name, platform: asked.platform });
    } catch (error) {
      setStage({ step: "code", said: sayOf(error) });
    }
  };
  const given = query.get("user_code");
  useEffect(() => {
    if (given && status === "in") look(given);
  }, [given, status]);

  const finish = (approved: boolean, name: string) => setStage({ step: "done", approved, name });
  return (
    <div class="linking">
      <Box title={text("linking.box.title")} level={1}>
        {stage.step === "code" && <CodeForm said={stage.said} onCode={look} given={given ?? ""} />}
        {stage.step === "code-question" && (
          <Question
            name={stage.name}
            platform={stage.platform}
            where={{ label: text("linking.asked.code"), value: stage.code }}
            approve={() => server.approveCode(stage.code)}
            refuse={() => server.denyCode(stage.code)}
            onAnswer={(approved) => finish(approved, stage.name)}
          />
        )}
        {stage.step === "browser-question" && (
          <Question
            name={stage.request.device_name}
            platform={stage.request.platform}
            where={{
              label: text("linking.asked.place"),
              value: stage.request.redirect_uri.split("?")[0] ?? "",
            }}
            approve={async () => location.assign(await server.approveBrowser(stage.request))}
            refuse={async () => location.assign(refusalOf(stage.request))}
            onAnswer={(approved) => finish(approved, stage.request.device_name)}
          />
        )}
        {stage.step === "done" && (
          <p role="status">
            {stage.approved
              ? text("linking.done.approved", { name: stage.name })
              : text("linking.done.refused", { name: stage.name })}
          </p>
        )}
      </Box>
    </div>
  );
}

interface CodeFormProps {
  said: string;
  given: string;
  onCode: (code: string) => void;
}

function CodeForm({ said, given, onCode }: CodeFormProps) {
  const [code, setCode] = useState(given);
  const send = (event: Event) => {
    event.preventDefault();
    onCode(code.trim());
  };
  return (
    <form class="form" onSubmit={send}>
      {said && <Banner kind="alert">{said}</Banner>}
      <Field
        label={text("linking.code.label")}
        class="code"
        name="user_code"
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        required
        maxLength={64}
        placeholder="XXXX-XXXX"
        value={code}
        onValue={setCode}
      />
      <Button look="main" type="submit">
        {text("linking.code.submit")}
      </Button>
    </form>
  );
}

function firstStage(query: URLSearchParams): Stage {
  const of = (name: string) => query.get(name) ?? "";
  if (!query.has("redirect_uri")) return { step: "code", said: "" };
  if (!isLoopback(of("redirect_uri")))
    return { step: "code", said: text("linking.code.elsewhere") };
  return {
    step: "browser-question",
    request: {
      redirect_uri: of("redirect_uri"),
      state: of("state"),
      code_challenge: of("code_challenge"),
      code_challenge_method: "S256",
      device_name: of("device_name"),
      platform: of("platform"),
    },
  };
}

/** Only a program on this computer may be answered (RFC 8252, 7.3). */
function isLoopback(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/** Where a refusal is told (RFC 6749, 4.1.2.1). */
function refusalOf({ redirect_uri, state }: BrowserRequest): string {
  const to = new URL(redirect_uri);
  to.searchParams.set("error", "access_denied");
  if (state) to.searchParams.set("state", state);
  return to.href;
}
