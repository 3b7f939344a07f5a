import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { post, refresh } from "@/api/action";
import { problemOf, statusOf } from "@/api/problem";
import { type Place, placesStale } from "./places";

/** usePush brings the records to a place; conflict is what it says when somebody changed the document there. */
export function usePush(place: Place) {
  const { t } = useTranslation("config");
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const [conflict, setConflict] = useState<string | null>(null);
  const run = async (force = false) => {
    setBusy(true);
    setFailure(null);
    setConflict(null);
    try {
      const { notes } = await post("/admin/config-sync/push", { id: place.id, ...(force && { force }) });
      notifications.show({ title: t("pushedDone", { name: place.name }), message: notes?.join("\n") ?? "", color: "pine" });
      await refresh(queries, placesStale);
    } catch (error) {
      if (statusOf(error) === 409 && !force) setConflict(problemOf(error)?.detail ?? "");
      else setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return { run, busy, failure, conflict, settle: () => setConflict(null) };
}

interface ConflictProps {
  place: Place;
  conflict: string | null;
  close: () => void;
  pull: () => void;
  force: () => void;
}

/** Conflict asks which document stays: the one at the place, or the records of here. */
export function Conflict({ place, conflict, close, pull, force }: ConflictProps) {
  const { t } = useTranslation("config");
  const { t: common } = useTranslation("common");
  return (
    <Modal opened={conflict !== null} onClose={close} title={t("conflictTitle", { name: place.name })}>
      <Stack>
        <Text size="sm">{t("conflictBody")}</Text>
        <Text size="xs" c="dimmed">
          {conflict}
        </Text>
        <Group justify="flex-end">
          <Button variant="default" onClick={close}>
            {common("cancel")}
          </Button>
          <Button variant="light" color="red" onClick={force}>
            {t("force")}
          </Button>
          <Button onClick={pull} data-autofocus>
            {t("conflictPull")}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
