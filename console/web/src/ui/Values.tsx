/** Small things that are said the same everywhere: severity, instants, money, masks, functions. */

import type { ReactNode } from "react";
import { useNow, worldNow } from "../app/clock";
import * as format from "../format";
import { words } from "../words";

/** A severity: a mark, a word and a colour, never the colour alone. */
export function Severity({ level }: { level: string }): ReactNode {
  return (
    <span className="severity" data-level={level}>
      <span aria-hidden="true">{words.severityMark[level] ?? "?"}</span> {words.severity[level] ?? level}
    </span>
  );
}

/** An instant: relative within a day, absolute beyond; the whole of it, in the site's zone too where one is given, on hover. */
export function When({ at, zone }: { at: string; zone?: string }): ReactNode {
  const now = useNow();
  const whole = format.absolute(at) + (zone === undefined ? "" : ` · ${format.absolute(at, zone)}`);
  return (
    <time dateTime={at} title={whole} className="nowrap">
      {format.when(at, now)}
    </time>
  );
}

/** How long something lasts since an instant, counting. */
export function Since({ at }: { at: string }): ReactNode {
  const now = useNow();
  return (
    <time dateTime={at} title={format.absolute(at)} className="nowrap">
      {format.duration(Math.max(0, Math.floor((now - Date.parse(at)) / 1000)))}
    </time>
  );
}

/** A deadline: what is left of it, or by how much it passed. */
export function Deadline({ at, done = false }: { at: string; done?: boolean }): ReactNode {
  const now = useNow();
  const left = Math.floor((Date.parse(at) - now) / 1000);
  const late = left < 0 && !done;
  const said = late
    ? `late ${format.duration(-left)}`
    : left < 86_400 && left >= 0
      ? `in ${format.duration(left)}`
      : format.when(at, worldNow());
  return (
    <time dateTime={at} title={format.absolute(at)} className={late ? "late nowrap" : "nowrap"}>
      {late && <span aria-hidden="true">! </span>}
      {said}
    </time>
  );
}

/** An amount; what the reader may not see is told as masked, with who may. */
export function Money({ value, sees }: { value: format.Money | null | undefined; sees?: string }): ReactNode {
  if (value === null || value === undefined)
    return sees === undefined ? <span className="quiet">unknown</span> : <Masked sees={sees} />;
  return <span className="nowrap">{format.money(value)}</span>;
}

/** A field that the reader may not see: never empty, never zero. */
export function Masked({ sees }: { sees: string }): ReactNode {
  const who = words.shownTo(words.sees[sees] ?? sees);
  return (
    <span className="masked" title={who}>
      masked<span className="unseen">, {who}</span>
    </span>
  );
}
