import { Button, Drawer, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Answer } from "@/api/types";
import { PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Status } from "@/ui/status";
import { Time } from "@/ui/time";
import type { Place } from "./places";

interface PlaceVersionsProps {
  place: Place;
  close: () => void;
  /** Reads one of them and plans it. */
  pull: (version: string) => void;
}

/** PlaceVersions lists the versions that a place has; each can be looked at before it is applied. */
export function PlaceVersions({ place, close, pull }: PlaceVersionsProps) {
  const { t } = useTranslation("config");
  const { data, error, refetch } = api.useQuery(
    "post",
    "/admin/config-sync/versions",
    { body: { id: place.id } },
    { retry: false, staleTime: 0 },
  );
  const versions = (data ?? []) as Answer<"/admin/config-sync/versions">;
  return (
    <Drawer opened onClose={close} title={t("versionsTitle", { name: place.name })} position="right" size="md">
      <Stack>
        <Text size="sm" c="dimmed">
          {t(place.kind === "gist" ? "versionsGist" : "versionsOne")}
        </Text>
        {error && <ProblemAlert error={error} retry={refetch} />}
        {!data && !error && <PageSkeleton />}
        {data && versions.length === 0 && <Text c="dimmed">{t("vacant")}</Text>}
        {versions.map(({ version, at, current }) => (
          <Group key={version} justify="space-between" wrap="nowrap">
            <Stack gap={2}>
              <Group gap="xs">
                <Text size="sm" className="mono">
                  {version.slice(0, 12)}
                </Text>
                {current && <Status tone="info">{t("current")}</Status>}
              </Group>
              {at && (
                <Text size="xs" c="dimmed" component="div">
                  <Time at={at} />
                </Text>
              )}
            </Stack>
            <Button
              size="compact-sm"
              variant="default"
              aria-label={`${t("pull")} ${version.slice(0, 12)}`}
              onClick={() => {
                close();
                pull(current ? "" : version);
              }}
            >
              {t("pull")}
            </Button>
          </Group>
        ))}
      </Stack>
    </Drawer>
  );
}
