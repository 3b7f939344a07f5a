import { Skeleton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

/** Stat is one figure with its name. */
export function Stat({ label, value, hint, pending }: { label: string; value: ReactNode; hint?: ReactNode; pending?: boolean }) {
  return (
    <div className="card">
      <Stack gap={4} p="lg">
        <Text size="sm" c="dimmed">
          {label}
        </Text>
        {pending ? (
          <Skeleton h={30} w={96} />
        ) : (
          <Text fz="clamp(1.25rem, 5vw, 1.625rem)" fw={600} lh={1.15} className="tabular" style={{ whiteSpace: "nowrap" }}>
            {value}
          </Text>
        )}
        {hint && (
          <Text size="sm" c="dimmed" component="div">
            {hint}
          </Text>
        )}
      </Stack>
    </div>
  );
}
