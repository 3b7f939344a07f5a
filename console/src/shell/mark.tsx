import { Group, Text } from "@mantine/core";

/** Mark is the sign of Tollgate: a gate post and its barrier, going up. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0c6b62" />
      <path d="M9 25h14" stroke="#fff" strokeWidth="2.5" strokeLinecap="round" />
      <rect x="9.5" y="12" width="4.5" height="13" rx="1.5" fill="#fff" />
      <path d="M11.8 15.2 25 8" stroke="#ffb224" strokeWidth="3.5" strokeLinecap="round" />
      <path d="m16.4 12.7 1.8-1M21 10.2l1.8-1" stroke="#0c6b62" strokeWidth="3.6" />
    </svg>
  );
}

/** Wordmark is the mark with the name. */
export function Wordmark() {
  return (
    <Group gap={10} wrap="nowrap">
      <Mark />
      <Text span fw={650} fz="1.0625rem" lts="-0.01em">
        Tollgate
      </Text>
    </Group>
  );
}
