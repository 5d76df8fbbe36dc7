import "./tabs.css";

export interface Tab {
  text: string;
  href: string;
  current: boolean;
}

/** Views of the same thing, each with an address of its own. */
export function Tabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  return (
    <nav class="tabs" aria-label={label}>
      {tabs.map((tab) => (
        <a
          key={tab.href}
          class="tab"
          href={tab.href}
          aria-current={tab.current ? "page" : undefined}
        >
          {tab.text}
        </a>
      ))}
    </nav>
  );
}
