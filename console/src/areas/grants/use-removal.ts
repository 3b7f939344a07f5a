import { useTranslation } from "react-i18next";
import { confirm } from "@/ui/confirm";

/** useRemoval asks before a right is taken away. */
export function useRemoval(): (then: () => void) => void {
  const { t } = useTranslation("grants");
  const ask = async (then: () => void) => {
    const question = { title: t("removeTitle"), body: t("removeBody"), confirm: t("remove"), danger: true };
    if (await confirm(question)) then();
  };
  return (then) => void ask(then);
}
