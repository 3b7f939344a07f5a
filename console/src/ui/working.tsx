import { Progress, Stack, Text } from "@mantine/core";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "@/i18n/format";

interface WorkingProps {
  /** What is being done. */
  label: string;
  /** How much of it is done, 0 to 1; absent when the server does not say. */
  share?: number;
}

/** Working shows that something long is being done, how far it is and how long it has taken. */
export function Working({ label, share }: WorkingProps) {
  const { t } = useTranslation("common");
  const format = useFormat();
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const tick = setInterval(() => setSeconds((now) => now + 1), 1000);
    return () => clearInterval(tick);
  }, []);
  const known = share !== undefined;
  return (
    <Stack gap={6} role="status">
      <Text size="sm">
        {label}
        {known && ` ${format.percent(share)}`}
      </Text>
      <Progress value={known ? share * 100 : 100} animated={!known} striped={!known} aria-label={label} />
      {seconds > 2 && (
        <Text size="xs" c="dimmed" aria-hidden>
          {t("working", { duration: format.duration(seconds * 1000) })}
        </Text>
      )}
    </Stack>
  );
}
