/** Calls to services through the console's server: typed by their OpenAPI documents, failures as the problem they tell. */

import createClient, { type Client } from "openapi-fetch";
import type { paths as CollaborationPaths } from "./generated/collaboration";
import type { paths as ConsolePaths } from "./generated/console";
import type { paths as ExceptionsPaths } from "./generated/exceptions";
import type { paths as ForecastPaths } from "./generated/forecast";
import type { paths as InventoryPaths } from "./generated/inventory";
import type { paths as LogisticsPaths } from "./generated/logistics";
import type { paths as ProcurementPaths } from "./generated/procurement";
import type { paths as SalesPaths } from "./generated/sales";
import type { paths as ScorecardPaths } from "./generated/scorecard";

/** What a service, or the console for it, said instead of an answer (RFC 9457). */
export interface ProblemDetails {
  status: number;
  code: string;
  detail: string;
  field?: string;
  changes?: unknown[];
}

/** Return what a refusal says about one field of a form, if it is about that one. */
export function aboutField(error: unknown, name: string): string | undefined {
  return error instanceof Problem && error.told.field === name ? error.told.detail : undefined;
}

/** A refusal or a failure, in the words of whoever told it. */
export class Problem extends Error {
  constructor(
    readonly told: ProblemDetails,
    readonly service: string,
  ) {
    super(told.detail);
    this.name = "Problem";
  }

  /** Whether nobody answered, so that asking again may help; whether it acted is not known. */
  get unanswered(): boolean {
    return this.told.status === 0 || this.told.status >= 500 || this.told.status === 429;
  }
}

function of<Paths extends object>(service: string): Client<Paths> {
  return createClient<Paths>({
    baseUrl: service === "console" ? "/" : `/api/${service}`,
    fetch: (request) => fetch(request).catch((error: unknown) => unreachable(service, error)),
  });
}

function unreachable(service: string, error: unknown): never {
  const detail = `the console does not answer (${error instanceof Error ? error.message : String(error)})`;
  throw new Problem({ status: 0, code: "unreachable", detail }, service);
}

export const api = {
  collaboration: of<CollaborationPaths>("collaboration"),
  console: of<ConsolePaths>("console"),
  exceptions: of<ExceptionsPaths>("exceptions"),
  forecast: of<ForecastPaths>("forecast"),
  inventory: of<InventoryPaths>("inventory"),
  logistics: of<LogisticsPaths>("logistics"),
  procurement: of<ProcurementPaths>("procurement"),
  sales: of<SalesPaths>("sales"),
  scorecard: of<ScorecardPaths>("scorecard"),
};

interface Answered<Data> {
  data?: Data;
  error?: unknown;
  response: Response;
}

const problemListeners = new Set<(problem: Problem) => void>();

/** Hear of every problem that any call meets: the shell tells of an ended session and of a service that is down. */
export function onProblem(listener: (problem: Problem) => void): () => void {
  problemListeners.add(listener);
  return () => problemListeners.delete(listener);
}

const answerListeners = new Set<(service: string) => void>();

/** Hear of every service that answered. */
export function onAnswer(listener: (service: string) => void): () => void {
  answerListeners.add(listener);
  return () => answerListeners.delete(listener);
}

/** A service that has not answered after so long is told as one that does not; its answer may still come. */
const SLOW_MS = 2_000;

/** Return what a call answered; throws the Problem that it told. */
export async function ask<Data>(service: keyof typeof api, call: Promise<Answered<Data>>): Promise<Data> {
  const slow = setTimeout(() => {
    const told = { status: 0, code: "slow", detail: "it has not answered yet" };
    for (const listener of problemListeners) listener(new Problem(told, service));
  }, SLOW_MS);
  try {
    const { data, error, response } = await call;
    if (!response.ok) throw new Problem(told(error, response), service);
    for (const listener of answerListeners) listener(service);
    return data as Data;
  } catch (error) {
    if (error instanceof Problem) for (const listener of problemListeners) listener(error);
    throw error;
  } finally {
    clearTimeout(slow);
  }
}

function told(error: unknown, response: Response): ProblemDetails {
  if (typeof error === "object" && error !== null && "detail" in error) {
    return { code: "failed", ...(error as object), status: response.status } as ProblemDetails;
  }
  return { status: response.status, code: "failed", detail: `${response.status} ${response.statusText}` };
}

/** Return the header under which an act's answer is kept: repeating the act after a lost answer does nothing twice. */
export function onceHeaders(key: string, version?: string): Record<string, string> {
  return { "Idempotency-Key": key, ...(version === undefined ? {} : { "If-Match": version }) };
}

export function newKey(): string {
  return crypto.randomUUID();
}
