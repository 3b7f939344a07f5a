import { ActionIcon, AppShell, Burger, Group, Kbd, ScrollArea } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { Link, useLocation } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useMe } from "@/api/session";
import type { Language } from "@/i18n";
import { AccountMenu } from "./account-menu";
import { Banners } from "./banners";
import { Challenges } from "./challenges";
import { Wordmark } from "./mark";
import { navEntries } from "./nav";
import { openPalette, whenOpened } from "./palette-store";
import classes from "./shell.module.css";
import { Shortcuts } from "./shortcuts";

const Palette = lazy(() => import("./palette"));

/** Shell is what surrounds every page behind the sign-in. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation("common");
  const [opened, nav] = useDisclosure();
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new page closes the drawer
  useEffect(() => nav.close(), [pathname]);
  return (
    <>
      <a href="#content" className={classes.skip}>
        {t("skip")}
      </a>
      <AppShell header={{ height: 56 }} navbar={{ width: 236, breakpoint: "sm", collapsed: { mobile: !opened } }} padding="lg">
        <AppShell.Header className={classes.header}>
          <Group h="100%" px="md" justify="space-between" wrap="nowrap">
            <Link
              to="/"
              className="mantine-focus-auto"
              style={{ color: "inherit", textDecoration: "none" }}
              aria-label={`Tollgate, ${t("home")}`}
            >
              <Wordmark />
            </Link>
            <Group gap="xs" wrap="nowrap">
              <PaletteButton />
              <AccountMenu />
            </Group>
          </Group>
        </AppShell.Header>
        <AppShell.Navbar className={classes.navbar} p="sm" aria-label={t("menu")}>
          <ScrollArea h="100%" type="never" viewportProps={{ tabIndex: -1 }}>
            <Navigation />
          </ScrollArea>
        </AppShell.Navbar>
        <AppShell.Main id="content" tabIndex={-1}>
          <div className={classes.content}>
            <Banners />
            {children}
          </div>
        </AppShell.Main>
      </AppShell>
      <ActionIcon
        className={classes.thumb}
        size={52}
        radius="xl"
        hiddenFrom="sm"
        onClick={nav.toggle}
        aria-label={t("menu")}
        aria-expanded={opened}
      >
        {opened ? <Burger component="div" opened size="sm" color="white" aria-hidden /> : <IconMenu2 aria-hidden />}
      </ActionIcon>
      <Challenges />
      <Shortcuts />
      <AskedPalette />
    </>
  );
}

/** AskedPalette loads the palette when it is asked for the first time. */
function AskedPalette() {
  const [asked, setAsked] = useState(false);
  useEffect(() => whenOpened("palette", () => setAsked(true)), []);
  useHotkeys([["mod+K", openPalette]]);
  if (!asked) return null;
  return (
    <Suspense fallback={null}>
      <Palette />
    </Suspense>
  );
}

function PaletteButton() {
  const { t } = useTranslation("common");
  return (
    <>
      <button type="button" className={`${classes.palette} mantine-visible-from-sm`} onClick={openPalette}>
        <IconSearch size={16} aria-hidden />
        {t("search")}
        <Kbd size="xs">{/Mac|iP/.test(navigator.userAgent) ? "⌘ K" : "Ctrl K"}</Kbd>
      </button>
      <ActionIcon variant="subtle" color="gray" size="lg" hiddenFrom="sm" onClick={openPalette} aria-label={t("search")}>
        <IconSearch size={20} aria-hidden />
      </ActionIcon>
    </>
  );
}

function Navigation() {
  const { t, i18n } = useTranslation("common");
  const entries = navEntries(useMe());
  const groups = [...new Set(entries.map((entry) => entry.group))];
  const { pathname } = useLocation();
  const links = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the entry of a new page is brought into sight
  useEffect(() => {
    void links.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [pathname]);
  const ordered = (["you", "administration"] as const).filter((group) => groups.includes(group));
  return (
    <div className={classes.links} ref={links}>
      {ordered.map((group) => (
        <section key={group} aria-label={t(group)}>
          <div className={classes.group}>{t(group)}</div>
          {entries
            .filter((entry) => entry.group === group)
            .map(({ to, icon: Sign, title }) => (
              <Link key={to} to={to} className={classes.link} activeOptions={{ exact: to === "/", includeSearch: false }}>
                <Sign size={18} stroke={1.7} aria-hidden />
                {title[i18n.language as Language]}
              </Link>
            ))}
        </section>
      ))}
    </div>
  );
}
