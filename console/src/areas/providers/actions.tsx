import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { confirm } from "@/ui/confirm";
import type { RowAction } from "@/ui/row-menu";
import { type Provider, providersStale } from "./provider-form";

/** useProviderActions is what can be done with a provider. */
export function useProviderActions(edit: (provider: Provider) => void, gone?: () => void): (provider: Provider) => RowAction[] {
  const { t } = useTranslation("providers");
  const { t: common } = useTranslation("common");
  const write = useAction("/admin/providers/upsert", { stale: providersStale, done: t("saved") }).mutate;
  const remove = useAction("/admin/providers/delete", { stale: providersStale, done: t("deleted") }).mutate;
  const drop = async ({ id, name }: Provider) => {
    const question = {
      title: t("deleteTitle", { name }),
      body: t("deleteBody"),
      confirm: common("delete"),
      danger: true,
      typed: name,
    };
    if (await confirm(question)) remove({ id }, { onSuccess: gone });
  };
  return (p) => [
    { label: common("edit"), run: () => edit(p) },
    { label: p.enabled ? t("deactivate") : t("activate"), run: () => write({ id: p.id, enabled: !p.enabled }) },
    { label: common("delete"), run: () => void drop(p), danger: true },
  ];
}
