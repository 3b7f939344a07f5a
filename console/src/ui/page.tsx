import { Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import type { ReactNode } from "react";

interface PageProps {
  title: string;
  /** One sentence on what the page is for. */
  lead?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** Page is the frame of every page: its one h1, what can be done, the content. */
export function Page({ title, lead, actions, children }: PageProps) {
  useDocumentTitle(`${title} · Tollgate`);
  return (
    <Stack gap="lg">
      <Group justify="space-between" align="flex-start" gap="md">
        <Stack gap={4} maw={680}>
          <Title order={1}>{title}</Title>
          {lead && <Text c="dimmed">{lead}</Text>}
        </Stack>
        {actions && (
          <Group gap="sm" maw="100%" miw={0}>
            {actions}
          </Group>
        )}
      </Group>
      {children}
    </Stack>
  );
}

/** Card is a bordered surface with a heading. */
export function Card({ title, aside, children }: { title?: string; aside?: ReactNode; children: ReactNode }) {
  return (
    <section className="card" aria-label={title}>
      <Stack gap="md" p="lg">
        {title && (
          <Group justify="space-between" align="center">
            <Title order={2}>{title}</Title>
            {aside}
          </Group>
        )}
        {children}
      </Stack>
    </section>
  );
}

/** PageSkeleton holds the place of a page that is loading. */
export function PageSkeleton() {
  return (
    <Stack gap="lg" aria-hidden>
      <Skeleton h={28} w={220} />
      <Skeleton h={120} />
      <Skeleton h={320} />
    </Stack>
  );
}
