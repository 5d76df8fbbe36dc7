import "./keys.css";

/** Keys and what they do; blanks stand between several. */
export function Keys({ keys }: { keys: { key: string; does: string }[] }) {
  return (
    <dl class="keys">
      {keys.map(({ key, does }) => (
        <div key={key}>
          <dt>
            {key.split(" ").map((each) => (
              <kbd key={each}>{each}</kbd>
            ))}
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  );
}
