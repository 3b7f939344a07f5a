import { Button, Center, Group, Stack, Text, Title } from "@mantine/core";
import { IconLock, IconMapPinOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Empty } from "@/ui/empty";
import { ProblemAlert } from "@/ui/problem";

/** ErrorPage stands in place of a page that failed; the shell around it stays. */
export function ErrorPage({ error, reset }: ErrorComponentProps) {
  const { t } = useTranslation("common");
  const router = useRouter();
  const queries = useQueryClient();
  const again = () => {
    void queries.resetQueries({ predicate: ({ state }) => state.status === "error" });
    reset();
    void router.invalidate();
  };
  return (
    <Center py="xl" px="md">
      <Stack maw={560} w="100%">
        <Title order={1}>{t("errorTitle")}</Title>
        <Text c="dimmed">{t("errorBody")}</Text>
        <ProblemAlert error={error} retry={again} />
        <Group>
          <Button variant="subtle" onClick={() => window.location.reload()}>
            {t("reload")}
          </Button>
        </Group>
      </Stack>
    </Center>
  );
}

function HomeButton() {
  const { t } = useTranslation("common");
  return (
    <Button component={Link} to="/" variant="default">
      {t("home")}
    </Button>
  );
}

export function NotFoundPage() {
  const { t } = useTranslation("common");
  return (
    <>
      <h1 className="sr-only">{t("notFoundTitle")}</h1>
      <Empty icon={IconMapPinOff} title={t("notFoundTitle")} action={<HomeButton />}>
        {t("notFoundBody")}
      </Empty>
    </>
  );
}

export function ForbiddenPage() {
  const { t } = useTranslation("common");
  return (
    <>
      <h1 className="sr-only">{t("forbiddenTitle")}</h1>
      <Empty icon={IconLock} title={t("forbiddenTitle")} action={<HomeButton />}>
        {t("forbiddenBody")}
      </Empty>
    </>
  );
}
