import "./shares.css";

export interface Share {
  key: string;
  name: string;
  /** Where it was used. */
  from: string;
  value: string;
  exact: string;
  percent: string;
  fraction: number;
}

/** Who used how much of the whole, largest first. */
export function Shares({ shares }: { shares: Share[] }) {
  return (
    <ul class="shares">
      {shares.map(({ key, name, from, value, exact, percent, fraction }) => (
        <li key={key} class="share">
          <span class="share-name">
            {name} <span class="share-from">{from}</span>
          </span>
          <span class="number" title={exact}>
            {value}
          </span>
          <span class="number quiet">{percent}</span>
          <span class="share-bar" aria-hidden="true">
            <span style={{ width: `${fraction * 100}%` }} />
          </span>
        </li>
      ))}
    </ul>
  );
}
