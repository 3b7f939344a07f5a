import { Center, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import type { Icon } from "@tabler/icons-react";
import type { ReactNode } from "react";

interface EmptyProps {
  icon: Icon;
  title: string;
  /** What the next step is, and why one would take it. */
  children: ReactNode;
  action?: ReactNode;
}

/** Empty stands where nothing is yet and teaches the next step. */
export function Empty({ icon: Sign, title, children, action }: EmptyProps) {
  return (
    <Center py={48} px="md">
      <Stack align="center" gap="sm" maw={420} ta="center">
        <ThemeIcon variant="light" size={48} radius="xl">
          <Sign size={24} stroke={1.6} aria-hidden />
        </ThemeIcon>
        <Title order={3}>{title}</Title>
        <Text c="dimmed" size="sm">
          {children}
        </Text>
        {action}
      </Stack>
    </Center>
  );
}
