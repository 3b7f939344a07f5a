import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

const own = document.querySelector<HTMLMetaElement>('meta[name="tollgate-build"]')?.content ?? "";

/** useOutdated tells that the gateway now serves another console than this one. */
export function useOutdated(): boolean {
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    const notice = (event: Event) => {
      if (!navigator.onLine) return; // the page says that it could not be shown
      event.preventDefault(); // a part of the page is gone from the server: the notice says so
      setMissing(true);
    };
    window.addEventListener("vite:preloadError", notice);
    return () => window.removeEventListener("vite:preloadError", notice);
  }, []);
  const { data } = useQuery({
    queryKey: ["get", "/console/build.json"],
    queryFn: async ({ signal }) => {
      const response = await fetch("/console/build.json", { signal });
      return response.ok ? ((await response.json()) as { build: string }) : null;
    },
    enabled: import.meta.env.PROD,
    refetchInterval: 300_000,
    refetchOnWindowFocus: true,
    retry: false,
  });
  return missing || (data != null && data.build !== own);
}
