import { Alert, Button, Group, Text } from "@mantine/core";
import { IconRefresh, IconWifiOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useOutdated } from "@/api/build";
import { useGate } from "@/api/gate";

/** Banners say what concerns the whole page: no network, a newer gateway. */
export function Banners() {
  const { t } = useTranslation("common");
  const { offline } = useGate();
  const outdated = useOutdated();
  const queries = useQueryClient();
  return (
    <div aria-live="polite">
      {offline && (
        <Alert color="orange" icon={<IconWifiOff aria-hidden />} mb="md">
          <Group justify="space-between">
            <Text size="sm">{t("offline")}</Text>
            <Button size="xs" variant="default" onClick={() => void queries.refetchQueries({ type: "active" })}>
              {t("retry")}
            </Button>
          </Group>
        </Alert>
      )}
      {outdated && (
        <Alert color="pine" icon={<IconRefresh aria-hidden />} mb="md">
          <Group justify="space-between">
            <Text size="sm">{t("outdated")}</Text>
            <Button size="xs" onClick={() => window.location.reload()}>
              {t("reload")}
            </Button>
          </Group>
        </Alert>
      )}
    </div>
  );
}
