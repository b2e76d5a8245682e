/** How instants, durations, money and numbers are written: in the reader's zone and language, never as decimals of hours. */

const LOCALE = "en-GB";
const UNITS = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
  ["s", 1],
] as const;

/** Write a duration given in seconds as its two largest parts: `2 d 4 h`, `3 min 12 s`, `0.47 s`. */
export function duration(seconds: number): string {
  const sign = seconds < 0 ? "−" : "";
  const size = Math.abs(seconds);
  if (size < 10 && size !== Math.trunc(size)) return `${sign}${size.toFixed(size < 1 ? 3 : 1)} s`;
  let left = Math.round(size);
  const parts: string[] = [];
  for (const [unit, length] of UNITS) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length > 0 ? sign + parts.join(" ") : "0 s";
}

/** Write a duration given in microseconds; null is "not reached". */
export function micros(us: number | null | undefined): string {
  return us === null || us === undefined ? "not reached" : duration(us / 1e6);
}

export interface Money {
  amount: string;
  currency: string;
}

/** Return how many decimals an amount of this currency has. */
function minorDigits(currency: string): number {
  const shown = new Intl.NumberFormat(LOCALE, { style: "currency", currency });
  return shown.resolvedOptions().maximumFractionDigits ?? 2;
}

/** Write an amount with its currency; the amount is a decimal string and never becomes a sum here. */
export function money(value: Money): string {
  const digits = minorDigits(value.currency);
  const shown = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${shown.format(value.amount as unknown as number)} ${value.currency}`;
}

export function number(value: number | string, digits = 0): string {
  return new Intl.NumberFormat(LOCALE, { maximumFractionDigits: digits }).format(Number(value));
}

/** Write how many there are of something: `1 line`, `6 lines`. */
export function counted(count: number, one: string): string {
  return `${number(count)} ${one}${count === 1 ? "" : "s"}`;
}

export function percent(share: number): string {
  return `${number(share * 100, 1)} %`;
}

/** Write an instant: relative within a day, absolute beyond it. `now` in milliseconds. */
export function when(instant: string, now: number): string {
  const seconds = (now - Date.parse(instant)) / 1000;
  if (Math.abs(seconds) >= 86_400) return absolute(instant);
  if (Math.abs(seconds) < 1) return "now";
  return seconds > 0 ? `${duration(Math.round(seconds))} ago` : `in ${duration(Math.round(-seconds))}`;
}

/** Write an instant in the reader's zone, or in the zone that is given. */
export function absolute(instant: string, zone?: string): string {
  return new Intl.DateTimeFormat(LOCALE, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
    timeZoneName: "short",
  }).format(new Date(instant));
}

/** Write a day, its year only where it is not this one; a day belongs to a site's calendar and has no zone. */
export function day(date: string, thisYear = new Date().getFullYear()): string {
  const [year, month, number_] = date.split("-").map(Number);
  return new Intl.DateTimeFormat(LOCALE, {
    weekday: "short",
    day: "numeric",
    month: "short",
    year: year === thisYear ? undefined : "numeric",
    timeZone: "UTC",
  }).format(Date.UTC(year ?? 0, (month ?? 1) - 1, number_));
}

/** Write a day where there is little room and its year is known. */
export function shortDay(date: string): string {
  return new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" }).format(
    new Date(`${date}T00:00:00Z`),
  );
}

/** Return an instant as `datetime-local` inputs take it, in the reader's zone. */
export function asInput(instant: Date): string {
  const local = new Date(instant.getTime() - instant.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
