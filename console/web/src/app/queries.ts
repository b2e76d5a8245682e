import { QueryClient } from "@tanstack/react-query";
import { Problem } from "../api/client";

/** What the page asked services, and when it asks again. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream tells what changed; asking anew on each look would only hide that.
      staleTime: 30_000,
      retry: (count, error) => count < 2 && error instanceof Problem && error.unanswered,
      retryDelay: 500,
    },
    // An act is repeated by a person, who sees what became of it.
    mutations: { retry: false },
  },
});
