import { Text, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/i18n/format";

/** Time shows a moment in words; the exact one on hover and to screen readers. */
export function Time({ at, absent }: { at: string | null | undefined; absent?: string }) {
  const { t } = useTranslation("common");
  const format = useFormat();
  if (!at)
    return (
      <Text span inherit c="dimmed">
        {absent ?? t("never")}
      </Text>
    );
  return (
    <Tooltip label={format.absolute(at)}>
      <time dateTime={at} className="tabular">
        {format.relative(at)}
      </time>
    </Tooltip>
  );
}
