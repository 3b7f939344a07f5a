import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
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

/** later is the size of pages after the first: somebody who reads on reads much. */
const later = (pageSize: number) => Math.min(1000, 5 * pageSize);

/** isShort tells whether a list may be read again unasked; of a long one that would be hundreds of requests. */
const isShort = ({ state }: { state: { data?: { pages: unknown[] } } }) => (state.data?.pages.length ?? 0) <= 3;

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
      page<Row<P>>(
        path,
        { ...(body as object), ...(pageParam ? { limit: later(pageSize), cursor: pageParam } : { limit: pageSize }) },
        signal,
      ),
    initialPageParam: "",
    getNextPageParam: (last: Page<Row<P>>) => last.next,
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: isShort,
    refetchOnReconnect: isShort,
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

/** useWhole reads a short list that comes in one answer, as statuses do: it has no pages. */
export function useWhole<P extends ListPath>(
  path: P,
  body: Body<P>,
  options: Pick<RowsOptions, "refetchInterval" | "enabled"> = {},
) {
  const query = useQuery({
    queryKey: ["post", path, { body }, "whole"],
    queryFn: async ({ signal }) => {
      const { data, error, response } = await (client.POST as unknown as Post)(path, { body, signal });
      if (error !== undefined || !response.ok) throw new Failure((error ?? { status: response.status }) as Problem);
      return data as Row<P>[];
    },
    ...options,
  });
  const list: Rows<Row<P>> = {
    rows: query.data ?? [],
    isPending: query.isPending,
    isFetching: query.isFetching,
    error: query.error,
    hasMore: false,
    loadMore: () => undefined,
    refetch: () => void query.refetch(),
  };
  return list;
}
