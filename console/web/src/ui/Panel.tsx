/** A part of a screen under its own heading, with the states of what it asked for; what came before stays while it fails. */

import type { ReactNode } from "react";
import { Failed, LoadingPart } from "./States";

interface Given {
  title: string;
  /** Its name for who does not see it, where it is another than its title. */
  label?: string;
  /** What stands beside the title. */
  note?: ReactNode;
  asked?: { isPending: boolean; isError: boolean; error: unknown; refetch: () => Promise<unknown> };
  children?: ReactNode;
}

export function Panel({ title, label = title, note, asked, children }: Given): ReactNode {
  return (
    <section className="panel" aria-label={label}>
      <header>
        <h2>{title}</h2>
        {note}
      </header>
      {asked?.isPending && <LoadingPart />}
      {asked?.isError && <Failed error={asked.error} again={() => void asked.refetch()} />}
      {children}
    </section>
  );
}

/** What is wider than the page is scrolled by itself, with the keyboard too. */
export function Scroll({ label, children }: { label: string; children: ReactNode }): ReactNode {
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}
