import { Group, Kbd, Modal, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/session";
import type { Language } from "@/i18n";
import { navEntries } from "./nav";
import { whenOpened } from "./palette-store";

/** How long the second key of a pair may take, in milliseconds. */
const patience = 900;

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Shortcuts listens for keys and shows the list of them. */
export function Shortcuts() {
  const { t, i18n } = useTranslation("common");
  const [opened, help] = useDisclosure();
  const navigate = useNavigate();
  const me = useMe();
  const entries = useMemo(() => navEntries(me), [me]);
  const before = useRef({ key: "", at: 0 });

  useEffect(() => whenOpened("help", help.open), [help.open]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.metaKey || event.ctrlKey || event.altKey || typing(event.target) || document.querySelector('[role="dialog"]'))
        return;
      const pair = event.timeStamp - before.current.at < patience ? `${before.current.key} ${event.key}` : "";
      before.current = { key: event.key, at: event.timeStamp };
      const entry = entries.find(({ shortcut }) => shortcut !== undefined && shortcut === pair);
      if (entry) void navigate({ to: entry.to });
      else if (event.key === "?") help.open();
      else if (event.key === "/") document.querySelector<HTMLElement>("[data-page-search]")?.focus();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [entries, navigate, help.open]);

  const rows: [string, string][] = [
    ["Ctrl K", t("shortcutPalette")],
    ["?", t("shortcutHelp")],
    ["/", t("shortcutSearch")],
    ...entries.flatMap((entry): [string, string][] =>
      entry.shortcut ? [[entry.shortcut, entry.title[i18n.language as Language]]] : [],
    ),
  ];
  return (
    <Modal opened={opened} onClose={help.close} title={t("shortcuts")} closeButtonProps={{ "aria-label": t("close") }}>
      <Stack gap="xs">
        {rows.map(([keys, words]) => (
          <Group key={keys} justify="space-between">
            <Text size="sm">{words}</Text>
            <Group gap={4}>
              {keys.split(" ").map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </Group>
          </Group>
        ))}
      </Stack>
    </Modal>
  );
}
