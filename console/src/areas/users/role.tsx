import { useTranslation } from "react-i18next";
import type { User } from "@/api/types";
import { Status } from "@/ui/status";

/** Role is what a user may do here, in a word. */
export function Role({ user }: { user: User }) {
  const { t } = useTranslation("users");
  if (user.is_super_admin) return <Status tone="info">{t("roleSuper")}</Status>;
  return user.is_admin ? <Status tone="info">{t("roleAdmin")}</Status> : <Status tone="quiet">{t("roleUser")}</Status>;
}
