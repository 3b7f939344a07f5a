import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { client } from "./client";
import { Failure } from "./problem";
import type { Body, ListPath, Problem, Row } from "./types";

/** Rows is a list that grows as it is read; what tables show. */
export interface Rows<T> {
  rows: T[];
  isPending: boolean;
  isFetching: boolean;
  error: unknown;
  hasMore: boolean;
  loadMore: () => void;
  refetch: () => void;
}

export interface RowsOptions {
  /** Rows per request; at most 1000. */
  pageSize?: number;
  /** Reads on to the end without being asked, for lists that are searched in the browser. */
  all?: boolean;
  refetchInterval?: number;
  enabled?: boolean;
}

interface Page<T> {
  rows: T[];
  next: string | null;
}

type Post = (path: string, init: object) => Promise<{ data?: unknown; error?: unknown; response: Response }>;

async function page<T>(path: ListPath, body: object, signal: AbortSignal): Promise<Page<T>> {
  const { data, error, response } = await (client.POST as unknown as Post)(path, { body, signal });
  if (error !== undefined || !response.ok) throw new Failure((error ?? { status: response.status }) as Problem);
  return { rows: data as T[], next: response.headers.get("x-next-cursor") };
}

/** useRows reads a list by cursor: each page names the next in x-next-cursor. */
export function useRows<P extends ListPath>(path: P, body: Body<P>, options: RowsOptions = {}): Rows<Row<P>> {
  const { pageSize = 100, all = false, ...rest } = options;
  const query = useInfiniteQuery({
    queryKey: ["post", path, { body, pageSize }, "rows"],
    queryFn: ({ pageParam, signal }) =>
      page<Row<P>>(path, { ...(body as object), limit: pageSize, ...(pageParam ? { cursor: pageParam } : {}) }, signal),
    initialPageParam: "",
    getNextPageParam: (last: Page<Row<P>>) => last.next,
    placeholderData: keepPreviousData,
    ...rest,
  });
  const { hasNextPage, isFetchingNextPage, fetchNextPage, data } = query;
  const loadMore = () => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  };
  useEffect(() => {
    if (all && hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [all, hasNextPage, isFetchingNextPage, fetchNextPage]);
  const rows = useMemo(() => data?.pages.flatMap((p) => p.rows) ?? [], [data]);
  return {
    rows,
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    hasMore: hasNextPage,
    loadMore,
    refetch: () => void query.refetch(),
  };
}
