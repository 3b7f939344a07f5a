import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { IconExternalLink, IconPlugConnected } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useRows } from "@/api/rows";
import { waysQuery } from "@/api/session";
import type { Row } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { Card } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { Time } from "@/ui/time";

type Identity = Row<"/user/identities/query">;

const route = getRouteApi("/_app/account");
const stale = ["/user/identities", "/user/me", "/user/sessions"];

/** Identities are one's accounts at sign-in providers. Nothing is shown where there are neither providers nor accounts. */
export function Identities() {
  const { t } = useTranslation("account");
  const { error: refused } = route.useSearch();
  const list = useRows("/user/identities/query", {});
  const providers = useQuery(waysQuery).data?.providers ?? [];
  const link = useAction("/user/identities/link", { stale: [] });
  const unlink = useAction("/user/identities/unlink", { stale, done: t("unlinked") }).mutate;
  const titleOf = (name: string) => providers.find((p) => p.name === name)?.title ?? name;
  const drop = async (identity: Identity) => {
    const provider = titleOf(identity.provider);
    if (
      await confirm({
        title: t("unlinkTitle", { provider }),
        body: t("unlinkBody", { provider }),
        confirm: t("unlink"),
        danger: true,
      })
    )
      unlink({ id: identity.id });
  };
  const go = (provider: string) =>
    link.mutate({ provider, return_to: "/console/account" }, { onSuccess: ({ url }) => window.location.assign(url) });
  const free = providers.filter(({ name }) => !list.rows.some((i) => i.provider === name));
  return (
    <Card title={t("identities")}>
      <Text size="sm" c="dimmed">
        {providers.length === 0 && list.rows.length === 0 ? t("noProviders") : t("identitiesLead")}
      </Text>
      {refused && (
        <Alert color="red" title={t("notLinked")} role="alert">
          {refused}
        </Alert>
      )}
      {list.error ? <ProblemAlert error={list.error} retry={list.refetch} /> : null}
      {list.rows.map((identity) => (
        <Group key={identity.id} justify="space-between">
          <Group gap="sm" wrap="nowrap">
            <IconPlugConnected size={20} aria-hidden style={{ flexShrink: 0 }} />
            <Stack gap={0}>
              <Text fw={550}>{titleOf(identity.provider)}</Text>
              <Text size="xs" c="dimmed" component="div">
                {identity.email || identity.subject} · {t("lastUsed")} <Time at={identity.last_used_at} />
              </Text>
            </Stack>
          </Group>
          <Button
            variant="subtle"
            color="red"
            onClick={() => void drop(identity)}
            aria-label={`${t("unlink")}: ${titleOf(identity.provider)}`}
          >
            {t("unlink")}
          </Button>
        </Group>
      ))}
      {free.length > 0 && (
        <Group gap="sm">
          {free.map(({ name, title }) => (
            <Button
              key={name}
              variant="default"
              leftSection={<IconExternalLink size={16} aria-hidden />}
              loading={link.isPending}
              onClick={() => go(name)}
            >
              {t("linkWith", { provider: title })}
            </Button>
          ))}
        </Group>
      )}
    </Card>
  );
}
