import { Anchor, Stack } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { api } from "@/api/client";
import type { Quota, Schema } from "@/api/types";
import { Budgets } from "@/areas/grants/budgets";
import { Limits } from "@/areas/grants/limits";
import { Permissions } from "@/areas/grants/permissions";
import { Card, PageSkeleton } from "@/ui/page";
import { ProblemAlert } from "@/ui/problem";
import { SmallTable } from "@/ui/small-table";
import { FilePermissions } from "./file-permissions";

type Rights = Omit<Schema<"Rights">, "quotas"> & { quotas: Quota[] };

/** UserRights shows what a user may, where that comes from, and lets an admin change it. */
export function UserRights({ id }: { id: number }) {
  const { t } = useTranslation("users");
  const { data, error, refetch } = api.useQuery("post", "/admin/users/effective", { body: { id } });
  const originOf = useOrigins(data as Rights | undefined);
  if (error) return <ProblemAlert error={error} retry={refetch} />;
  if (!data) return <PageSkeleton />;
  const rights = data as unknown as Rights;
  const owner = { scope: "user", id } as const;
  return (
    <Stack>
      <Permissions
        owner={owner}
        inherited={rights.permissions
          .filter(({ source }) => source !== "permission")
          .map((p) => ({
            key: `${p.source} ${p.source_id} ${p.provider} ${p.model_pattern}`,
            provider_id: p.provider_id,
            model_pattern: p.model_pattern,
            from: originOf({ scope: p.source === "team" ? "team" : "admin_role" }),
          }))}
        none={t("noPermissions")}
      />
      <Budgets
        owner={owner}
        inherited={rights.quotas.filter(({ scope }) => scope !== "user").map((quota) => ({ quota, from: originOf(quota) }))}
      />
      <Limits
        owner={owner}
        inherited={rights.rate_limits.filter(({ scope }) => scope !== "user").map((limit) => ({ limit, from: originOf(limit) }))}
      />
      <FilePermissions user={id} byRole={rights.file_permissions.filter(({ source }) => source !== "permission")} />
      {rights.keys.length > 0 && <BoundKeys keys={rights.keys} />}
    </Stack>
  );
}

/** useOrigins says where a right comes from, with the way there. */
function useOrigins(rights: Rights | undefined) {
  const { t } = useTranslation("grants");
  const { t: keys } = useTranslation("keys");
  return ({ scope, key_id }: { scope: Quota["scope"] | "admin_role"; key_id?: number }): ReactNode => {
    switch (scope) {
      case "team":
        return (
          <Anchor
            inherit
            renderRoot={(props) => <Link to="/admin/teams/$id" params={{ id: String(rights?.team_id) }} {...props} />}
          >
            {t("origin.team", { name: rights?.team ?? "" })}
          </Anchor>
        );
      case "key": {
        const key = rights?.keys.find((bound) => bound.key_id === key_id);
        return t("origin.key", { name: key ? key.label || keys("unnamed") : `#${key_id}` });
      }
      case "user":
        return t("origin.own");
      default:
        return t(`origin.${scope}`);
    }
  };
}

/** BoundKeys are keys that may less than their owner. */
function BoundKeys({ keys: bound }: { keys: Rights["keys"] }) {
  const { t } = useTranslation("users");
  const { t: keys } = useTranslation("keys");
  const list = (words: string[], none: string) => words.join(", ") || none;
  return (
    <Card title={t("boundKeys")}>
      <SmallTable
        heads={[keys("key"), keys("models"), t("keyAddresses"), t("keySurfaces")]}
        rows={bound.map((key) => ({
          key: String(key.key_id),
          cells: [
            key.label || keys("unnamed"),
            list(key.models, t("allModels")),
            list(key.ip_allow, t("everywhere")),
            list(key.surfaces, t("allSurfaces")),
          ],
        }))}
      />
    </Card>
  );
}
