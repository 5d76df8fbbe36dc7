import { useState } from "preact/hooks";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Field } from "#ui/field.tsx";
import { EntryForm, useOther } from "./form.tsx";

export function SignIn() {
  const { server } = useSession();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const other = useOther("/sign-up");
  return (
    <EntryForm
      title={text("sign_in.box.title")}
      submit={text("sign_in.form.submit")}
      send={() => server.signIn({ email, password })}
      other={
        <>
          {text("sign_in.other.question")} <a href={other}>{text("sign_in.other.link")}</a>
        </>
      }
    >
      <Field
        label={text("entry.field.email")}
        type="email"
        name="email"
        autocomplete="username"
        required
        value={email}
        onValue={setEmail}
      />
      <Field
        label={text("entry.field.password")}
        type="password"
        name="password"
        autocomplete="current-password"
        required
        value={password}
        onValue={setPassword}
      />
    </EntryForm>
  );
}
