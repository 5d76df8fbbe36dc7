import { useId, useState } from "preact/hooks";
import { sayOf } from "#app/failure.ts";
import { Publicity } from "#app/publicity.tsx";
import { go } from "#app/router.ts";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Banner } from "#ui/banner.tsx";
import { Box } from "#ui/box.tsx";
import { Button } from "#ui/button.tsx";
import { Dialog } from "#ui/dialog.tsx";
import { Field } from "#ui/field.tsx";
import "./settings.css";

/** Privacy, one's own data, and leaving for good (SRV-16, SRV-19). */
export function Settings() {
  return (
    <div class="reading settings">
      <h1 class="unseen">{text("settings.page.title")}</h1>
      <Account />
      <Publicity />
      <Export />
      <Deletion />
    </div>
  );
}

function Account() {
  const { server, user, leave } = useSession();
  const [failed, setFailed] = useState(false);
  const signOut = async () => {
    setFailed(false);
    try {
      await server.signOut();
      leave();
      go("/");
    } catch {
      setFailed(true);
    }
  };
  return (
    <Box title={text("account.box.title")}>
      <div class="settings-part">
        <p>{text("account.box.signed_in", { user: user?.email ?? "" })}</p>
        <div>
          <Button onClick={signOut}>{text("account.sign_out.label")}</Button>
        </div>
        {failed && <Banner kind="alert">{text("account.sign_out.failed")}</Banner>}
      </div>
    </Box>
  );
}

function Export() {
  const { server } = useSession();
  const [said, setSaid] = useState("");
  const save = async () => {
    setSaid("");
    try {
      download(await server.exportData(), "vibescore-export.jsonl");
    } catch (error) {
      setSaid(sayOf(error));
    }
  };
  return (
    <Box title={text("export.box.title")}>
      <div class="settings-part">
        <p>{text("export.box.text")}</p>
        <div>
          <Button onClick={save}>{text("export.button.label")}</Button>
        </div>
        {said && <Banner kind="alert">{said}</Banner>}
      </div>
    </Box>
  );
}

function download(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function Deletion() {
  const form = useId();
  const [asking, setAsking] = useState(false);
  return (
    <Box title={text("deletion.box.title")}>
      <div class="settings-part">
        <p>{text("deletion.box.text")}</p>
        <div>
          <Button look="alert" onClick={() => setAsking(true)}>
            {text("deletion.button.label")}
          </Button>
        </div>
      </div>
      {asking && (
        <Dialog
          title={text("deletion.box.title")}
          close={text("deletion.form.cancel")}
          onClose={() => setAsking(false)}
          action={
            <Button look="alert" type="submit" form={form}>
              {text("deletion.form.submit")}
            </Button>
          }
        >
          <Farewell id={form} />
        </Dialog>
      )}
    </Box>
  );
}

function Farewell({ id }: { id: string }) {
  const { server, user, leave } = useSession();
  const [password, setPassword] = useState("");
  const [said, setSaid] = useState("");
  const remove = async (event: Event) => {
    event.preventDefault();
    setSaid("");
    try {
      await server.deleteAccount(password);
      leave();
      go("/");
    } catch (error) {
      setSaid(sayOf(error));
    }
  };
  return (
    <form id={id} class="form" onSubmit={remove}>
      {said && <Banner kind="alert">{said}</Banner>}
      <p>{text("deletion.form.warning")}</p>
      {/* Whose password it is, for what keeps passwords. */}
      <input hidden readOnly autocomplete="username" value={user?.email} />
      <Field
        label={text("entry.field.password")}
        type="password"
        autocomplete="current-password"
        required
        value={password}
        onValue={setPassword}
      />
    </form>
  );
}
