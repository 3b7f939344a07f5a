import { localStorageColorSchemeManager, MantineProvider, mergeThemeOverrides } from "@mantine/core";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRouter, RouterProvider } from "@tanstack/react-router";
import { Suspense, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { onForbidden } from "./api/gate";
import { statusOf } from "./api/problem";
import { meQuery } from "./api/session";
import { routeTree } from "./routeTree.gen";
import { ErrorPage, NotFoundPage } from "./shell/error-pages";
import { cssVariables, theme } from "./theme/theme";
import { PageSkeleton } from "./ui/page";

const scheme = localStorageColorSchemeManager({ key: "tollgate.scheme" });

function newQueries() {
  const queries = new QueryClient({
    defaultOptions: {
      mutations: { networkMode: "always" },
      queries: {
        staleTime: 15_000,
        networkMode: "always", // whether the gateway can be reached is seen by asking it
        // What the server refused is not asked again; a lost network is.
        retry: (count, error) => (statusOf(error) === 0 || statusOf(error) >= 500) && count < 2,
      },
    },
  });
  onForbidden(() => void queries.invalidateQueries({ queryKey: meQuery.queryKey }));
  return queries;
}

function newRouter(queries: QueryClient) {
  return createRouter({
    routeTree,
    basepath: "/console",
    context: { queries },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: PageSkeleton,
    defaultErrorComponent: ErrorPage,
    defaultNotFoundComponent: NotFoundPage,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}

/** App is everything that surrounds the pages. */
export function App({ nonce }: { nonce: string }) {
  const [queries] = useState(newQueries);
  const [router] = useState(() => newRouter(queries));
  const { t } = useTranslation("common");
  // The crosses that close dialogs and notices have no words of their own.
  const named = useMemo(
    () => mergeThemeOverrides(theme, { components: { CloseButton: { defaultProps: { "aria-label": t("close") } } } }),
    [t],
  );
  return (
    <MantineProvider
      theme={named}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={scheme}
      defaultColorScheme="auto"
      getStyleNonce={nonce ? () => nonce : undefined}
    >
      <QueryClientProvider client={queries}>
        <ModalsProvider>
          <Notifications position="bottom-right" />
          <Suspense fallback={null}>
            <RouterProvider router={router} />
          </Suspense>
        </ModalsProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
