import { useTranslation } from "react-i18next";
import { useAction } from "@/api/action";
import { useMe } from "@/api/session";
import type { User } from "@/api/types";
import { confirm } from "@/ui/confirm";
import type { RowAction } from "@/ui/row-menu";

/** What changes of users make old. */
export const usersStale = ["/admin/users", "/admin/user-", "/user/me"];

/** useMayChange tells whether the person may change state and role of a user: never their own or the super admin's. */
export function useMayChange(): (user: User) => boolean {
  const me = useMe();
  return (user) => user.id !== me.id && !user.is_super_admin;
}

/** useUserActions is what can be done with one user, asked first where it hurts. */
export function useUserActions(edit: (user: User) => void, gone?: () => void): (user: User) => RowAction[] {
  const { t } = useTranslation("users");
  const { t: common } = useTranslation("common");
  const me = useMe();
  const mayChange = useMayChange();
  const write = useAction("/admin/users/upsert", { stale: usersStale, done: t("saved") }).mutate;
  const remove = useAction("/admin/users/delete", { stale: usersStale, done: t("deleted") }).mutate;

  const setEnabled = async ({ id, name }: User, enabled: boolean) => {
    const sure =
      enabled ||
      (await confirm({
        title: t("deactivateTitle", { name }),
        body: t("deactivateBody"),
        confirm: t("deactivate"),
        danger: true,
      }));
    if (sure) write({ id, enabled });
  };
  const setAdmin = async ({ id, name }: User, is_admin: boolean) => {
    const question = is_admin
      ? { title: t("grantTitle", { name }), body: t("grantBody"), confirm: t("grant") }
      : { title: t("revokeTitle", { name }), body: t("revokeBody"), confirm: t("revoke"), danger: true };
    if (await confirm(question)) write({ id, is_admin });
  };
  const drop = async ({ id, name }: User) => {
    const question = {
      title: t("deleteTitle", { name }),
      body: t("deleteBody"),
      confirm: common("delete"),
      danger: true,
      typed: name,
    };
    if (await confirm(question)) remove({ id }, { onSuccess: gone });
  };
  return (user) => {
    const own: RowAction[] = user.is_super_admin && user.id !== me.id ? [] : [{ label: common("edit"), run: () => edit(user) }];
    if (!mayChange(user)) return own;
    return [
      ...own,
      { label: user.enabled ? t("deactivate") : t("activate"), run: () => void setEnabled(user, !user.enabled) },
      { label: user.is_admin ? t("revoke") : t("grant"), run: () => void setAdmin(user, !user.is_admin) },
      { label: common("delete"), run: () => void drop(user), danger: true },
    ];
  };
}
