import { Alert, Button, Code, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { problemOf } from "@/api/problem";

/** ProblemAlert says what went wrong and offers a way on. */
export function ProblemAlert({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const { t } = useTranslation("common");
  const problem = problemOf(error);
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={title ?? t("failed")} role="alert">
      <Stack gap="xs" align="flex-start">
        <Text size="sm">{problem ? problem.detail : t("unreachable")}</Text>
        {problem?.request_id && <Code>{t("requestId", { id: problem.request_id })}</Code>}
        {retry && (
          <Button size="xs" variant="default" onClick={retry}>
            {t("retry")}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
