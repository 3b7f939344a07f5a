import { Avatar, Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { IconBook2, IconCheck, IconDeviceDesktop, IconKeyboard, IconLogout, IconMoon, IconSun } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { signOut, useMe } from "@/api/session";
import { type Language, languages, switchLanguage } from "@/i18n";
import { openHelp } from "./palette-store";

const schemes = [
  ["auto", "schemeAuto", IconDeviceDesktop],
  ["light", "schemeLight", IconSun],
  ["dark", "schemeDark", IconMoon],
] as const;

/** AccountMenu is what concerns the person: language, appearance, leaving. */
export function AccountMenu() {
  const { t, i18n } = useTranslation("common");
  const me = useMe();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Menu position="bottom-end" width={232} shadow="md">
      <Menu.Target>
        <UnstyledButton aria-label={t("account")}>
          <Avatar name={me.name} color="pine" size={34} radius="xl" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("signedInAs", { name: me.name })}</Menu.Label>
        <Menu.Divider />
        <Menu.Label>{t("scheme")}</Menu.Label>
        {schemes.map(([value, label, Sign]) => (
          <Menu.Item
            key={value}
            leftSection={<Sign size={16} aria-hidden />}
            rightSection={colorScheme === value && <IconCheck size={16} aria-hidden />}
            onClick={() => setColorScheme(value)}
          >
            {t(label)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t("language")}</Menu.Label>
        {(Object.keys(languages) as Language[]).map((language) => (
          <Menu.Item
            key={language}
            lang={language}
            rightSection={i18n.language === language && <IconCheck size={16} aria-hidden />}
            onClick={() => void switchLanguage(language)}
          >
            {languages[language]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconKeyboard size={16} aria-hidden />} onClick={openHelp}>
          {t("shortcuts")}
        </Menu.Item>
        <Menu.Item leftSection={<IconBook2 size={16} aria-hidden />} component="a" href="/docs">
          {t("docs")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} aria-hidden />} onClick={() => void signOut()}>
          {t("signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
