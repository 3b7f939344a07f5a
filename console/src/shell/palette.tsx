import "@mantine/spotlight/styles.css";
import { useMantineColorScheme } from "@mantine/core";
import { createSpotlight, Spotlight, type SpotlightActionGroupData } from "@mantine/spotlight";
import { type Icon, IconBook2, IconKeyboard, IconLanguage, IconLogout, IconMoon, IconSearch, IconSun } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useEffect } from "react";
import { useTranslation } from "react-i18next";
import { signOut, useMe } from "@/api/session";
import { type Language, languages, switchLanguage } from "@/i18n";
import { navEntries } from "./nav";
import { openHelp, whenOpened } from "./palette-store";

const [store, spotlight] = createSpotlight();

/** Palette finds every page and command by name. */
export default function Palette() {
  const { t, i18n } = useTranslation("common");
  const me = useMe();
  const navigate = useNavigate();
  const { setColorScheme } = useMantineColorScheme();
  useEffect(() => {
    spotlight.open(); // it was loaded because somebody asked for it
    return whenOpened("palette", spotlight.open);
  }, []);

  const icon = (Sign: Icon) => <Sign size={20} stroke={1.6} aria-hidden />;
  const pages = navEntries(me).map((entry) => ({
    id: entry.to,
    label: entry.title[i18n.language as Language],
    keywords: [entry.keywords ?? "", ...Object.values(entry.title)],
    leftSection: icon(entry.icon),
    onClick: () => void navigate({ to: entry.to }),
  }));
  const commands = [
    { id: "light", label: t("schemeLight"), leftSection: icon(IconSun), onClick: () => setColorScheme("light") },
    { id: "dark", label: t("schemeDark"), leftSection: icon(IconMoon), onClick: () => setColorScheme("dark") },
    ...(Object.keys(languages) as Language[]).map((language) => ({
      id: language,
      label: languages[language],
      leftSection: icon(IconLanguage),
      onClick: () => void switchLanguage(language),
    })),
    { id: "help", label: t("shortcuts"), leftSection: icon(IconKeyboard), onClick: openHelp },
    { id: "docs", label: t("docs"), leftSection: icon(IconBook2), onClick: () => window.location.assign("/docs") },
    { id: "out", label: t("signOut"), leftSection: icon(IconLogout), onClick: () => void signOut() },
  ];
  const actions: SpotlightActionGroupData[] = [
    { group: t("pages"), actions: pages },
    { group: t("commands"), actions: commands },
  ];
  return (
    <Spotlight
      store={store}
      actions={actions}
      shortcut={null}
      nothingFound={t("paletteEmpty")}
      highlightQuery
      searchProps={{ leftSection: <IconSearch size={20} aria-hidden />, placeholder: t("palette"), "aria-label": t("palette") }}
    />
  );
}
