import { useState } from "preact/hooks";
import { useSession } from "#app/session.tsx";
import { text } from "#copy/index.ts";
import { Field } from "#ui/field.tsx";
import { EntryForm, useOther } from "./form.tsx";

export function SignUp() {
  const { server } = useSession();
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const other = useOther("/sign-in");
  const entry = { email, password, ...(name.trim() && { name: name.trim() }) };
  return (
    <EntryForm
      title={text("sign_up.box.title")}
      submit={text("sign_up.form.submit")}
      send={() => server.signUp(entry)}
      other={
        <>
          {text("sign_up.other.question")} <a href={other}>{text("sign_up.other.link")}</a>
        </>
      }
    >
      <Field
        label={text("entry.field.email")}
        type="email"
        name="email"
        autocomplete="username"
        required
        maxLength={254}
        value={email}
        onValue={setEmail}
      />
      <Field
        label={text("entry.field.name")}
        name="name"
        autocomplete="name"
        maxLength={128}
        value={name}
        onValue={setName}
      />
      <Field
        label={text("entry.field.new_password")}
        type="password"
        name="password"
        autocomplete="new-password"
        required
        minLength={8}
        maxLength={1024}
        value={password}
        onValue={setPassword}
      />
    </EntryForm>
  );
}
