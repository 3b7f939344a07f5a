import { useTranslation } from "react-i18next";
import type { Key } from "@/api/types";
import { confirm } from "@/ui/confirm";
import { RowMenu } from "@/ui/row-menu";
import { nameOf } from "./columns";

interface KeyMenuProps {
  row: Key;
  /** Absent where a key is changed elsewhere. */
  edit?: () => void;
  /** Absent where the key cannot be switched. */
  setEnabled?: (enabled: boolean) => void;
  /** Absent where the key cannot be rotated. */
  rotate?: () => void;
  remove: () => void;
}

/** KeyMenu is what can be done with a key, asked first where it hurts. */
export function KeyMenu({ row, edit, setEnabled, rotate, remove }: KeyMenuProps) {
  const { t } = useTranslation("keys");
  const { t: common } = useTranslation("common");
  const label = nameOf(row, t);
  const disable = async () => {
    if (await confirm({ title: t("disableTitle", { label }), body: t("disableBody"), confirm: t("disable") }))
      setEnabled?.(false);
  };
  const turn = async () => {
    if (await confirm({ title: t("rotateTitle", { label }), body: t("rotateBody"), confirm: t("rotate") })) rotate?.();
  };
  const drop = async () => {
    if (await confirm({ title: t("deleteTitle", { label }), body: t("deleteBody"), confirm: common("delete"), danger: true }))
      remove();
  };
  const turned = row.enabled ? { label: t("disable"), run: disable } : { label: t("enable"), run: () => setEnabled?.(true) };
  return (
    <RowMenu
      name={label}
      items={[
        ...(edit ? [{ label: common("edit"), run: edit }] : []),
        ...(setEnabled ? [turned] : []),
        ...(rotate ? [{ label: t("rotate"), run: turn }] : []),
        { label: common("delete"), run: drop, danger: true },
      ]}
    />
  );
}
