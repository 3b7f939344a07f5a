import { Group, PasswordInput, Switch, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { post, refresh, useAction } from "@/api/action";
import { everything } from "./change";
import type { Place } from "./places";
import { PlanDialog } from "./plan-dialog";

/** Pull reads the document of a place and shows what it would change; applying is a step of its own. */
export function Pull({ place, version, close }: { place: Place; version: string; close: () => void }) {
  const { t } = useTranslation("config");
  const queries = useQueryClient();
  const [prune, setPrune] = useState(false);
  const [passphrase, setPassphrase] = useState("");
  const { mutate, data, error, isPending } = useAction("/admin/config-sync/pull", { stale: ["/admin/config-sync"], quiet: true });
  const opened = { prune, ...(passphrase && { passphrase }) };
  const read = () => mutate({ id: place.id, ...(version && { version }), ...opened });
  // biome-ignore lint/correctness/useExhaustiveDependencies: a passphrase is read when it is whole
  useEffect(read, [prune]);
  const apply = async (token: string) => {
    const done = await post("/admin/config/apply", { toml: data?.toml ?? "", token, target_id: place.id, ...opened });
    notifications.show({ message: t("pulledDone", { id: done.id }), color: "pine" });
    await refresh(queries, everything);
  };
  return (
    <PlanDialog
      title={t("pullTitle", { name: place.name })}
      lead={t("pullLead")}
      opened
      close={close}
      plan={data && !isPending ? data : null}
      failure={error && !isPending ? error : null}
      again={read}
      apply={apply}
    >
      <Switch
        label={t("prune")}
        description={t("pruneHint")}
        checked={prune}
        onChange={(event) => setPrune(event.currentTarget.checked)}
      />
      {error && !isPending && (
        <PasswordInput
          label={t("passphrase")}
          description={t("pullPassphrase")}
          value={passphrase}
          onChange={(event) => setPassphrase(event.currentTarget.value)}
          autoComplete="off"
          maw={420}
        />
      )}
      {data?.version && !isPending && (
        <Group gap="xs">
          <Text size="sm" c="dimmed">
            {t("version")}
          </Text>
          <Text size="sm" className="mono">
            {data.version.slice(0, 12)}
          </Text>
        </Group>
      )}
    </PlanDialog>
  );
}
